"""Every expected failure of a command as an exit code and a short message; the one place for it.

| what failed | exit code |
|---|---|
| usage; a file missing or malformed; a key that does not open; a call that is not allowed | 2 |
| no node answers, or it cannot do it now | 3 |
| a proof, seal, chain or store that contradicts itself; a step that may not be taken now | 1 |
| two signed statements that exclude each other: the evidence is written to a file | 4 |

Only what nobody foresaw shows a traceback.

>>> told(InputRefused("the register has no column tin"))
(2, 'the register has no column tin')
>>> told(KeyError("a bug")) is None
True
"""

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.errors import CheckError, FormatError, LedgerError, Misbehaviour
from service.cli import exits
from service.cli.refusal_text import refusal_text
from service.client.errors import ClientError, Conflict, Failure, Unavailable
from service.errors import Failed, Refused, ServiceError, StoreCorrupt, WrongStore
from service.keys.key_file import KeyFileError

# Enough of a hash to tell two pieces of evidence apart.
_EVIDENCE_NAME: Final = 8


class CommandError(Exception):
    """A command ends here; `exit_code` is one of `service.cli.exits`."""

    exit_code = exits.USAGE


class InputRefused(CommandError):
    """What was given cannot be read, or does not make sense."""


class AnswerIsNo(CommandError):
    """It was done, and the answer is no."""

    exit_code = exits.NO


class NotRunning(CommandError):
    """What the command needs is not there now; asking again later may help."""

    exit_code = exits.UNAVAILABLE


def told(error: BaseException) -> tuple[int, str] | None:
    """The exit code and the message of an expected failure; None for one that nobody foresaw."""
    code = _exit_code(error)
    return None if code is None else (code, _message(error))


def keep_evidence(error: Misbehaviour, folder: Path) -> Path:
    """Write evidence of misbehaviour where its finder can take it from; return where."""
    name = sha256(error.evidence).hexdigest()[: 2 * _EVIDENCE_NAME]
    path = folder / f"aeo-evidence-{name}.bin"
    path.write_bytes(error.evidence)
    return path


def _exit_code(error: BaseException) -> int | None:
    match error:
        case CommandError():
            return error.exit_code
        case Misbehaviour():
            return exits.MISBEHAVIOUR
        case Unavailable() | Failure():
            return exits.UNAVAILABLE
        case Conflict():
            return exits.NO
        case ClientError() | KeyFileError() | Refused() | FormatError() | WrongStore():
            return exits.USAGE
        case StoreCorrupt() | CheckError() | LedgerError():
            return exits.NO
        case Failed() | ServiceError():
            return exits.UNAVAILABLE
        case OSError() | UnicodeDecodeError() | tomllib.TOMLDecodeError():
            return exits.USAGE
    return None


def _message(error: BaseException) -> str:
    match error:
        case OSError(filename=str() | Path() as name) if error.strerror:
            return f"{name}: {error.strerror.lower()}"
        case UnicodeDecodeError():
            return f"not UTF-8: {error.reason} at byte {error.start}"
        case Unavailable():
            return f"no node answers: {error}"
        case ClientError():
            why = refusal_text(error.reason)
            why = "" if why in str(error) else why
            request = f" (request {error.request_id})" if error.request_id else ""
            return f"{error}{': ' if why else ''}{why}{request}"
    return str(error)

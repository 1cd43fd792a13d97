r"""A replica's copy of its administration's lookup keys and instructions, in a file of mode 0600.

    {"network_id": "...", "economy": "NZ",
     "keys": [{"arrangement_id": "...", "epoch": 1, "key": "..."}],
     "instructions": {"1": "Wave through"}}

With it a replica starts while its node is away. A file that others may read is refused, and one of
another network or economy. The digest names the content: a node that is told it need not send the
keys again.

>>> held = KeyringContent(b"n" * 32, "NZ", {(b"a" * 16, 1): b"k" * 32}, {3: "Wave through"})
>>> parse_keyring(format_keyring(held)) == held
True
>>> held.digest.hex()[:16]
'0e65a035ef5f9f94'
>>> parse_keyring(b'{"network_id": "00"}')
Traceback (most recent call last):
ledger.errors.FormatError: not a keyring: 'economy'
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.customs.subject import KEY_BYTES
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES
from service.errors import WrongStore
from service.keys.key_file import SECRET_MODE, KeyFileError, read_secret

KEYRING_LIMIT: Final = 1 << 24
"""About 100,000 keys."""


@dataclass(frozen=True, slots=True)
class KeyringContent:
    """Keys (32 bytes) by arrangement id and epoch; instructions by benefit code."""

    network_id: bytes
    economy: str
    keys: Mapping[tuple[bytes, int], bytes]
    instructions: Mapping[int, str]

    def __repr__(self) -> str:
        return f"KeyringContent(economy={self.economy!r}, {len(self.keys)} keys)"

    @property
    def digest(self) -> bytes:
        """32 bytes; equal for equal content."""
        return sha256(b"aeo/keyring" + format_keyring(self)).digest()


def format_keyring(content: KeyringContent) -> bytes:
    """Write the file's bytes."""
    return json.dumps(
        {
            "network_id": content.network_id.hex(),
            "economy": content.economy,
            "keys": [
                {"arrangement_id": arrangement_id.hex(), "epoch": epoch, "key": key.hex()}
                for (arrangement_id, epoch), key in sorted(content.keys.items())
            ],
            "instructions": {
                str(code): text for code, text in sorted(content.instructions.items())
            },
        },
        indent=1,
    ).encode()


def parse_keyring(data: bytes) -> KeyringContent:
    """Read the file's bytes; raises `FormatError`, which quotes no key."""
    if len(data) > KEYRING_LIMIT:
        raise FormatError(f"a keyring of {len(data)} bytes")
    try:
        said: Any = json.loads(data)
        content = KeyringContent(
            network_id=bytes.fromhex(said["network_id"]),
            economy=str(said["economy"]),
            keys={
                (bytes.fromhex(each["arrangement_id"]), int(each["epoch"])): bytes.fromhex(
                    each["key"]
                )
                for each in said["keys"]
            },
            instructions={int(code): str(text) for code, text in said["instructions"].items()},
        )
    except KeyError as error:
        raise FormatError(f"not a keyring: {error}") from None
    except (ValueError, TypeError, AttributeError):
        raise FormatError("not a keyring") from None
    check_keyring(content)
    return content


def check_keyring(content: KeyringContent) -> None:
    """Check lengths and numbers; raises `FormatError`."""
    for (arrangement_id, epoch), key in content.keys.items():
        if (
            len(arrangement_id) != ARRANGEMENT_ID_BYTES
            or len(key) != KEY_BYTES
            or not 0 < epoch < 1 << 32
        ):
            raise FormatError("not a keyring: a lookup key of no arrangement, epoch or length")
    if len(content.network_id) != HASH_BYTES:
        raise FormatError("not a keyring: a network id has 32 bytes")


class KeyringFile:
    """The file of one replica. One process writes, others may read."""

    def __init__(self, path: Path, network_id: bytes, economy: str) -> None:
        self.path = path
        self._whose = network_id, economy

    def read(self) -> KeyringContent | None:
        """What is kept, None before the first time.

        Raises `KeyFileError` for a file that is open to others or no keyring, `WrongStore` for one
        of another network or economy.
        """
        if not self.path.exists():
            return None
        try:
            content = parse_keyring(read_secret(self.path))
        except FormatError as error:
            raise KeyFileError(self.path, str(error)) from None
        if (content.network_id, content.economy) != self._whose:
            raise WrongStore(self.path, f"is a keyring of {content.economy}, or another network's")
        return content

    def write(self, content: KeyringContent) -> None:
        """Replace what is kept, whole or not at all; `KeyFileError` where the disk refuses."""
        fresh = self.path.with_name(f".{self.path.name}.new")
        try:
            fresh.unlink(missing_ok=True)
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
            with os.fdopen(handle, "wb") as file:
                file.write(format_keyring(content))
                file.flush()
                os.fsync(handle)
            fresh.replace(self.path)
        except OSError as error:
            raise KeyFileError(self.path, f"cannot be written: {error.strerror}") from None

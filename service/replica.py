"""Ask without a call: the replica inside a risk engine's own process.

    from service.replica import open_replica

    with open_replica("replica") as replica:
        replica.prepare(function="EX", direction="IMPORT", mode=1)
        answer = replica.evaluate("KR1234567890", function="EX", direction="IMPORT", mode=1)
        print(answer.outcome, answer.reason, [benefit.code for benefit in answer.benefits])

What it does, and what it does not, is said in `service.node.replica.embedded`.
"""

from pathlib import Path

from ledger.bls.scheme import BlsBackend
from service.client.verdicts import AliasOf, Outcome, Question
from service.node.replica.answer import Answer
from service.node.replica.embedded import REMEMBERED, EmbeddedReplica
from service.node.replica.folder import LedgerFolder
from service.node.replica.nothing_kept import ProfilesElsewhere

__all__ = [
    "AliasOf",
    "Answer",
    "EmbeddedReplica",
    "Outcome",
    "ProfilesElsewhere",
    "Question",
    "open_replica",
]


def open_replica(
    folder: Path | str,
    economy: str = "",
    *,
    remembered: int = REMEMBERED,
    backend: BlsBackend | None = None,
) -> EmbeddedReplica:
    """Open a folder that a replica or a node keeps; takes about 9 s for a million records.

    `economy` is whose lookup keys to use, needed where a node's folder has several members'. Raises
    the errors of the store, `KeyFileError` for keys that others may read, `WrongStore`.
    """
    return EmbeddedReplica(LedgerFolder(Path(folder), economy, backend), remembered)

"""What publishing needs of profiles: whose there are, and a commitment for each record.

A record about a trader with a profile commits to it with a nonce of its own; what ends sharing
commits to nothing, since nothing more is shared. A trader without profile costs one look into a
set, and a member without any not even that.
"""

from collections.abc import Container, Sequence
from typing import Final, Protocol

from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs.status import format_status, parse_status

COMMITMENT_FIELD: Final = b"B "
"""Tag and length of field 8 of a record, which follows the terms (`ledger.customs.status`)."""


class OwnProfiles(Protocol):
    """The profiles of one member's own traders."""

    @property
    def tins(self) -> Container[str]:
        """Whose profile is in force."""

    def commit(self, wanted: Sequence[tuple[str, bytes]]) -> Sequence[bytes]:
        """A commitment for each (TIN, arrangement id), durable; empty where none is in force."""


class NoProfiles:
    """Nobody has one."""

    tins: Container[str] = frozenset()

    def commit(self, wanted: Sequence[tuple[str, bytes]]) -> Sequence[bytes]:
        """Nothing for anybody."""
        return [b""] * len(wanted)


NO_PROFILES: Final = NoProfiles()


class Commitments:
    """The records of one request that are to commit to profiles; made all at once."""

    __slots__ = ("_places", "_profiles", "_wanted")

    def __init__(self, profiles: OwnProfiles) -> None:
        self._profiles = profiles
        self._wanted: list[tuple[str, bytes]] = []
        self._places: list[tuple[list[bytes], int, bool]] = []

    def note(
        self, tin: str, arrangement_id: bytes, records: list[bytes], *, common: bool, at: int = -1
    ) -> None:
        """Let a record commit, the last unless told otherwise; `common`: its terms stand last."""
        self._wanted.append((tin, arrangement_id))
        self._places.append((records, at % len(records), common))

    def make(self) -> None:
        """Write a commitment into each record noted."""
        if not self._wanted:
            return
        made = self._profiles.commit(self._wanted)
        for (records, at, common), commitment in zip(self._places, made, strict=True):
            if not commitment:
                continue
            if common:
                records[at] += COMMITMENT_FIELD + commitment
            else:
                record = parse_status(records[at])
                records[at] = format_status(record._replace(profile_commitment=commitment))


def commit_all(
    profiles: OwnProfiles, tin: str, arrangement_id: bytes, records: list[bytes]
) -> None:
    """Let every one of a trader's records under one arrangement commit."""
    commitments = Commitments(profiles)
    for at in range(len(records)):
        commitments.note(tin, arrangement_id, records, at=at, common=False)
    commitments.make()


def commits(event: int) -> bool:
    """Whether a record of this event commits to a profile."""
    return event != pb.EVENT_END_SHARING

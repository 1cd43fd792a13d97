"""The signing sets that a client knows: where it began, and where hand-overs have led since."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ledger.chain.genesis import Genesis
from ledger.chain.header import Header, header_hash, parse_header
from ledger.chain.set_change import SetChange, of_term
from ledger.chain.signing_set import SigningSet
from ledger.errors import AnchorError, ChainError
from service.client.trust_file import TrustPoint


class Followed(NamedTuple):
    """A set to which the set of a point has handed over, and by which changes."""

    signing_set: SigningSet
    changes: tuple[SetChange, ...]


def sets_of(point: TrustPoint) -> list[SigningSet]:
    """From the founders' to the point's own; what the point holds was checked when it was made."""
    return _sets(point.set_changes) or [point.signing_set]


def changes_for(
    point: TrustPoint, followed: Mapping[bytes, Followed], *headers: Header
) -> list[SetChange]:
    """As many set changes, from the founders' set on, as lead to the sets that the headers name.

    Raises `ChainError` where a set is not known.
    """
    changes, sets = list(point.set_changes), [each.hash for each in sets_of(point)]
    for header in headers:
        found = followed.get(point.signing_set.hash + header.signing_set_hash)
        if header.signing_set_hash not in sets and found is not None:
            changes += found.changes
            sets += [each.hash for each in _sets(found.changes)[1:]]
    if any(header.signing_set_hash not in sets for header in headers):
        raise ChainError("fork", "a header names a signing set that is not known")
    return changes[: max(sets.index(header.signing_set_hash) for header in headers)]


def check_term(point: TrustPoint, change: SetChange) -> None:
    """Whether a set hands over in the term in which it sealed the point; `AnchorError` if not.

    Not every term is known: a client may have gone from the first to the second at once.
    """
    last = point.set_changes[-1] if point.set_changes else None
    again = last is not None and change.height <= last.height
    if again or not of_term(point.header, last, change):
        raise AnchorError("a hand-over from before the signing set believed was in force")


def _sets(changes: Sequence[SetChange]) -> list[SigningSet]:
    sets = [change.sets.current for change in changes]
    incoming = changes[-1].sets.pending if changes else None
    return sets if incoming is None else [*sets, incoming]


def first_point(genesis: Genesis, header_bytes: bytes) -> TrustPoint:
    """The point at height 0. Nothing rests on its map root, which is not checked."""
    header = parse_header(header_bytes)
    said = header.network_id, header.height, header.time, header.signing_set_hash
    if said != (genesis.network_id, 0, genesis.created_at, genesis.signing_set.hash):
        raise AnchorError("the node's first header is not that of the genesis")
    return TrustPoint(
        header, header_hash(header_bytes), genesis.signing_set, genesis.created_at, b""
    )

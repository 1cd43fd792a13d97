r"""How trust passes from one signing set to the next: by one seal and one map proof.

    SetChange (aeo.ledger.v1)   header          that the outgoing set sealed
                                seal            of it, by more than two thirds of the outgoing set
                                signing_sets    object bytes of kind 4: (outgoing, incoming)
                                map_proof       of that object under the header's map root

Whoever trusts the outgoing set so trusts the incoming one, without any other header of the ledger.
A chain of them leads from the founders to the set that seals now; each starts where the one before
ended, at a greater height. A set that was voted out and in again stands in it twice: trust in it
may as well start from its last place (`changes_from`).

>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.keys import SIGNING_SETS_KEY, object_value
>>> from ledger.chain.seal import aggregate_seal, sign_share
>>> from ledger.chain.signing_set import SigningMember, SigningSets, format_signing_sets
>>> from ledger.tree.map import StateMap
>>> backend, network_id, root = default_backend(), b"n" * 32, b"r" * 32
>>> old, new = (SigningSet((SigningMember("SG", 1, backend.public_key(key)),)) for key in (7, 8))
>>> sets = format_signing_sets(SigningSets(old, new))
>>> held = StateMap.build({SIGNING_SETS_KEY: object_value(sets)})
>>> header = format_header(Header(network_id, 5, 9, root, root, 5, root, held.root, old.hash))
>>> shares = {"SG": sign_share(7, backend, network_id, header_hash(header), 9)}
>>> seal = aggregate_seal(old, header_hash(header), 9, shares, backend)
>>> change = SetChange(header, seal, sets, held.prove(SIGNING_SETS_KEY))
>>> parse_set_change(format_set_change(change)) == change
True
>>> check_set_changes(old, [change], network_id, backend) == [old, new]
True
>>> check_set_changes(new, [change], network_id, backend)
Traceback (most recent call last):
ledger.errors.ChainError: set change 0: the header of height 5 names another set than the outgoing
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from aeo.ledger.v1 import governance_pb2 as pb
from ledger.bls.scheme import BlsBackend
from ledger.chain.header import HEADER_BYTES, Header, format_header, header_hash, parse_header
from ledger.chain.seal import MAX_SEAL_BYTES, SEALED, open_seal
from ledger.chain.signing_set import (
    MAX_SETS_BYTES,
    SigningSet,
    SigningSets,
    check_set_change,
    parse_signing_sets,
)
from ledger.errors import ChainError, CheckError, FormatError
from ledger.tree.map_proof import MAX_PROOF_BYTES
from ledger.wire import format_strict, parse_strict

# The four fields, each with its tag and length.
SET_CHANGE_LIMIT: Final = HEADER_BYTES + MAX_SEAL_BYTES + MAX_SETS_BYTES + MAX_PROOF_BYTES + 4 * 6

# Between a header that hands over and the block that logs it, in Unix ms; mostly the one follows
# the other.
HAND_OVER_MS: Final = 3_600_000


class SetChange(NamedTuple):
    """A hand-over as whoever trusts the outgoing set can check it; every field is exact bytes."""

    header: bytes
    seal: bytes
    signing_sets: bytes
    map_proof: bytes

    @property
    def height(self) -> int:
        """Of the header; raises `FormatError`."""
        return parse_header(self.header).height

    @property
    def sets(self) -> SigningSets:
        """The outgoing set, current here, and the incoming one, pending; raises `FormatError`."""
        return parse_signing_sets(self.signing_sets)

    def message(self) -> pb.SetChange:
        """The same as a protobuf message."""
        return pb.SetChange(**self._asdict())


def format_set_change(change: SetChange) -> bytes:
    """Write a change; raises `FormatError`."""
    return format_strict(change.message())


def parse_set_change(data: bytes) -> SetChange:
    """Read a change, nothing of it checked but its form; raises `FormatError`."""
    return read_set_change(parse_strict(pb.SetChange, data, SET_CHANGE_LIMIT))


def read_set_change(message: pb.SetChange) -> SetChange:
    """Take a change out of a message that was read."""
    return SetChange(message.header, message.seal, message.signing_sets, message.map_proof)


def check_set_changes(
    first: SigningSet, changes: Iterable[SetChange], network_id: bytes, backend: BlsBackend
) -> list[SigningSet]:
    """Follow `changes` from a set that is trusted; return it and every set that it leads to.

    The newest comes last. Raises `ChainError`, which names the change.
    """
    sets = [first]
    height = -1
    for number, change in enumerate(changes):
        place = f"set change {number}"
        try:
            header = _above(place, change, height)
            sets.append(_incoming(place, change, header, sets[-1], network_id, backend))
        except ChainError:
            raise
        except (FormatError, CheckError) as error:
            raise ChainError(place, str(error)) from error
        height = header.height
    return sets


def _above(place: str, change: SetChange, height: int) -> Header:
    header = parse_header(change.header)
    if header.height <= height:
        raise ChainError(place, f"height {header.height} does not come after {height}")
    return header


def _incoming(
    place: str,
    change: SetChange,
    header: Header,
    outgoing: SigningSet,
    network_id: bytes,
    backend: BlsBackend,
) -> SigningSet:
    if header.network_id != network_id:
        raise ChainError(place, f"the header of height {header.height} is of another network")
    if header.signing_set_hash != outgoing.hash:
        raise ChainError(
            place, f"the header of height {header.height} names another set than the outgoing"
        )
    seal = open_seal(change.seal, outgoing, network_id, backend)
    if seal.header_hash != header_hash(format_header(header)):
        raise ChainError(place, f"the seal is not of the header of height {header.height}")
    if seal.level != SEALED:
        raise ChainError(
            place, f"signers of {seal.weight} of {seal.total} are not more than two thirds"
        )
    if seal.attested_time < header.time:
        raise ChainError(place, f"the header of height {header.height} was sealed before its time")
    incoming = change.sets.pending
    if incoming is None:
        raise ChainError(place, "no incoming set is pending")
    return check_set_change(
        change.signing_sets, change.map_proof, header, outgoing.hash, incoming.hash
    )


def of_term(header: Header, before: SetChange | None, after: SetChange | None) -> bool:
    """Whether a header can be of the term that its set had between two changes of one chain.

    A set that was replaced and came back is named by headers of both terms. Of a header of the
    second, trust passes on by the second alone: whoever followed on the first has been replaced. A
    header after the one that hands over may be of the term still, until the block that logs it.
    Raises `FormatError`.
    """
    if before is not None and before.height >= header.height:
        return False
    if after is None or after.height >= header.height:
        return True
    return parse_header(after.header).time >= header.time - HAND_OVER_MS


def changes_from(set_hash: bytes, changes: Sequence[SetChange]) -> list[SetChange] | None:
    """Of a whole chain, what leads on from a set's last place in it; None where it has none.

    Empty for the set that seals now. `changes` must be well-formed, and not empty where the set is
    not known to be the first.
    """
    for number in range(len(changes) - 1, -1, -1):
        sets = changes[number].sets
        if sets.pending is not None and sets.pending.hash == set_hash:
            return list(changes[number + 1 :])
    if changes and changes[0].sets.current.hash == set_hash:
        return list(changes)
    return None

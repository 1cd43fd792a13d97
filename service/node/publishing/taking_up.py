"""What an earlier process left in a member's outbox, when the next one starts.

    the ledger has it               marked with its place
    it waits, signed                checked, and sent again as it is
    its key is not trusted now      its records are given back, to be signed with the key in force

The last happens when a member was suspended while its transactions were under way and came back
with a new key: what the old key signed can never enter any more, while the ledger waits for its
number. Another transaction under a number and the key in force is `SequenceTaken`: somebody else
signs with our key, or two nodes do.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import structlog

from aeo.ledger.v1.governance_pb2 import GovernanceStep
from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.bls.scheme import BlsBackend
from ledger.chain.transaction import format_body, parse_transaction
from ledger.errors import FormatError
from ledger.state.state import State
from ledger.state.verified import VerifiedSignatures
from service.engine.protocol import Recorded as Place
from service.errors import SequenceTaken, StoreCorrupt
from service.node.governance.member_key import HeldKeys, known_public_key
from service.store.home.home_store import HomeStore
from service.store.home.outbox import Recorded, Signed

_log = structlog.get_logger("aeo.publisher")


class History(Protocol):
    """Where a transaction stands that the ledger already had when the node started."""

    def find(self, wanted: Iterable[bytes]) -> dict[bytes, Place]:
        """The places of those of the transactions `wanted` that are in the log."""


class TakenUp(NamedTuple):
    """The next number to sign, and what is to be sent again, in order."""

    next_sequence: int
    again: list[Signed]


def take_up(
    home: HomeStore,
    keys: HeldKeys,
    state: State,
    history: History,
    verified: VerifiedSignatures,
    backend: BlsBackend,
) -> TakenUp:
    """Settle what the outbox has signed and not marked.

    Raises `SequenceTaken` when the ledger has another transaction of a number signed here,
    `StoreCorrupt` when one that waits to be sent is no longer what was signed.
    """
    outbox = home.outbox
    last = state.next_sequence(keys.economy) - 1
    unrecorded = outbox.unrecorded()
    places = history.find(signed.data for signed in unrecorded if signed.sequence <= last)
    outbox.mark_recorded(
        [noted(each, places[each.data]) for each in unrecorded if each.data in places]
    )
    waiting = [each for each in unrecorded if each.data not in places]
    member = state.membership.members.get(keys.economy)
    lost = [
        each.sequence
        for each in waiting
        if member is not None and signers_key_id(each) not in {b"", member.key_id}
    ]
    if lost:
        _log.warning(
            "signed with a key that is not trusted any more; given back",
            economy=keys.economy,
            transactions=len(lost),
        )
        outbox.give_back(lost)
    again = [each for each in waiting if each.sequence not in lost]
    for each in again:
        if member is not None and each.sequence <= last:
            raise SequenceTaken(keys.economy, each.sequence)
        _remember(home, state, each, verified, backend)
    return TakenUp(max(outbox.next_sequence(), last + 1), again)


def noted(signed: Signed, place: Place) -> Recorded:
    """What the outbox keeps of a place."""
    refusals = {}
    if signed.carries.publications:  # a step's refusal is its caller's to hear, no publication's
        refusals = {position: code for position, code in enumerate(place.refusals) if code}
    return Recorded(signed.sequence, place.log_index, place.height, place.time, refusals)


def rotates(signed: Signed) -> bool:
    """Whether this transaction registers a new key, which then holds for the numbers after it."""
    if signed.carries.publications:
        return False
    body = parse_transaction(signed.data).body
    if body.WhichOneof("action") != "governance":
        return False
    step = GovernanceStep.FromString(body.governance)
    return bool(step.WhichOneof("step") == "rotate_key")


def signers_key_id(signed: Signed) -> bytes:
    """The key that signed; empty where that cannot be read."""
    try:
        return parse_transaction(signed.data).body.key_id
    except FormatError:
        return b""


def carried_anew(signed: Signed, head: Transaction) -> bytes:
    """The body of another transaction that carries the same records; `head` has all but those."""
    body = Transaction()
    body.CopyFrom(head)
    records = parse_transaction(signed.data).body
    if records.HasField("statuses"):
        body.statuses.CopyFrom(records.statuses)
    else:
        body.aliases.CopyFrom(records.aliases)
    return format_body(body)


def _remember(
    home: HomeStore,
    state: State,
    signed: Signed,
    verified: VerifiedSignatures,
    backend: BlsBackend,
) -> None:
    """Our own signature, made by an earlier process, if the disk has kept every bit of it.

    Unchecked, a changed byte would be ordered and sealed, and no verifier would ever accept
    the chain again.
    """
    place = f"signed transaction {signed.sequence}"
    try:
        parts = parse_transaction(signed.data)
    except FormatError as error:
        raise StoreCorrupt(home.path, place, str(error)) from error
    key = known_public_key(state, parts.body.key_id)
    message = parts.message_hash(state.network_id)
    if key is None or not backend.verify(key, message, parts.signature):
        raise StoreCorrupt(home.path, place, "its signature is not the member's")
    verified.add(key, message, parts.signature)

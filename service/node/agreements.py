"""Steps in the life of an arrangement, for one hosted member: propose, sign, suspend, resume, end.

Each becomes one transaction and answers once it is recorded. The lookup key is made by the
proposer's node, committed to in the text, and opened by every other party before it signs
(`service.node.key_delivery`).
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final, NamedTuple

from aeo.exchange.v1 import arrangement_service_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.chain.transaction import parse_transaction
from ledger.customs.arrangement import (
    ArrangementHistory,
    arrangement_id,
    format_arrangement_text,
    parse_arrangement_text,
)
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged
from ledger.state.refusals import (
    ARRANGEMENT_UNKNOWN,
    NOT_A_PARTY,
    TEXT_DIFFERS,
)
from ledger.state.state import State
from ledger.wire import format_strict
from service.errors import EngineStopped, Failed, KeyReused, Refused
from service.node.key_delivery import KeyDelivery
from service.node.keyring import FIRST_EPOCH
from service.node.publisher import Publisher
from service.store.ledger_store import LedgerStore

NONCE_BYTES: Final = 32

_NONCE = tagged("aeo/v1/node/proposal-nonce")


class StepRefused(Refused):
    """The state machine refused a step, or would; `code` is from its closed list."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TooLate(Failed):
    """The step is stored and signed, and will be recorded, but not within the caller's time."""


class Agreements:
    """Takes steps for one member."""

    def __init__(
        self,
        publisher: Publisher,
        delivery: KeyDelivery,
        current: Callable[[], State],
        store: LedgerStore,
    ) -> None:
        self._publisher = publisher
        self._delivery = delivery
        self._current = current
        self._store = store
        self._economy = publisher.economy

    def propose(self, text: pb.ArrangementText, idempotency_key: str, timeout: float) -> bytes:
        """Propose a text without commitment; returns the arrangement's id (16 bytes).

        The same idempotency key gives the text the same nonce, so the ledger itself tells whether
        the proposal was made before. Raises `FormatError`, `KeyReused`, `StepRefused`, `TooLate`.
        """
        # Whatever is wrong with the text is said before a number or a key is spent.
        text, known = self.check_proposal(text, idempotency_key)
        if known is not None:
            return known
        made = bytearray()

        def fill(body: Transaction) -> None:
            # Again, on the thread that gives out numbers: the same call may have come twice.
            if self._proposed(text, idempotency_key) is not None:
                raise _ProposedMeanwhile
            made[:] = arrangement_id(self._current().network_id, self._economy, body.sequence)
            key = self._publisher.keyring.make(bytes(made))
            text.lookup_key_commitment = key.commitment
            step = pb.ArrangementStep(propose=format_arrangement_text(text))
            body.arrangement = format_strict(step)

        try:
            self._act(fill, timeout)
        except _ProposedMeanwhile:
            known = self._proposed(text, idempotency_key)
            assert known is not None, "it was there a moment ago"
            return known
        return bytes(made)

    def check_proposal(
        self, text: pb.ArrangementText, idempotency_key: str
    ) -> tuple[pb.ArrangementText, bytes | None]:
        """The text as `propose` would have it, and the arrangement if it was proposed before.

        Raises `FormatError`, `KeyReused` or `StepRefused`, and changes nothing.
        """
        text = _with_nonce(text, self._economy, idempotency_key)
        known = self._proposed(text, idempotency_key)
        if known is None:
            if self._economy not in text.parties:
                raise StepRefused(NOT_A_PARTY, f"{self._economy} is not a party of the text")
            complete = pb.ArrangementText()
            complete.CopyFrom(text)
            complete.lookup_key_commitment = bytes(HASH_BYTES)
            parse_arrangement_text(format_arrangement_text(complete))
        return text, known

    def check_signature(self, arrangement: bytes, text_hash: bytes) -> ArrangementHistory:
        """The arrangement, if that is the text to sign; raises `StepRefused`."""
        history = self._history(arrangement)
        if history.text.text_hash != text_hash:
            raise StepRefused(TEXT_DIFFERS, "the caller read another text than the one proposed")
        return history

    def sign(self, arrangement: bytes, text_hash: bytes, timeout: float) -> None:
        """Sign the text that has `text_hash`, once its lookup key opens its commitment.

        Raises `StepRefused`, `NoLookupKey`, `WrongLookupKey`, `PeerUnreachable` or `TooLate`.
        """
        history = self.check_signature(arrangement, text_hash)
        self._delivery.obtain(
            history, history.proposed.author, FIRST_EPOCH, history.text.lookup_key_commitment
        )
        signature = pb.ArrangementSignature(arrangement_id=arrangement, text_hash=text_hash)
        self._step(pb.ArrangementStep(sign=signature), timeout)

    def suspend(self, arrangement: bytes, effective_from: int, timeout: float) -> None:
        """Suspend from an instant (Unix ms, 0: at once), alone, for all parties."""
        self._history(arrangement)
        step = pb.ArrangementSuspension(arrangement_id=arrangement, effective_from=effective_from)
        self._step(pb.ArrangementStep(suspend=step), timeout)

    def resume(self, arrangement: bytes, effective_from: int, timeout: float) -> None:
        """Resume what this member has suspended."""
        self._history(arrangement)
        step = pb.ArrangementResumption(arrangement_id=arrangement, effective_from=effective_from)
        self._step(pb.ArrangementStep(resume=step), timeout)

    def end(self, arrangement: bytes, effective_from: int, timeout: float) -> None:
        """End it from an instant that leaves the notice of the text."""
        self._history(arrangement)
        step = pb.ArrangementEnd(arrangement_id=arrangement, effective_from=effective_from)
        self._step(pb.ArrangementStep(end=step), timeout)

    def _history(self, arrangement: bytes) -> ArrangementHistory:
        history = self._current().arrangement(arrangement)
        if history is None:
            raise StepRefused(ARRANGEMENT_UNKNOWN, "no arrangement of that id was proposed")
        if self._economy not in history.text.parties:
            raise StepRefused(NOT_A_PARTY, f"{self._economy} is not a party of the arrangement")
        return history

    def _step(self, step: pb.ArrangementStep, timeout: float) -> None:
        data = format_strict(step)

        def fill(body: Transaction) -> None:
            body.arrangement = data

        self._act(fill, timeout)

    def _act(self, fill: Callable[[Transaction], None], timeout: float) -> None:
        try:
            place = self._publisher.act(fill).result(timeout)
        except TimeoutError:
            raise TooLate(
                "the step is stored and will be recorded; ask again for the arrangement"
            ) from None
        code = place.refusals[0] if place.refusals else ""
        if code:
            raise StepRefused(code, f"recorded in block {place.height} and refused: {code}")

    def _proposed(self, text: pb.ArrangementText, idempotency_key: str) -> bytes | None:
        """The arrangement that this member proposed with the text's nonce, if any."""
        state = self._current()
        for arrangement in state.own_arrangements(self._economy):
            history = state.arrangement(arrangement)
            if history is None or history.text.nonce != text.nonce:
                continue
            if history.proposed.author != self._economy:
                continue
            proposed = read_text(self._store, history)
            proposed.ClearField("lookup_key_commitment")
            same = pb.ArrangementText()
            same.CopyFrom(text)
            same.ClearField("lookup_key_commitment")
            if proposed != same:
                raise KeyReused(idempotency_key)
            return arrangement
        return None


class _ProposedMeanwhile(EngineStopped):
    """Another call with the same key was faster."""


class ArrangementView(NamedTuple):
    """An arrangement as people see it at one instant. `ended_from` is 0 while no end is known."""

    history: ArrangementHistory
    text_bytes: bytes
    text: pb.ArrangementText
    state: arrangement_service_pb2.ArrangementState
    suspended_by: list[str]
    ended_from: int


def view_arrangement(
    store: LedgerStore, history: ArrangementHistory, now: int, height: int
) -> ArrangementView:
    """What `history` comes to at `now` (Unix ms), known up to `height`.

    In operation is an arrangement of which some rule runs, in whatever direction.
    """
    text_bytes = read_text_bytes(store, history)
    suspended_by = history.suspended_by(now, height)
    ended_from = min((end.instant for end in history.ends), default=0)
    rules = history.text.rules
    if history.complete is None:
        state = arrangement_service_pb2.ARRANGEMENT_STATE_NEGOTIATING
    elif 0 < ended_from <= now:
        state = arrangement_service_pb2.ARRANGEMENT_STATE_ENDED
    elif suspended_by:
        state = arrangement_service_pb2.ARRANGEMENT_STATE_SUSPENDED
    elif any(rule.runs(now) for rule in rules):
        state = arrangement_service_pb2.ARRANGEMENT_STATE_IN_OPERATION
    elif rules and all(0 < rule.end <= now for rule in rules):
        state = arrangement_service_pb2.ARRANGEMENT_STATE_ENDED
    else:
        state = arrangement_service_pb2.ARRANGEMENT_STATE_SIGNED
    text = pb.ArrangementText.FromString(text_bytes)
    return ArrangementView(history, text_bytes, text, state, suspended_by, ended_from)


def read_text_bytes(store: LedgerStore, history: ArrangementHistory) -> bytes:
    """The exact bytes of the text as proposed, from the transaction that carries them."""
    (data,) = store.transactions(history.proposed.log_index, 1)
    step = pb.ArrangementStep.FromString(parse_transaction(data).body.arrangement)
    return step.propose


def read_text(store: LedgerStore, history: ArrangementHistory) -> pb.ArrangementText:
    """The text as a message."""
    return pb.ArrangementText.FromString(read_text_bytes(store, history))


def _with_nonce(text: pb.ArrangementText, economy: str, idempotency_key: str) -> pb.ArrangementText:
    if text.lookup_key_commitment:
        raise FormatError("the node makes the lookup key and its commitment")
    complete = pb.ArrangementText()
    complete.CopyFrom(text)
    key = economy.encode() + sha256(idempotency_key.encode()).digest() + text.nonce
    complete.nonce = _NONCE(key)[:NONCE_BYTES]
    return complete

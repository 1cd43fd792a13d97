"""Steps in the life of an arrangement, for one hosted member: propose, sign, suspend, resume, end.

Each becomes one transaction and answers once it is recorded. The lookup key is made by the
proposer's node, committed to in the text, and opened by every other party before it signs
(`service.node.keys.delivery`).
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from aeo.ledger.v1 import arrangement_pb2 as pb
from aeo.ledger.v1.transaction_pb2 import Transaction
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
from service.node.arrangements.view import read_text_bytes
from service.node.keys.delivery import KeyDelivery
from service.node.publishing.publisher import Publisher

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
    ) -> None:
        self._publisher = publisher
        self._delivery = delivery
        self._current = current
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
        """The arrangement, if that is the text to sign; raises `StepRefused`.

        That is the text proposed or, of an arrangement that all have signed, the amendment.
        """
        history = self._current().arrangement(arrangement)
        if history is None:
            raise StepRefused(ARRANGEMENT_UNKNOWN, "no arrangement of that id was proposed")
        waiting = history.amendment
        signers = history.text.parties if waiting is None else waiting.signers
        if self._economy not in signers:
            raise StepRefused(NOT_A_PARTY, f"{self._economy} is not asked to sign")
        text = history.text if waiting is None else waiting.text
        if text.text_hash != text_hash:
            raise StepRefused(TEXT_DIFFERS, "the caller read another text than the one to sign")
        return history

    def sign(self, arrangement: bytes, text_hash: bytes, timeout: float) -> None:
        """Sign the text that has `text_hash`, once its lookup key opens its commitment.

        Raises `StepRefused`, `NoLookupKey`, `WrongLookupKey`, `PeerUnreachable` or `TooLate`.
        """
        history = self.check_signature(arrangement, text_hash)
        epoch = history.epochs[-1]
        self._delivery.obtain(history, epoch.number, epoch.commitment)
        signature = pb.ArrangementSignature(arrangement_id=arrangement, text_hash=text_hash)
        self.step(pb.ArrangementStep(sign=signature), timeout)

    def suspend(self, arrangement: bytes, effective_from: int, timeout: float) -> None:
        """Suspend from an instant (Unix ms, 0: at once), alone, for all parties."""
        self.history(arrangement)
        step = pb.ArrangementSuspension(arrangement_id=arrangement, effective_from=effective_from)
        self.step(pb.ArrangementStep(suspend=step), timeout)

    def resume(self, arrangement: bytes, effective_from: int, timeout: float) -> None:
        """Resume what this member has suspended."""
        self.history(arrangement)
        step = pb.ArrangementResumption(arrangement_id=arrangement, effective_from=effective_from)
        self.step(pb.ArrangementStep(resume=step), timeout)

    def end(self, arrangement: bytes, effective_from: int, timeout: float) -> None:
        """End it from an instant that leaves the notice of the text."""
        self.history(arrangement)
        step = pb.ArrangementEnd(arrangement_id=arrangement, effective_from=effective_from)
        self.step(pb.ArrangementStep(end=step), timeout)

    def history(self, arrangement: bytes) -> ArrangementHistory:
        """An arrangement that this member is a party of; raises `StepRefused`."""
        history = self._current().arrangement(arrangement)
        if history is None:
            raise StepRefused(ARRANGEMENT_UNKNOWN, "no arrangement of that id was proposed")
        if self._economy not in history.text.parties:
            raise StepRefused(NOT_A_PARTY, f"{self._economy} is not a party of the arrangement")
        return history

    def step(self, step: pb.ArrangementStep, timeout: float) -> None:
        """Take any step; answers once it is recorded. Raises `StepRefused` or `TooLate`."""
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
            if history is None or history.proposed.author != self._economy:
                continue
            first = history.proposed.step.text
            if first is None or first.nonce != text.nonce:
                continue
            data = read_text_bytes(state, history, history.proposed)
            proposed = pb.ArrangementText.FromString(data)
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


def _with_nonce(text: pb.ArrangementText, economy: str, idempotency_key: str) -> pb.ArrangementText:
    if text.lookup_key_commitment:
        raise FormatError("the node makes the lookup key and its commitment")
    complete = pb.ArrangementText()
    complete.CopyFrom(text)
    key = economy.encode() + sha256(idempotency_key.encode()).digest() + text.nonce
    complete.nonce = _NONCE(key)[:NONCE_BYTES]
    return complete

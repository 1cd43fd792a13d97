"""Steps by which one hosted member governs: propose, vote, rotate its keys.

Each becomes one transaction and answers once it is recorded. A step of the ledger has no room for a
caller's key: the same member proposing the same change with the same closing time means the same
proposal, and the same vote again means the vote that stands.

A rotation makes new BLS and Ed25519 keys, has them on the disk, and only then registers them. Where
that was interrupted, the pair that no registration names yet is there and is the next one's.
"""

import threading
from collections.abc import Callable
from typing import Final

from aeo.ledger.v1.member_pb2 import Registration as RegistrationMessage
from aeo.ledger.v1.member_pb2 import RegistrationBody
from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.bls.scheme import BlsBackend
from ledger.chain.governance import (
    Change,
    Proposal,
    Propose,
    Rotation,
    Vote,
    format_governance_step,
    proposal_id,
)
from ledger.chain.registration import parse_registration, sign_registration
from ledger.state.governance_refusals import GOVERNANCE_REFUSALS, PROPOSAL_UNKNOWN
from ledger.state.state import State
from ledger.wire import format_strict
from service.engine.protocol import OnStep, no_step
from service.errors import KeyReused, MayNotPublish, Refused
from service.keys.key_folder import KeyFolder
from service.node.arrangements.agreements import StepRefused, TooLate
from service.node.governance.member_key import HeldKeys, is_registered
from service.node.publishing.publisher import Publisher

# Where a test may stop a rotation, in order.
STEPS: Final = ("rotation:before", "rotation:stored", "rotation:recorded")
# Idempotency keys remembered, to tell a caller that it used one twice: a day's work of a ministry.
KEYS_REMEMBERED: Final = 1_000


class NoKeyFolder(Refused):
    """The node was given a key, but no folder where a new one could go."""

    def __init__(self, economy: str) -> None:
        super().__init__(f"the keys of {economy} are not in a folder of this node: nothing rotated")


class Governance:
    """Takes steps for the member whose `publisher` this is. Any thread may call."""

    def __init__(
        self,
        publisher: Publisher,
        keys: HeldKeys,
        current: Callable[[], State],
        backend: BlsBackend,
        on_step: OnStep = no_step,
    ) -> None:
        self._publisher = publisher
        self._keys = keys
        self._current = current
        self._backend = backend
        self._on_step = on_step
        self._economy = publisher.economy
        self._lock = threading.Lock()
        self._asked: dict[str, Proposal] = {}

    def propose(
        self, change: Change, closes_at: int, idempotency_key: str, timeout: float
    ) -> bytes:
        """Propose a change, votes to be recorded before `closes_at` (Unix ms); the id (16 bytes).

        Raises `FormatError`, `KeyReused`, `MayNotPublish`, `StepRefused`, `TooLate`.
        """
        proposal = Proposal(closes_at, change)
        step = format_governance_step(Propose(proposal))
        with self._lock:
            if self._asked.setdefault(idempotency_key, proposal) != proposal:
                raise KeyReused(idempotency_key)
            while len(self._asked) > KEYS_REMEMBERED:
                del self._asked[next(iter(self._asked))]
            known = self._proposed(proposal)
            if known is not None:
                return known
            made = bytearray()

            def fill(body: Transaction) -> None:
                made[:] = proposal_id(self._current().network_id, self._economy, body.sequence)
                body.governance = step

            self._act(fill, timeout)
            return bytes(made)

    def vote(self, proposal: bytes, *, in_favour: bool, timeout: float) -> None:
        """Vote on the proposal of an id. The same vote again changes nothing.

        Raises `MayNotPublish`, `StepRefused`, `TooLate`.
        """
        with self._lock:
            found = self._current().proposals.get(proposal)
            if found is None:
                raise StepRefused(PROPOSAL_UNKNOWN, GOVERNANCE_REFUSALS[PROPOSAL_UNKNOWN])
            if found.votes.get(self._economy) is in_favour:
                return
            self._step(format_governance_step(Vote(proposal, in_favour)), timeout)

    def rotate(self, timeout: float, *, endpoint: str = "", ca_certificate: bytes = b"") -> None:
        """Register new keys, and if given a new endpoint or authority (DER).

        The new BLS key signs transactions from the next number on, and seals once a hand-over
        brings it. Raises `NoKeyFolder`, `KeyFileError`, `FormatError`, `MayNotPublish`,
        `StepRefused`, `TooLate`.
        """
        with self._lock:
            folder, body = self.check_rotation(endpoint=endpoint, ca_certificate=ca_certificate)
            state = self._current()
            self._on_step("rotation:before")
            spare = next(
                (k for k in self._keys.all if not is_registered(state, k.public_key)), None
            )
            if spare is None:
                spare = self._keys.add(folder.make(self._backend).bls_secret)
            self._on_step("rotation:stored")
            registration = sign_registration(
                body, spare.secret, folder.seed(spare.secret), self._backend
            )
            self._step(format_governance_step(Rotation(registration)), timeout)
            self._on_step("rotation:recorded")

    def check_rotation(
        self, *, endpoint: str = "", ca_certificate: bytes = b""
    ) -> tuple[KeyFolder, RegistrationBody]:
        """Where new keys would go, and what they would be registered with; raises as `rotate`."""
        state = self._current()
        member = state.membership.members.get(self._economy)
        if member is None or not self._publisher.active:
            raise MayNotPublish(self._economy)
        if self._keys.folder is None:
            raise NoKeyFolder(self._economy)
        body = RegistrationBody.FromString(RegistrationMessage.FromString(member.data).body)
        body.network_id = state.network_id  # a founder's own names none
        body.endpoint = endpoint or body.endpoint
        body.ca_certificate = ca_certificate or body.ca_certificate
        parse_registration(format_strict(RegistrationMessage(body=format_strict(body))))
        return self._keys.folder, body

    def _proposed(self, proposal: Proposal) -> bytes | None:
        """This member's own proposal of the same, the newest."""
        for identity, known in reversed(tuple(self._current().proposals.items())):
            if (known.proposer, known.proposal) == (self._economy, proposal):
                return identity
        return None

    def _step(self, data: bytes, timeout: float) -> None:
        def fill(body: Transaction) -> None:
            body.governance = data

        self._act(fill, timeout)

    def _act(self, fill: Callable[[Transaction], None], timeout: float) -> None:
        try:
            place = self._publisher.act(fill).result(timeout)
        except TimeoutError:
            raise TooLate("the step is stored and will be recorded; look again later") from None
        code = place.refusals[0] if place.refusals else ""
        if code:
            text = GOVERNANCE_REFUSALS.get(code, code)
            raise StepRefused(code, f"recorded in block {place.height} and refused: {text}")

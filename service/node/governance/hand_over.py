"""The hand-over to a pending signing set, and what follows it, done by whoever sees it is due.

    a set is pending               take the header that holds it, its *sealed* seal, and the proof
    keep                           the set change is on the disk: trust can be shown to pass on
    submit                         one hosted member logs the HandOver
    the new set has sealed         keys that it replaced are destroyed

The proof is of the state's own map version, so it is taken while that state is at hand. After a
restart a newer header serves as well: any since the vote holds the pending set.

Every node keeps the set change; one logs the HandOver. The members take turns in the order of their
names: whoever is first does it at once, the next some seconds later if it is not done by then.
Where two do it, or a transaction that an earlier process left in the outbox does, the second is
refused and does nothing.

Nothing here is asked for by a person: a hand-over needs no decision, only a seal by more than two
thirds of the set that goes.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as StillUnderWay
from typing import Final, Protocol

import structlog

from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.chain.governance import HandOver, format_governance_step
from ledger.chain.signing_set import SigningSet
from ledger.errors import LedgerError
from ledger.state.state import State
from service.engine.protocol import OnStep, no_step
from service.errors import ServiceError
from service.node.governance.member_key import HeldKeys, MemberKey, is_registered
from service.node.governance.set_changes import SetChanges
from service.node.publishing.publisher import Publisher
from service.store.ledger.ledger_store import LedgerStore, SealLevel, StoredSeal

# Between two looks; almost always there is nothing to do.
LOOK_EVERY_S: Final = 0.2
# A header's seal is made right behind its block, in some milliseconds.
SEAL_WITHIN_S: Final = 1.0
# How long a HandOver may take to be recorded before it is logged again.
RECORDED_WITHIN_S: Final = 20.0
# After which it is the next member's turn: far longer than a block takes to come and to be sealed.
TURN_S: Final = 3.0
# Where a test may stop, in order.
STEPS: Final = ("hand-over:sealed", "hand-over:kept", "hand-over:recorded", "hand-over:destroyed")

_log = structlog.get_logger("aeo.hand-over")


class Hosted(Protocol):
    """Of a hosted member, what a hand-over needs."""

    @property
    def keys(self) -> HeldKeys:
        """Its BLS keys."""

    @property
    def publisher(self) -> Publisher:
        """What logs transactions for it."""


class HandOverKeeper:
    """Hands over for the members that this process hosts, until stopped."""

    def __init__(
        self,
        members: Callable[[], Iterable[Hosted]],
        current: Callable[[], State],
        store: LedgerStore,
        changes: SetChanges,
        on_step: OnStep = no_step,
    ) -> None:
        self._members = members
        self._current = current
        self._store = store
        self._changes = changes
        self._on_step = on_step
        # Of the set that is pending: its hash, and when it was first seen under a seal.
        self._kept = b"", 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aeo-hand-over")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Do what is due now."""
        state = self._current()
        if state.signing_sets.pending is not None:
            self._hand_over(state)
        else:
            self._destroy_replaced(state)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except (ServiceError, LedgerError) as error:
                # Tried again at the next look; until then the outgoing set goes on.
                _log.warning("not handed over", reason=str(error))

    def _hand_over(self, state: State) -> None:
        pending = state.signing_sets.pending
        assert pending is not None, "the caller has looked"
        kept, since = self._kept
        if kept == pending.hash and time.monotonic() < since + self._rank(state) * TURN_S:
            return
        seal = self._sealed(state)
        if seal is None:
            return
        self._on_step("hand-over:sealed")
        self._changes.keep(state, seal.seal)
        self._on_step("hand-over:kept")
        if kept != pending.hash:
            self._kept = pending.hash, time.monotonic()
            if self._rank(state):
                return
        step = format_governance_step(HandOver(state.header_bytes, seal.seal))

        def fill(body: Transaction) -> None:
            body.governance = step

        for member in self._members():
            publisher = member.publisher
            if publisher.active and publisher.failure is None:
                self._log(publisher, fill, state.height)
                return
        _log.warning("no hosted member may log the hand-over", height=state.height)

    def _rank(self, state: State) -> int:
        """How many members come before those that this node hosts."""
        hosted = {member.publisher.economy for member in self._members()}
        return next(
            (rank for rank, each in enumerate(sorted(state.membership.members)) if each in hosted),
            len(state.membership.members),
        )

    def _log(self, publisher: Publisher, fill: Callable[[Transaction], None], height: int) -> None:
        try:
            place = publisher.act(fill).result(RECORDED_WITHIN_S)
        except StillUnderWay:
            _log.warning("the hand-over is not recorded yet", by=publisher.economy)
            return
        code = place.refusals[0] if place.refusals else ""
        if code:
            _log.warning("the hand-over was refused", by=publisher.economy, code=code)
        else:
            _log.info("handed over", by=publisher.economy, from_header=height, height=place.height)
        self._on_step("hand-over:recorded")

    def _sealed(self, state: State) -> StoredSeal | None:
        """The *sealed* seal of this state's own header; None where it does not come."""
        until = time.monotonic() + SEAL_WITHIN_S
        while True:
            seal = self._store.seal(state.height)
            if seal is not None and seal.level == SealLevel.SEALED:
                return seal
            if time.monotonic() > until or self._stopping.is_set():
                return None
            time.sleep(SEAL_WITHIN_S / 100)

    def _destroy_replaced(self, state: State) -> None:
        """Destroy keys that sign and seal nothing any more, once those after them have sealed."""
        replaced = [
            (member.keys, key, ended)
            for member in self._members()
            for key in member.keys.all
            if (ended := _ended(state, key)) is not None
        ]
        if not replaced:
            return
        newest = self._store.newest_sealed()
        for keys, key, ended in replaced:
            if newest is not None and newest.height >= ended:
                keys.destroy(key)
                _log.info("replaced key destroyed", economy=key.economy, key_id=key.key_id.hex())
                self._on_step("hand-over:destroyed")


def _ended(state: State, key: MemberKey) -> int | None:
    """The height from which on a key neither signs nor seals; None while it may, or will."""
    member = state.membership.all.get(key.economy)
    if member is None or not is_registered(state, key.public_key):
        return None  # it waits to be registered
    sets = [signing_set for _, signing_set in state.current_sets]
    if state.signing_sets.pending is not None:
        sets.append(state.signing_sets.pending)
    if member.registration.bls_public_key == key.public_key or _holds(sets[-1], key):
        return None
    ended = 0
    for (_, earlier), (first, _) in zip(state.current_sets, state.current_sets[1:], strict=False):
        if _holds(earlier, key):
            ended = first
    return ended


def _holds(signing_set: SigningSet, key: MemberKey) -> bool:
    return any(member.key == key.public_key for member in signing_set.members)

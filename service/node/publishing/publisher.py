"""One member's publisher: takes what is to be published, and sees it into the ledger.

    publish    rows are judged, stored in the outbox, and answered: from then on they are not lost
    pack       a thread groups what waits, takes the next numbers, signs, and stores what it signed
    send       then hands it to the engine; the same bytes again after a restart, never others
    mark       and notes where each transaction stands, and which records were refused

The thread alone takes numbers and signs, so numbers follow each other and none is signed twice;
`SequenceTaken` in the outbox is the second lock on that door. What is not about records, a step of
an arrangement or a heartbeat, goes the same way, ahead of the records that wait.

Whatever is signed carries the key in force. A rotation at number s holds for numbers above s, if it
is not refused: so nothing is signed behind one until it is recorded. While the ledger takes nothing
of this member (it was suspended, say), what waits goes on waiting, and what did not enter is sent
again, as it is, once the member is back.

Nor is anything signed while others may have ordered what is not known here yet (`Engine.behind`). A
node whose stores came back from a backup does not know the numbers that it has used since, and a
number signed twice is evidence against the member for good.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import structlog

from aeo.exchange.wire.v1.wire_pb2 import PublishRequestBytes
from aeo.ledger.v1.transaction_pb2 import Heartbeat, Transaction
from ledger.bls.scheme import BlsBackend
from ledger.chain.transaction import format_body, sign_transaction, transaction_message
from ledger.state.refusals import AUTHOR_SUSPENDED, AUTHOR_UNKNOWN, KEY_UNKNOWN
from ledger.state.state import State
from ledger.state.verified import VerifiedSignatures
from service.clock import Clock
from service.engine.protocol import Engine, Outcome
from service.engine.protocol import Recorded as Place
from service.errors import EngineStopped, KeyReused, MayNotPublish, Overloaded
from service.node.governance.member_key import HeldKeys, MemberKey
from service.node.keys.keyring import Keyring
from service.node.publishing.answers import format_answers, format_response
from service.node.publishing.packing import Packing, format_batch_body
from service.node.publishing.submission import PreparedRows, prepare_rows
from service.node.publishing.taking_up import (
    History,
    carried_anew,
    noted,
    rotates,
    signers_key_id,
    take_up,
)
from service.store.home.home_store import HomeStore
from service.store.home.outbox import NewPublication, Signed
from service.store.home.prepared import Carries

# Records that may wait for a signature: some seconds of work and 30 MB of memory.
MAX_WAITING: Final = 200_000
# Transactions signed in one go, hence stored with one fsync: about 15 ms of signing.
ROUND: Final = 16
# How long to wait when the engine has no room; many members must be busy at once for that.
ENGINE_FULL_S: Final = 0.05
# How often a member that may not publish looks whether it may again.
INACTIVE_S: Final = 0.5
# What the ledger says of a member that may not publish, whatever it sends; or that came back with
# another key meanwhile.
_NOT_NOW: Final = (AUTHOR_SUSPENDED, AUTHOR_UNKNOWN, KEY_UNKNOWN)

_log = structlog.get_logger("aeo.publisher")


@dataclass(frozen=True, slots=True)
class Answer:
    """A publication's id and PublishResponse bytes; `repeated` if it was stored before."""

    publication_id: int
    response: bytes
    repeated: bool


@dataclass(slots=True)
class _Action:
    """A single-record transaction that waits for its number."""

    fill: Callable[[Transaction], None]
    done: Future[Place]


class Publisher:
    """Publishes for one hosted member. Any thread may call."""

    def __init__(
        self,
        keys: HeldKeys,
        home: HomeStore,
        keyring: Keyring,
        engine: Engine,
        current: Callable[[], State],
        verified: VerifiedSignatures,
        backend: BlsBackend,
        clock: Clock,
    ) -> None:
        self.keyring = keyring
        self._keys = keys
        self._home = home
        self._outbox = home.outbox
        self._engine = engine
        self._current = current
        self._verified = verified
        self._backend = backend
        self._clock = clock
        self._changed = threading.Condition()
        # Guarded by the condition.
        self._packing = Packing()
        self._actions: deque[_Action] = deque()
        self._finished: list[tuple[Signed, Outcome]] = []
        self._stopping = False
        self._failure: Exception | None = None
        # The thread's own.
        self._sequence = 0
        self._sent = 0
        self._lagged = False  # whether the ledger was behind when the outbox was taken up
        self._rotating = 0  # the number of a rotation that is not recorded yet
        self._held: list[Signed] = []  # what did not enter while the member may not publish
        self._futures: dict[int, Future[Place]] = {}
        self._thread = threading.Thread(target=self._run, name=f"aeo-publisher-{keys.economy}")

    @property
    def economy(self) -> str:
        """Whose publisher this is."""
        return self._keys.economy

    @property
    def active(self) -> bool:
        """Whether the ledger takes what this member signs, and the key for it lies here."""
        return self._keys.in_force(self._current()) is not None

    @property
    def waiting(self) -> int:
        """Records that no signed transaction carries yet."""
        return self._packing.waiting

    @property
    def failure(self) -> Exception | None:
        """Why nothing is published any more; None while it works."""
        return self._failure

    # Taking up what an earlier process left.

    def start(self, history: History) -> None:
        """Take up the outbox as the last process left it, then begin to publish.

        Raises `SequenceTaken` and `StoreCorrupt` (`service.node.publishing.taking_up`).
        """
        taken = take_up(
            self._home, self._keys, self._current(), history, self._verified, self._backend
        )
        self._sequence = taken.next_sequence
        self._lagged = self._engine.behind
        for rest in self._outbox.waiting():
            self._packing.add_some(
                rest.publication_id, rest.action, rest.arrangement_id, rest.numbers, rest.records
            )
        self._rotating = next((each.sequence for each in taken.again if rotates(each)), 0)
        if self.active:
            self._send(taken.again)
        else:
            self._held = taken.again
        self._thread.start()

    def stop(self) -> None:
        """Publish what was accepted, then end. Idempotent."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    # What callers ask for.

    def publish(self, request: PublishRequestBytes, *, confirms: bool) -> Answer:
        """Store the records of a request that has been checked for its size; durable on return.

        Raises `KeyReused`, `ConfirmationRequired`, `Overloaded` or `EngineStopped`.
        """

        def prepare(state: State, now: int) -> PreparedRows:
            return prepare_rows(
                request,
                state,
                self.economy,
                self.keyring.key,
                now,
                confirms=confirms,
                consents=self._home.consents,
                profiles=self._home.profiles,
            )

        return self.accept(
            request.idempotency_key,
            request.SerializeToString(deterministic=True),
            len(request.submissions),
            prepare,
        )

    def accept(
        self,
        idempotency_key: str,
        content: bytes,
        rows: int,
        prepare: Callable[[State, int], PreparedRows],
    ) -> Answer:
        """Store the records that `prepare` makes of `rows` rows; durable on return.

        `content` is all that the caller sent. `prepare` gets the state and the time (Unix ms).
        """
        self._require_running()
        digest = sha256(content).digest()
        known = self._outbox.find(idempotency_key)
        if known is not None:
            if known.digest != digest:
                raise KeyReused(idempotency_key)
            return self._repeat(known.publication_id)
        if self._packing.waiting > MAX_WAITING:
            raise Overloaded(f"{self._packing.waiting} records wait to be signed")
        now = self._clock.now_ms()
        prepared = prepare(self._current(), now)
        answers = format_answers(rows, prepared.faults)
        publication, repeated = self._outbox.add_publication(
            NewPublication(idempotency_key, digest, now, answers, prepared.groups)
        )
        publication_id = publication.publication_id
        if repeated:  # by a call that ran beside this one
            return self._repeat(publication_id)
        with self._changed:
            self._packing.add(publication_id, prepared.groups)
            self._changed.notify_all()
        return Answer(publication_id, format_response(publication_id, answers), repeated=False)

    def heartbeat(self) -> "Future[Place]":
        """Say that the member is alive and what it has verified; the future ends once recorded."""
        return self.act(lambda body: body.heartbeat.CopyFrom(Heartbeat()))

    def act(self, fill: Callable[[Transaction], None]) -> "Future[Place]":
        """Publish one transaction; `fill` sets its action when its number is known.

        The future ends with its place, or with what `fill` or the engine raised.
        """
        action = _Action(fill, Future())
        with self._changed:
            self._require_running()
            self._actions.append(action)
            self._changed.notify_all()
        return action.done

    def _require_running(self) -> None:
        failure = self._failure or self._engine.failure
        if failure is not None or self._stopping:
            raise EngineStopped(str(failure or "the node is stopping"))
        if not self.active:
            raise MayNotPublish(self.economy)

    def _repeat(self, publication_id: int) -> Answer:
        rows = self._outbox.answer(publication_id) or b""
        response = format_response(publication_id, rows, repeated=True)
        return Answer(publication_id, response, repeated=True)

    # The thread.

    def _run(self) -> None:
        try:
            while self._wait():
                self._mark()
                self._come_back()
                self._pack()
        except Exception as error:  # noqa: BLE001 - whatever stops it is told to every caller
            tell = _log.info if self._stopping else _log.error
            tell("publishing has stopped", economy=self.economy, reason=str(error))
            self._fail(error)

    def _wait(self) -> bool:
        """Wait for something to do; False when all is done and nothing more will come."""

        def something() -> bool:
            if self._finished:
                return True
            room = self._sent < self._engine.in_flight and not self._rotating
            if room and (self._packing.waiting or self._actions) and may_sign():
                return True
            return self._stopping and not self._sent

        def may_sign() -> bool:
            return self.active and not self._engine.behind

        with self._changed:
            while not self._changed.wait_for(something, None if may_sign() else INACTIVE_S):
                if (self._actions and not self.active) or (self._held and self.active):
                    return True
            if self._finished or self._sent:
                return True
            return may_sign() and bool(self._packing.waiting or self._actions)

    def _come_back(self) -> None:
        """Send again what did not enter while the member could not publish, once it can."""
        if self.active:
            if self._held and not self._sent:
                held, self._held = self._held, []
                self._send(self._in_force(held))
            return
        with self._changed:
            actions, self._actions = list(self._actions), deque()
        for action in actions:
            action.done.set_exception(MayNotPublish(self.economy))

    def _in_force(self, held: list[Signed]) -> list[Signed]:
        """The same, or its records signed anew where the member came back with another key."""
        state = self._current()
        key = self._keys.in_force(state)
        if key is None or all(signers_key_id(each) == key.key_id for each in held):
            return held
        self._outbox.give_back([each.sequence for each in held])
        self._sequence = max(self._outbox.next_sequence(), state.next_sequence(self.economy))
        self._rotating = 0
        again = []
        for each in held:
            future = self._futures.pop(each.sequence, None)
            if each.carries.publications:
                again.append(self._sign(carried_anew(each, self._head(key)), each.carries, key))
            elif future is not None:  # a step of its own: asked for again, if it still is wanted
                future.set_exception(MayNotPublish(self.economy))
        self._outbox.store_signed(again)
        return again

    def _pack(self) -> None:
        """Sign what waits, as far as there is room; store it; only then send it."""
        signed: list[Signed] = []
        key = self._keys.in_force(self._current())
        if key is None or self._held or self._engine.behind:
            return
        if self._lagged:
            # Once: whoever takes a number of ours later is found out by what is refused then.
            self._lagged = False
            self._sequence = max(self._sequence, self._current().next_sequence(self.economy))
        while (
            self._sent + len(signed) < self._engine.in_flight
            and len(signed) < ROUND
            and not self._rotating
        ):
            with self._changed:
                action = self._actions.popleft() if self._actions else None
                load = None if action else self._packing.take()
            if action is not None:
                one = self._sign_action(action, key)
                if one is not None:
                    signed.append(one)
            elif load is not None:
                body = format_batch_body(self._head(key), load)
                signed.append(self._sign(body, load.carries, key))
            else:
                break
        self._outbox.store_signed(signed)
        self._send(signed)

    def _sign_action(self, action: _Action, key: MemberKey) -> Signed | None:
        body = self._head(key)
        try:
            action.fill(body)
            body_bytes = format_body(body)
        except Exception as error:  # noqa: BLE001 - the caller's, who waits for it
            action.done.set_exception(error)
            return None
        signed = self._sign(body_bytes, Carries(), key)
        if rotates(signed):
            self._rotating = signed.sequence
        self._futures[signed.sequence] = action.done
        return signed

    def _head(self, key: MemberKey) -> Transaction:
        state = self._current()
        return Transaction(
            author=self.economy,
            key_id=key.key_id,
            sequence=self._sequence,
            verified_height=state.height,
            verified_header_hash=state.header_hash,
        )

    def _sign(self, body: bytes, carries: Carries, key: MemberKey) -> Signed:
        network_id = self._current().network_id
        data = sign_transaction(key.secret, self._backend, network_id, body)
        self._verified.add(key.public_key, transaction_message(network_id, body), data[1:97])
        signed = Signed(self._sequence, data, carries)
        self._sequence += 1
        return signed

    def _send(self, transactions: list[Signed]) -> None:
        if not transactions:
            return
        self._sent += len(transactions)

        def done(future: "Future[tuple[Outcome, ...]]") -> None:
            error = future.exception()
            with self._changed:
                if error is None:
                    self._finished += zip(transactions, future.result(), strict=True)
                else:
                    outcome = str(error)
                    self._finished += [(signed, outcome) for signed in transactions]
                self._changed.notify_all()

        data = [signed.data for signed in transactions]
        while True:
            try:
                future = self._engine.submit(data)
            except Overloaded:
                time.sleep(ENGINE_FULL_S)
                continue
            future.add_done_callback(done)
            return

    def _mark(self) -> None:
        with self._changed:
            finished, self._finished = self._finished, []
        if not finished:
            return
        self._sent -= len(finished)
        marks = []
        for signed, outcome in finished:
            if isinstance(outcome, str):
                if self._held or not self.active or outcome in _NOT_NOW:
                    self._held.append(signed)
                    continue
                raise EngineStopped(f"transaction {signed.sequence} is not in the log: {outcome}")
            marks.append(noted(signed, outcome))
            if signed.sequence == self._rotating:
                self._rotating = 0
        self._outbox.mark_recorded(marks)
        for signed, outcome in finished:
            future = self._futures.pop(signed.sequence, None)
            if future is not None and not isinstance(outcome, str):
                future.set_result(outcome)
        # Whoever watches a publication reads the outbox.
        self._engine.feed.announce()

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._failure = error
            actions, self._actions = list(self._actions), deque()
        for future in (*self._futures.values(), *(action.done for action in actions)):
            if not future.done():
                future.set_exception(EngineStopped(str(error)))

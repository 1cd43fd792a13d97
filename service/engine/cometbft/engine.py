"""The CometBFT engine: transactions go to our own CometBFT, and come back in blocks.

    submit        kept here, and handed to CometBFT's mempool in order, by one thread
    decided       every member's CometBFT hands the same block to its application
    told          the application has stored it; whoever submitted learns where it stands

CometBFT's mempool is memory, and what lies in it may be lost by any crash: whatever is not in a
block after a while is handed over again, and again after each restart. What CometBFT refuses for
now (a number too far ahead of the log, a full mempool) waits here for the next block. Whether a
transaction entered is learnt from blocks alone; what CometBFT would never take is told as refused.

Only that thread and the watch of the validator's key call CometBFT, never an ABCI call.

After a hand-over the member may validate with another key. CometBFT takes a key at its start, and
the one that it has counts until the block after next: so the watch asks for the validators of the
coming block, and starts CometBFT again when the member is among them with a key that it holds and
CometBFT does not use.

It does so too where no block has come for long. Lost peers CometBFT dials for some minutes, then
after pauses that grow to hours, after a day never more; at its start it dials them all.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from hashlib import sha256
from typing import Final, Protocol

import structlog

from ledger.state.machine import Block
from ledger.state.refusals import BLOCK_FULL, SEQUENCE_AHEAD
from service.engine.cometbft.caught_up import caught_up
from service.engine.cometbft.codes import AUTHOR_WAITS, NUMBER_WAITS, code_of
from service.engine.cometbft.compression import compress_transaction
from service.engine.cometbft.rpc import CometBftUnreachable, Rpc
from service.engine.feed import BlockFeed
from service.engine.protocol import Outcome, Recorded, Sealed
from service.errors import EngineStopped, Overloaded

QUEUE_BYTES: Final = 16 << 20
"""That may wait: some seconds of work. Authors keep theirs in their outboxes anyway."""
IN_FLIGHT: Final = 6
"""Of one author: with four members at work a block has room for four of each, and two wait for the
next. What is signed has its number and cannot be overtaken: more would only delay a suspension."""
AGAIN_S: Final = 3.0
"""After which a transaction that is in no block is handed over once more."""
PAUSE_S: Final = 0.25
"""Between two tries where CometBFT does not answer."""
WATCH_S: Final = 0.5
"""Between two looks at the validator's key."""
STANDSTILL_S: Final = 120.0
"""Without a block, though an empty one is due every two seconds; so long CometBFT dials often."""
FINISH_S: Final = 5.0
"""How long a node that stops waits for what was submitted; the outboxes keep the rest."""

_LATER: Final = (SEQUENCE_AHEAD, BLOCK_FULL, AUTHOR_WAITS, NUMBER_WAITS)

_log = structlog.get_logger("aeo.engine")


class Application(Protocol):
    """What the engine needs of the application beside the feed."""

    @property
    def newest_seal(self) -> tuple[int, Sealed] | None:
        """(height, seal) of the newest header that it knows a seal of."""

    @property
    def height(self) -> int:
        """CometBFT's height of the newest block committed."""


class Server(Protocol):
    """Where CometBFT reaches the application. `failure`: why it ended by itself."""

    failure: Exception | None

    def start(self) -> int:
        """Begin to answer; the port."""

    def stop(self) -> None:
        """End."""


class Keys(Protocol):
    """The consensus keys that this node holds."""

    def follow(self, validators: Collection[bytes]) -> bool:
        """Have CometBFT sign with a key of `validators` from its next start on.

        Says whether that is another key than the one it signs with now.
        """


class Process(Protocol):
    """A CometBFT that this node runs."""

    def start(self) -> None:
        """Start it, and keep it running."""

    def restart(self) -> None:
        """Start it again."""

    def stop(self) -> None:
        """End it."""


class _Batch:
    """What one caller submitted."""

    __slots__ = ("future", "left", "outcomes")

    def __init__(self, count: int) -> None:
        self.outcomes: list[Outcome] = [""] * count
        self.left = count
        self.future: Future[tuple[Outcome, ...]] = Future()


class _One:
    """A transaction that waits, for one or several callers."""

    __slots__ = ("data", "for_whom", "key", "sent_at")

    def __init__(self, key: bytes, data: bytes) -> None:
        self.key = key
        self.data = data
        self.for_whom: list[tuple[_Batch, int]] = []
        self.sent_at = 0.0


class CometBftEngine:
    """Orders by CometBFT. `process` None: somebody else runs it. `members`: ids of its peers."""

    in_flight: Final = IN_FLIGHT

    def __init__(
        self,
        application: Application,
        server: Server,
        feed: BlockFeed,
        rpc: Rpc,
        *,
        process: Process | None,
        keys: Keys | None = None,
        members: Collection[str] = (),
    ) -> None:
        self.feed = feed
        self.rpc = rpc
        self.application = application
        self._server = server
        self._process = process
        self._keys = keys
        self._members = members
        self._changed = threading.Condition()
        # Guarded by the condition: all that waits, in order; and what of it is to be handed over.
        self._waiting: OrderedDict[bytes, _One] = OrderedDict()
        self._to_send: deque[_One] = deque()
        self._waiting_bytes = 0
        self._blocks = 0
        self._looked_at = 0.0
        self._stopping = False
        self._behind = True
        # The newest block, and since when it is (monotonic).
        self._newest = application.height, time.monotonic()
        self._started = False
        self._threads = (
            threading.Thread(target=self._broadcast_all, name="aeo-broadcast"),
            threading.Thread(target=self._watch, name="aeo-validator-key"),
        )
        feed.listen(self._told)
        feed.listen_refused(self._told_refused)

    @property
    def failure(self) -> Exception | None:
        """Why the engine stopped by itself; None while it works."""
        return self._server.failure

    @property
    def behind(self) -> bool:
        """Whether CometBFT has not caught up with the others since the start of this process."""
        return self._behind

    @property
    def newest_seal(self) -> tuple[int, Sealed] | None:
        """(height, seal) of the newest header that is at least attested, since the start."""
        return self.application.newest_seal

    def start(self) -> None:
        """Let CometBFT reach the application, start it, and begin to hand over."""
        self._server.start()
        self._started = True
        if self._process is not None:
            self._process.start()
        for thread in self._threads:
            thread.start()

    def give_up(self) -> None:
        """Fail what waits, and take nothing more; what was submitted may still enter the log.

        A stop comes to this when the chain has lost too many members to go on.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._abandon(EngineStopped("the engine has stopped; the outbox keeps what it has sent"))

    def stop(self) -> None:
        """Hand over no more, and end CometBFT and the application. Idempotent."""
        self.give_up()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self._started:
            if self._process is not None:
                self._process.stop()
            self._server.stop()
        self.feed.close()

    def submit(self, transactions: Sequence[bytes]) -> "Future[tuple[Outcome, ...]]":
        """Queue `transactions` in this order; the future ends with one outcome for each."""
        batch = _Batch(len(transactions))
        if not transactions:
            batch.future.set_result(())
            return batch.future
        size = sum(map(len, transactions))
        with self._changed:
            if self.failure is not None or self._stopping:
                raise EngineStopped(str(self.failure or "the engine is stopping"))
            if self._waiting and self._waiting_bytes + size > QUEUE_BYTES:
                raise Overloaded("too many transactions wait to be ordered")
            for place, data in enumerate(transactions):
                key = sha256(data).digest()
                one = self._waiting.get(key)
                if one is None:
                    one = self._waiting[key] = _One(key, data)
                    self._waiting_bytes += len(data)
                    self._to_send.append(one)
                one.for_whom.append((batch, place))
            self._changed.notify_all()
        return batch.future

    # What blocks tell, on the thread of the application.

    def _told(self, block: Block) -> None:
        header = block.header
        assert header is not None, "only blocks of the log are told"
        entered = [result for result in block.results if not isinstance(result, str)]
        outcomes = [
            (sha256(data).digest(), Recorded(header.height, header.time, index, codes))
            for index, (data, codes) in enumerate(
                zip(block.transactions, entered, strict=True), block.first_index
            )
        ]
        self._settle(outcomes)
        with self._changed:
            self._blocks += 1
            self._changed.notify_all()

    def _told_refused(self, transaction: bytes, code: str) -> None:
        key = sha256(transaction).digest()
        if code not in _LATER:
            self._settle([(key, code)])
            return
        with self._changed:
            one = self._waiting.get(key)
            if one is not None and one not in self._to_send:
                self._to_send.append(one)
                self._changed.notify_all()

    def _settle(self, outcomes: Sequence[tuple[bytes, Outcome]]) -> None:
        done: list[_Batch] = []
        with self._changed:
            for key, outcome in outcomes:
                one = self._waiting.pop(key, None)
                if one is None:
                    continue
                self._waiting_bytes -= len(one.data)
                for batch, place in one.for_whom:
                    batch.outcomes[place] = outcome
                    batch.left -= 1
                    if not batch.left:
                        done.append(batch)
            if not self._waiting:
                self._changed.notify_all()
        for batch in done:
            batch.future.set_result(tuple(batch.outcomes))

    # Handing over, on a thread of its own.

    def _broadcast_all(self) -> None:
        while (one := self._next()) is not None:
            try:
                code = self.rpc.broadcast(compress_transaction(one.data))
            except CometBftUnreachable as error:
                _log.info("not handed over yet", reason=str(error))
                self._put_back(one, PAUSE_S)
                continue
            one.sent_at = time.monotonic()
            name = code_of(code) if code else ""
            if name in _LATER:
                self._await_block(one)
            elif name and one.key in self._waiting:
                # In a block by now, where its number was used by itself: that block was told.
                self.feed.tell_refused(one.data, name)
        self.rpc.close()

    def _next(self) -> _One | None:
        """The next transaction to hand over; None: stop."""
        with self._changed:
            while not self._stopping:
                while self._to_send:
                    one = self._to_send.popleft()
                    if one.key in self._waiting:
                        return one
                self._send_again()
                if not self._to_send:
                    self._changed.wait(AGAIN_S / 4 if self._waiting else None)
            return None

    def _send_again(self) -> None:
        """Queue what was handed over long ago, at times, before what follows it. The condition is
        held."""
        before = time.monotonic() - AGAIN_S
        if self._looked_at > before + 0.75 * AGAIN_S:
            return
        self._looked_at = time.monotonic()
        queued = set(self._to_send)
        lost = [o for o in self._waiting.values() if o.sent_at < before and o not in queued]
        for one in lost:
            one.sent_at = time.monotonic()
        self._to_send.extendleft(reversed(lost))

    def _put_back(self, one: _One, pause_s: float) -> None:
        """First again, after a pause."""
        with self._changed:
            self._to_send.appendleft(one)
            self._changed.wait_for(lambda: self._stopping, pause_s)

    def _await_block(self, one: _One) -> None:
        """First again, once there is another block: its number is too far ahead as yet."""
        with self._changed:
            seen = self._blocks
            self._to_send.appendleft(one)
            self._changed.wait_for(lambda: self._stopping or self._blocks != seen, PAUSE_S)
            # No block may come for want of one that a mempool has lost meanwhile.
            self._send_again()

    # The validator's key.

    def _watch(self) -> None:
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, WATCH_S):
                    break
            try:
                self._end_standstill()
                self._look()
            except CometBftUnreachable:
                continue
            except Exception as error:  # noqa: BLE001 - a full disk, say: it is looked again
                _log.error("CometBFT is not looked after", reason=str(error))
        self.rpc.close()

    def _look(self) -> None:
        if self._behind and caught_up(self.rpc, self._members):
            self._behind = False
            _log.info("caught up with the other members")
        if self._keys is None or self._process is None:
            return
        if self._keys.follow(self.rpc.validators()):
            _log.info("CometBFT starts again with another consensus key")
            self._process.restart()

    def _end_standstill(self) -> None:
        """Start CometBFT again where it stands still; without a block it may take a snapshot."""
        height, now = self.application.height, time.monotonic()
        before, since = self._newest
        if height == before and now - since < STANDSTILL_S:
            return
        self._newest = height, now
        if height == before and height and self._process is not None and self.failure is None:
            _log.warning("no block for long: CometBFT starts again, and dials all", height=height)
            self._process.restart()

    def _abandon(self, error: Exception) -> None:
        """Fail whatever still waits; what it sent stays in its authors' outboxes."""
        with self._changed:
            batches = {
                id(batch): batch for one in self._waiting.values() for batch, _ in one.for_whom
            }
            self._waiting.clear()
            self._to_send.clear()
            self._waiting_bytes = 0
        for batch in batches.values():
            batch.future.set_exception(error)

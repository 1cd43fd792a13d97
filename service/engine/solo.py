"""The solo engine: one process orders, one thread writes.

Whatever waits becomes the next block. Its steps, in this order, and what a crash after each leaves:

    execute         nothing: the transactions are in their authors' outboxes and come again
    store block     the block; whoever sent it finds it there after the restart
    advance         the same: readers saw what was stored
    release         the same; only now does anyone sign the header
    guard           a promise to seal this header and no other at its height
    seal, store     the seal; without it the newest header is sealed again at the start

A block is stored before anyone signs its header, so no crash leaves a signature over a header that
another block could replace.

Time is ``max(now, previous + 1 ms)``, and never before the time that the previous header's seal
attests. A clock behind the newest header by more than `CLOCK_WARNING_MS` is logged; by more than
`CLOCK_LIMIT_MS` it stops the writer, since times that nobody believes are worse than no times.
"""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

import structlog

from ledger.state.machine import Block, Machine
from service.clock import Clock
from service.engine.feed import BlockFeed
from service.engine.protocol import BlockStore, OnStep, Outcome, Recorded, Sealed, Sealer, no_step
from service.errors import ClockWentBack, EngineStopped, Overloaded

CLOCK_WARNING_MS: Final = 1_000
CLOCK_LIMIT_MS: Final = 3_600_000

# Bytes of one block, at most, whatever the network allows: some 8,000 records, a quarter second of
# work. A larger block makes nothing cheaper, and a suspension behind it waits longer.
BLOCK_BYTES: Final = 1 << 20
# Bytes that may wait: some seconds of work. Authors keep theirs in their outboxes anyway.
QUEUE_BYTES: Final = 16 << 20
# Of one author: two blocks of the largest transactions, and some.
IN_FLIGHT: Final = 48

STEPS: Final = (
    "engine:executed",
    "engine:stored",
    "engine:advanced",
    "engine:released",
    "engine:sealed",
)

_log = structlog.get_logger("aeo.engine")


class _Waiting:
    """What one caller submitted, and what has become of it so far."""

    __slots__ = ("future", "outcomes", "transactions")

    def __init__(self, transactions: Sequence[bytes]) -> None:
        self.transactions = transactions
        self.outcomes: list[Outcome] = []
        self.future: Future[tuple[Outcome, ...]] = Future()


class SoloEngine:
    """Orders the transactions of one process. `attested_time` is that of the newest seal stored."""

    in_flight: Final = IN_FLIGHT

    def __init__(
        self,
        machine: Machine,
        store: BlockStore,
        sealer: Sealer,
        clock: Clock,
        *,
        attested_time: int = 0,
        sealed: bool = False,
        on_step: OnStep = no_step,
    ) -> None:
        self.feed = BlockFeed()
        self._machine = machine
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._attested_time = attested_time
        self._sealed = sealed
        # (height, seal) of the newest header that this process sealed; replaced as a whole.
        self.newest_seal: tuple[int, Sealed] | None = None
        self._on_step = on_step
        self._changed = threading.Condition()
        # Guarded by the condition.
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._stopping = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="aeo-engine")

    @property
    def failure(self) -> Exception | None:
        """Why the engine stopped by itself; None while it works."""
        return self._failure

    @property
    def behind(self) -> bool:
        """Never: nobody else orders."""
        return False

    def start(self) -> None:
        """Seal the newest header if it has no full seal yet, then begin to order."""
        self._check_clock()
        if not self._sealed:
            self._seal()
        self._thread.start()

    def stop(self) -> None:
        """Order what waits, then end. Idempotent."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._abandon(EngineStopped("the engine has stopped"))

    def submit(self, transactions: Sequence[bytes]) -> Future[tuple[Outcome, ...]]:
        """Queue `transactions` in this order; the future ends with one outcome for each."""
        waiting = _Waiting(transactions)
        if not transactions:
            waiting.future.set_result(())
            return waiting.future
        size = sum(map(len, transactions))
        with self._changed:
            if self._failure is not None or self._stopping:
                raise EngineStopped(str(self._failure or "the engine is stopping"))
            # One caller alone may always submit, whatever the size.
            if self._waiting and self._waiting_bytes + size > QUEUE_BYTES:
                raise Overloaded("too many transactions wait to be ordered")
            self._waiting.append(waiting)
            self._waiting_bytes += size
            self._changed.notify_all()
        return waiting.future

    def _run(self) -> None:
        try:
            while batch := self._take():
                self._commit(batch)
        except Exception as error:  # noqa: BLE001 - whatever stops the writer is told to everyone
            _log.error("the writer has stopped", reason=str(error), exc_info=error)
            self._abandon(error)
        finally:
            self.feed.close()

    def _take(self) -> list[tuple[_Waiting, int]]:
        """Wait for transactions; the next block's, as (whose, how many). Empty: stop."""
        batch: list[tuple[_Waiting, int]] = []
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            parameters = self._machine.state.parameters
            room = min(parameters.max_block_bytes, BLOCK_BYTES)
            places = parameters.max_block_transactions
            for waiting in self._waiting:
                count = 0
                for transaction in waiting.transactions[len(waiting.outcomes) :]:
                    if places == 0 or (len(transaction) > room and (batch or count)):
                        break
                    places -= 1
                    room -= len(transaction)
                    count += 1
                if count:
                    batch.append((waiting, count))
                if len(waiting.outcomes) + count < len(waiting.transactions):
                    break
        return batch

    def _commit(self, batch: list[tuple[_Waiting, int]]) -> None:
        transactions = [
            transaction
            for waiting, count in batch
            for transaction in waiting.transactions[len(waiting.outcomes) :][:count]
        ]
        block = self._machine.execute(transactions, self._time())
        self._on_step("engine:executed")
        if block.header is not None:
            self._store.append_block(block.header.height, block.header_bytes, block.transactions)
            self._on_step("engine:stored")
            self._machine.advance(block)
            self._on_step("engine:advanced")
            self.feed.tell(block)
        self._release(batch, block)
        if block.header is not None:
            self.feed.announce()
            self._on_step("engine:released")
            self._seal()

    def _release(self, batch: list[tuple[_Waiting, int]], block: Block) -> None:
        each = _outcomes(block)
        submitted = [
            transaction
            for waiting, count in batch
            for transaction in waiting.transactions[len(waiting.outcomes) :][:count]
        ]
        for transaction, outcome in zip(submitted, each, strict=True):
            if isinstance(outcome, str):
                self.feed.tell_refused(transaction, outcome)
        outcomes = iter(each)
        done: list[_Waiting] = []
        with self._changed:
            for waiting, count in batch:
                for transaction in waiting.transactions[len(waiting.outcomes) :][:count]:
                    self._waiting_bytes -= len(transaction)
                    waiting.outcomes.append(next(outcomes))
                if len(waiting.outcomes) == len(waiting.transactions):
                    self._waiting.popleft()
                    done.append(waiting)
        for waiting in done:
            waiting.future.set_result(tuple(waiting.outcomes))

    def _time(self) -> int:
        newest = self._machine.state.header_time
        return max(self._check_clock(), newest + 1, self._attested_time)

    def _check_clock(self) -> int:
        now = self._clock.now_ms()
        behind = self._machine.state.header_time - now
        if behind > CLOCK_LIMIT_MS:
            raise ClockWentBack(now, self._machine.state.header_time)
        if behind > CLOCK_WARNING_MS:
            _log.warning("the clock is behind the newest header", milliseconds=behind)
        return now

    def _seal(self) -> None:
        """Sign the newest header with all keys held; its time lies before the next header's."""
        state = self._machine.state
        earliest = max(self._clock.now_ms(), state.header_time, self._attested_time)
        seal = self._sealer.seal(state, earliest)
        if seal is None:
            return
        self._attested_time = seal.attested_time
        self._store.keep_seal(state.height, seal)
        self.newest_seal = state.height, seal
        self._on_step("engine:sealed")
        self.feed.announce()

    def _abandon(self, error: Exception) -> None:
        """Fail whatever still waits; what it sent stays in its authors' outboxes."""
        with self._changed:
            if self._failure is None and not isinstance(error, EngineStopped):
                self._failure = error
            waiting, self._waiting, self._waiting_bytes = self._waiting, deque(), 0
        for one in waiting:
            one.future.set_exception(EngineStopped(str(error)))


def _outcomes(block: Block) -> list[Outcome]:
    """One outcome for each transaction that was given to execute."""
    outcomes: list[Outcome] = []
    log_index = block.first_index
    for result in block.results:
        if isinstance(result, str):
            outcomes.append(result)
            continue
        assert block.header is not None, "something entered"
        outcomes.append(Recorded(block.header.height, block.header.time, log_index, result))
        log_index += 1
    return outcomes

"""What an engine is, and what it drives.

An engine decides order and time. It takes transactions that wait, has the state machine execute
them, has a store keep the block, advances the machine and tells everyone. Whoever submitted learns
where each transaction stands in the log, or why it is not there.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ledger.chain.seal import Level
from ledger.state.state import State
from service.engine.feed import BlockFeed


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transaction that is in the log, with one code for each of its records ('' = executed)."""

    height: int
    time: int
    log_index: int
    refusals: tuple[str, ...]


# A place in the log, or the code of `ledger.errors.NotEntered`.
Outcome: TypeAlias = Recorded | str

# Called with the name of each step of a commit, so that tests can stop a process exactly there.
OnStep: TypeAlias = Callable[[str], None]


def no_step(_: str) -> None:
    """Pass over the step: what runs outside tests."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal that this process made: its bytes, attested time (Unix ms) and signers' weight."""

    data: bytes
    attested_time: int
    weight: int
    level: Level


class Engine(Protocol):
    """Orders transactions. Any thread may call."""

    feed: BlockFeed

    @property
    def in_flight(self) -> int:
        """Transactions that one author should have on their way: what two blocks take.

        More only wait, and whatever comes behind them, a suspension say, waits for all of them.
        """

    @property
    def failure(self) -> Exception | None:
        """Why the engine stopped by itself; None while it works."""

    @property
    def behind(self) -> bool:
        """Whether others may have ordered what is not known here yet: no time to take numbers."""

    def submit(self, transactions: Sequence[bytes]) -> "Future[tuple[Outcome, ...]]":
        """Queue `transactions` in this order; the future ends with one outcome for each.

        Raises `service.errors.Overloaded` when too many wait, `service.errors.EngineStopped` when
        it no longer takes any. The future fails with `EngineStopped` when the engine stops before
        it ordered them.
        """

    def start(self) -> None:
        """Begin to order."""

    def stop(self) -> None:
        """Order what waits, then end. Idempotent."""


class BlockStore(Protocol):
    """Where blocks lie. Each call is durable when it returns."""

    def append_block(self, height: int, header: bytes, transactions: Sequence[bytes]) -> None:
        """Keep the header and the transactions of the next height, all or nothing."""

    def keep_seal(self, height: int, seal: Sealed) -> bool:
        """Keep a seal of the header at `height` unless a better one is there; say whether."""


class Sealer(Protocol):
    """Signs headers with the keys that this process holds."""

    def seal(self, state: State, attested_time: int) -> Sealed | None:
        """Make a seal of the newest header, not before `attested_time` (Unix ms).

        Returns None when the keys held are too few for one. Raises `GuardRefused`.
        """

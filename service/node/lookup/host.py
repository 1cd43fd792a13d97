"""Who answers look-ups: what a servicer needs of a node, and of a replica's view of one.

A node holds everything itself. A process that only serves holds a view: the same state, fed with
what another process has verified. Both answer with the same code, which asks for no more than this.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.chain.set_change import SetChange
from ledger.customs.profiles import Profiles
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query
from ledger.state.state import State
from service.clock import Clock
from service.engine.feed import BlockFeed
from service.node.access_log import AccessLog
from service.node.lookup.known_time import KnownTime
from service.store.ledger.ledger_store import LedgerStore


@dataclass(frozen=True, slots=True)
class SealView:
    """A seal; `data` is empty, and `finality` RECORDED, where there is none."""

    height: int
    data: bytes
    finality: exchange.Finality
    attested_time: int


class HeldLookupKeys(Protocol):
    """The lookup keys of one member."""

    def keys(self) -> Mapping[bytes, LookupKey]:
        """Every key by name; the same object as long as nothing changes."""


class KnownProfiles(Protocol):
    """What one member knows of traders' names and addresses."""

    def view(self, query: Query, /) -> Profiles:
        """What the profiles say of a question that declares a name, an address or both."""

    def when_erased(self, callback: Callable[[], None], /) -> None:
        """Call back whenever a profile is erased."""


class AnsweringMember(Protocol):
    """A member for which look-ups are answered."""

    @property
    def economy(self) -> str:
        """Two letters."""

    @property
    def keyring(self) -> HeldLookupKeys:
        """Its lookup keys."""

    @property
    def profiles(self) -> KnownProfiles:
        """Its profiles."""

    @property
    def access_log(self) -> AccessLog:
        """Who asked about whom."""


class AnsweringHost(Protocol):
    """Where look-ups are answered for some members."""

    @property
    def clock(self) -> Clock:
        """What time it is."""

    @property
    def known_time(self) -> KnownTime:
        """What time it is by the ledger too."""

    @property
    def state(self) -> State:
        """Everything known now; a value that stays as it is."""

    @property
    def newest_seal(self) -> SealView | None:
        """The newest seal that is at least attested; None before the first."""

    @property
    def proven_state(self) -> State | None:
        """The newest state with such a seal, of this height or a lower one; None if unknown."""

    @property
    def feed(self) -> BlockFeed:
        """News of blocks and seals."""

    @property
    def hosted(self) -> Mapping[str, AnsweringMember]:
        """By economy."""

    @property
    def ledger_store(self) -> LedgerStore:
        """The bytes behind the state."""

    def seal_of(self, height: int) -> SealView:
        """The best seal of the header at `height`."""

    def instructions(self, economy: str) -> Mapping[int, str]:
        """What a member tells its officers to do, by benefit code."""

    def set_changes_until(self, height: int) -> Sequence[SetChange]:
        """How trust passed from the founders to the set that sealed the header at `height`."""

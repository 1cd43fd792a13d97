"""A serving process: the view it is handed, and what it answers look-ups with.

    host = Viewing.begin(told, proofs, folder)      everything there is, received
    host.follow()                                   what comes after it, until the pipe ends

It is an `AnsweringHost` as a node is. What it does not hold it gets from where that lies: a map
proof from the follower, a header or transaction from the ledger's file, which it only reads. It
keeps an access log of its own, one file for each process; and no profiles, so a question that
declares a name is refused instead of being answered PARTY_MISMATCH.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Self

from ledger.bls.scheme import default_backend
from ledger.chain.set_change import SetChange
from ledger.customs.profiles import Profiles
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query
from ledger.errors import ChainError
from ledger.state.map_updates import MapHere, MapVersion
from ledger.state.state import State
from service.clock import Clock, SystemClock
from service.engine.feed import BlockFeed
from service.errors import MapProcessFailed
from service.node.access_log import AccessLog
from service.node.governance.set_changes import SetChanges
from service.node.keys.keyring import keys_by_name
from service.node.lookup.host import SealView
from service.node.lookup.known_time import KnownTime
from service.node.lookup.proven_state import ProvenState
from service.node.replica.delta import (
    Beginning,
    Delta,
    End,
    Part,
    Receiving,
    Stop,
    Transferred,
    parse_message,
)
from service.node.replica.keyring_file import KeyringContent
from service.node.replica.nothing_kept import ProfilesElsewhere
from service.node.replica.seals import KeptSeals
from service.node.replica.standing import NOTHING_YET, Standing
from service.node.replica.view import View
from service.store.home.home_store import HomeStore
from service.store.ledger.ledger_store import LedgerStore

PROOF_SECONDS: Final = 10.0
"""The follower answers between two blocks."""


@dataclass(frozen=True, slots=True)
class ViewFolder:
    """Where a replica keeps its ledger, and where this process keeps its access log."""

    ledger: Path
    access_log: Path


class MapElsewhere(MapHere):
    """The state map as the follower keeps it: a version is a height, and only proofs are asked."""

    def __init__(self, proofs: Connection) -> None:
        self._proofs = proofs
        self._lock = threading.Lock()

    def prove(self, version: MapVersion, key: bytes) -> bytes:
        """The proof, from the follower; `MapProcessFailed` where it does not give one."""
        try:
            with self._lock:
                self._proofs.send_bytes(int(version).to_bytes(8) + key)
                if not self._proofs.poll(PROOF_SECONDS):
                    # The answer would be taken for that to the next question.
                    self._proofs.close()
                    raise MapProcessFailed("the follower gave no proof in time")
                proof = self._proofs.recv_bytes()
        except (OSError, EOFError) as error:
            raise MapProcessFailed("the follower is gone") from error
        if not proof:
            raise MapProcessFailed(f"the follower no longer keeps the map of height {version}")
        return proof


class ViewKeys:
    """The lookup keys that were handed over, by name. Any thread reads."""

    def __init__(self, current: Callable[[], State]) -> None:
        self._current = current
        self._held: Mapping[tuple[bytes, int], LookupKey] = {}
        # For which state and keys the names were made; replaced as a whole.
        self._named: tuple[State | None, object, dict[bytes, LookupKey]] = None, None, {}

    def hold(self, content: KeyringContent) -> None:
        """Take the place of all before."""
        self._held = {
            place: LookupKey(key, content.network_id, *place) for place, key in content.keys.items()
        }

    def keys(self) -> Mapping[bytes, LookupKey]:
        """Every key by name; the same object as long as nothing changes."""
        state, held = self._current(), self._held
        known_state, known_held, named = self._named
        if known_state is not state or known_held is not held:
            fresh = keys_by_name(dict(held), state)
            # Of other key objects a row must be learnt anew, even where the keys are equal.
            if fresh != named:
                named = fresh
            self._named = state, held, named
        return named


class NoProfiles:
    """Profiles are kept at the administration's node alone."""

    def view(self, _query: Query) -> Profiles:
        """Refuse: what would be compared is not here."""
        raise ProfilesElsewhere

    def when_erased(self, _then: Callable[[], None]) -> None:
        """Nothing is kept, so nothing is erased."""


@dataclass(frozen=True, slots=True)
class ViewMember:
    """The administration that this replica belongs to."""

    economy: str
    keyring: ViewKeys
    profiles: NoProfiles
    access_log: AccessLog


class Viewing:
    """An `AnsweringHost` over a view. One thread follows, any thread reads; a context manager."""

    def __init__(self, view: View, content: KeyringContent, folder: ViewFolder) -> None:
        self.clock: Clock = SystemClock()
        self.known_time = KnownTime(self.clock, view.state.header_time)
        self.feed = BlockFeed()
        self._view = view
        self._content = content
        genesis = view.state.genesis
        with ExitStack() as opening:
            keep = opening.enter_context
            self.ledger_store = keep(LedgerStore(folder.ledger, read_only=True))
            home = keep(HomeStore(folder.access_log, content.economy, genesis.network_id))
            access_log = keep(AccessLog(home.access_log, self.clock))
            self._stack = opening.pop_all()
        self._seals = KeptSeals(self.ledger_store)
        self._set_changes = SetChanges(
            self.ledger_store, genesis, default_backend(), read_only=True
        )
        keys = ViewKeys(lambda: view.state)
        keys.hold(content)
        member = ViewMember(content.economy, keys, NoProfiles(), access_log)
        self._keys = keys
        self.hosted: Mapping[str, ViewMember] = {content.economy: member}
        self._proven = ProvenState(lambda: view.state, lambda: self._seals.newest)
        self._told: Connection | None = None
        # Replaced as a whole.
        self.standing: Standing = NOTHING_YET

    @classmethod
    def begin(cls, told: Connection, proofs: Connection, folder: ViewFolder) -> Self:
        """Receive all there is. Raises `ChainError` or `EOFError` where the follower ends."""
        before: list[Any] = []
        view = View.receive(_transferred(told, before), MapElsewhere(proofs))
        contents = [each for each in before if isinstance(each, KeyringContent)]
        if not contents:
            raise ChainError("a view", "it was handed no lookup keys to answer with")
        host = cls(view, contents[-1], folder)
        host._told = told
        for each in before:
            if isinstance(each, SealView | Standing):
                host.take(each)
        return host

    def follow(self) -> None:
        """Take what comes, until the follower or this process is to end.

        Raises `ChainError` for a block that does not follow.
        """
        told = self._told
        assert told is not None, "it has begun"
        with suppress(EOFError, OSError):
            receiving: Receiving | None = None
            while not isinstance(message := parse_message(told.recv_bytes()), Stop):
                if isinstance(message, Beginning):
                    receiving = Receiving(self._view.state.updates)
                if isinstance(message, Beginning | Part | End):
                    assert receiving is not None, "a transfer begins with its beginning"
                    state = receiving.take(message)
                    if state is not None:
                        self._view.restart(state)
                        self.feed.announce()
                else:
                    self.take(message)
        self.feed.close()

    def take(self, message: Delta | SealView | Standing | KeyringContent) -> None:
        """Put one message into place, and wake whoever waits."""
        if isinstance(message, Delta):
            self._view.apply(message)
            self._proven.after_block()
        elif isinstance(message, SealView):
            self._seals.newest = message
        elif isinstance(message, Standing):
            self.standing = message
        else:
            self._content = message
            self._keys.hold(message)
        self.feed.announce()

    def close(self) -> None:
        """Write what the access log still holds, close the files. Idempotent."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state(self) -> State:
        """Everything known now."""
        return self._view.state

    @property
    def newest_seal(self) -> SealView | None:
        """The newest seal that is at least attested."""
        return self._seals.newest

    @property
    def proven_state(self) -> State | None:
        """The newest state with such a seal."""
        return self._proven.newest()

    def seal_of(self, height: int) -> SealView:
        """The best seal of the header at `height`; its finality by later seals too."""
        return self._seals.of(height)

    def instructions(self, _economy: str) -> Mapping[int, str]:
        """What the administration tells its officers to do, by benefit code."""
        return self._content.instructions

    def set_changes_until(self, height: int) -> Sequence[SetChange]:
        """How trust passed from the founders to the set that sealed the header at `height`."""
        return self._set_changes.all(height)


def _transferred(told: Connection, before: list[Any]) -> Iterator[Transferred]:
    """The messages of the transfer; what comes before it goes into `before`."""
    while True:
        message = parse_message(told.recv_bytes())
        if isinstance(message, Beginning | Part | End):
            yield message
        else:
            before.append(message)

"""The ledger that another process keeps in a folder, read there and read on as it grows.

    ledger.db       written by a replica, or by a node; read without its lock
    keyring.json    a replica's copy of the lookup keys and instructions (`keyring_file`), or else
    home-NZ.db      the node's own store of them

What lies there was verified before it was stored. Opening executes it once more and compares every
header, the log root and the newest map root, as a node's start does; signatures are taken for
verified, and the state map is dropped, for nothing is proved here. A block that comes later costs
its execution alone, 6 to 7 us a record.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol, Self

from ledger.bls.scheme import BlsBackend, default_backend
from ledger.customs.subject import LookupKey
from ledger.errors import FormatError
from ledger.state.machine import Machine
from ledger.state.map_updates import MapHere
from ledger.state.state import State
from service.errors import BeforeBase, StoreError
from service.keys.key_file import read_secret
from service.node.keys.keyring import keys_by_name
from service.node.replica.keyring_file import KeyringContent, KeyringFile, parse_keyring
from service.node.restoring import restore
from service.store.home.home_store import HomeStore
from service.store.ledger.ledger_store import LedgerStore, SealLevel, StoredSeal

LEDGER_FILE: Final = "ledger.db"
KEYRING_FILE: Final = "keyring.json"


class FollowedLedger(Protocol):
    """A ledger that grows, and the lookup keys of one economy.

    All of it changes with the two `refresh` alone, and stays the same objects where nothing has.
    """

    @property
    def state(self) -> State:
        """The ledger at the newest height that was read."""

    @property
    def economy(self) -> str:
        """Whose lookup keys these are."""

    @property
    def keys(self) -> Mapping[bytes, LookupKey]:
        """By name, as `evaluate` wants them."""

    @property
    def instructions(self) -> Mapping[int, str]:
        """What the economy tells its officers to do, by benefit code."""

    @property
    def seal(self) -> StoredSeal | None:
        """The newest seal that is at least attested."""

    @property
    def sealed(self) -> bool:
        """Whether it is by more than two thirds."""

    def refresh(self) -> bool:
        """Read on to the newest block and seal; say whether anything is new."""

    def refresh_keys(self) -> bool:
        """Read keys and instructions anew; say whether any changed."""

    def close(self) -> None:
        """Close the files."""


class LedgerFolder:
    """A folder's ledger and the lookup keys of `economy`. For one thread; a context manager.

    `state`, `keys`, `instructions` and `seal` change with `refresh` alone, and stay the same
    objects as long as nothing changes.
    """

    def __init__(self, folder: Path, economy: str = "", backend: BlsBackend | None = None) -> None:
        with ExitStack() as opening:
            self._store = opening.enter_context(LedgerStore(folder / LEDGER_FILE, read_only=True))
            self._backend = backend or default_backend()
            self._machine = self._restore()
            self._secrets = _secrets(folder, economy, self.state.network_id, opening)
            self._stack = opening.pop_all()
        self._content: KeyringContent | None = None
        self._held: dict[tuple[bytes, int], LookupKey] = {}
        self.keys: Mapping[bytes, LookupKey] = {}
        self.instructions: Mapping[int, str] = {}
        self.seal: StoredSeal | None = self._store.newest_seal()
        self.refresh_keys()

    @property
    def state(self) -> State:
        """The ledger at the newest height that was read."""
        return self._machine.state

    @property
    def economy(self) -> str:
        """Whose lookup keys these are."""
        return self._secrets.economy

    @property
    def sealed(self) -> bool:
        """Whether the newest seal is by more than two thirds."""
        return self.seal is not None and self.seal.level == SealLevel.SEALED

    def close(self) -> None:
        """Close the files. Idempotent."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refresh(self) -> bool:
        """Read on to the newest block and seal; say whether anything is new.

        Raises `ChainError` for a block that does not follow, and the errors of the store.
        """
        machine, before = self._machine, self.state
        newest = self._store.newest()
        if newest is not None and newest.height > before.height:
            try:
                for block in self._store.blocks(before.height + 1, newest.height):
                    machine.advance(machine.replay(block.header, block.transactions))
            except BeforeBase:
                # The replica went on from a snapshot: there are no blocks that lead to it.
                self._machine = self._restore()
        seal = self._store.newest_seal()
        changed = self.state is not before or seal != self.seal
        self.seal = seal
        if self.state is not before:
            self._name()
        return changed

    def refresh_keys(self) -> bool:
        """Read the lookup keys and instructions anew; say whether any changed."""
        content = self._secrets.read()
        if content == self._content:
            return False
        self._content = content
        network_id = self.state.network_id
        self._held = {
            place: LookupKey(key, network_id, *place) for place, key in content.keys.items()
        }
        self.keys, self.instructions = keys_by_name(self._held, self.state), content.instructions
        return True

    def _restore(self) -> Machine:
        machine = restore(self._store, self._backend, MapHere())
        machine.state = replace(machine.state, map_version=None)
        return machine

    def _name(self) -> None:
        """Another epoch may be in force now."""
        named = keys_by_name(self._held, self.state)
        if named != self.keys:
            self.keys = named


class _OfReplica:
    """The file that a replica keeps; read again only when it was replaced."""

    def __init__(self, path: Path, economy: str, network_id: bytes) -> None:
        if not economy:
            try:
                economy = parse_keyring(read_secret(path)).economy
            except FormatError as error:
                raise StoreError(path, str(error)) from error
        self.economy = economy
        self._file = KeyringFile(path, network_id, economy)
        self._read: tuple[object, KeyringContent] | None = None

    def read(self) -> KeyringContent:
        told = self._file.path.stat()
        mark = told.st_ino, told.st_mtime_ns
        if self._read is None or self._read[0] != mark:
            content = self._file.read()
            assert content is not None, "it was there a moment ago"
            self._read = mark, content
        return self._read[1]


class _OfNode:
    """A node's own store."""

    def __init__(self, home: HomeStore, network_id: bytes) -> None:
        self.economy = home.economy
        self._home = home
        self._network_id = network_id

    def read(self) -> KeyringContent:
        keys, instructions = self._home.lookup_keys(), self._home.instructions()
        return KeyringContent(self._network_id, self.economy, keys, instructions)


def _secrets(
    folder: Path, economy: str, network_id: bytes, opening: ExitStack
) -> _OfReplica | _OfNode:
    """Where the folder has the keys of `economy`, or of the only one that it has keys of."""
    if (folder / KEYRING_FILE).exists():
        return _OfReplica(folder / KEYRING_FILE, economy, network_id)
    homes = sorted(folder.glob(f"home-{economy or '*'}.db"))
    if len(homes) != 1:
        found = ", ".join(path.name for path in homes) or "none"
        raise StoreError(
            folder, f"lookup keys of one economy are wanted, there are: {found}; name the economy"
        )
    name = homes[0].stem.removeprefix("home-")
    home = opening.enter_context(HomeStore(homes[0], name, network_id, read_only=True))
    return _OfNode(home, network_id)

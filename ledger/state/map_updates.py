"""Where the state map is kept: in this process, or behind the same five calls in another.

The map is immutable, so each block has a *version* of it, an opaque value. `submit` may return
before the hashing is done; `root` waits. Whoever only checks a ledger can therefore execute the
next block while the map of this one is hashed elsewhere, since each header states the root.

>>> updates = MapHere()
>>> first = updates.build([(b"k" * 32, b"v" * 32)])
>>> second = updates.submit(first, {b"l" * 32: b"w" * 32})
>>> updates.root(first) != updates.root(second), len(updates.prove(second, b"k" * 32))
(True, 36)
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias, cast

from ledger.tree.map import StateMap

# What a `MapUpdater` made of a set of leaves; only the same updater can read it.
MapVersion: TypeAlias = Any


class MapUpdater(Protocol):
    """Keeps versions of the state map. Keys and values have 32 bytes each."""

    def build(self, leaves: Iterable[tuple[bytes, bytes]]) -> MapVersion:
        """Make a version of nothing but `leaves`."""

    def submit(self, base: MapVersion, changes: Mapping[bytes, bytes]) -> MapVersion:
        """Make a version from `base`; it may still be under way when this returns."""

    def root(self, version: MapVersion) -> bytes:
        """The root hash of a version, 32 bytes; waits for it."""

    def get(self, version: MapVersion, key: bytes) -> bytes | None:
        """A key's value, None when it is absent."""

    def prove(self, version: MapVersion, key: bytes) -> bytes:
        """The proof of a key's value, or of its absence."""


# Makes the updater of one machine or one verification.
MapFactory: TypeAlias = Callable[[], MapUpdater]


class MapHere:
    """A `MapUpdater` in this process: a version is the `StateMap` itself."""

    def build(self, leaves: Iterable[tuple[bytes, bytes]]) -> MapVersion:
        """Make a version of nothing but `leaves`."""
        return StateMap.build(leaves)

    def submit(self, base: MapVersion, changes: Mapping[bytes, bytes]) -> MapVersion:
        """Make a version from `base`."""
        return cast("StateMap", base).update(changes)

    def root(self, version: MapVersion) -> bytes:
        """The root hash of a version, 32 bytes."""
        return cast("StateMap", version).root

    def get(self, version: MapVersion, key: bytes) -> bytes | None:
        """A key's value, None when it is absent."""
        return cast("StateMap", version).get(key)

    def prove(self, version: MapVersion, key: bytes) -> bytes:
        """The proof of a key's value, or of its absence."""
        return cast("StateMap", version).prove(key)

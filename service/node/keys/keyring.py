"""The lookup keys that one member holds, by arrangement and epoch.

A key is 32 random bytes, made by the node of the party that proposes or opens an epoch, committed
to on the ledger, and passed to the other parties' nodes. Each opens the commitment before it keeps
its copy: a key that does not open it would make every trader of the arrangement look absent.

Under an arrangement's id stands the key of the epoch in force by the newest state; where several
are held, each stands under its `epoch_name` besides, so that who reads an older state, or a newer
one, finds the key of that. Nothing here logs a key.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Final

from ledger.customs.identify import epoch_name
from ledger.customs.subject import KEY_BYTES, LookupKey
from ledger.state.state import State
from service.errors import Refused
from service.store.home.home_store import HomeStore

FIRST_EPOCH: Final = 1


class WrongLookupKey(Refused):
    """A lookup key does not open the commitment on the ledger."""

    def __init__(self, arrangement_id: bytes) -> None:
        super().__init__(
            f"the lookup key at hand for arrangement {arrangement_id.hex()} does not open the "
            "commitment on the ledger; nothing was kept or signed"
        )
        self.arrangement_id = arrangement_id


class Keyring:
    """Lookup keys by arrangement and epoch; each is in the member's store before it counts."""

    def __init__(self, home: HomeStore, network_id: bytes, current: Callable[[], State]) -> None:
        self._home = home
        self._network_id = network_id
        self._current = current
        self._lock = threading.Lock()
        self._held: dict[tuple[bytes, int], LookupKey] = {
            (arrangement_id, epoch): LookupKey(key, network_id, arrangement_id, epoch)
            for (arrangement_id, epoch), key in home.lookup_keys().items()
        }
        # The keys by name, which epochs were in force then, and the state that said so.
        self._keys: dict[bytes, LookupKey] = {}
        self._in_force: dict[bytes, int] = {}
        self._state: State | None = None

    def key(self, arrangement_id: bytes, epoch: int | None = None) -> LookupKey | None:
        """The key of an epoch, by default that in force; None where this member holds none."""
        if epoch is None:
            epoch = epoch_in_force(self._current(), arrangement_id)
        return self._held.get((arrangement_id, epoch))

    def held(self) -> Mapping[tuple[bytes, int], LookupKey]:
        """Every key by arrangement and epoch. Not to be changed."""
        return self._held

    def keys(self) -> Mapping[bytes, LookupKey]:
        """Every key by name; the same object as long as nothing changes. Not to be changed."""
        state = self._current()
        if state is not self._state:
            with self._lock:
                self._arrange(state)
        return self._keys

    def make(self, arrangement_id: bytes, epoch: int = FIRST_EPOCH) -> LookupKey:
        """Make and keep the key of an epoch that this member is about to commit to.

        One that an earlier attempt left behind, before it signed anything, is taken up again.
        """
        held = self._held.get((arrangement_id, epoch))
        return held or self._keep(
            LookupKey(secrets.token_bytes(KEY_BYTES), self._network_id, arrangement_id, epoch)
        )

    def keep(
        self, arrangement_id: bytes, key: bytes, commitment: bytes, epoch: int = FIRST_EPOCH
    ) -> LookupKey:
        """Keep a key that opens `commitment`; raises `WrongLookupKey` for another."""
        opened = LookupKey(key, self._network_id, arrangement_id, epoch)
        if opened.commitment != commitment:
            raise WrongLookupKey(arrangement_id)
        return self._keep(opened)

    def destroy(self, arrangement_id: bytes, epoch: int) -> None:
        """Forget a key and erase it from the store for good; one that is not held is fine."""
        with self._lock:
            held = dict(self._held)
            held.pop((arrangement_id, epoch), None)
            self._home.destroy_lookup_key(arrangement_id, epoch)
            self._hold(held)

    def _keep(self, key: LookupKey) -> LookupKey:
        place = key.arrangement_id, key.epoch
        with self._lock:
            held = self._held.get(place)
            if held is None or held.key != key.key:
                self._home.put_lookup_key(*place, key.key)
                self._hold({**self._held, place: key})
        return key

    def _hold(self, held: dict[tuple[bytes, int], LookupKey]) -> None:
        # New dicts: readers go on with theirs.
        self._held, self._in_force = held, {}
        self._arrange(self._current())

    def _arrange(self, state: State) -> None:
        held = self._held
        in_force = {each: epoch_in_force(state, each) for each, _ in held}
        if in_force != self._in_force:
            self._keys, self._in_force = keys_by_name(held, state), in_force
        self._state = state


def keys_by_name(
    held: Mapping[tuple[bytes, int], LookupKey], state: State
) -> dict[bytes, LookupKey]:
    """Keys by arrangement and epoch, under the names that the module's text says."""
    epochs: dict[bytes, int] = {}
    for arrangement_id, _ in held:
        epochs[arrangement_id] = epochs.get(arrangement_id, 0) + 1
    keys = {}
    for (arrangement_id, epoch), key in held.items():
        in_force = epoch_in_force(state, arrangement_id)
        if epoch == in_force:
            keys[arrangement_id] = key
        if epochs[arrangement_id] > 1 or epoch != in_force:
            keys[epoch_name(arrangement_id, epoch)] = key
    return keys


def epoch_in_force(state: State, arrangement_id: bytes) -> int:
    """The number of the epoch in force; the first where nobody has proposed the arrangement yet."""
    history = state.arrangement(arrangement_id)
    return FIRST_EPOCH if history is None else history.epoch_at(state.height).number

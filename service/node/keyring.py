"""The lookup keys that one member holds, by arrangement.

A key is 32 random bytes, made by the node of the party that proposes, committed to in the text, and
passed to the other parties' nodes. Each opens the commitment before it keeps its copy: a key that
does not open it would make every trader of the arrangement look absent.

Keys never leave the process but for the member's own store. Nothing here logs one.
"""

import secrets
from collections.abc import Mapping
from typing import Final

from ledger.customs.subject import KEY_BYTES, LookupKey
from service.errors import Refused
from service.store.home_store import HomeStore

# Later epochs come with their own steps on the ledger; version 1 of the node knows the first.
FIRST_EPOCH: Final = 1


class WrongLookupKey(Refused):
    """A lookup key does not open the commitment in the arrangement's text."""

    def __init__(self, arrangement_id: bytes) -> None:
        super().__init__(
            f"the lookup key at hand for arrangement {arrangement_id.hex()} does not open the "
            "commitment in its text; nothing was kept or signed"
        )
        self.arrangement_id = arrangement_id


class Keyring:
    """Lookup keys by arrangement and epoch; each is in the member's store before it counts."""

    def __init__(self, home: HomeStore, network_id: bytes) -> None:
        self._home = home
        self._network_id = network_id
        self._held: dict[tuple[bytes, int], LookupKey] = {
            (arrangement_id, epoch): LookupKey(key, network_id, arrangement_id, epoch)
            for (arrangement_id, epoch), key in home.lookup_keys().items()
        }
        self._keys = self._mapping()

    def key(self, arrangement_id: bytes, epoch: int = FIRST_EPOCH) -> LookupKey | None:
        """The key of an arrangement's epoch, None where this member holds none."""
        return self._held.get((arrangement_id, epoch))

    def keys(self) -> Mapping[bytes, LookupKey]:
        """Every key held, by arrangement id. Not to be changed."""
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

    def _keep(self, key: LookupKey) -> LookupKey:
        place = key.arrangement_id, key.epoch
        held = self._held.get(place)
        if held is None or held.key != key.key:
            self._home.put_lookup_key(key.arrangement_id, key.epoch, key.key)
            # New dicts: readers go on with theirs.
            self._held = {**self._held, place: key}
            self._keys = self._mapping()
        return key

    def _mapping(self) -> dict[bytes, LookupKey]:
        return {arrangement_id: key for (arrangement_id, _), key in sorted(self._held.items())}

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
    """Lookup keys by arrangement id; each is in the member's store before it counts."""

    def __init__(self, home: HomeStore, network_id: bytes) -> None:
        self._home = home
        self._network_id = network_id
        self._keys: dict[bytes, LookupKey] = {
            arrangement_id: LookupKey(key, network_id, arrangement_id, epoch)
            for (arrangement_id, epoch), key in home.lookup_keys().items()
        }

    def key(self, arrangement_id: bytes) -> LookupKey | None:
        """The key of an arrangement, None where this member holds none."""
        return self._keys.get(arrangement_id)

    def keys(self) -> Mapping[bytes, LookupKey]:
        """Every key held. Not to be changed."""
        return self._keys

    def make(self, arrangement_id: bytes) -> LookupKey:
        """Make and keep the key of an arrangement that this member is about to propose.

        One that an earlier attempt left behind, before it signed anything, is taken up again.
        """
        held = self._keys.get(arrangement_id)
        return held or self._keep(
            LookupKey(secrets.token_bytes(KEY_BYTES), self._network_id, arrangement_id, FIRST_EPOCH)
        )

    def keep(self, arrangement_id: bytes, key: bytes, commitment: bytes) -> LookupKey:
        """Keep a key that opens `commitment`; raises `WrongLookupKey` for another."""
        opened = LookupKey(key, self._network_id, arrangement_id, FIRST_EPOCH)
        if opened.commitment != commitment:
            raise WrongLookupKey(arrangement_id)
        return self._keep(opened)

    def _keep(self, key: LookupKey) -> LookupKey:
        held = self._keys.get(key.arrangement_id)
        if held is None or held.key != key.key:
            self._home.put_lookup_key(key.arrangement_id, key.epoch, key.key)
            # A new dict: readers go on with theirs.
            self._keys = {**self._keys, key.arrangement_id: key}
        return key

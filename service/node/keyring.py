"""The lookup keys that one member holds, by arrangement.

A key is 32 random bytes, made by the node of the party that proposes, committed to in the text, and
passed to the other parties' nodes. Each opens the commitment before it keeps its copy: a key that
does not open it would make every trader of the arrangement look absent.

Keys never leave the process but for the member's own store. Nothing here logs one.
"""

from collections.abc import Mapping

from ledger.customs.subject import LookupKey
from ledger.errors import CheckError
from service.store.home_store import HomeStore

FIRST_EPOCH = 1


class WrongLookupKey(CheckError):
    """A lookup key does not open the commitment in the arrangement's text."""

    def __init__(self, arrangement_id: bytes) -> None:
        super().__init__(
            f"the lookup key held for arrangement {arrangement_id.hex()} does not open the "
            "commitment in its text; ask the proposer's node for it again"
        )


class Keyring:
    """Lookup keys by arrangement id; each change is in the member's store before it counts."""

    def __init__(self, home: HomeStore, network_id: bytes) -> None:
        self._home = home
        self._network_id = network_id
        self._keys: dict[bytes, LookupKey] = {
            arrangement_id: LookupKey(key, network_id, arrangement_id, epoch)
            for arrangement_id, epoch, key in home.lookup_keys()
        }

    def key(self, arrangement_id: bytes) -> LookupKey | None:
        """The key of an arrangement, None where this member holds none."""
        return self._keys.get(arrangement_id)

    def keys(self) -> Mapping[bytes, LookupKey]:
        """Every key held. Do not change it."""
        return self._keys

    def keep(self, arrangement_id: bytes, key: bytes, commitment: bytes) -> LookupKey:
        """Keep a key that opens `commitment`; raises `WrongLookupKey` for another."""
        opened = LookupKey(key, self._network_id, arrangement_id, FIRST_EPOCH)
        if opened.commitment != commitment:
            raise WrongLookupKey(arrangement_id)
        held = self._keys.get(arrangement_id)
        if held is None or held.key != key:
            self._home.put_lookup_key(arrangement_id, FIRST_EPOCH, key)
            self._keys[arrangement_id] = opened
        return opened

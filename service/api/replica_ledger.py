"""What a serving process shows of the ledger: what a client's trust and its proofs hang from.

A client that checks answers needs the genesis, headers, their proofs and seals, and how trust
passed on; it gets them where it gets its answers. Blocks too, so that a replica may follow a
replica. Proofs of the state map and snapshots are a node's to give.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.bls.scheme import default_backend
from ledger.chain.genesis import Genesis
from ledger.state.state import State
from service.api.ledger import LedgerServicer
from service.api.method import Method
from service.engine.feed import BlockFeed
from service.node.governance.set_changes import SetChanges
from service.node.lookup.host import AnsweringHost, SealView
from service.store.ledger.ledger_store import LedgerStore

NOT_SHOWN: Final = frozenset({"GetStateProof"})
"""The map is with the follower, which gives the proofs that answers need and no others."""


def ledger_methods(host: AnsweringHost) -> Mapping[str, Method]:
    """What to register of `LedgerService` for a view."""
    methods = LedgerServicer(_Shown.of(host)).methods()
    return {name: method for name, method in methods.items() if name not in NOT_SHOWN}


@dataclass(frozen=True, slots=True)
class _StoredEvidence:
    store: LedgerStore

    def all(self) -> list[bytes]:
        return self.store.evidence()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A view as a `LedgerHost`."""

    host: AnsweringHost
    set_changes: SetChanges
    evidence: _StoredEvidence

    @classmethod
    def of(cls, host: AnsweringHost) -> "_Shown":
        store, genesis = host.ledger_store, host.state.genesis
        changes = SetChanges(store, genesis, default_backend(), read_only=True)
        return cls(host, changes, _StoredEvidence(store))

    @property
    def network_id(self) -> bytes:
        return self.host.state.network_id

    @property
    def genesis(self) -> Genesis:
        return self.host.state.genesis

    @property
    def state(self) -> State:
        return self.host.state

    @property
    def newest_seal(self) -> SealView | None:
        return self.host.newest_seal

    @property
    def hosted(self) -> Mapping[str, object]:
        """None: a replica writes for nobody."""
        return {}

    @property
    def ledger_store(self) -> LedgerStore:
        return self.host.ledger_store

    @property
    def feed(self) -> BlockFeed:
        return self.host.feed

    def seal_of(self, height: int) -> SealView:
        return self.host.seal_of(height)

"""One node: several hosted members over one ledger, one engine and one machine.

    with Node.start(settings, clock) as node:
        node.state                       what is known now, a read view that never changes
        node.hosted["NZ"].publisher      what works for one member
        node.feed                        news of blocks and seals

Starting opens every store, replays the ledger and checks it against its own bytes; it fails with
`StoreCorrupt` naming the place. Stopping finishes what was accepted: the publishers hand over what
waits, the engine orders and seals it, the outboxes note where it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.chain.genesis import Genesis
from ledger.state.machine import Machine
from ledger.state.state import State
from service.clock import Clock, SystemClock
from service.engine.feed import BlockFeed
from service.engine.protocol import OnStep, no_step
from service.engine.solo import SoloEngine
from service.node.member import HostedMember, MemberKey
from service.store.ledger_store import LedgerStore, SealLevel


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node's files lie and whose keys it holds. `homes` is a folder with a file a member."""

    ledger: Path
    homes: Path
    guard: Path
    members: Mapping[str, int] = field(repr=False)
    map_process: bool = False
    max_page_count: int | None = None

    @classmethod
    def in_folder(cls, folder: Path, members: Mapping[str, int]) -> "NodeSettings":
        """All files under one folder; `members` maps economies to BLS secret keys."""
        return cls(folder / "ledger.db", folder, folder / "guard", members)


@dataclass(frozen=True, slots=True)
class SealView:
    """The seal of one header; `data` empty and `finality` RECORDED where there is none."""

    height: int
    data: bytes
    finality: "exchange.Finality.ValueType"
    attested_time: int


class Node:
    """A running node. Made by `start`."""

    genesis: Genesis
    network_id: bytes
    clock: Clock
    machine: Machine
    engine: SoloEngine
    ledger_store: LedgerStore
    hosted: Mapping[str, HostedMember]

    @property
    def state(self) -> State:
        """Everything known now; a value that stays as it is."""
        return self.machine.state

    @property
    def feed(self) -> BlockFeed:
        """News of blocks and seals."""
        return self.engine.feed

    @classmethod
    def start(
        cls, settings: NodeSettings, clock: Clock | None = None, on_step: OnStep = no_step
    ) -> Self:
        """Open the stores, check them, begin to order, seal and publish."""
        raise NotImplementedError

    def stop(self) -> None:
        """Finish what was accepted, then close everything. Idempotent."""

    def seal_of(self, height: int) -> SealView:
        """The best seal of the header at `height`; one of a later header counts for it too."""
        raise NotImplementedError

    @property
    def newest_seal(self) -> SealView | None:
        """The newest seal that is at least attested; None before the first."""
        raise NotImplementedError

    def instructions(self, economy: str) -> Mapping[int, str]:
        """What a hosted member tells its officers to do, by benefit code."""
        raise NotImplementedError

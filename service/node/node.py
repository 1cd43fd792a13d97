"""One node: several hosted members over one ledger, one engine and one machine.

    with Node.start(settings, clock) as node:
        node.state                       what is known now, a read view that never changes
        node.hosted["NZ"].publisher      what works for one member
        node.feed                        news of blocks, seals and publications

Starting opens every store, replays the ledger and checks it against its own bytes; it fails with
`StoreCorrupt` naming the place. Stopping finishes what was accepted: the publishers hand over what
waits, the engine orders and seals it, the outboxes note where it stands.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import structlog

from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.bls.scheme import BlsBackend, default_backend
from ledger.chain.genesis import Genesis
from ledger.chain.set_change import SetChange
from ledger.state.machine import Machine
from ledger.state.map_updates import MapHere, MapUpdater
from ledger.state.membership import ACTIVE
from ledger.state.state import State
from service.clock import Clock, SystemClock
from service.engine.cometbft.engine import CometBftEngine
from service.engine.feed import BlockFeed
from service.engine.protocol import OnStep, no_step
from service.engine.settings import CometBftSettings, SoloSettings
from service.engine.solo import SoloEngine
from service.errors import WrongStore
from service.keys.key_folder import KeyFolder
from service.node.access_log import AccessLog
from service.node.approvals import Approvals
from service.node.arrangements.agreements import Agreements
from service.node.blocks import LedgerBlocks
from service.node.governance.evidence import Evidence
from service.node.governance.hand_over import HandOverKeeper
from service.node.governance.member_key import HeldKeys
from service.node.governance.sealer import HostedSealer
from service.node.governance.set_changes import SetChanges
from service.node.governance.steps import Governance
from service.node.history import LedgerHistory
from service.node.keys.delivery import KeyDelivery
from service.node.keys.epoch_keeper import EpochKeeper
from service.node.keys.epochs import Epochs
from service.node.keys.keyring import Keyring
from service.node.keys.peers import NodeTlsSource, Peers
from service.node.lookup.host import SealView
from service.node.lookup.known_time import KnownTime
from service.node.lookup.proven_state import ProvenState
from service.node.lookup.seals import Seals, finality_by, newest_stored
from service.node.map_process import MapProcess
from service.node.monitoring.desk import MonitoringDesk
from service.node.ordering import Ordering, cometbft_engine, finishing
from service.node.profiles.consents import ConsentDesk
from service.node.profiles.desk import ProfileDesk
from service.node.profiles.exchange import Partners, ProfileExchange, Side
from service.node.publishing.heartbeat import Heartbeats
from service.node.publishing.publications import Publications
from service.node.publishing.publisher import Publisher
from service.node.restoring import check_guard, restore
from service.node.snapshots.engine_snapshots import EngineSnapshots
from service.node.snapshots.made import EVERY_BLOCKS, Snapshots
from service.store.guard import SealGuard
from service.store.home.home_store import HomeStore
from service.store.ledger.ledger_store import LedgerStore, SealLevel, StoredSeal
from service.store.location import Folder, Server

_log = structlog.get_logger("aeo.node")


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node's files lie, and whose keys it holds.

    `members` maps economies to their BLS secret keys, in a folder where further ones can be made or
    a single one in memory; `homes` is the folder of their own stores. On a PostgreSQL server
    `ledger` and `home_store` say where, and other files stay in `homes`. The `guard` lies where no
    backup of the stores takes it along. `map_process` keeps the state map in a process of its own.
    Measured on 200,000 leaves, the node's own process then spends 21 us a record instead of 34; off
    by default, since one core is enough for 25,000 records a second and the second process wants
    another core. `tls` is what members show to partners' nodes; who has none calls nobody. A
    snapshot for others is made every `snapshot_blocks`, 0: never.
    """

    ledger: Path | Server
    homes: Path
    guard: Path
    members: Mapping[str, int | KeyFolder] = field(repr=False)
    map_process: bool = False
    max_page_count: int | None = None
    home_max_page_count: int | None = None
    home_store: Folder | Server | None = None
    tls: Mapping[str, NodeTlsSource] = field(default_factory=dict)
    engine: SoloSettings | CometBftSettings = field(default_factory=SoloSettings)
    snapshot_blocks: int = EVERY_BLOCKS

    @classmethod
    def in_folder(cls, folder: Path, members: Mapping[str, int | KeyFolder]) -> "NodeSettings":
        """All files under one folder."""
        return cls(folder / "ledger.db", folder, folder / "guard", members)

    @property
    def snapshots(self) -> Path:
        """Where snapshots for others lie."""
        return self.homes / "snapshots"

    def home(self, economy: str) -> Path | Server:
        """Where the own store of one member lies."""
        return (self.home_store or Folder(self.homes)).store("home", economy)


@dataclass(frozen=True, slots=True)
class HostedMember:
    """One member of the network whose keys lie here, and what works for it."""

    keys: HeldKeys
    home: HomeStore
    keyring: Keyring
    publisher: Publisher
    agreements: Agreements
    publications: Publications
    peers: Peers
    approvals: Approvals
    governance: Governance
    consents: ConsentDesk
    monitoring: MonitoringDesk
    profiles: ProfileDesk
    access_log: AccessLog
    epochs: Epochs

    @property
    def economy(self) -> str:
        """Two letters."""
        return self.keys.economy


class Node:
    """A running node. Made by `start`; everything else is for reading."""

    def __init__(
        self, settings: NodeSettings, clock: Clock, backend: BlsBackend, on_step: OnStep
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.backend = backend
        self._stack = ExitStack()
        self._stopped = False
        with ExitStack() as opening:
            opening.callback(self._stack.close)
            self._open(on_step)
            opening.pop_all()

    def _open(self, on_step: OnStep) -> None:
        settings, clock, backend = self.settings, self.clock, self.backend
        keep = self._stack.enter_context
        self.ledger_store = keep(
            LedgerStore(settings.ledger, max_page_count=settings.max_page_count, on_step=on_step)
        )
        guard = keep(SealGuard.open(settings.guard, on_step=on_step))
        updates = self._map_updater()
        self.machine: Machine = restore(self.ledger_store, backend, updates)
        self.genesis: Genesis = self.machine.state.genesis
        self.network_id: bytes = self.genesis.network_id
        self.known_time = KnownTime(clock, self.state.header_time)
        self.set_changes = SetChanges(self.ledger_store, self.genesis, backend)
        self.evidence = Evidence(
            self.ledger_store, self.genesis, self.set_changes, self._current, backend
        )
        keys = {
            economy: self._keys_of(economy, given) for economy, given in settings.members.items()
        }
        key_ids = [key.key_id for held in keys.values() for key in held.all]
        together = isinstance(settings.engine, CometBftSettings)
        check_guard(guard, self.ledger_store, self.state, key_ids, others_order=together)
        self.snapshots = Snapshots(
            settings.snapshots,
            lambda last: (each.header for each in self.ledger_store.headers(0, last)),
            every=settings.snapshot_blocks,
        )
        self._stack.callback(self.snapshots.stop)
        newest = self.ledger_store.newest_seal()
        self.engine = self._engine(keys, guard, newest, on_step)
        self.feed.listen_refused(self.evidence.refused)
        self.feed.listen(lambda _: self.snapshots.after_block(self.state, self._engine_height()))
        self._seal_at_start = newest_stored(self.ledger_store)
        self._seals = Seals(self.ledger_store, lambda: self.newest_seal)
        self._proven = ProvenState(self._current, lambda: self.newest_seal)
        self.feed.listen(lambda _: self._proven.after_block())
        hosted = {economy: self._host(held, on_step) for economy, held in sorted(keys.items())}
        self.hosted: Mapping[str, HostedMember] = hosted
        self._profile_exchange = ProfileExchange(
            [self._profile_side(member) for member in hosted.values()],
            self.ledger_store,
            self._current,
            clock,
        )
        self._heartbeats = Heartbeats(
            (member.publisher for member in hosted.values()), self._current, clock
        )
        self._epoch_keeper = EpochKeeper((each.epochs for each in hosted.values()), self.feed)
        self._hand_over = HandOverKeeper(
            hosted.values, self._current, self.ledger_store, self.set_changes, on_step
        )

    @classmethod
    def start(
        cls,
        settings: NodeSettings,
        clock: Clock | None = None,
        *,
        backend: BlsBackend | None = None,
        on_step: OnStep = no_step,
    ) -> Self:
        """Open the stores, check them, and begin to order, seal and publish.

        Raises `StoreBusy`, `StoreCorrupt`, `WrongStore`, `ClockWentBack`, `GuardRefused` and the
        other errors of the stores.
        """
        node = cls(settings, clock or SystemClock(), backend or default_backend(), on_step)
        try:
            if node.settings.engine == SoloSettings():
                node.engine.start()
            history = LedgerHistory(node.ledger_store, node.state)
            for member in node.hosted.values():
                member.publisher.start(history)
                member.consents.start()
            if node.settings.engine != SoloSettings():
                # Blocks come from outside: none before the outboxes know where the ledger ends.
                node.engine.start()
            node._profile_exchange.start()
            node._heartbeats.start()
            node._epoch_keeper.start()
            node._hand_over.start()
        except BaseException:
            node.stop()
            raise
        return node

    def stop(self) -> None:
        """Finish what was accepted, then close everything. Idempotent."""
        if self._stopped:
            return
        self._stopped = True
        self._heartbeats.stop()
        self._epoch_keeper.stop()
        self._profile_exchange.stop()
        self._hand_over.stop()
        with finishing(self.engine):
            for member in self.hosted.values():
                member.consents.stop()
                member.publisher.stop()
        self.engine.stop()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def state(self) -> State:
        """Everything known now; a value that stays as it is."""
        return self.machine.state

    @property
    def feed(self) -> BlockFeed:
        """News of blocks, seals and publications."""
        return self.engine.feed

    @property
    def failure(self) -> Exception | None:
        """Why the node no longer writes for anybody; None while it does. It still answers.

        A member whose own store fails stops alone: the others go on.
        """
        failures = [member.publisher.failure for member in self.hosted.values()]
        return self.engine.failure or (failures[0] if failures and all(failures) else None)

    @property
    def newest_seal(self) -> SealView | None:
        """The newest seal that is at least attested; None before the first."""
        made = self.engine.newest_seal
        if made is None:
            return self._seal_at_start
        height, seal = made
        return SealView(
            height, seal.data, finality_by(SealLevel.of(seal.level)), seal.attested_time
        )

    @property
    def proven_state(self) -> State | None:
        """The newest state with such a seal; None between a start and the first one, if at all."""
        return self._proven.newest()

    def seal_of(self, height: int) -> SealView:
        """The best seal of the header at `height`; its finality by later seals too."""
        return self._seals.of(height)

    def finality_of(self, height: int) -> exchange.Finality:
        """How final the header at `height` is, by its own seal or a later one's."""
        return self._seals.finality_of(height)

    def instructions(self, economy: str) -> Mapping[int, str]:
        """What a hosted member tells its officers to do, by benefit code."""
        return self.hosted[economy].home.instructions()

    def set_changes_until(self, height: int) -> Sequence[SetChange]:
        """How trust passed from the founders to the set that sealed the header at `height`."""
        return self.set_changes.all(height)

    def _current(self) -> State:
        return self.machine.state

    def _profile_side(self, member: HostedMember) -> Side:
        partners = Partners(member.economy, member.peers, self._profile_homes)
        desk = member.profiles
        return Side(member.economy, member.home.profiles, partners, desk.load, desk.keep)

    def _profile_homes(self) -> dict[str, ProfileDesk]:
        return {economy: member.profiles for economy, member in self.hosted.items()}

    def _keyrings(self) -> dict[str, Keyring]:
        return {economy: member.keyring for economy, member in self.hosted.items()}

    def _engine(
        self,
        keys: Mapping[str, HeldKeys],
        guard: SealGuard,
        newest: StoredSeal | None,
        on_step: OnStep,
    ) -> Ordering:
        settings, backend = self.settings.engine, self.backend
        blocks = LedgerBlocks(self.ledger_store)
        if isinstance(settings, CometBftSettings):
            (held,) = keys.values()
            snapshots = EngineSnapshots(
                self.snapshots,
                self.machine,
                self.ledger_store,
                self.set_changes,
                backend,
                self.settings.homes / "incoming-snapshot",
            )
            return cometbft_engine(
                settings, self.machine, blocks, held, guard, backend, on_step, snapshots
            )
        return SoloEngine(
            self.machine,
            blocks,
            HostedSealer(keys, guard, backend),
            self.clock,
            attested_time=newest.attested_time if newest else 0,
            sealed=newest is not None
            and newest.height == self.state.height
            and newest.level == SealLevel.SEALED,
            on_step=on_step,
        )

    def _engine_height(self) -> int:
        """How an outer engine counts the newest block; 0 where there is none."""
        engine = self.engine
        return engine.application.height if isinstance(engine, CometBftEngine) else 0

    def _map_updater(self) -> MapUpdater:
        if self.settings.map_process:
            return self._stack.enter_context(MapProcess())
        return MapHere()

    def _keys_of(self, economy: str, given: int | KeyFolder) -> HeldKeys:
        """The keys of a member, the one in force among them while it may sign."""
        keys = HeldKeys.given(economy, given, self.backend)
        member = self.state.membership.all.get(economy)
        if member is not None and member.standing != ACTIVE:
            _log.warning("nothing is published for it", economy=economy, standing=member.standing)
        elif keys.in_force(self.state) is None and isinstance(
            self.settings.engine, CometBftSettings
        ):
            # A ledger that lags behind the others' may not know it yet, or not its newest key.
            _log.warning("it is not, or not yet, a member by a key that lies here", economy=economy)
        elif keys.in_force(self.state) is None:
            raise WrongStore(
                self.settings.ledger, f"the key given for {economy} is not its key in this network"
            )
        return keys

    def _host(self, keys: HeldKeys, on_step: OnStep) -> HostedMember:
        home = self._stack.enter_context(
            HomeStore(
                self.settings.home(keys.economy),
                keys.economy,
                self.network_id,
                max_page_count=self.settings.home_max_page_count,
                on_step=on_step,
            )
        )
        keyring = Keyring(home, self.network_id, self._current)
        publisher = Publisher(
            keys,
            home,
            keyring,
            self.engine,
            self._current,
            self.machine.verified,
            self.backend,
            self.clock,
        )
        peers = Peers(keys.economy, self.settings.tls.get(keys.economy), self._current)
        self._stack.callback(peers.close)
        delivery = KeyDelivery(keys.economy, keyring, peers, self._keyrings)
        agreements = Agreements(publisher, delivery, self._current)
        epochs = Epochs(
            publisher,
            agreements,
            delivery,
            home.epochs,
            self._current,
            self.clock,
            home.profiles.own_profiles,
        )
        publications = Publications(
            keys.economy, home.outbox, self._current, self.finality_of, self.feed
        )
        access_log = self._stack.enter_context(AccessLog(home.access_log, self.clock))
        approvals = self._stack.enter_context(
            Approvals(home.approvals, self.clock, access_log.note_step)
        )
        governance = Governance(publisher, keys, self._current, self.backend, on_step)
        profiles = ProfileDesk(keys.economy, home.profiles, self._current, self.clock)
        consents = ConsentDesk(
            publisher,
            home.consents,
            self._current,
            self.clock,
            profiles.erase_shared,
            lambda: (tin for tin, _ in home.profiles.own_profiles()),
        )
        monitoring = MonitoringDesk(publisher, home.clearances, self._current, self.clock)
        return HostedMember(
            keys,
            home,
            keyring,
            publisher,
            agreements,
            publications,
            peers,
            approvals,
            governance,
            consents,
            monitoring,
            profiles,
            access_log,
            epochs,
        )

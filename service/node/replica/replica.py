"""A replica: the ledger of a network in a folder of its own, followed and verified.

    with Replica.start(settings) as replica:
        replica.state            what is verified, a read view that never changes
        replica.newest_seal      how fresh and how final it is
        replica.on_block(hear)   each step as it is verified

It begins from a network id that was given by hand, and later from its own store, which is checked
against itself as a node's is. An administration with a header of its own knowledge names it as the
anchor: another past is refused. A store whose newest header is older than the trust period is
refused, as by every checker: keys that were replaced since could have signed another future. Then
an anchor from elsewhere, above it, is needed, or a fresh folder.

It catches up by a snapshot where it is far behind, so its ledger may begin after the first block.

    ledger.db             genesis, headers, transactions, seals, evidence
    keyring.json          the administration's lookup keys and instructions, mode 0600
    refusals/, evidence/  what sources showed that cannot be so

Whoever is followed, the replica answers by what members signed. A source that falls silent leaves
the newest seal as old as it is, and verdicts become stale by the rules for a node's.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import structlog

from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.bls.scheme import BlsBackend, default_backend
from ledger.chain.anchor import Anchor, too_old
from ledger.chain.genesis import Genesis, check_genesis, parse_genesis
from ledger.chain.header import header_hash
from ledger.chain.set_change import SetChange
from ledger.errors import AnchorError, CheckError, FormatError
from ledger.state.machine import Machine
from ledger.state.map_updates import MapHere, MapUpdater
from ledger.state.state import State
from service.client.connection import Connection
from service.client.errors import ClientError
from service.client.ledger import LedgerClient
from service.client.replica import NodeAddress
from service.clock import Clock, SystemClock
from service.engine.feed import BlockFeed
from service.engine.protocol import OnStep, no_step
from service.errors import SourceRefused, WrongStore
from service.node.governance.evidence import Evidence
from service.node.governance.set_changes import SetChanges
from service.node.lookup.host import SealView
from service.node.map_process import MapProcess
from service.node.replica import refusals
from service.node.replica.follow import CALL_SECONDS, Follower, Patience
from service.node.replica.keyring import HomeNode, ReplicaKeyring
from service.node.replica.keyring_file import KeyringFile
from service.node.replica.refusals import Refusals
from service.node.replica.standing import SourceView, Standing
from service.node.replica.verifier import ChainVerifier, Change
from service.node.restoring import restore
from service.node.snapshots.catching_up import FAR_BEHIND, catch_up
from service.store.ledger.ledger_store import LedgerStore, SealLevel

LEDGER_FILE: Final = "ledger.db"
KEYRING_FILE: Final = "keyring.json"
SNAPSHOT_FOLDER: Final = "snapshot"
BEGIN_SECONDS: Final = 30.0
"""How long an empty replica looks for a source that shows it the genesis."""

_log = structlog.get_logger("aeo.replica")


@dataclass(frozen=True, slots=True)
class ReplicaSettings:
    """`sources` are tried in their order; `home` is the own administration's node, None for a
    replica without lookup keys (it verifies and keeps the ledger, and answers nobody)."""

    folder: Path
    network_id: bytes
    economy: str
    sources: tuple[NodeAddress, ...]
    home: NodeAddress | None = None
    anchor: Anchor | None = None
    map_process: bool = False
    max_page_count: int | None = None
    patience: Patience = field(default_factory=Patience)
    begin_seconds: float = BEGIN_SECONDS
    far_behind: int = FAR_BEHIND


class Replica:
    """A running replica. Made by `start`; everything else is for reading."""

    def __init__(
        self, settings: ReplicaSettings, clock: Clock, backend: BlsBackend, on_step: OnStep
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.backend = backend
        self.feed = BlockFeed()
        self._listeners: list[Callable[[Change], None]] = []
        self._standing_listeners: list[Callable[[Standing], None]] = []
        self._listening = threading.Lock()
        self._stack = ExitStack()
        self._stopped = False
        with ExitStack() as opening:
            opening.callback(self._stack.close)
            self._open(on_step)
            opening.pop_all()

    def _open(self, on_step: OnStep) -> None:
        settings, backend = self.settings, self.backend
        keep = self._stack.enter_context
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ledger_store = keep(
            LedgerStore(
                settings.folder / LEDGER_FILE,
                max_page_count=settings.max_page_count,
                on_step=on_step,
            )
        )
        self.refusals = Refusals(settings.folder)
        if self.ledger_store.genesis() is None:
            self._begin()
        updates: MapUpdater = keep(MapProcess()) if settings.map_process else MapHere()
        self.machine: Machine = restore(self.ledger_store, backend, updates)
        self.genesis: Genesis = self.machine.state.genesis
        self.network_id: bytes = self.genesis.network_id
        self._check_store()
        self.set_changes = SetChanges(self.ledger_store, self.genesis, backend)
        self.evidence = Evidence(
            self.ledger_store, self.genesis, self.set_changes, self._current, backend
        )
        self._verifier = ChainVerifier(
            self.machine,
            self.ledger_store,
            self.set_changes,
            backend,
            now_ms=self.clock.now_ms,
            tell=self._tell,
            anchor=settings.anchor,
        )
        self.keyring = ReplicaKeyring(
            KeyringFile(settings.folder / KEYRING_FILE, self.network_id, settings.economy),
            self.network_id,
            self._current,
            None if settings.home is None else HomeNode(settings.home, self.network_id),
        )
        self._follower = Follower(
            settings.sources,
            self._verifier,
            self.evidence,
            self.refusals,
            network_id=self.network_id,
            height=lambda: self.machine.state.height,
            now_ms=self.clock.now_ms,
            patience=settings.patience,
            catch_up=self._catch_up,
            far_behind=settings.far_behind,
            tell=self._tell_standing,
        )

    @classmethod
    def start(
        cls,
        settings: ReplicaSettings,
        clock: Clock | None = None,
        *,
        backend: BlsBackend | None = None,
        on_step: OnStep = no_step,
    ) -> Self:
        """Open the folder, check what is in it, and begin to follow.

        Raises `StoreBusy`, `StoreCorrupt`, `WrongStore` and the other errors of the store,
        `AnchorError` for one that is too old, and for an empty folder `ClientError` or
        `SourceRefused` where no source shows the network's genesis in time.
        """
        replica = cls(settings, clock or SystemClock(), backend or default_backend(), on_step)
        replica.keyring.start()
        replica._follower.start()
        return replica

    def stop(self) -> None:
        """Follow no more, close everything. Idempotent."""
        if self._stopped:
            return
        self._stopped = True
        self._follower.stop()
        self.keyring.stop()
        self.feed.close()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def state(self) -> State:
        """Everything verified so far; a value that stays as it is."""
        return self.machine.state

    @property
    def newest_seal(self) -> SealView | None:
        """The newest seal that is at least attested; None before the first."""
        return self._verifier.seals.newest

    @property
    def sources(self) -> tuple[SourceView, ...]:
        """How each source stands."""
        return self._follower.sources

    @property
    def standing(self) -> Standing:
        """How it stands with all of them, for metrics and health."""
        return self._follower.standing

    @property
    def failure(self) -> Exception | None:
        """Why nothing is followed any more; None while it is. What is known stays readable."""
        return self._follower.failure

    @property
    def ready(self) -> bool:
        """Whether what is shown may be relied on: sealed, and past the anchor if there is one."""
        anchor = self.settings.anchor
        return self.newest_seal is not None and (
            anchor is None or self.state.height >= anchor.height
        )

    @property
    def caught_up(self) -> bool:
        """Whether it is `ready`, and all is here that a source had when it was last asked.

        True too where no source can be asked: what is known is all there is, and grows stale.
        """
        return self.ready and self._follower.caught_up

    def on_block(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with each verified step; returns how to end it.

        It runs on the follower's thread: it must be quick and must not raise. A seal comes as a
        step of its own, after its block; the first call follows the state as it is by then. After
        a snapshot the next step's state is not that of the block after the one before: whoever
        keeps what blocks changed begins again from the state.
        """
        with self._listening:
            self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def on_standing(self, listener: Callable[[Standing], None]) -> Callable[[], None]:
        """Call `listener` whenever `standing` has changed; returns how to end it. Like `on_block`,
        on the follower's thread."""
        with self._listening:
            self._standing_listeners.append(listener)
        return lambda: self._standing_listeners.remove(listener)

    def seal_of(self, height: int) -> SealView:
        """The best seal of the header at `height`; its finality by later seals too."""
        return self._verifier.seals.of(height)

    def finality_of(self, height: int) -> exchange.Finality:
        """How final the header at `height` is, by its own seal or a later one's."""
        return self._verifier.seals.finality_of(height)

    def instructions(self, _economy: str) -> Mapping[int, str]:
        """What the administration tells its officers to do, by benefit code."""
        return self.keyring.instructions

    def set_changes_until(self, height: int) -> list[SetChange]:
        """How trust passed from the founders to the set that sealed the header at `height`."""
        return self.set_changes.all(height)

    def _current(self) -> State:
        return self.machine.state

    def _tell(self, change: Change) -> None:
        block = change.block
        if block is not None:
            self.feed.tell(block)
            if block.draft.arrangements:
                self.keyring.look_again()
        with self._listening:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(change)
        self.feed.announce()

    def _tell_standing(self, standing: Standing) -> None:
        with self._listening:
            listeners = tuple(self._standing_listeners)
        for listener in listeners:
            listener(standing)

    def _catch_up(self, connection: Connection, far: int) -> None:
        """Go on from a source's snapshot if it is `far` heights ahead."""
        taken = catch_up(
            connection,
            self.machine,
            self.ledger_store,
            self.settings.folder / SNAPSHOT_FOLDER,
            self.backend,
            now_ms=self.clock.now_ms,
            anchor=self.settings.anchor,
            far=far,
        )
        if taken:
            state, seal = self.machine.state, self.ledger_store.seal(self.machine.state.height)
            if state.signing_sets.pending and seal and seal.level == SealLevel.SEALED:
                # The next block may be the hand-over: nothing before it would show how it came.
                self.set_changes.keep(state, seal.seal)
            self._verifier.begin_anew()
            self.keyring.look_again()
            self._tell(Change(self.machine.state, None, self.newest_seal))

    def _begin(self) -> None:
        """Put the genesis of the network into an empty store, as some source shows it."""
        settings = self.settings
        until = time.monotonic() + settings.begin_seconds
        pause = 0.1
        failure: Exception | None = None
        while True:
            for source in settings.sources:
                try:
                    with source.connect(CALL_SECONDS) as opened:
                        genesis = self._genesis_of(LedgerClient(opened))
                except SourceRefused as refused:
                    self.refusals.keep(source.address, refused, self.clock.now_ms())
                    failure = refused
                except Exception as error:  # noqa: BLE001 - the next source may do
                    failure = failure if isinstance(failure, SourceRefused) else error
                    if not isinstance(error, ClientError):
                        _log.error(
                            "a source cannot be asked for an unexpected error",
                            source=source.address,
                            reason=str(error),
                            exc_info=error,
                        )
                else:
                    first = Machine(genesis, self.backend).state.header_bytes
                    self.ledger_store.put_genesis(genesis.data, first)
                    return
                _log.warning("no genesis", source=source.address, reason=str(failure))
            if time.monotonic() + pause > until:
                assert failure is not None, "there is at least one source"
                raise failure
            time.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _genesis_of(self, client: LedgerClient) -> Genesis:
        try:
            genesis = parse_genesis(client.genesis())
            check_genesis(genesis, self.backend)
        except (FormatError, CheckError) as error:
            raise SourceRefused(refusals.MALFORMED, f"genesis: {error}") from error
        if genesis.network_id != self.settings.network_id:
            raise SourceRefused(
                refusals.OTHER_NETWORK,
                f"the node's network is {genesis.network_id.hex()}, not the one given",
            )
        return genesis

    def _check_store(self) -> None:
        """Whether the store is of this network, on the anchor's past, and not too old."""
        state, anchor, path = self.state, self.settings.anchor, self.ledger_store.path
        if state.network_id != self.settings.network_id:
            raise WrongStore(path, f"is of network {state.network_id.hex()}, not the one given")
        if anchor is not None and anchor.height <= state.height:
            stored = self.ledger_store.header(anchor.height)
            if stored is not None and header_hash(stored.header) != anchor.header_hash:
                raise WrongStore(path, f"does not pass through the anchor at {anchor.height}")
        elif state.height and anchor is None:
            period = state.parameters.trust_period
            if too_old(state.header_time, self.clock.now_ms(), period):
                raise AnchorError(
                    f"{path}: anchored too long ago: replaced keys could have signed another"
                    " future; name an anchor from elsewhere, or begin with an empty folder"
                )

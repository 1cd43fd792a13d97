"""Which engine orders for a node, put together from what the node has.

Solo, all keys of all hosted members sign; under CometBFT the one member that the node hosts votes
with its Ed25519 key, which CometBFT holds, and its votes carry shares of its BLS key.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Protocol

from ledger import ed25519
from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import Genesis
from ledger.state.machine import Machine
from ledger.state.state import State
from service.engine.cometbft.application import Application
from service.engine.cometbft.engine import FINISH_S, CometBftEngine
from service.engine.cometbft.home import (
    address_of,
    chain_id,
    validator_address,
    write_home,
    write_validator_key,
)
from service.engine.cometbft.install import NotInstalled, installed
from service.engine.cometbft.process import CometBftProcess
from service.engine.cometbft.protocol import SnapshotStore
from service.engine.cometbft.rpc import Rpc
from service.engine.cometbft.server import AbciServer
from service.engine.feed import BlockFeed
from service.engine.protocol import Engine, OnStep, Sealed
from service.engine.settings import CometBftSettings
from service.errors import Refused
from service.keys.key_folder import KeyFolder
from service.node.blocks import LedgerBlocks
from service.node.governance.member_key import HeldKeys
from service.node.governance.share_signer import MemberShares
from service.store.guard import SealGuard


class Ordering(Engine, Protocol):
    """An engine as a node needs it: it also knows the newest seal."""

    @property
    def newest_seal(self) -> tuple[int, Sealed] | None:
        """(height, seal) of the newest header sealed since the start."""


class ConsensusKeys:
    """The Ed25519 keys of one member, and the one that CometBFT's folder has of them."""

    def __init__(self, home: Path, folder: KeyFolder) -> None:
        self._home = home
        self._folder = folder
        self._seeds: dict[int, bytes] = {}

    def begin(self, validators: Collection[bytes]) -> None:
        """See that CometBFT has a key to start with: one of `validators`, else the newest held."""
        if validator_address(self._home) is None and not self.follow(validators):
            write_validator_key(self._home, self._held()[-1])

    def follow(self, validators: Collection[bytes]) -> bool:
        """Have CometBFT sign with a key of `validators` from its next start on, if it does not."""
        used = validator_address(self._home)
        if any(address_of(key) == used for key in validators):
            return False
        for seed in self._held():
            if ed25519.public_key(seed) in validators:
                write_validator_key(self._home, seed)
                return True
        return False

    def _held(self) -> list[bytes]:
        """The seeds, the oldest first; each is opened once, which costs a key derivation."""
        secrets = self._folder.secrets
        for secret in secrets:
            if secret not in self._seeds:
                self._seeds[secret] = self._folder.seed(secret)
        return [self._seeds[secret] for secret in secrets]


def write_cometbft_home(
    settings: CometBftSettings, folder: KeyFolder, genesis: Genesis, state: State | None = None
) -> None:
    """Write all that CometBFT starts from, its key included: the one that seals in `state`.

    Without a state it is a founder's, or the newest; a key that is there already stays.
    """
    write_home(settings.home, settings.files, genesis)
    founders = {founder.consensus_public_key for founder in genesis.founders}
    ConsensusKeys(settings.home, folder).begin(founders if state is None else consensus_keys(state))


def consensus_keys(state: State) -> set[bytes]:
    """The Ed25519 keys of the set that seals now, as far as they are registered now."""
    sealing = {member.key for member in state.signing_sets.current.members}
    registrations = (each.registration for each in state.membership.all.values())
    return {each.consensus_public_key for each in registrations if each.bls_public_key in sealing}


def cometbft_engine(
    settings: CometBftSettings,
    machine: Machine,
    blocks: LedgerBlocks,
    keys: HeldKeys,
    guard: SealGuard,
    backend: BlsBackend,
    on_step: OnStep,
    snapshots: SnapshotStore | None = None,
) -> CometBftEngine:
    """The engine of a node that hosts the member of `keys`.

    Raises `NotInstalled` where CometBFT is to be run and is not here.
    """
    state = machine.state
    if keys.folder is None:
        raise Refused(f"{keys.economy}: CometBFT needs the folder of its keys")
    if settings.write:
        write_cometbft_home(settings, keys.folder, state.genesis, state)
    process = None
    if settings.run:
        program = settings.program or installed()
        if program is None or not program.is_file():
            raise NotInstalled(
                f"CometBFT is not here ({program or 'not built yet'}): run `aeo cometbft install`"
            )
        process = CometBftProcess(program, settings.home)
    feed = BlockFeed()
    application = Application(
        machine,
        blocks,
        MemberShares(keys, guard, backend),
        feed,
        chain_id=chain_id(state.network_id),
        backend=backend,
        snapshots=snapshots,
        on_step=on_step,
    )
    host, _, port = settings.files.abci.rpartition(":")
    return CometBftEngine(
        application,
        AbciServer(application, host, int(port)),
        feed,
        Rpc(settings.files.rpc),
        process=process,
        keys=ConsensusKeys(settings.home, keys.folder),
        members=[peer.partition("@")[0] for peer in settings.files.peers],
    )


@contextmanager
def finishing(engine: Ordering) -> Iterator[None]:
    """Give what waits a little time, and no more, where the chain may have stopped.

    The solo engine always finishes: it needs nobody else.
    """
    if not isinstance(engine, CometBftEngine):
        yield
        return
    timer = Timer(FINISH_S, engine.give_up)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()

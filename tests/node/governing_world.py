"""Networks whose members have real key folders, so that they can rotate, be admitted and leave.

world = GovernedWorld(tmp_path, ("HK", "KR", "NZ"))
with world.start() as node:
    world.decide(node, Removal("KR"), "HK", "KR", "NZ")
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aeo.ledger.v1 import member_pb2
from ledger.chain.governance import Change
from ledger.chain.registration import sign_registration
from ledger_world import BACKEND
from node.node_world import WAIT_S
from service.clock import Clock, OffsetClock, SystemClock
from service.engine.protocol import OnStep, no_step
from service.keys.key_folder import KeyFolder
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import (
    BLS_FILE,
    Founder,
    MemberKeys,
    make_member_keys,
    register_founder,
)
from service.node.founding.network import create_network
from service.node.node import Node, NodeSettings

NETWORK = "test"
PASSPHRASE = "correct horse"
HOUR = 3_600_000


class KeyedNetwork:
    """A network in a folder, whose `hosted` members' keys are read anew at each start."""

    def __init__(self, folder: Path, hosted: Sequence[str]) -> None:
        self.folder = folder
        self.hosted = tuple(hosted)
        self.clock: Clock = OffsetClock(SystemClock())

    def key_folder(self, economy: str) -> Path:
        return self.folder / "members" / economy

    def settings(self) -> NodeSettings:
        """As a new process would read them: keys opened from their files."""
        folders = {
            each: KeyFolder.open(each, PASSPHRASE, self.key_folder(each) / BLS_FILE)
            for each in self.hosted
        }
        return NodeSettings.in_folder(self.folder / "data", folders)

    def start(self, on_step: OnStep = no_step) -> Node:
        return Node.start(self.settings(), self.clock, on_step=on_step)

    def decide(self, node: Node, change: Change, proposer: str, *others: str) -> bytes:
        """Propose and have the proposer and `others` vote for it, in this order; the id."""
        closes = node.clock.now_ms() + HOUR
        made = node.hosted[proposer].governance.propose(change, closes, str(change), WAIT_S)
        for economy in (proposer, *others):
            node.hosted[economy].governance.vote(made, in_favour=True, timeout=WAIT_S)
        return made


class GovernedWorld(KeyedNetwork):
    """A new network of `members`, of which this node hosts `hosted` (default: all)."""

    def __init__(
        self, folder: Path, members: Sequence[str], hosted: Sequence[str] | None = None
    ) -> None:
        super().__init__(folder, members if hosted is None else hosted)
        self.keys: dict[str, MemberKeys] = {each: self.make_keys(each) for each in members}
        founders = [
            register_founder(
                Founder(each, f"Customs of {each}", "UTC", (each,), 1), self.keys[each], BACKEND
            )
            for each in members
        ]
        create_network(
            self.settings(),
            name=NETWORK,
            created_at=self.clock.now_ms() - 1_000,
            founders=founders,
            backend=BACKEND,
            pilot=True,
        )

    def make_keys(self, economy: str, name: str = "") -> MemberKeys:
        """All keys of a member, in its folder, or in another one of that name."""
        return make_member_keys(
            self.folder / "members" / (name or economy),
            economy,
            network_name=NETWORK,
            hosts=["127.0.0.1"],
            passphrase=PASSPHRASE,
            now=dt.datetime.now(dt.UTC),
            backend=BACKEND,
            kdf=Pbkdf2(iterations=2),
        )

    def registration(
        self, node: Node, keys: MemberKeys, *, weight: int = 1, prefixes: Sequence[str] = ()
    ) -> bytes:
        """What a would-be member hands over."""
        body = member_pb2.RegistrationBody(
            network_id=node.network_id,
            economy=keys.economy,
            name=f"Customs of {keys.economy}",
            time_zone="UTC",
            prefixes=prefixes or [keys.economy],
            weight=weight,
            ca_certificate=keys.authority.der,
        )
        return sign_registration(body, keys.bls_secret, keys.ed25519_seed, BACKEND)


def until(done: Callable[[], object], what: str) -> None:
    """Wait until something that nodes do by themselves is done."""
    deadline = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < deadline, f"not done: {what}"
        time.sleep(0.01)


def handed_over(node: Node, height: int) -> None:
    """Wait until a set that became pending after `height` is current, and has sealed."""

    def done() -> bool:
        first, _ = node.state.current_sets[-1]
        sealed = node.ledger_store.newest_sealed()
        return first > height and sealed is not None and sealed.height >= first

    until(done, f"hand-over after {height}")

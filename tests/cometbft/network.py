"""A real network for tests: a node and a CometBFT for each member, on free ports of this machine.

with Network.make(tmp_path, ("AU", "HK", "JP", "NZ")) as network:
    network.member("AU").kill("cometbft")
    with network.member("HK").client("officer") as connection: ...
    network.wait_height(3)
"""

import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from aeo.exchange.v1 import ledger_service_pb2 as pb
from aeo.exchange.v1.ledger_service_pb2_grpc import LedgerServiceStub
from aeo.exchange.v1.status_service_pb2 import FINALITY_SEALED
from ledger.bls.scheme import default_backend
from ledger.chain.genesis import Genesis
from ledger.chain.header import Header, header_hash, parse_header
from ledger.chain.parameters import DEFAULT_PARAMETERS, Parameters
from service.cli.governing.founders import founder_of
from service.client import ClientError, Connection, LedgerClient, Unavailable
from service.engine.cometbft.install import install
from service.engine.cometbft.rpc import CometBftUnreachable, Rpc, Status
from service.keys.key_file import write_new
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import make_member_keys, register_member
from service.node.founding.federation import Place, found_federation, join_federation
from service.node.founding.folder import LOCAL_HOSTS, Plan
from service.node.founding.member_node import MemberNode
from service.node.founding.ports import free_ports

WAIT_S = 120.0
MEMBERS = ("AU", "HK", "JP", "NZ")


def wait_until(true: Callable[[], object], what: str, within_s: float = WAIT_S) -> Any:
    """Ask until the answer is true, and return it."""
    until = time.monotonic() + within_s
    while not (answer := true()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.05)
    return answer


class Member(MemberNode):
    """One member's two processes."""

    def client(self, role: str, deadline: float = 20.0) -> Connection:
        """A connection as a client of one access role."""
        return self.connection(role, deadline)

    def header(self, height: int | None = None) -> Header:
        """A header as this node shows it; by default the newest."""
        with self.client("auditor") as connection:
            ledger = LedgerClient(connection)
            shown = ledger.latest() if height is None else ledger.header(height)
        return parse_header(shown.header)

    def height(self) -> int:
        """Of the newest header of our ledger; -1 while the node does not answer."""
        try:
            return self.header().height
        except Unavailable:
            return -1

    def root(self, height: int) -> bytes:
        """The hash of the header at a height, which binds log and map."""
        with self.client("auditor") as connection:
            return header_hash(LedgerClient(connection).header(height).header)

    def finality(self, height: int) -> int:
        """How final a header is: 1 recorded, 2 attested, 3 sealed, as `Finality` has it."""
        with self.client("auditor") as connection:
            stub = LedgerServiceStub(connection.channel)
            return connection.call(stub.GetHeader, pb.GetHeaderRequest(height=height)).finality

    def status(self) -> Status | None:
        """Where its CometBFT stands; None while it does not answer."""
        rpc = Rpc(self.rpc)
        try:
            return rpc.status()
        except CometBftUnreachable:
            return None
        finally:
            rpc.close()

    def metrics(self) -> dict[str, float]:
        """What the node shows to its monitoring, by name and labels."""
        address = self.config["listen"]["metrics"]
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def logged(self, text: str) -> bool:
        """Whether its log has a text."""
        return text in (self.folder / "node.log").read_text(errors="replace")


class Network:
    """All members; stops what it started."""

    def __init__(self, folder: Path, genesis: Genesis, members: Sequence[str]) -> None:
        self.folder = folder
        self.genesis = genesis
        self.members: dict[str, Member] = {
            economy: Member(folder / economy, economy) for economy in members
        }

    @classmethod
    def make(
        cls,
        folder: Path,
        members: Sequence[str] = MEMBERS,
        *,
        start: bool = True,
        parameters: Parameters = DEFAULT_PARAMETERS,
        weights: Mapping[str, int] | None = None,
        hosts: Mapping[str, str] | None = None,
        created_at: int | None = None,
    ) -> Self:
        """Found a network in `folder / "network"`; start all its members unless told otherwise.

        `hosts` are the addresses of members that have one of their own (a network namespace).
        The network begins at `created_at` (Unix ms), by default now.
        """
        install()
        plan = Plan(
            name="test",
            founders=[
                founder_of({"economy": each, "weight": str((weights or {}).get(each, 1))})
                for each in members
            ],
            listen="",
            health="",
            metrics="",
            hosts=(*LOCAL_HOSTS, *(hosts or {}).values()),
            passphrase_file=None,
            pilot=False,
            kdf=Pbkdf2(2),
        )
        places = [
            Place.at((hosts or {}).get(economy, "127.0.0.1"), free_ports(6)) for economy in members
        ]
        genesis = found_federation(
            folder / "network", plan, places, parameters=parameters, created_at=created_at
        )
        network = cls(folder / "network", genesis, members)
        if start:
            network.start()
        return network

    def join(self, economy: str, *, weight: int = 1) -> bytes:
        """Make the keys and the node's folder of an applicant; its registration. Not started."""
        folder = self.folder / economy
        folder.mkdir()
        write_new(folder / "passphrase", b"of the applicant\n")
        place = Place.at("127.0.0.1", free_ports(6))
        applicant = replace(
            founder_of({"economy": economy, "weight": str(weight)}), endpoint=place.listen
        )
        keys = make_member_keys(
            folder / "members" / economy,
            economy,
            network_name=self.genesis.network_name,
            hosts=LOCAL_HOSTS,
            passphrase="of the applicant",
            now=datetime.now(UTC),
            backend=default_backend(),
            kdf=Pbkdf2(2),
        )
        plan = Plan("test", [applicant], "", "", "", LOCAL_HOSTS, None, pilot=False)
        peers = [
            f"{wait_until(each.status, each.economy).node_id}@"
            f"{each.config['engine']['cometbft']['p2p']}"
            for each in self.members.values()
        ]
        join_federation(folder, plan, place, self.genesis.data, peers)
        self.members[economy] = Member(folder, economy)
        return register_member(applicant, keys, self.genesis.network_id, default_backend())

    def member(self, economy: str) -> Member:
        """One of them."""
        return self.members[economy]

    def start(self) -> None:
        """Start whoever does not run; returns when all of them answer and blocks are made."""
        try:
            started = [each for each in self.members.values() if each.pid_node is None]
            for member in started:
                member.start(wait=False)
            for member in started:
                member.wait_started()
            self.wait_engine_height(1)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> dict[str, int]:
        """End all of them at once; their exit codes."""
        with ThreadPoolExecutor(len(self.members)) as pool:
            codes = pool.map(MemberNode.stop, self.members.values())
            return dict(zip(self.members, codes, strict=True))

    def wait_engine_height(self, height: int, within_s: float = WAIT_S) -> None:
        """Wait until every CometBFT that should run has committed a block of this height."""
        for member in self.members.values():
            wait_until(
                lambda member=member: (s := member.status()) is not None and s.height >= height,
                f"CometBFT of {member.economy} at height {height}\n{member.log_end()}",
                within_s,
            )

    def wait_height(
        self, height: int, members: Sequence[str] | None = None, within_s: float = WAIT_S
    ) -> None:
        """Wait until our ledger has a header of this height at `members`, by default all."""
        for economy in self.members if members is None else members:
            member = self.member(economy)
            wait_until(
                lambda member=member: member.height() >= height,
                f"the ledger of {economy} at height {height}\n{member.log_end()}",
                within_s,
            )

    def wait_sealed(
        self, height: int, members: Sequence[str] | None = None, within_s: float = WAIT_S
    ) -> None:
        """Wait until the header is sealed at `members`: proofs there tell what it holds."""
        self.wait_height(height, members, within_s)
        for economy in self.members if members is None else members:
            member = self.member(economy)
            wait_until(
                lambda member=member: member.finality(height) == FINALITY_SEALED,
                f"header {height} sealed at {economy}\n{member.log_end()}",
                within_s,
            )

    def agreed(self, members: Sequence[str] | None = None, within_s: float = WAIT_S) -> int:
        """The height at which all have the same newest header, sealed; waits until they do."""
        asked = [self.member(each) for each in (self.members if members is None else members)]

        def shared() -> Header | None:
            try:
                if len(headers := {member.header() for member in asked}) > 1:
                    return None
                (header,) = headers
                sealed = all(each.finality(header.height) == FINALITY_SEALED for each in asked)
            except ClientError:
                return None
            return header if sealed else None

        agreed: Header = wait_until(shared, "one newest header, sealed at all", within_s)
        return agreed.height

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

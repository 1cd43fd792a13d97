"""`aeo demo --network`: four administrations, each with a node and a CometBFT, on this machine.

The published figures of AU, JP, KR and TW: each signs its arrangements at its own node, publishes
its own certificates there, and asks there about its partners' traders. Nothing is shared but the
chain; lookup keys travel between the nodes of the parties.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event
from time import monotonic, sleep
from typing import Final, Self

from rich.console import Console

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1 import verdict_pb2
from aeo.exchange.v1.arrangement_service_pb2 import Arrangement
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from ledger.chain.header import header_hash, parse_header
from service.client import (
    ApprovalClient,
    ArrangementClient,
    Connection,
    LedgerClient,
    Pending,
    PublishingClient,
    StatusClient,
    TrustFile,
    Verdict,
    taken,
)
from service.demo.figures import Figures, load_figures
from service.demo.firms import Firm, make_firms
from service.demo.loading import certificate_count, publish
from service.demo.stage import FolderNotOurs
from service.demo.telling import Unexpected, progress
from service.demo.texts import arrangement_texts
from service.engine.cometbft.install import install
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import Founder
from service.logs import set_up_logs
from service.node.founding.federation import Place, found_federation
from service.node.founding.folder import LOCAL_HOSTS, Plan
from service.node.founding.member_node import MemberNode
from service.node.founding.ports import free_ports

MEMBERS: Final = ("AU", "JP", "KR", "TW")
HUB: Final = "TW"
"""Party to all three arrangements of these four."""
SUSPENSIONS: Final = 10
ASKED: Final = 20
_MARKER: Final = ".aeo-demo-network"
_KEY_ROUNDS: Final = 1 << 12
_PATIENCE_S: Final = 60.0
_CALL_SECONDS: Final = 60.0
_LOOK_S: Final = 0.01


class Federation:
    """The nodes of all members, and who calls them. Use as a context manager."""

    def __init__(self, folder: Path, network_id: bytes) -> None:
        self.folder = folder
        self.network_id = network_id
        self.nodes = {economy: MemberNode(folder / economy, economy) for economy in MEMBERS}
        self._connections: dict[tuple[str, str], Connection] = {}

    @classmethod
    def build(cls, folder: Path, figures: Figures) -> Self:
        """Found the network in `folder`, replacing an earlier demonstration there."""
        if folder.exists():
            if not (folder / _MARKER).is_file():
                raise FolderNotOurs(folder)
            shutil.rmtree(folder)
        founders = [
            Founder(each, f"{each} customs", known.time_zone, tuple(sorted(known.prefixes)), 1)
            for each in MEMBERS
            for known in [figures.members[each]]
        ]
        plan = Plan(
            name="APEC demonstration",
            founders=founders,
            listen="",
            health="",
            metrics="",
            hosts=LOCAL_HOSTS,
            passphrase_file=None,
            pilot=False,
            kdf=Pbkdf2(_KEY_ROUNDS),
        )
        places = [Place.at("127.0.0.1", free_ports(6)) for _ in MEMBERS]
        genesis = found_federation(folder, plan, places)
        (folder / _MARKER).write_text("Made by `aeo demo --network`, which may replace it.\n")
        return cls(folder, genesis.network_id)

    def __enter__(self) -> Self:
        try:
            for node in self.nodes.values():
                node.start(wait=False)
            for node in self.nodes.values():
                node.wait_started()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up, and stop all nodes at once."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(MemberNode.stop, self.nodes.values()))

    def connection(self, economy: str, access_role: str) -> Connection:
        """How a member's program or person calls its node."""
        name = economy, access_role
        if name not in self._connections:
            self._connections[name] = self.nodes[economy].connection(access_role, _CALL_SECONDS)
        return self._connections[name]

    def engine(self, economy: str) -> StatusClient:
        """A member's risk engine, which verifies what it is told."""
        anchor = TrustFile(self.folder / economy / "anchor.json", self.network_id)
        return StatusClient(self.connection(economy, "risk-engine"), anchor)


def run_network(folder: Path, console: Console, *, keep: bool) -> None:
    """Play it in `folder`; with `keep` the network runs on until interrupted. `Failed`."""
    began = monotonic()
    set_up_logs("WARNING")
    install()
    figures = load_figures()
    firms = {each: own for each, own in make_firms(figures).items() if each in MEMBERS}
    texts = {
        name: text
        for name, text in arrangement_texts(figures).items()
        if set(text.parties) <= set(MEMBERS)
    }
    console.rule("AEO status exchange: four nodes, four CometBFT, no operator of all")
    federation = Federation.build(folder, figures)
    with federation:
        for node in federation.nodes.values():
            console.print(
                f"  {node.economy}: node at {node.address} (process {node.pid_node}), its CometBFT "
                f"process {node.pid_cometbft}",
                highlight=False,
            )
        ids = _agree(federation, texts)
        _compare(federation, console)
        console.print(
            f"{', '.join(texts)}: proposed at one node and signed at the others'; the lookup keys "
            "went from node to node.",
            highlight=False,
        )
        _publish(federation, console, figures, firms, texts, ids)
        _ask(federation, console, firms, texts)
        _suspend(federation, console, firms, texts)
        _lose_one(federation, console, firms)
        _compare(federation, console)
        console.rule(f"done in {monotonic() - began:.0f} s")
        if keep:
            profile = folder / HUB / "clients" / HUB / "risk-engine.toml"
            console.print(f"It runs on until you press Ctrl-C. A profile to ask with: {profile}")
            with suppress(KeyboardInterrupt):
                Event().wait()


def _agree(
    federation: Federation, texts: Mapping[str, arrangement_pb2.ArrangementText]
) -> dict[str, bytes]:
    def approved(party: str, made: Arrangement | Pending[Arrangement]) -> Arrangement:
        return ApprovalClient(federation.connection(party, "approver")).complete(made)

    ids = {}
    for name, text in texts.items():
        first = text.parties[0]
        officer = ArrangementClient(federation.connection(first, "officer"))
        shared = approved(first, officer.propose(text, text.name))
        for party in text.parties:
            officer = ArrangementClient(federation.connection(party, "officer"))
            _wait(partial(_knows, officer, shared), f"{party} does not see {name}")
            approved(party, officer.sign(shared.arrangement_id, shared.text_hash))
        ids[name] = shared.arrangement_id
    return ids


def _knows(officer: ArrangementClient, shared: Arrangement) -> bool:
    """Whether the officer's node has the arrangement by now."""
    return any(each.arrangement_id == shared.arrangement_id for each in officer.list())


def _publish(
    federation: Federation,
    console: Console,
    figures: Figures,
    firms: Mapping[str, Sequence[Firm]],
    texts: Mapping[str, arrangement_pb2.ArrangementText],
    ids: Mapping[str, bytes],
) -> None:
    total = certificate_count(firms, texts)
    began = monotonic()
    with progress(console, "Publishing, each at its own node", total) as done:
        publish(federation, figures, firms, texts, ids, done)
    seconds = monotonic() - began
    console.print(
        f"[bold]{total:,}[/] records of {len(firms)} members in the ledger of all four in "
        f"{seconds:.1f} s ({total / seconds:,.0f} a second).",
        highlight=False,
    )


def _ask(
    federation: Federation,
    console: Console,
    firms: Mapping[str, Sequence[Firm]],
    texts: Mapping[str, arrangement_pb2.ArrangementText],
) -> None:
    _compare(federation, console)
    for text in texts.values():
        for asker in text.parties:
            (partner,) = set(text.parties) - {asker}
            asked = _spread([firm for firm in firms[partner] if text.name not in firm.declined])
            found = [_verdict(federation, asker, firm.tin) for firm in asked]
            recognised = sum(each.recognised for each in found)
            if not all(each.verified for each in found) or not recognised:
                reasons = sorted({f"{each.reason} {each.verified}" for each in found})
                raise Unexpected(f"{asker} asks about {partner}: {', '.join(reasons)}")
            console.print(
                f"  {asker} asks its own node about {len(found)} traders of {partner}: "
                f"{recognised} recognised, every answer verified against the members' seals.",
                highlight=False,
            )


def _spread(firms: Sequence[Firm]) -> Sequence[Firm]:
    """So many of them as are asked about, from all over."""
    return firms[:: max(len(firms) // ASKED, 1)][:ASKED]


def _verdict(federation: Federation, asker: str, tin: str) -> Verdict:
    client = federation.engine(asker)
    return client.lookup(tin, function="EX", direction="IMPORT", mode=1, prove=True)


def _suspend(
    federation: Federation,
    console: Console,
    firms: Mapping[str, Sequence[Firm]],
    texts: Mapping[str, arrangement_pb2.ArrangementText],
) -> None:
    """Suspend some traders of the hub; how long until every partner's node says so, sealed."""
    partners = sorted({party for text in texts.values() for party in text.parties} - {HUB})
    officer = PublishingClient(federation.connection(HUB, "officer"))
    seconds = []
    certified = (
        firm.tin
        for firm in firms[HUB]
        if not firm.declined
        and all(_verdict(federation, partner, firm.tin).recognised for partner in partners)
    )
    for tin, _ in zip(certified, range(SUSPENSIONS), strict=False):
        request = publishing.ChangeStatusRequest(
            idempotency_key=f"suspend {tin}",
            tin=tin,
            event=status_pb2.EVENT_SUSPEND,
            reason=status_pb2.PUBLIC_REASON_AUTHORITY,
        )
        began = monotonic()
        taken(officer.change_status(request))
        for partner in partners:
            _wait(
                partial(_is_suspended, federation, partner, tin),
                f"{partner} does not see that {tin} is suspended",
            )
        seconds.append(monotonic() - began)
    if not seconds:
        raise Unexpected(f"no trader of {HUB} is recognised by all its partners")
    console.print(
        f"{len(seconds)} traders of {HUB} suspended, one after the other: each suspension seen and "
        f"sealed at {', '.join(partners)} after {median(seconds):.2f} s (the longest "
        f"{max(seconds):.2f} s).",
        highlight=False,
    )


def _is_suspended(federation: Federation, asker: str, tin: str) -> bool:
    """Whether a partner's node says so under a seal that the client has checked."""
    verdict = _verdict(federation, asker, tin)
    reason = verdict_pb2.Reason.Value(f"REASON_{verdict.reason}")
    return bool(verdict.verified) and reason == verdict_pb2.REASON_SUSPENDED


def _lose_one(
    federation: Federation, console: Console, firms: Mapping[str, Sequence[Firm]]
) -> None:
    """Kill one member's node and CometBFT; the others go on, and it catches up."""
    lost = federation.nodes["AU"]
    lost.kill("both")
    officer = PublishingClient(federation.connection(HUB, "officer"))
    tin = firms[HUB][-1].tin
    began = monotonic()
    answer = taken(
        officer.change_status(
            publishing.ChangeStatusRequest(
                idempotency_key="without AU",
                tin=tin,
                event=status_pb2.EVENT_SUSPEND,
                reason=status_pb2.PUBLIC_REASON_AUTHORITY,
            )
        )
    )
    last = None
    for last in officer.watch(answer.publication_id):
        if last.state == publishing.PUBLICATION_STATE_SEALED:
            break
    if last is None or last.state != publishing.PUBLICATION_STATE_SEALED:
        raise Unexpected("three of four members did not seal")
    passed = monotonic() - began
    lost.start()
    console.print(
        f"AU's node and CometBFT were killed: a suspension was sealed by the other three after "
        f"{passed:.2f} s. Started again, AU fetches what it missed.",
        highlight=False,
    )


def _compare(federation: Federation, console: Console) -> None:
    """Wait until all nodes show one newest header, and show it."""

    def newest() -> set[bytes]:
        clients = [LedgerClient(federation.connection(each, "auditor")) for each in MEMBERS]
        return {client.latest().header for client in clients}

    _wait(lambda: len(newest()) == 1, "the nodes do not come to one header")
    found = newest()
    header = next(iter(found))
    console.print(
        f"All four nodes show header {parse_header(header).height}, "
        f"{header_hash(header).hex()[:16]}...",
        highlight=False,
    )


def _wait(done: Callable[[], object], what: str) -> None:
    until = monotonic() + _PATIENCE_S
    while not done():
        if monotonic() > until:
            raise Unexpected(what)
        sleep(_LOOK_S)

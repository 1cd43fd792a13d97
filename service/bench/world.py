"""A network of two administrations on one node, and a ledger full of made-up traders.

Keys and certificates are fresh; traders follow from the seed. `grow` publishes them through the
node's own publisher, engine and sealer, in process, so the stores are what a node that took them
through gRPC would have.
"""

import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aeo.exchange.wire.v1.wire_pb2 import PublishRequestBytes, SubmissionBytes
from ledger.bls.keygen import keygen
from ledger.bls.scheme import BlsBackend, default_backend
from service.bench.traders import (
    ISSUER,
    RECOGNISER,
    arrangement_text,
    submissions,
    trader,
)
from service.clock import SystemClock
from service.keys.authority import Issued, issue_client, issue_node, make_authority
from service.keys.member_keys import Founder, MemberKeys, register_founder
from service.keys.pem import format_p256
from service.keys.spiffe import AccessRole, SpiffeId, format_spiffe, format_trust_domain
from service.node.founding.network import create_network
from service.node.node import Node, NodeSettings

NETWORK: Final = "bench"
HOST: Final = "127.0.0.1"
ROWS: Final = 3_000
"""Submissions of one request, the most that the node takes."""

_STEP_S: Final = 60.0
# Half of what a publisher lets wait: making submissions goes on while it signs.
_WAITING: Final = 100_000
_PAUSE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Credential:
    """A private key and its certificate, PEM."""

    key: bytes = field(repr=False)
    certificate: bytes


@dataclass(frozen=True, slots=True)
class World:
    """Where the network lies, and whatever a process needs to serve it or to call it.

    `today` is the day (Unix ms) that traders' dates are counted from.
    """

    folder: Path
    secrets: dict[str, int] = field(repr=False)
    network_id: bytes
    arrangement_id: bytes
    today: int
    authorities: bytes
    node: Credential
    engine: Credential
    officer: Credential
    approver: Credential
    traders: int = 0
    records: int = 0

    def settings(self, *, map_process: bool = False) -> NodeSettings:
        """How the node is started."""
        settings = NodeSettings.in_folder(self.folder, self.secrets)
        return replace(settings, map_process=map_process)


def make_world(folder: Path) -> World:
    """Make the network in an empty folder, with one arrangement that both members have signed."""
    backend = default_backend()
    clock = SystemClock()
    today = clock.now_ms()
    now = datetime.now(UTC)
    keys = {economy: _member_keys(economy, now, backend) for economy in (ISSUER, RECOGNISER)}
    settings = NodeSettings.in_folder(folder, {e: k.bls_secret for e, k in keys.items()})
    founders = [
        register_founder(
            Founder(economy, f"Customs of {economy}", "Asia/Hong_Kong", (economy,), 1), key, backend
        )
        for economy, key in sorted(keys.items())
    ]
    genesis = create_network(
        settings, name=NETWORK, created_at=today, founders=founders, backend=backend, pilot=True
    )
    with Node.start(settings, clock, backend=backend) as node:
        proposer = node.hosted[ISSUER].agreements
        arrangement = proposer.propose(arrangement_text(today), "bench", _STEP_S)
        history = node.state.arrangement(arrangement)
        assert history is not None, "it was proposed"
        for economy in keys:
            node.hosted[economy].agreements.sign(arrangement, history.text.text_hash, _STEP_S)
    return World(
        folder,
        {economy: made.bls_secret for economy, made in keys.items()},
        genesis.network_id,
        arrangement,
        today,
        b"".join(Issued(key.node.key, key.authority_certificate).pem for key in keys.values()),
        _credential(keys[RECOGNISER].node),
        _client(keys[RECOGNISER], AccessRole.RISK_ENGINE, now),
        _client(keys[ISSUER], AccessRole.OFFICER, now),
        _client(keys[ISSUER], AccessRole.APPROVER, now),
    )


def grow(world: World, traders: int, map_process: bool) -> World:
    """Publish traders until there are so many; every record is in the ledger when this returns."""
    records = sum(trader(number).records for number in range(world.traders, traders))
    with Node.start(world.settings(map_process=map_process)) as node:
        publisher = node.hosted[ISSUER].publisher
        for request in requests(world, range(world.traders, traders)):
            while publisher.waiting > _WAITING:
                time.sleep(_PAUSE_S)
            publisher.publish(request, confirms=True)
    return replace(world, traders=traders, records=world.records + records)


def requests(world: World, numbers: Iterable[int]) -> Iterator[PublishRequestBytes]:
    """Publish requests of all records of these traders, as full as they may be.

    A trader's records stand in one request: they follow on each other, requests may overtake.
    """
    rows: list[SubmissionBytes] = []
    for number in numbers:
        more = submissions(trader(number), world.today)
        if len(rows) + len(more) > ROWS:
            yield _request(world, rows)
            rows = []
        rows += more
    if rows:
        yield _request(world, rows)


def _request(world: World, rows: list[SubmissionBytes]) -> PublishRequestBytes:
    return PublishRequestBytes(
        idempotency_key=secrets.token_hex(16),
        submissions=rows,
        arrangement_ids=[world.arrangement_id],
    )


def _member_keys(economy: str, now: datetime, backend: BlsBackend) -> MemberKeys:
    secret = keygen(secrets.token_bytes(32))
    authority = make_authority(economy, now)
    node = issue_node(authority, _spiffe(economy, AccessRole.NODE), [HOST], now)
    return MemberKeys(
        economy,
        secret,
        backend.public_key(secret),
        secrets.token_bytes(32),
        authority.certificate,
        authority,
        node,
    )


def _client(keys: MemberKeys, role: AccessRole, now: datetime) -> Credential:
    assert keys.authority is not None, "made a moment ago"
    return _credential(issue_client(keys.authority, _spiffe(keys.economy, role, str(role)), now))


def _credential(issued: Issued) -> Credential:
    return Credential(format_p256(issued.key, None), issued.pem)


def _spiffe(economy: str, role: AccessRole, name: str = "bench") -> str:
    """Nobody approves what somebody of the same name prepared: each client has its own."""
    return format_spiffe(SpiffeId(format_trust_domain(NETWORK), economy, role, name))

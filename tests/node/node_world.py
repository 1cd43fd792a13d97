"""Nodes for tests: a network in a folder, hosted whole, with real stores and a clock to turn."""

import time
from collections.abc import Sequence
from pathlib import Path

from aeo.exchange.wire.v1 import wire_pb2
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from ledger.chain.parameters import DEFAULT_PARAMETERS, Parameters
from ledger_world import BACKEND, bls_secret, registration
from service.clock import Clock, SystemClock
from service.node.founding.network import create_network
from service.node.node import Node, NodeSettings

MEMBERS = ("HK", "NZ")
DAY = 86_400_000
WAIT_S = 20.0


def make_network(
    folder: Path,
    members: Sequence[str] = MEMBERS,
    *,
    clock: Clock | None = None,
    parameters: Parameters = DEFAULT_PARAMETERS,
) -> NodeSettings:
    """The stores of a new network whose members are all hosted here."""
    settings = NodeSettings.in_folder(folder, {economy: bls_secret(economy) for economy in members})
    create_network(
        settings,
        name="test",
        created_at=(clock or SystemClock()).now_ms() - 1_000,
        founders=[registration(economy) for economy in members],
        backend=BACKEND,
        parameters=parameters,
        pilot=True,
    )
    return settings


def text_between(*parties: str, **fields: object) -> arrangement_pb2.ArrangementText:
    """A text by which each party recognises every other for everything, since 2019."""
    names = sorted(parties)
    rules = [
        arrangement_pb2.Rule(issuing=one, recognising=other, **{"from": 1_546_300_800_000})
        for one in names
        for other in names
        if one != other
    ]
    given = {
        "name": " and ".join(names),
        "kind": arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION,
        "parties": names,
        "rules": rules,
    }
    return arrangement_pb2.ArrangementText(**(given | fields))


def agree(node: Node, *parties: str, key: str = "first") -> bytes:
    """Propose and sign by all; the arrangement's id."""
    proposer = node.hosted[parties[0]].agreements
    shared = proposer.propose(text_between(*parties), key, WAIT_S)
    text_hash = node.state.arrangement(shared).text.text_hash
    for party in parties:
        node.hosted[party].agreements.sign(shared, text_hash, WAIT_S)
    return shared


GRANT = status_pb2.StatusTerms(
    event=status_pb2.EVENT_GRANT,
    status=status_pb2.STATUS_CERTIFIED,
    roles=[status_pb2.CertifiedRole(code="EX"), status_pb2.CertifiedRole(code="IM")],
    level="AEO-S",
    operator_class=status_pb2.OPERATOR_CLASS_SMALL,
)
SUSPEND = status_pb2.StatusTerms(
    event=status_pb2.EVENT_SUSPEND, status=status_pb2.STATUS_SUSPENDED, level="AEO-S"
)


def row(tin: str, number: str = "1", terms: object = GRANT, **fields: object) -> object:
    """One submission in the byte-level twin of its message."""
    given = {
        "tin": tin,
        "certificate_number": number,
        "valid_from": 1_735_689_600_000,
        "valid_to": 1_893_456_000_000,
        "terms": terms if isinstance(terms, bytes) else terms.SerializeToString(),
    }
    return wire_pb2.SubmissionBytes(**(given | fields))


def request(key: str, rows: Sequence[object], *arrangements: bytes) -> wire_pb2.PublishRequestBytes:
    """A request to publish."""
    return wire_pb2.PublishRequestBytes(
        idempotency_key=key, submissions=rows, arrangement_ids=arrangements
    )


def wait_recorded(node: Node, economy: str, publication_id: int) -> object:
    """Wait until every record of a publication is in the log; the publication."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        version = node.feed.version
        found = node.hosted[economy].publications.get(publication_id)
        if found.state >= 3:
            return found
        node.feed.wait(version, 0.2)
    raise AssertionError(f"publication {publication_id} is not recorded: {found}")

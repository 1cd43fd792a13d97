"""Four members on this machine, each with a node and a CometBFT: how much, and how soon.

Each member's officer publishes its own made-up traders through gRPC at its own node. First as much
as the network takes, until all of it is sealed and every node has it. Then at a steady rate, the
one that is asked for or what the machine can carry if that is less, while traders of each member
are suspended: how long from the officer's call until all four nodes say so under a full seal.

Nine processes and the load itself share the cores: each record is executed four times.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

import grpc

from aeo.exchange.v1 import publishing_service_pb2 as pb
from aeo.exchange.v1 import verdict_pb2
from aeo.exchange.v1.ledger_service_pb2 import GetHeaderRequest, GetHeaderResponse
from aeo.exchange.v1.status_service_pb2 import FINALITY_SEALED, LookupRequest, LookupResponse
from aeo.exchange.wire.v1.wire_pb2 import PublishRequestBytes, SubmissionBytes
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from ledger.chain.header import parse_header
from service.bench.calls import CHANGE_STATUS, GET_HEADER, LOOKUP, PUBLISH, one
from service.bench.figures import AtLeast, AtMost, Figure
from service.client import ApprovalClient, ArrangementClient, Connection, LedgerClient
from service.client.publishing import PublishingClient
from service.engine.cometbft.install import install
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import Founder
from service.node.founding.federation import Place, found_federation
from service.node.founding.folder import LOCAL_HOSTS, Plan
from service.node.founding.member_node import MemberNode
from service.node.founding.ports import free_ports

MEMBERS: Final = ("AU", "HK", "JP", "NZ")
RATE: Final = 10_000
WITHIN_MS: Final = 2_000
FULL_RECORDS: Final = 40_000
"""From which on the bounds are meant; fewer are over before a rate can be told."""
ROWS: Final = 2_500
"""Of one request."""
CARRIED: Final = 0.7
"""Of what the network takes at most, the share at which suspensions are measured if that is less
than `RATE`: at the limit itself queues only grow."""
_LONGER: Final = 3
"""The load lasts as long as the suspensions do, at most so many times what was meant."""
_PATIENCE_S: Final = 180.0
_LOOK_S: Final = 0.02
_DAY: Final = 86_400_000


def network_figures(records: int, rounds: int, seconds: float, suspensions: int) -> list[Figure]:
    """Publish `records` at once, so many times; then suspend within `seconds` under steady load."""
    install()
    with tempfile.TemporaryDirectory(prefix="aeo-bench-") as folder, _Network(Path(folder)) as net:
        net.publish(suspensions * len(MEMBERS))
        rates = [records / net.publish(records) for _ in range(rounds)]
        rate = min(RATE, CARRIED * median(rates))
        offered, seen = net.suspend_under(rate, seconds, suspensions)
    seen.sort()
    p99 = seen[min(len(seen) - 1, int(0.99 * len(seen)))]
    cores = f"{os.cpu_count()} cores for four nodes, four CometBFT and the load"
    return [
        Figure.of(
            "network.publish",
            "four members: records published at each, sealed and at all four",
            rates,
            "/s",
            AtLeast(RATE) if records >= FULL_RECORDS else None,
            f"{records:,} records; {cores}",
        ),
        Figure(
            "network.suspension",
            "a suspension is visible and sealed at all four, 99th percentile",
            p99,
            "ms",
            AtMost(WITHIN_MS) if records >= FULL_RECORDS else None,
            f"{len(seen)} suspensions while {offered:,.0f} records/s were published (wanted "
            f"{RATE:,}); median {seen[len(seen) // 2]:,.0f} ms",
            low=seen[0],
            high=seen[-1],
        ),
    ]


class _Network:
    """Four members with one arrangement among them. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        today = time.time_ns() // 1_000_000
        self._today = today - today % _DAY
        plan = Plan(
            name="bench",
            founders=[Founder(each, f"Customs of {each}", "UTC", (each,), 1) for each in MEMBERS],
            listen="",
            health="",
            metrics="",
            hosts=LOCAL_HOSTS,
            passphrase_file=None,
            pilot=False,
            kdf=Pbkdf2(2),
        )
        places = [Place.at("127.0.0.1", free_ports(6)) for _ in MEMBERS]
        found_federation(folder / "network", plan, places)
        self._nodes = {each: MemberNode(folder / "network" / each, each) for each in MEMBERS}
        self._open = ExitStack()
        self._made = dict.fromkeys(MEMBERS, 0)
        self._suspended = dict.fromkeys(MEMBERS, 0)
        self._requests = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        try:
            for node in self._nodes.values():
                node.start(wait=False)
            for node in self._nodes.values():
                node.wait_started()
            self._officers = {each: self._connection(each, "officer") for each in MEMBERS}
            self._engines = {each: self._connection(each, "risk-engine") for each in MEMBERS}
            self._auditors = {each: self._connection(each, "auditor") for each in MEMBERS}
            self._arrangement = self._agree()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        with ThreadPoolExecutor(len(MEMBERS)) as pool:
            list(pool.map(MemberNode.stop, self._nodes.values()))

    def publish(self, records: int) -> float:
        """Publish new traders, a quarter at each member; seconds until all are sealed at all."""
        share = records // len(MEMBERS)
        prepared = {each: list(self._prepared(each, share)) for each in MEMBERS}
        began = time.monotonic()
        with ThreadPoolExecutor(len(MEMBERS)) as pool:
            last = list(pool.map(lambda each: self._send(each, prepared[each]), MEMBERS))
        heights = [
            self._sealed(economy, publication)
            for economy, publication in zip(MEMBERS, last, strict=True)
        ]
        for economy in MEMBERS:
            self._reaches(economy, max(heights))
        return time.monotonic() - began

    def suspend_under(self, rate: float, seconds: float, count: int) -> tuple[float, list[float]]:
        """Suspend traders in turn under a load of `rate` records/s: the load, and milliseconds."""
        ended = threading.Event()
        rows = max(1, int(rate / len(MEMBERS) / 4))
        prepared = {
            each: list(self._prepared(each, int(rate * _LONGER * seconds / len(MEMBERS)), rows))
            for each in MEMBERS
        }
        seen: list[float] = []
        sent = dict.fromkeys(MEMBERS, 0)

        def load(economy: str) -> None:
            due = time.monotonic()
            for request in prepared[economy]:
                if ended.wait(max(0.0, due - time.monotonic())):
                    return
                self._send(economy, [request])
                sent[economy] += rows
                due += rows / (rate / len(MEMBERS))

        def suspend(economy: str) -> None:
            pause = seconds * len(MEMBERS) / count
            due = time.monotonic()
            for _ in range(-(-count // len(MEMBERS))):
                ended.wait(max(0.0, due - time.monotonic()))
                seen.append(self._suspend(economy))
                due += pause

        began = time.monotonic()
        with ThreadPoolExecutor(2 * len(MEMBERS)) as pool:
            loads = [pool.submit(load, each) for each in MEMBERS]
            try:
                for each in [pool.submit(suspend, each) for each in MEMBERS]:
                    each.result()
            finally:
                passed = time.monotonic() - began
                offered = sum(sent.values()) / passed
                ended.set()
            for each in loads:
                each.result()
        return offered, seen

    def _suspend(self, economy: str) -> float:
        with self._lock:
            number = self._suspended[economy]
            self._suspended[economy] += 1
        tin = _tin(economy, number)
        request = pb.ChangeStatusRequest(
            idempotency_key=f"suspend {tin}",
            tin=tin,
            event=status_pb2.EVENT_SUSPEND,
            reason=status_pb2.PUBLIC_REASON_AUTHORITY,
        )
        asked = LookupRequest(
            tin=tin, function="EX", direction=arrangement_pb2.DIRECTION_IMPORT, transport_mode=1
        ).SerializeToString()
        began = time.monotonic()
        told = one(self._officers[economy].channel, CHANGE_STATUS, request.SerializeToString())
        publication = pb.PublishResponse.FromString(told).publication_id
        height = self._sealed(economy, publication)
        for member in MEMBERS:
            _wait(partial(_has_sealed, self._auditors[member].channel, height))
        took = (time.monotonic() - began) * 1e3
        for partner in MEMBERS:
            shown = LookupResponse.FromString(one(self._engines[partner].channel, LOOKUP, asked))
            assert partner == economy or shown.verdict.reason == verdict_pb2.REASON_SUSPENDED
        return took

    def _sealed(self, economy: str, publication: str) -> int:
        """Wait until a publication is sealed at its own node; the height."""
        for step in PublishingClient(self._officers[economy]).watch(publication):
            assert not step.refused, "every record is lawful"
            if step.state == pb.PUBLICATION_STATE_SEALED:
                return int(step.height)
        raise AssertionError("a watch ends with the seal, or later")

    def _reaches(self, economy: str, height: int) -> None:
        _wait(lambda: self._height(economy) >= height)

    def _height(self, economy: str) -> int:
        return parse_header(LedgerClient(self._auditors[economy]).latest().header).height

    def _send(self, economy: str, requests: Sequence[bytes]) -> str:
        """Send one after the other, as the node has room; the last one's publication."""
        publication = ""
        for request in requests:
            told = pb.PublishResponse.FromString(
                _patiently(self._officers[economy].channel, request)
            )
            assert told.prepared == len(told.rows), "every row is a lawful one"
            publication = told.publication_id
        return publication

    def _prepared(self, economy: str, records: int, rows: int = ROWS) -> Iterator[bytes]:
        """Requests for the next traders of a member."""
        terms = status_pb2.StatusTerms(
            event=status_pb2.EVENT_GRANT,
            status=status_pb2.STATUS_CERTIFIED,
            roles=[status_pb2.CertifiedRole(code="EX"), status_pb2.CertifiedRole(code="IM")],
            level="AEO",
        ).SerializeToString(deterministic=True)
        left = records
        while left > 0:
            size = min(rows, left)
            first = self._made[economy]
            self._made[economy] += size
            self._requests += 1
            yield PublishRequestBytes(
                idempotency_key=f"{economy} {first} {self._requests}",
                arrangement_ids=[self._arrangement],
                submissions=[
                    SubmissionBytes(
                        tin=_tin(economy, number),
                        certificate_number=f"AEO-{number:08}",
                        valid_from=self._today - 400 * _DAY,
                        valid_to=self._today + 700 * _DAY,
                        effective_from=self._today - 400 * _DAY,
                        terms=terms,
                    )
                    for number in range(first, first + size)
                ],
            ).SerializeToString()
            left -= size

    def _connection(self, economy: str, role: str) -> Connection:
        connection = self._nodes[economy].connection(role, _PATIENCE_S)
        self._open.callback(connection.close)
        return connection

    def _agree(self) -> bytes:
        text = arrangement_pb2.ArrangementText(
            name="all four",
            kind=arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION,
            parties=MEMBERS,
            rules=[
                _rule(one_of, other, self._today - 1_500 * _DAY)
                for one_of in MEMBERS
                for other in MEMBERS
                if one_of != other
            ],
        )
        first = ApprovalClient(self._connection(MEMBERS[0], "approver"))
        made = first.complete(ArrangementClient(self._officers[MEMBERS[0]]).propose(text, "bench"))
        for party in MEMBERS:
            officer = ArrangementClient(self._officers[party])
            _wait(partial(_knows_one, officer))
            approver = ApprovalClient(self._connection(party, "approver"))
            approver.complete(officer.sign(made.arrangement_id, made.text_hash))
        height = max(map(self._height, MEMBERS))
        for party in MEMBERS:
            self._reaches(party, height)
        return bytes(made.arrangement_id)


def _rule(issuing: str, recognising: str, begin: int) -> arrangement_pb2.Rule:
    # The field's name is a word of Python's.
    begins: dict[str, Any] = {"from": begin}
    return arrangement_pb2.Rule(issuing=issuing, recognising=recognising, **begins)


def _knows_one(officer: ArrangementClient) -> bool:
    return any(officer.list())


def _tin(economy: str, number: int) -> str:
    return f"{economy}{number * 2_654_435_761 % 10**10:010}"


def _has_sealed(channel: grpc.Channel, height: int) -> bool:
    """Whether a node has a header and its seal; every look-up there knows what it brought."""
    asked = GetHeaderRequest(height=height).SerializeToString()
    try:
        told = GetHeaderResponse.FromString(one(channel, GET_HEADER, asked))
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise
    return told.finality == FINALITY_SEALED


def _patiently(channel: grpc.Channel, request: bytes) -> bytes:
    """A request; a node that is full is asked again."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return one(channel, PUBLISH, request)
        except grpc.RpcError as error:
            full = error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            if not full or time.monotonic() > until:
                raise
        time.sleep(_LOOK_S)


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {_PATIENCE_S:.0f} s")
        time.sleep(_LOOK_S)

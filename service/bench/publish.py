"""Publishing through gRPC: how fast, and how soon a partner sees a suspension."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from statistics import median
from typing import Final, NamedTuple

import grpc

from aeo.exchange.v1 import publishing_service_pb2 as pb
from aeo.exchange.v1 import verdict_pb2
from aeo.exchange.v1.approval_service_pb2 import ApproveRequest, ApproveResponse
from aeo.exchange.v1.status_service_pb2 import LookupRequest, LookupResponse
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from service.bench.calls import (
    APPROVE,
    CHANGE_STATUS,
    LIST_PUBLICATIONS,
    LOOKUP,
    PUBLISH,
    busy_ns,
    one,
    open_channel,
)
from service.bench.figures import FULL_SIZE, AtLeast, Figure
from service.bench.process import CLIENT_CORE, SERVER_CORE, Child, measured
from service.bench.server import serve_world
from service.bench.traders import SEA, Trader, trader
from service.bench.world import World, requests

# Requests under way at once: one is prepared while another waits for the disk.
CALLERS: Final = 4
_POLL_S: Final = 0.005
_FULL_S: Final = 0.05
_PATIENCE_S: Final = 300.0
_MILLION: Final = 1_000_000


class Published(NamedTuple):
    """Records a second, the node's processor time (us) for each, and the world as it became."""

    rate: float
    used_us: float
    world: World


def publish_figures(world: World, records: int, rounds: int) -> tuple[list[Figure], World]:
    """Records a second, once with the state map in the node's process, once beside it.

    Also the world as it has become.
    """
    figures = []
    for map_process in (False, True):
        with Child(SERVER_CORE, serve_world, world, map_process) as server:
            address = server.receive()
            done: list[Published] = []
            before = world.traders
            for _ in range(rounds):
                done.append(measured(CLIENT_CORE, publish_some, address, world, records))
                world = done[-1].world
        name = f"publish.{before}"
        where = "state map in a second process" if map_process else "one process"
        used = median(each.used_us for each in done)
        bound = 20_000 if before >= _MILLION else 25_000
        figures.append(
            Figure.of(
                f"{name}.{'two' if map_process else 'one'}",
                f"publishing, {before:,} leaves: {where}",
                [each.rate for each in done],
                "/s",
                AtLeast(bound) if before >= FULL_SIZE else None,
                f"until in the ledger and sealed; {used:.1f} us of the node's processor time"
                f" a record; {world.traders:,} leaves at the end",
            )
        )
    return figures, world


def suspension_figures(address: str, world: World, rounds: int) -> list[Figure]:
    """From the officer's call to the first verdict that says so to the partner's risk engine."""
    seen = measured(CLIENT_CORE, suspend_some, address, world, rounds)
    note = f"the partner asks again and again; longest of {rounds}: {max(seen):.0f} ms"
    return [
        Figure(
            f"suspension.{world.traders}",
            f"a suspension is seen by the partner, {world.traders:,} leaves",
            median(seen),
            "ms",
            note=note,
            low=min(seen),
            high=max(seen),
        )
    ]


def publish_some(address: str, world: World, records: int) -> Published:
    """Publish traders that are new until there are so many records more.

    The time runs from the first call until the last record is in the ledger under a seal.
    """
    made, number = 0, world.traders
    while made < records:
        made += trader(number).records
        number += 1
    prepared = [
        request.SerializeToString() for request in requests(world, range(world.traders, number))
    ]
    with (
        open_channel(address, world, world.officer) as channel,
        open_channel(address, world, world.approver) as approving,
    ):
        before = busy_ns(channel)
        started = time.monotonic()
        publications = _publish_all(channel, approving, prepared)
        _wait_until_sealed(channel, set(publications))
        seconds = time.monotonic() - started
        used = (busy_ns(channel) - before) / 1e3
    grown = replace(world, traders=number, records=world.records + made)
    return Published(made / seconds, used / made, grown)


def suspend_some(address: str, world: World, rounds: int) -> list[float]:
    """Milliseconds until a partner sees a suspension, for several traders in turn."""
    times = []
    # The newest first: whom an earlier, smaller run has suspended stays suspended.
    newest = range(world.traders - 1, -1, -1)
    certified = (found for number in newest if (found := trader(number)).story.name == "certified")
    with (
        open_channel(address, world, world.approver) as officer,
        open_channel(address, world, world.engine) as engine,
    ):
        for _, chosen in zip(range(rounds), certified, strict=False):
            times.append(_suspend(officer, engine, chosen))
    return times


def _suspend(officer: grpc.Channel, engine: grpc.Channel, chosen: Trader) -> float:
    asked = LookupRequest(
        tin=chosen.tin,
        function="EX",
        direction=arrangement_pb2.DIRECTION_IMPORT,
        transport_mode=SEA,
    ).SerializeToString()
    request = pb.ChangeStatusRequest(
        idempotency_key=f"suspend {chosen.tin}", tin=chosen.tin, event=status_pb2.EVENT_SUSPEND
    ).SerializeToString()
    assert not _is_suspended(one(engine, LOOKUP, asked)), "it is certified"
    started = time.monotonic()
    publishing = threading.Thread(target=one, args=(officer, CHANGE_STATUS, request))
    publishing.start()
    _wait(lambda: _is_suspended(one(engine, LOOKUP, asked)))
    passed = time.monotonic() - started
    publishing.join()
    return passed * 1e3


def _is_suspended(response: bytes) -> bool:
    reason = LookupResponse.FromString(response).verdict.reason
    return reason == verdict_pb2.REASON_SUSPENDED


def _publish_all(
    channel: grpc.Channel, approving: grpc.Channel, prepared: list[bytes]
) -> list[str]:
    """Send all requests from several threads, each approved where it needs that; their ids."""
    numbers = count()
    publications: list[str] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            while not failures and (number := next(numbers)) < len(prepared):
                response = pb.PublishResponse.FromString(_publish(channel, prepared[number]))
                if response.HasField("pending"):
                    response = _approve(approving, response.pending.step_id)
                assert response.prepared == len(response.rows), "every row is a lawful one"
                publications.append(response.publication_id)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return publications


def _publish(channel: grpc.Channel, request: bytes) -> bytes:
    """One request; a node that is full is asked again, as its answer says."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return one(channel, PUBLISH, request)
        except grpc.RpcError as error:
            full = error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            if not full or time.monotonic() > until:
                raise
        time.sleep(_FULL_S)


def _approve(channel: grpc.Channel, step_id: str) -> pb.PublishResponse:
    """What an officer prepared, taken by an approver: a request that revokes somebody, say."""
    request = ApproveRequest(step_id=step_id).SerializeToString()
    taken = ApproveResponse.FromString(one(channel, APPROVE, request))
    return pb.PublishResponse.FromString(taken.response)


def _wait_until_sealed(channel: grpc.Channel, publications: set[str]) -> None:
    request = pb.ListPublicationsRequest(page_size=len(publications)).SerializeToString()

    def sealed() -> bool:
        page = pb.ListPublicationsResponse.FromString(one(channel, LIST_PUBLICATIONS, request))
        newest = {each.publication_id for each in page.publications}
        assert newest == publications, f"the newest, not {newest ^ publications}"
        assert not any(each.refused for each in page.publications), "every record is lawful"
        return all(each.state == pb.PUBLICATION_STATE_SEALED for each in page.publications)

    _wait(sealed)


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {_PATIENCE_S:.0f} s")
        time.sleep(_POLL_S)

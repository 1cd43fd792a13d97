"""Gauges of a node that does not fare well: silence, no seals, misbehaviour, a stopped writer."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from ledger.audit.evidence import FORK, format_fork
from ledger.chain.header import Header, format_header, header_hash
from ledger.chain.seal import aggregate_seal, sign_share
from node.conftest import clock, node
from service.api.gauges import VerificationFailures, watch_node
from service.clock import OffsetClock
from service.node.node import Node

__all__ = ["clock", "node"]
HOUR_MS = 3_600_000


@pytest.fixture
def failures() -> VerificationFailures:
    return VerificationFailures()


@pytest.fixture
def registry(node: Node, failures: VerificationFailures) -> CollectorRegistry:
    made = CollectorRegistry()
    for each in (*watch_node(node, {}, failures), failures):
        made.register(each)
    return made


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    found = registry.get_sample_value(name, labels)
    assert found is not None, name
    return found


def test_the_head_and_who_is_silent_grow_older_with_the_clock(
    registry: CollectorRegistry, node: Node, clock: OffsetClock
) -> None:
    [first, *_] = sorted(node.hosted)
    node.hosted[first].publisher.heartbeat().result(timeout=30)
    before = value(registry, "aeo_member_silence_seconds", economy=first)
    clock.turn(HOUR_MS)
    assert 3_590 < value(registry, "aeo_head_age_seconds") < 3_700
    assert value(registry, "aeo_member_silence_seconds", economy=first) - before > 3_590
    clock.turn(-3 * HOUR_MS)
    # Never below nothing: a clock that is behind is not believed, and what was counted is.
    assert 0 <= value(registry, "aeo_head_age_seconds") < 60
    assert 7_100 < value(registry, "aeo_clock_behind_seconds") < 7_200


def test_what_does_not_verify_is_counted_by_whoever_sees_it(
    registry: CollectorRegistry, node: Node, failures: VerificationFailures
) -> None:
    node.feed.tell_refused(b"", "SIGNATURE_INVALID")
    node.feed.tell_refused(b"", "SEQUENCE_USED")
    failures.count("source", "AU")
    failures.watch(lambda: {("share", "AU"): 3, ("source", "AU"): 1})
    counted = "aeo_verification_failures_total"
    assert value(registry, counted, kind="transaction", economy="") == 1
    assert value(registry, counted, kind="source", economy="AU") == 2
    assert value(registry, counted, kind="share", economy="AU") == 3
    assert value(registry, "aeo_refused_transactions_total", code="SEQUENCE_USED") == 1


def test_a_writer_that_stopped_is_shown(
    registry: CollectorRegistry, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert value(registry, "aeo_engine_failed") == 0
    monkeypatch.setattr(node.engine, "_failure", OSError("no space left"))
    assert value(registry, "aeo_engine_failed") == 1


def sealed(node: Node, header: Header) -> tuple[bytes, bytes]:
    """A header and its seal by every member."""
    hashed = header_hash(format_header(header))
    shares = {
        economy: sign_share(
            member.keys.all[0].secret, node.backend, node.network_id, hashed, header.time
        )
        for economy, member in node.hosted.items()
    }
    signing = node.state.signing_set_of(node.state.height)
    return format_header(header), aggregate_seal(signing, hashed, header.time, shares, node.backend)


def test_a_fork_is_shown_also_after_a_restart(
    registry: CollectorRegistry, node: Node, failures: VerificationFailures
) -> None:
    assert value(registry, "aeo_evidence", kind=FORK) == 0
    node.hosted["HK"].publisher.heartbeat().result(timeout=30)
    one = node.state.header
    pairs = sealed(node, one) + sealed(node, replace(one, map_root=bytes(32)))
    fork = format_fork(node.genesis.data, *pairs)
    for _ in range(2):  # the same evidence twice is one
        node.evidence.keep(fork)
        assert value(registry, "aeo_evidence", kind=FORK) == 1
    node.stop()
    with Node.start(node.settings) as again:
        assert again.evidence.kinds() == {FORK: 1}


def test_headers_without_a_seal_grow_older(
    registry: CollectorRegistry, node: Node, clock: OffsetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.hosted["HK"].publisher.heartbeat().result(timeout=30)
    height = node.state.height
    newest = node.newest_seal
    seen = 0
    while newest is None or newest.height < height:  # sealed right after it was released
        seen = node.feed.wait(seen, timeout=10.0)
        newest = node.newest_seal
    assert value(registry, "aeo_unsealed_seconds") == 0
    monkeypatch.setattr(node.engine, "newest_seal", (height - 1, node.engine.newest_seal[1]))
    clock.turn(HOUR_MS)
    assert value(registry, "aeo_sealed_height") == height - 1
    assert value(registry, "aeo_unsealed_seconds") > 3_590

"""Ledgers to take snapshots of, and what it means that a restored machine is the same."""

from collections.abc import Sequence
from functools import cache

from aeo.ledger.v1 import report_pb2
from ledger.bls.scheme import key_id
from ledger.chain.governance import (
    Admission,
    MemberSuspension,
    ParameterChange,
    Removal,
    Rotation,
    WeightChange,
)
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.snapshot import Item, parse_snapshot
from ledger.customs.report import report_hash
from ledger.state.machine import Machine
from ledger.state.rebuilding import Base
from ledger.state.snapshotting import make_snapshot
from ledger.state.state import State
from ledger.state.verified import VerifiedSignatures
from ledger.wire import format_strict
from ledger_world import BACKEND, DAY, START, World, bls_public_key, registration

SAME = (
    "genesis",
    "header",
    "header_bytes",
    "header_hash",
    "signing_sets",
    "pending_since",
    "current_sets",
    "parameters",
    "parameter_bytes",
    "membership",
    "proposals",
    "authors",
    "arrangements",
    "arrangements_of",
    "pairs",
    "reports",
)
# Where the order of a mapping may be seen by somebody.
ORDERED = ("proposals", "arrangements", "arrangements_of", "pairs", "reports")


def restore(
    world: World, header_bytes: bytes, items: Sequence[Item], verified: VerifiedSignatures
) -> Machine:
    """A machine that begins with a snapshot."""
    base = Base(header_bytes, items)
    return Machine.restore(world.genesis, (), BACKEND, verified=verified, base=base)


def restored(world: World, state: State) -> Machine:
    """The machine that the snapshot of a state makes, and what it holds compared with the state."""
    manifest, chunks = make_snapshot(state, world.headers[: state.height + 1])
    items = list(parse_snapshot(chunks))
    machine = restore(world, state.header_bytes, items, world.machine.verified)
    check_same(machine.state, state)
    again, _ = make_snapshot(machine.state, world.headers[: state.height + 1])
    assert again.hash == manifest.hash
    return machine


def check_same(found: State, expected: State) -> None:
    """Whether two states say the same of everything that a snapshot holds."""
    for name in SAME:
        assert getattr(found, name) == getattr(expected, name), name
    for name in ORDERED:
        assert list(getattr(found, name)) == list(getattr(expected, name)), name
    assert found.updates.root(found.map_version) == found.header.map_root
    size, height = expected.log_size, expected.height
    facts = expected.facts
    assert found.facts.log.root() == facts.log.root_at(size)
    assert found.facts.headers.root() == facts.headers.root_at(height + 1)
    assert found.facts.times == facts.times[: height + 1]
    assert found.facts.log_sizes == facts.log_sizes[: height + 1]
    for economy in expected.membership.all:
        assert found.author_seen(economy, height) == expected.author_seen(economy, height)
    books = {*facts.statuses, *facts.aliases}
    for name in books:
        shared, issuer = name[:16], name[16:].decode()
        subjects = expected.subjects(shared, issuer)
        assert found.subjects(shared, issuer) == subjects
        for subject in subjects:
            assert found.subject(shared, issuer, subject) == expected.subject(
                shared, issuer, subject
            )
            assert found.successors(shared, issuer, subject) == expected.successors(
                shared, issuer, subject
            )
        for alias in facts.aliases.get(name, {}):
            assert found.alias(shared, issuer, alias) == expected.alias(shared, issuer, alias)


@cache
def everything() -> World:
    """A ledger in which each kind of thing has happened."""
    world = World(("HK", "NZ", "SG"))
    shared = world.agree("SG", "HK", "NZ")
    alone = world.agree("HK", "NZ")
    grants = [world.grant(shared, f"HK{n}", number=str(n)) for n in range(40)]
    world.publish("HK", shared, [*grants[:30], b"\x0a\x00"])
    world.commit(
        world.statuses("HK", shared, grants[30:]),
        world.statuses("HK", shared, [world.suspend(shared, "HK1", number="1"), grants[2]]),
        world.statuses("NZ", alone, [world.grant(alone, "NZ1")]),
    )
    renumbered = (world.subject(shared, "HK3"), 1)
    world.publish(
        "HK",
        shared,
        [world.grant(shared, f"HK{n}", number=str(n), predecessor=renumbered) for n in (101, 100)],
    )
    world.commit(
        world.aliases("HK", shared, [world.alias(shared, "a", "HK1")]),
        world.aliases("HK", shared, [world.alias(shared, "a", "HK2")]),
        world.transaction("SG"),
    )
    period = {"from": START - 60 * DAY, "to": START - 30 * DAY}
    data = format_strict(
        report_pb2.MonitoringReport(
            arrangement_id=alone, coverage=report_pb2.COVERAGE_CENSUS, **period
        )
    )
    world.commit(world.transaction("HK", report=format_strict(report_pb2.ReportStep(publish=data))))
    signed = report_pb2.ReportSignature(
        arrangement_id=alone, reporter="HK", report_hash=report_hash(data), **period
    )
    world.commit(
        world.transaction("NZ", report=format_strict(report_pb2.ReportStep(co_sign=signed)))
    )
    new = registration("TH", 3, network_id=world.view.network_id, prefixes=("TH", "XA"))
    world.decide(Admission(new))
    world.hand_over()
    rotated = registration("NZ", network_id=world.view.network_id, bls=1)
    world.commit(world.govern("NZ", Rotation(rotated)))
    parameters = DEFAULT_PARAMETERS._replace(heartbeat_interval=777)
    world.decide(ParameterChange(format_parameters(parameters)))
    world.decide(MemberSuspension("SG", key_id(bls_public_key("SG"))))
    world.hand_over()
    world.decide(Removal("SG"))
    world.decide(WeightChange((("HK", 5),)))
    return world

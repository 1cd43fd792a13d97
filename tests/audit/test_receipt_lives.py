"""In random lives of a ledger every receipt checks, and says what the node says, byte for byte."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeo.ledger.v1 import arrangement_pb2, status_pb2
from audit.receipt_world import Receipts
from ledger.customs.verdict import Alias, Query
from ledger_world import DAY, START, World

MINUTE = 60_000
HOUR = 60 * MINUTE
RENUMBERED = status_pb2.PREDECESSOR_KIND_RENUMBERED
TINS = [f"{economy}{n}" for economy in ("HK", "NZ", "SG", "TH", "XX") for n in range(3)]
STEPS = {
    "suspend": arrangement_pb2.ArrangementSuspension,
    "resume": arrangement_pb2.ArrangementResumption,
    "end": arrangement_pb2.ArrangementEnd,
}

events = st.sampled_from(
    [
        (status_pb2.EVENT_GRANT, status_pb2.STATUS_CERTIFIED),
        (status_pb2.EVENT_SUSPEND, status_pb2.STATUS_SUSPENDED),
        (status_pb2.EVENT_REINSTATE, status_pb2.STATUS_CERTIFIED),
        (status_pb2.EVENT_REVOKE, status_pb2.STATUS_REVOKED),
        (status_pb2.EVENT_ANNUL, status_pb2.STATUS_ANNULLED),
    ]
)
issuers = st.sampled_from(["HK", "NZ", "SG"])
happenings = st.one_of(
    st.tuples(
        st.just("record"), issuers, st.integers(0, 3), st.integers(0, 2), events,
        st.sampled_from(["", "A"]), st.sampled_from([10 * MINUTE, 900 * DAY]),
    ),
    st.tuples(st.just("renumber"), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("alias"), issuers, st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("beat"), st.sampled_from(["HK", "NZ", "SG", "TH"])),
    st.tuples(st.just("step"), st.sampled_from(sorted(STEPS)), st.integers(0, 3)),
    st.tuples(st.just("agree"), st.sampled_from([("HK", "NZ"), ("NZ", "TH"), ("NZ",)])),
)  # fmt: skip
moments = st.integers(START - 2 * HOUR, START + 3 * HOUR)
queries = st.builds(
    Query,
    recognising=st.just("NZ"),
    function=st.sampled_from(["EX", "IM", "MF"]),
    direction=st.integers(1, 2),
    transport_mode=st.sampled_from([1, 4]),
    tin=st.sampled_from([*TINS, "HK 0", "?"]),
    level=st.sampled_from(["", "A"]),
    as_of=st.none() | moments,
    dispatch_economy=st.sampled_from(["", "HK", "SG"]),
)
pasts = st.one_of(
    st.just({}),
    st.builds(lambda height: {"known_at_height": height}, st.integers(0, 30)),
    st.builds(lambda time: {"known_at_time": time}, moments),
)
asked = st.tuples(queries, pasts, st.booleans())


def rich_world() -> tuple[World, list[bytes]]:
    """HK and NZ with two arrangements, all three with one of information, NZ alone at home."""
    world = World(("HK", "NZ", "SG", "TH"))

    def rule(issuing: str, **fields: object) -> arrangement_pb2.Rule:
        begins = {"from": START - HOUR}
        return arrangement_pb2.Rule(issuing=issuing, recognising="NZ", **begins, **fields)

    benefit = arrangement_pb2.Benefit(
        code=arrangement_pb2.BENEFIT_CODE_FEWER_DOCUMENT_CHECKS, granted_by="CUSTOMS"
    )
    information = arrangement_pb2.ARRANGEMENT_KIND_INFORMATION
    return world, [
        world.agree("HK", "NZ", rules=[rule("HK", directions=[1], levels=["A"])]),
        world.agree(
            "HK",
            "NZ",
            staleness_limit=30 * MINUTE,
            rules=[
                rule("HK", functions=["EX"], certified_roles=["EX"], benefits=[benefit]),
                rule("HK", functions=["IM"], dispatch_from_issuer_required=True),
            ],
        ),
        world.agree("HK", "NZ", "SG", kind=information, rules=[rule("SG"), rule("HK")]),
        world.agree("NZ"),
    ]


def happen(world: World, agreed: list[bytes], what: str, *how: object) -> None:
    """One block; what may not be is refused by the machine, and stands nowhere."""
    time = world.time + 7 * MINUTE
    if what == "record":
        issuer, which, n, (event, status), level, valid = how
        record = world.record(
            agreed[which], f"{issuer}{n}", event, status, level=level, valid_to=time + valid
        )
        world.publish(issuer, agreed[which], [record], time=time)
    elif what == "renumber":
        old, new = how
        if old != new:
            before = world.subject(agreed[0], f"HK{old}"), RENUMBERED
            record = world.grant(agreed[0], f"HK{new}", number="9", predecessor=before, level="A")
            world.publish("HK", agreed[0], [record], time=time)
    elif what == "alias":
        issuer, which, n = how
        alias = world.alias(agreed[which], "value", f"{issuer}{n}")
        world.commit(world.aliases(issuer, agreed[which], [alias]), time=time)
    elif what == "beat":
        world.commit(world.transaction(how[0]), time=time)
    elif what == "agree":
        world.agree(*how[0])
    else:
        kind, which = how
        step = STEPS[kind](arrangement_id=agreed[which])
        world.commit(world.step("NZ", **{kind: step}), time=time)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(happenings, min_size=2, max_size=12),
    st.lists(asked, min_size=2, max_size=5),
    st.sampled_from([0, 20 * MINUTE, 40 * MINUTE, 2 * HOUR]),
    st.sampled_from([0, 20 * MINUTE]),
)
def test_every_receipt_is_the_node_s_own_verdict(life, questions, later, attested_later):
    world, agreed = rich_world()
    for what, *how in life:
        happen(world, agreed, what, *how)
    receipts = Receipts(world)
    receipts.later, receipts.attested_later = later, min(later, attested_later)
    for query, past, by_alias in questions:
        for name, instant in past.items():
            setattr(query, name, instant)
        if by_alias:
            query.tin, query.alias = None, Alias("TEST", "value")
        data = receipts.make(query)
        said = receipts.verdict(query)
        stranger = receipts.check(data)
        party = receipts.check(data, lookup_keys=receipts.keys)
        assert stranger.verdict_bytes == party.verdict_bytes == said
        assert party.verified
        assert not party.unopened

"""What a verdict claims about other instants, held against `evaluate` in random lives of a ledger.

A life is a list of blocks, told from a seed; told halfway it is what was known then.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2
from customs.simulator import HOUR, Simulator
from ledger.customs.evaluate import evaluate
from ledger.customs.status import (
    STATED,
    Predecessor,
    RecordPlace,
    Role,
    Scope,
    StatusRecord,
    StatusTerms,
    format_status,
    parse_status,
)
from ledger.customs.verdict import Alias, Query, Times, Verdict, format_verdict

RECOGNITION = arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION
INFORMATION = arrangement_pb2.ARRANGEMENT_KIND_INFORMATION
DAY = 24 * HOUR
START = 1_700_000_000_000
TRADERS = ["KR1", "KR2", "TW1"]
PROFILE = b"p" * 32
SEEDS = range(200)
# The fields of a verdict that say where and when it was asked, not what is so.
ASKED = {"as_of", "known_at", "height", "header_hash", "cache_until"}

Block = Callable[[Simulator], object]


def tell(life: list[Block]) -> Simulator:
    ledger = Simulator(START)
    ledger.member("JP")
    ledger.member("KR")
    ledger.member("TW", "TW", "AE")
    for block in life:
        block(ledger)
    return ledger


def some(random: Random, codes: list[str], chance: float) -> list[str]:
    return [code for code in codes if random.random() < chance]


PARTIES = [["KR", "TW"], ["KR", "TW"], ["JP", "KR", "TW"], ["TW"], ["JP", "TW"]]


def text(random: Random) -> arrangement_pb2.ArrangementText:
    message = arrangement_pb2.ArrangementText(
        name="A",
        kind=random.choice([RECOGNITION, RECOGNITION, INFORMATION]),
        parties=random.choice(PARTIES[:4]),
        staleness_limit=random.choice([0, 2 * DAY]),
        staged_starts=random.random() < 0.2,
    )
    return with_rules(random, message)


def with_rules(
    random: Random, message: arrangement_pb2.ArrangementText
) -> arrangement_pb2.ArrangementText:
    if not {"KR", "TW"} <= set(message.parties):
        return message
    for _ in range(random.randint(1, 3)):
        begin = START + random.randint(-60, 20) * DAY
        one = message.rules.add(
            issuing="KR",
            recognising="TW",
            to=random.choice([0, 0, begin + random.randint(1, 120) * DAY]),
            functions=some(random, ["EX", "MF"], 0.3),
            certified_roles=some(random, ["EX", "MF"], 0.3),
            levels=some(random, ["L1", "L2"], 0.2),
            transport_modes=random.choice([[], [], [1]]),
            dispatch_from_issuer_required=random.random() < 0.2,
            party_match_required=random.random() < 0.2,
            relevant_event=random.choice([0, 0, 1, 2, 3]),  # type: ignore[arg-type]
            goods_under_way=random.choice([0, 1, 1, 2]),  # type: ignore[arg-type]
        )
        setattr(one, "from", begin)
    return message


def record(random: Random, time: int, identity: bytes, ledger: Simulator) -> StatusRecord | None:
    key = ledger.keyring[identity]
    subject, certificate = key.subject(random.choice(TRADERS[:2])), random.choice([b"c", b"d"]) * 16
    event = random.choice([1, 1, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    status = random.choice(sorted(STATED[event] - {0}))
    begin, effect = time + random.randint(-30, 0) * DAY, time + random.randint(-6, 6) * DAY
    until = random.choice([0, effect + random.randint(1, 9) * DAY]) if status == 2 else 0
    own = ledger.subject(identity, "KR", subject)
    undone = random.choice(own) if own and event == 11 else None
    if event == 11 and undone is None:
        return None
    old = key.subject(random.choice(TRADERS[:2]))
    scope = Scope(("L1",), (Role("EX"),)) if status == 2 and random.random() < 0.4 else None
    return StatusRecord(
        subject,
        certificate,
        begin,
        random.choice([0, 0, time + random.randint(1, 60) * DAY]),
        effect,
        StatusTerms(
            event,
            status,
            tuple(Role(code, random.choice([0, 0, 1])) for code in some(random, ["EX", "MF"], 0.7)),
            random.choice(["", "L1", "L2"]),
            scope,
            lapses=until > 0 and random.random() < 0.7,
        ),
        until,
        random.choice([b"", PROFILE]),
        Predecessor(old, 1) if old != subject and random.random() < 0.3 else None,
        RecordPlace(undone.log_index, undone.position) if undone else None,
    )


def life(random: Random) -> list[Block]:
    blocks: list[Block] = []
    time = START
    ids: dict[bytes, list[str]] = {}
    for name in (b"x", b"y", b"z")[: random.randint(1, 3)]:
        said, time = text(random), time + DAY
        parties = list(said.parties)
        identity = name.ljust(16, b"\0")
        ids[identity] = parties
        blocks.append(
            partial(Simulator.propose, time=time, author=parties[0], text=said, name=name)
        )
        for party in parties:
            time += HOUR
            sign = partial(Simulator.step, time=time, author=party, kind="sign", identity=identity)
            blocks.append(sign)
    for _ in range(random.randint(5, 60)):
        time += random.choice([1, HOUR, DAY, 3 * DAY])
        identity = random.choice(list(ids))
        blocks.append(step(random.random(), time, identity, ids[identity]))
    if random.random() < 0.7:
        blocks.append(partial(Simulator.heartbeat, time=time + 1))
    return blocks


def step(seed: float, time: int, identity: bytes, parties: list[str]) -> Block:
    """One block; what it draws depends on its seed and the blocks before it alone."""

    def block(ledger: Simulator) -> None:
        drawn = Random(seed)
        what, party = drawn.random(), drawn.choice(parties)
        key, later = ledger.keyring[identity], drawn.choice([0, time + 5 * DAY])
        if what < 0.1:
            ledger.heartbeat(time, party)
        elif what < 0.15:
            ledger.step(time, party, drawn.choice(["suspend", "resume", "resume"]), identity, later)
        elif what < 0.16:
            ledger.step(time, party, "end", identity, later)
        elif what < 0.24:
            changed = text(drawn)
            changed.parties[:] = drawn.choice([parties, drawn.choice(PARTIES)])
            del changed.rules[:]
            ledger.amend(time, party, identity, with_rules(drawn, changed))
        elif what < 0.34:
            # Whoever has to sign, in one block each.
            for one in ("JP", "KR", "TW"):
                ledger.step(time, one, "sign", identity)
        elif what < 0.38:
            history = ledger.arrangement(identity)
            assert history is not None
            day = time + drawn.randint(-40, 20) * DAY
            days = {one: day + drawn.randint(-9, 9) * HOUR for one in history.text.parties}
            ledger.start(time, drawn.choice(history.text.parties), identity, days)
        elif what < 0.41:
            ledger.open_epoch(time, party, identity)
        elif what < 0.44:
            ledger.republished(time, drawn.choice(["JP", "KR", "TW"]), identity)
            ledger.republished(time, party, identity)
        elif what < 0.48:
            alias, subject = key.alias("S", "v"), key.subject(drawn.choice(TRADERS[:2]))
            ends = drawn.choice([0, time + 20 * DAY])
            ledger.publish_alias(time, "KR", identity, alias, subject, time - DAY, ends)
        else:
            made = record(drawn, time, identity, ledger)
            if made is not None:
                assert parse_status(format_status(made)) == made
                # A fifth is forced in: whatever the ledger holds, a verdict is true of it.
                ledger.publish(time, "KR", identity, made, force=drawn.random() < 0.2)

    return block


def goods(random: Random, ledger: Simulator) -> dict[str, int]:
    """When the goods were dispatched, and so on; mostly not said."""
    if random.random() < 0.6:
        return {}
    latest = ledger.header_time + 20 * DAY
    return {
        f"{event}_at": random.randint(START - 60 * DAY, latest)
        for event in ("dispatched", "accepted", "arrived", "released")
        if random.random() < 0.5
    }


def questions(random: Random, ledger: Simulator) -> list[Query]:
    return [
        Query(
            "TW",
            random.choice(["EX", "MF"]),
            1,
            random.choice([1, 4]),
            tin=None if alias else random.choice([*TRADERS, *TRADERS[:2]]),
            alias=Alias("S", "v") if alias else None,
            level=random.choice(["", "", "L1"]),
            as_of=random.choice(
                [None, None, random.randint(START - 30 * DAY, ledger.header_time + 20 * DAY)]
            ),
            dispatch_economy=random.choice(["", "KR"]),
            **goods(random, ledger),
        )
        for alias in [random.random() < 0.15 for _ in range(8)]
    ]


def facts(verdict: Verdict) -> dict[str, object]:
    return {name: getattr(verdict, name) for name in Verdict.__slots__ if name not in ASKED}


class Asked:
    """A life, and its questions asked at one time of day."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.life = life(self.random)
        self.ledger = tell(self.life)
        now = self.ledger.header_time + self.random.choice([0, 1_000, HOUR, 3 * DAY])
        self.times = Times(now, now - self.random.choice([0, 1_000, HOUR, 2 * DAY]))
        exact, different = verdict_pb2.NAME_MATCH_EXACT, verdict_pb2.NAME_MATCH_DIFFERENT
        self.profiles = self.random.choice([None, {PROFILE: exact}, {PROFILE: different}])
        self.questions = questions(self.random, self.ledger)

    def __call__(self, query: Query, times: Times | None = None) -> Verdict:
        ledger = self.ledger
        # What an arrangement remembers of its answers would agree with them.
        for identity in ledger.own_arrangements("TW"):
            if (history := ledger.arrangement(identity)) is not None:
                history.covers.clear()
        return evaluate(query, ledger, ledger.keyring, self.profiles, None, times or self.times)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_holds_over_its_interval(seed: int) -> None:
    """Everywhere inside the answer is the same, and so is the interval."""
    asked = Asked(seed)
    for query in asked.questions:
        verdict = asked(query)
        low, high = verdict.holds_from, verdict.holds_to or verdict.as_of + 400 * DAY
        assert low <= verdict.as_of < high
        for instant in (low, high - 1, *(asked.random.randrange(low, high) for _ in range(4))):
            other = asked(replace(query, as_of=instant))
            assert facts(other) == facts(verdict)


@pytest.mark.parametrize("seed", SEEDS)
def test_waiting_changes_nothing_before_cache_until(seed: int) -> None:
    asked = Asked(seed)
    for query in asked.questions:
        verdict = asked(query)
        now, attested = asked.times
        if verdict.cache_until > now:
            later = asked(query, Times(verdict.cache_until - 1, attested))
            assert facts(later) == facts(verdict)
            assert later.cache_until == verdict.cache_until


@pytest.mark.parametrize("seed", SEEDS)
def test_known_at_a_height_is_what_the_ledger_said_then(seed: int) -> None:
    asked = Asked(seed)
    half = tell(asked.life[: asked.random.randint(0, len(asked.life))])
    height, then = half.height, half.header_time
    times = Times(then, min(asked.times.attested_time, then))
    for query in asked.questions:
        dated = replace(query, as_of=query.as_of or then)
        past = asked(replace(dated, known_at_height=height))
        said = evaluate(dated, half, half.keyring, asked.profiles, None, times)
        if height < asked.ledger.height:
            assert facts(past) == facts(said)
            by_time = asked(replace(dated, known_at_time=then))
            assert format_verdict(by_time) == format_verdict(past)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_question_has_the_same_bytes(seed: int) -> None:
    one, other = Asked(seed), Asked(seed)
    keyring = dict(reversed(list(other.ledger.keyring.items())))
    for query in one.questions:
        again = evaluate(query, other.ledger, keyring, other.profiles, None, other.times)
        assert format_verdict(one(query)) == format_verdict(again)

"""Every row of the published rules on each side of its date, in the recogniser's civil time.

The rows are read here from the file itself, and their dates turned into instants here; the texts
and notices are those that the demonstration makes of the same file, executed by a real machine.
"""

import csv
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.customs.evaluate import evaluate
from ledger.customs.verdict import Query, Times
from ledger_world import START, World
from service.demo.figures import load_figures
from service.demo.texts import arrangement_texts, staged_days

FIGURES = load_figures()
SINCE = int(datetime(2013, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp() * 1000)
DIRECTIONS = {"IMPORT": 1, "EXPORT": 2, "TRANSIT": 3}


def rows(name: str) -> list[dict[str, str]]:
    text = files("service.demo").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


RULES = rows("arrangement_rules.csv")
ZONES = {row["economy"]: row["time_zone"] for row in rows("members.csv")}
PARTIES = {row["arrangement"]: row["parties"].split(";") for row in rows("arrangements.csv")}
DAYS = {
    (row["arrangement"], row["issuing"]): date.fromisoformat(row["from"])
    for row in RULES
    if row["recognising"] == "*"
}


def midnight(day: date, economy: str) -> int:
    moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONES[economy]))
    return int(moment.timestamp() * 1000)


def pairs() -> list[tuple[dict[str, str], str, date | None]]:
    """Each row, each recogniser of it, and the day from which it holds (None: never yet)."""
    found: list[tuple[dict[str, str], str, date | None]] = []
    for row in RULES:
        own = date.fromisoformat(row["from"])
        if row["recognising"] != "*":
            found.append((row, row["recognising"], own))
            continue
        for party in PARTIES[row["arrangement"]]:
            if party != row["issuing"]:
                other = DAYS.get((row["arrangement"], party))
                found.append((row, party, None if other is None else max(own, other)))
    return found


@cache
def ledger() -> tuple[World, dict[str, bytes]]:
    """All arrangements of the figures signed, notices given, and a certified trader of each row."""
    texts = arrangement_texts(FIGURES)
    members = sorted({party for parties in PARTIES.values() for party in parties})
    world = World(tuple(members))
    agreed = {}
    for name in PARTIES:
        text = texts[name]
        terms = {field.name: value for field, value in text.ListFields() if field.name != "parties"}
        agreed[name] = world.agree(*text.parties, **terms)
    for name, days in staged_days(FIGURES).items():
        for party, day in days.items():
            starts = [
                pb.StartFor(recognising=other, **{"from": midnight(day, other)})
                for other in sorted(PARTIES[name])
            ]
            notice = pb.StagedStart(arrangement_id=agreed[name], starts=starts)
            assert world.commit(world.step(party, start=notice)).results == (("",),)
    for number, row in enumerate(RULES):
        shared = agreed[row["arrangement"]]
        record = world.grant(
            shared,
            trader(row, number),
            roles=row["certified_roles"].split(";"),
            level=row["levels"].split(";")[0],
            valid_from=SINCE,
            effective_from=SINCE,
        )
        assert world.publish(row["issuing"], shared, [record]).results == (("",),)
    world.commit(*(world.transaction(member) for member in members))
    return world, agreed


def trader(row: dict[str, str], number: int) -> str:
    return f"{row['issuing']}{number:08d}"


def said(row: dict[str, str], recogniser: str, as_of: int) -> tuple[str, str]:
    world, agreed = ledger()
    view = world.view
    query = Query(
        recogniser,
        row["functions"].split(";")[0],
        DIRECTIONS[row["directions"].split(";")[0]],
        int((row["transport_modes"] or "1").split(";")[0]),
        tin=trader(row, RULES.index(row)),
        as_of=as_of,
        dispatch_economy=row["issuing"],
    )
    keys = {shared: world.lookup_key(shared) for shared in agreed.values()}
    times = Times(view.header_time, view.header_time)
    verdict = evaluate(query, view, keys, None, None, times)
    named = verdict_pb2.Outcome.Name(verdict.outcome), verdict_pb2.Reason.Name(verdict.reason)
    return named[0].removeprefix("OUTCOME_"), named[1].removeprefix("REASON_")


@pytest.mark.parametrize(
    ("row", "recogniser", "day"),
    pairs(),
    ids=lambda each: each["arrangement"] + each["issuing"] if isinstance(each, dict) else str(each),
)
def test_each_side_of_the_date(row: dict[str, str], recogniser: str, day: date | None) -> None:
    if day is None:
        for as_of in (SINCE, START):
            expected = ("NOT_RECOGNISED", "ARRANGEMENT_NOT_YET")
            assert said(row, recogniser, as_of) == expected
        return
    begins = midnight(day, recogniser)
    # Road came first between China and Hong Kong; then other rules of the pair run already.
    earlier = any(
        other["arrangement"] == row["arrangement"]
        and other["issuing"] == row["issuing"]
        and other["recognising"] == row["recognising"]
        and other["from"] < row["from"]
        for other in RULES
    )
    reason = "MODE_NOT_COVERED" if earlier else "ARRANGEMENT_NOT_YET"
    assert said(row, recogniser, begins - 1) == ("NOT_RECOGNISED", reason)
    assert said(row, recogniser, begins) == ("RECOGNISED", "NONE")
    assert said(row, recogniser, START) == ("RECOGNISED", "NONE")


def test_every_row_is_there() -> None:
    assert len(RULES) == 24
    assert {row["arrangement"] for row, _, _ in pairs()} == set(PARTIES)
    assert len(pairs()) == 18 + 6 * 9

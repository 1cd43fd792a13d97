"""The table of verdicts, one test a row, and what the rows must cover together."""

import re
import shlex
import tomllib
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from customs.simulator import Simulator
from ledger.customs.address_match import match_party
from ledger.customs.evaluate import evaluate
from ledger.customs.profile import Address, Name, Profile
from ledger.customs.profiles import Profiles, StatedMatches
from ledger.customs.status import (
    Predecessor,
    RecordPlace,
    Role,
    Scope,
    StatusRecord,
    StatusTerms,
    format_status,
    parse_status,
)
from ledger.customs.verdict import Alias, NameAndAddress, Query, Times, Verdict, format_verdict

TABLE = tomllib.loads((Path(__file__).parent / "cases.toml").read_text())
CASES = TABLE["case"]
ZONES = {economy: ZoneInfo(zone) for economy, zone in TABLE["zones"].items()}
UTC = ZoneInfo("UTC")


def instant(text: str) -> int:
    moment, _, economy = text.partition("@")
    zoned = datetime.fromisoformat(moment).replace(tzinfo=ZONES[economy] if economy else UTC)
    return round(zoned.timestamp() * 1000)


def words(text: str) -> dict[str, str]:
    """`roles=EX lapses` as a mapping; a bare word maps to 'yes'."""
    split = (word.partition("=") for word in shlex.split(text))
    return {key: value or "yes" for key, _, value in split}


class World:
    """The facts of one case, told line by line."""

    def __init__(self, members: dict[str, bool]) -> None:
        self.ledger = Simulator(instant(TABLE["genesis"]))
        self.names: dict[str, bytes] = {}
        self.places: dict[str, list[RecordPlace]] = {}
        for economy, prefixes in TABLE["members"].items():
            if members.get(economy, True):
                self.ledger.member(economy, *prefixes)

    def tell(self, given: list[str]) -> None:
        lines = [line for fact in given for line in TABLE["facts"].get(fact, [fact])]
        for line in sorted(lines, key=lambda line: instant(line.split()[0])):
            moment, verb, rest = line.split(" ", 2) if line.count(" ") > 1 else (*line.split(), "")
            time = instant(moment)
            tell = getattr(self, f"_{verb}", None)
            if tell is None:
                self._record(time, verb, rest)
            else:
                tell(time, *rest.split())

    def _propose(self, time: int, name: str) -> None:
        author = TABLE["arrangements"][name]["parties"][0]
        self.names[name] = self.ledger.propose(time, author, text_of(name), name.encode())

    def _sign(self, time: int, name: str, *parties: str) -> None:
        history = self.ledger.arrangement(self.names[name])
        assert history is not None
        waited_for = history.amendment.signers if history.amendment else history.text.parties
        for one in parties or waited_for:
            self._step(time, "sign", name, one)

    def _amend(self, time: int, name: str, text: str, party: str, *without: str) -> None:
        refused = self.ledger.amend(time, party, self.names[name], text_of(text), without)
        assert refused is None, refused

    def _start(self, time: int, name: str, party: str, day: str) -> None:
        history = self.ledger.arrangement(self.names[name])
        assert history is not None
        days = {other: instant(f"{day}@{other}") for other in history.text.parties}
        assert self.ledger.start(time, party, self.names[name], days) is None

    def _open_epoch(self, time: int, name: str, party: str, *without: str) -> None:
        assert self.ledger.open_epoch(time, party, self.names[name], without) is None

    def _republished(self, time: int, name: str, *parties: str) -> None:
        for party in parties:
            assert self.ledger.republished(time, party, self.names[name]) is None

    def _leave(self, time: int, economy: str) -> None:
        self.ledger.leave(time, economy)

    def _suspend(self, time: int, name: str, party: str, start: str = "") -> None:
        self._step(time, "suspend", name, party, start)

    def _resume(self, time: int, name: str, party: str, start: str = "") -> None:
        self._step(time, "resume", name, party, start)

    def _end(self, time: int, name: str, party: str, start: str = "") -> None:
        self._step(time, "end", name, party, start)

    def _step(self, time: int, kind: str, name: str, party: str, start: str = "") -> None:
        effective = instant(start.removeprefix("from=")) if start else 0
        assert self.ledger.step(time, party, kind, self.names[name], effective) is None

    def _heartbeat(self, time: int, *authors: str) -> None:
        self.ledger.heartbeat(time, *authors)

    def _join(self, time: int, economy: str) -> None:
        self.ledger.member(economy, time=time)

    def _speaks(self, time: int, prefix: str, economy: str) -> None:
        self.ledger.speaks(prefix, economy, True, *self.ledger.at(time))

    def _ends(self, time: int, prefix: str, economy: str) -> None:
        self.ledger.speaks(prefix, economy, False, *self.ledger.at(time))

    def _alias(
        self, time: int, scheme: str, value: str, tin: str, name: str, valid: str = ""
    ) -> None:
        key = self.ledger.keyring[self.names[name]]
        dates = [instant(day) for day in valid.removeprefix("valid=").split("..")] if valid else []
        alias, subject = key.alias(scheme, value), key.subject(tin)
        self.ledger.publish_alias(time, issuer_of(tin), self.names[name], alias, subject, *dates)

    def _record(self, time: int, event: str, rest: str) -> None:
        tin, certificate, name, said_text = [*rest.split(" ", 3), ""][:4]
        said = words(said_text)
        key = self.ledger.keyring[self.names[name]]
        if "epoch" in said:
            key = self.ledger.key(self.names[name], int(said["epoch"]))
        event, _, status = event.partition(":")
        start, _, end = said["valid"].partition("..")
        # A grant of the past is effective from its validity; everything else from its record.
        default = instant(start) if event == "GRANT" and instant(start) < time else time
        scope = None
        if "scope" in said or "scope-levels" in said:
            scope = Scope(codes(said, "scope-levels"), roles(said, "scope"))
        predecessor = None
        for word, kind in (("renumbered", 1), ("succeeded", 2)):
            if word in said:
                predecessor = Predecessor(key.subject(said[word]), kind)
        undone = (
            self.places[f"{tin} {certificate} {name}"][int(said["undo"]) - 1]
            if "undo" in said
            else None
        )
        record = StatusRecord(
            subject=key.subject(tin),
            certificate=key.certificate(certificate),
            valid_from=instant(start),
            valid_to=instant(end) if end else 0,
            effective_from=instant(said["effect"]) if "effect" in said else default,
            terms=StatusTerms(
                status_pb2.Event.Value(f"EVENT_{event}"),
                status_pb2.Status.Value(f"STATUS_{status or STATED[event]}"),
                roles(said, "roles"),
                said.get("level", ""),
                scope,
                lapses="lapses" in said,
                migrated="migrated" in said,
                reason=status_pb2.PublicReason.Value(f"PUBLIC_REASON_{said['reason']}")
                if "reason" in said
                else 0,
            ),
            effective_to=instant(said["until"]) if "until" in said else 0,
            profile_commitment=PROFILE if "profile" in said else b"",
            predecessor=predecessor,
            corrects=undone,
        )
        assert parse_status(format_status(record)) == record
        issuer = said.get("by") or issuer_of(tin)
        assert self.ledger.publish(time, issuer, self.names[name], record) == [None]
        place = RecordPlace(self.ledger.height, 0)
        self.places.setdefault(f"{tin} {certificate} {name}", []).append(place)


GOODS = ("dispatched", "accepted", "arrived", "released")
PROFILE = sha256(b"profile").digest()
STATED = {
    "GRANT": "CERTIFIED",
    "SUSPEND": "SUSPENDED",
    "REINSTATE": "CERTIFIED",
    "REVOKE": "REVOKED",
    "WITHDRAW": "WITHDRAWN",
    "END_SHARING": "NOT_SHARED",
    "ANNUL": "ANNULLED",
}


def issuer_of(tin: str) -> str:
    """Who speaks for it at the table's beginning; who joins later speaks for itself."""
    members = TABLE["members"].items()
    return next((economy for economy, said in members if tin[:2] in said), tin[:2])


def codes(said: dict[str, str], word: str) -> tuple[str, ...]:
    return tuple(sorted(said[word].split(","))) if word in said else ()


def roles(said: dict[str, str], word: str) -> tuple[Role, ...]:
    split = (role.partition("/") for role in codes(said, word))
    return tuple(Role(code, int(mode or 0)) for code, _, mode in split)


def text_of(name: str) -> arrangement_pb2.ArrangementText:
    said = TABLE["arrangements"][name]
    return arrangement_pb2.ArrangementText(
        name=name,
        kind=arrangement_pb2.ArrangementKind.Value(f"ARRANGEMENT_KIND_{said['kind'].upper()}"),
        parties=said["parties"],
        rules=[rule(line) for line in said["rules"]],
        notice_days=said.get("notice", 0),
        staleness_limit=said.get("staleness_minutes", 0) * 60_000,
        staged_starts=said.get("staged", False),
    )


def rule(line: str) -> arrangement_pb2.Rule:
    pair, said = line.split()[0], words(line.partition(" ")[2])
    issuing, recognising = pair.split(">")
    directions = [
        arrangement_pb2.Direction.Value(f"DIRECTION_{name}") for name in codes(said, "directions")
    ]
    benefits = [
        arrangement_pb2.Benefit(
            code=arrangement_pb2.BenefitCode.Value(f"BENEFIT_CODE_{name}"), granted_by="CUSTOMS"
        )
        for name in codes(said, "benefits")
    ]
    message = arrangement_pb2.Rule(
        issuing=issuing,
        recognising=recognising,
        to=instant(said["to"]) if "to" in said else 0,
        functions=codes(said, "functions"),
        certified_roles=codes(said, "roles"),
        levels=codes(said, "levels"),
        directions=directions,
        transport_modes=[int(mode) for mode in codes(said, "modes")],
        benefits=benefits,
        party_match_required="party" in said,
        dispatch_from_issuer_required="dispatch" in said,
    )
    if "event" in said:
        event = f"RELEVANT_EVENT_{said['event']}"
        message.relevant_event = arrangement_pb2.RelevantEvent.Value(event)
    if "under-way" in said:
        treated = f"GOODS_UNDER_WAY_{said['under-way']}"
        message.goods_under_way = arrangement_pb2.GoodsUnderWay.Value(treated)
    if "from" in said:
        setattr(message, "from", instant(said["from"]))
    return message


class Kept:
    """Profiles as a case lists them; the records that say *profile* commit to the first."""

    def __init__(self, profiles: list[str], asked: dict[str, str]) -> None:
        self.kept = []
        for line in profiles:
            tin, name, address = (part.strip() for part in line.split("|"))
            addresses = (Address(address),) if address else ()
            self.kept.append(Profile(tin, (Name(name),), addresses))
        self.name = asked.get("name", asked.get("party", ""))
        self.address = asked.get("address", asked.get("at", ""))

    def get(self, commitment: bytes, /) -> int | None:
        if commitment != PROFILE:
            return None
        return match_party(self.name, self.address, self.kept[0])

    def find(self, name: str, address: str, /) -> list[str]:
        good = {verdict_pb2.NAME_MATCH_EXACT, verdict_pb2.NAME_MATCH_CLOSE}
        return sorted({p.tin for p in self.kept if match_party(name, address, p) in good})


def answer(case: dict[str, Any]) -> tuple[Verdict, World]:
    world = World(case.get("members", {}))
    world.tell(case["given"])
    asked = words(case.get("ask", ""))
    now = instant(TABLE["now"])
    speaking = [entry.economy for entry in world.ledger.members()]
    for author in speaking:
        if author != case.get("silent"):
            world.ledger.heartbeat(now - 60_000, author)
    alias = asked.get("alias")
    query = Query(
        recognising=asked.get("recogniser", "TW"),
        function=asked.get("function", "EX"),
        direction=arrangement_pb2.Direction.Value(f"DIRECTION_{asked.get('direction', 'IMPORT')}"),
        transport_mode=int(asked.get("mode", 1)),
        tin=None if alias or "party" in asked else asked.get("tin", "KR123"),
        alias=Alias(*alias.split("/")) if alias else None,
        level=asked.get("level", ""),
        as_of=instant(asked["as_of"]) if "as_of" in asked else None,
        known_at_time=instant(asked["known"]) if "known" in asked else None,
        dispatch_economy=asked.get("dispatch", ""),
        **{f"{word}_at": instant(asked[word]) for word in GOODS if word in asked},
    )
    if "party" in asked:
        query.party = NameAndAddress(asked["party"], asked.get("at", ""))
    profiles: Profiles | None = None
    if "profiles" in case:
        profiles = Kept(case["profiles"], asked)
    elif "match" in asked:
        match = verdict_pb2.NameMatch.Value(f"NAME_MATCH_{asked['match']}")
        profiles = StatedMatches({PROFILE: match})
    times = Times(now, instant(case["attested"]) if "attested" in case else now - 1000)
    keyring = world.ledger.keyring
    verdict = evaluate(query, world.ledger, keyring, profiles, {2: "green lane"}, times)
    again = evaluate(query, world.ledger, dict(keyring), profiles, {2: "green lane"}, times)
    assert format_verdict(verdict) == format_verdict(again)
    return verdict, world


def named(outcome: int, reason: int) -> str:
    first = verdict_pb2.Outcome.Name(outcome).removeprefix("OUTCOME_")  # type: ignore[arg-type]
    second = verdict_pb2.Reason.Name(reason).removeprefix("REASON_")  # type: ignore[arg-type]
    return f"{first} {second}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: re.sub(r"\W+", "-", case["name"]))
def test_verdict(case: dict[str, Any]) -> None:
    verdict, world = answer(case)
    assert named(verdict.outcome, verdict.reason) == case["answer"], case["why"]
    names = {identity: name for name, identity in world.names.items()}
    if "each" in case:
        said = {
            names[found.arrangement_id]: named(found.outcome, found.reason)
            for found in verdict.arrangements
        }
        assert said == case["each"]
    if "informed" in case:
        assert verdict.informed is case["informed"]
    if "decided" in case:
        assert names[verdict.arrangement_id] == case["decided"]
    if "holds" in case:
        begin, end = case["holds"].split("..")
        assert (verdict.holds_from, verdict.holds_to) == (instant(begin), instant(end))
    if "benefits" in case:
        codes = [arrangement_pb2.BenefitCode.Name(granted.code) for granted in verdict.benefits]
        assert [code.removeprefix("BENEFIT_CODE_") for code in codes] == case["benefits"].split(",")


def test_every_reason_and_outcome_is_in_the_table() -> None:
    answers = {case["answer"] for case in CASES}
    reasons = {name.removeprefix("REASON_") for name in verdict_pb2.Reason.keys()}  # noqa: SIM118
    assert {answer.split()[1] for answer in answers} == reasons - {"UNSPECIFIED"}
    outcomes = {name.removeprefix("OUTCOME_") for name in verdict_pb2.Outcome.keys()}  # noqa: SIM118
    assert {answer.split()[0] for answer in answers} == outcomes - {"UNSPECIFIED"}


@pytest.mark.parametrize(
    "case", [case for case in CASES if "members" not in case], ids=lambda case: case["name"][:30]
)
def test_the_interval_is_what_it_says(case: dict[str, Any]) -> None:
    """Just inside its ends the same outcome and reason come out, asked as of then."""
    verdict, _ = answer(case)
    ends = (verdict.holds_from, verdict.holds_to - 1) if verdict.holds_to else (verdict.holds_from,)
    for end in ends:
        if end <= 0:
            continue
        moment = datetime.fromtimestamp(end / 1000, UTC).replace(tzinfo=None)
        ask = re.sub(r"as_of=\S+", "", case.get("ask", ""))
        moved = {**case, "ask": f"{ask} as_of={moment.isoformat(timespec='milliseconds')}"}
        other, _ = answer(moved)
        assert (other.outcome, other.reason) == (verdict.outcome, verdict.reason)

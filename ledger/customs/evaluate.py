"""The rules of recognition: one pure function from a question and the facts to a verdict.

For each arrangement of the pair the first check that fails decides (domain, *Verdict*):

     1  identifier, known at     5  a record                  9  dispatch, party match
     2  who speaks for it        6  a role for the function  10  fresh enough
     3  in force                 7  one certificate holds    11  recognition, not information only
     4  a rule covers it         8  its level                12  RECOGNISED

Then the arrangements are weighed. Those of recognition decide where any is in force; else those of
information where any is; else all of them. The best outcome wins, among failures the one that came
furthest, ties by the lowest id. Asking about one's own trader (*home*) reads the issuer's records
under all arrangements that it is a party of, without checks 3, 4, 8, 9 and 11.

Where the design is silent, this is what is done:

- Check 1 reads the TIN before known at, and an alias or a name after it (`identify`); an
  arrangement where an alias is not published that another publishes answers ALIAS_UNKNOWN for
  itself.
- Check 6 and 8 pair certificates with rules: role and level satisfy the *same* rule. A role with a
  mode satisfies in that mode only. Benefits are those of every rule that is satisfied.
- Check 7 names the newest certificate among those that have begun by then, newest by log index, in
  one transaction (whose order is random) by effect; NOT_YET_VALID where none has begun.
- Check 9 is DISPATCH_NOT_COVERED unless some pair passes dispatch. The issuer's territory is its
  own code and every prefix it speaks for.
- NO_RECORD that turns stale still came no further than check 5.
- `holds_from` and `holds_to` enclose as_of without any instant at which a fact consulted changes:
  of rules, suspensions, ends, records, aliases, successions and, where now matters, freshness.
- `cache_until` is the earliest of the header's time plus the heartbeat interval, `holds_to`, and
  the first instant at which the answer would be stale.
- A rule is in force or not at its relevant event, where the query tells when that was, and at as_of
  where it does not (`goods`); everything else is asked as of.
- A lookup key that is missing or does not open the commitment raises `KeyringError`, once it is
  needed. A query out of range raises `FormatError`; what it merely names wrongly gets a verdict.

TW recognises exporters of KR at sea; KR123 is certified from 10 to 1,000 and last heard of at 500:

>>> from types import SimpleNamespace
>>> from ledger.customs import arrangement as a, status as s
>>> from ledger.state.view import PairEntry, SpeakerEntry, StatusEntry
>>> shared, key = b"a" * 16, LookupKey(bytes(32), bytes(32), b"a" * 16)
>>> sea = arrangement_pb2.Rule(issuing="KR", recognising="TW", certified_roles=["EX"],
...                            transport_modes=[1])
>>> text = a.parse_arrangement_text(a.format_arrangement_text(arrangement_pb2.ArrangementText(
...     name="KR-TW", kind=arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION, parties=["KR", "TW"],
...     rules=[sea], lookup_key_commitment=key.commitment)))
>>> step = a.ArrangementEntry(1, 10, 0, "KR", a.Step("propose", text=text))
>>> life = ArrangementHistory.propose(shared, step)
>>> for party in text.parties:
...     life = life.extend(step._replace(author=party, step=a.Step("sign")))
>>> exporter, number = s.StatusTerms(1, 1, (s.Role("EX"),)), b"c" * 16
>>> grant = s.StatusRecord(key.subject("KR123"), number, 10, 1_000, 10, exporter)
>>> history = {grant.subject: [StatusEntry(2, 20, 3, 0, grant)]}
>>> view = SimpleNamespace(
...     height=2, header_time=500, header_hash=bytes(32), pilot=True, rules_version=1,
...     default_staleness_limit=100, heartbeat_interval=50, author_seen=lambda *asked: 500,
...     speaker_history=lambda prefix: [SpeakerEntry(0, 0, prefix, True)],
...     pair_history=lambda *pair: [PairEntry(1, 10, shared)], arrangement=lambda identity: life,
...     subject=lambda *asked: history.get(asked[2], []), successors=lambda *asked: [])
>>> def ask(tin: str, mode: int, now: int, **more: int) -> str:
...     query = Query("TW", "EX", direction=1, transport_mode=mode, tin=tin, **more)
...     found = evaluate(query, view, {shared: key}, None, None, Times(now, attested_time=now))
...     return f"{pb.Outcome.Name(found.outcome)[8:]} {pb.Reason.Name(found.reason)[7:]}"
>>> ask("kr-123", 1, now=600), ask("KR123", 4, now=600), ask("KR999", 1, now=600)
('RECOGNISED NONE', 'NOT_RECOGNISED MODE_NOT_COVERED', 'NOT_RECOGNISED NO_RECORD')
>>> ask("KR123", 1, now=601), ask("KR123", 1, now=601, as_of=600), ask("KR123", 1, now=1_000)
('UNDETERMINED ISSUER_STALE', 'RECOGNISED NONE', 'NOT_RECOGNISED EXPIRED')
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2
from ledger.customs.arrangement import ArrangementHistory, Benefit, Rule
from ledger.customs.case import Case, PrefixesAt, check_query, speaker_of
from ledger.customs.cover import find_cover, home_cover
from ledger.customs.holding import Holding, boundaries, holdings
from ledger.customs.identify import follow, open_key, resolve_alias, resolve_party, up_to
from ledger.customs.judge import SATISFIED, judge, name_match
from ledger.customs.profiles import Profiles
from ledger.customs.subject import LookupKey
from ledger.customs.tin import Tin, parse_tin, read_canonical
from ledger.customs.verdict import ArrangementOutcome, GrantedBenefit, Query, Times, Verdict
from ledger.errors import TinError
from ledger.state.view import StateView

RECOGNISED: Final[int] = pb.OUTCOME_RECOGNISED
INFORMATION_ONLY: Final[int] = pb.OUTCOME_INFORMATION_ONLY
NOT_RECOGNISED: Final[int] = pb.OUTCOME_NOT_RECOGNISED
UNDETERMINED: Final[int] = pb.OUTCOME_UNDETERMINED

_NO_RECORD: Final[int] = pb.REASON_NO_RECORD
_NO_RECOGNITION: Final[int] = pb.REASON_NO_RECOGNITION
_NO_ARRANGEMENT: Final[int] = pb.REASON_NO_ARRANGEMENT
_ALIAS_UNKNOWN: Final[int] = pb.REASON_ALIAS_UNKNOWN
_HOME: Final[int] = pb.BASIS_HOME
_ARRANGEMENT: Final[int] = pb.BASIS_ARRANGEMENT
_NOT_CHECKED: Final[int] = pb.NAME_MATCH_NOT_CHECKED
_RECOGNITION: Final[int] = arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION
_INFORMATION: Final[int] = arrangement_pb2.ARRANGEMENT_KIND_INFORMATION

# How far an arrangement came that failed so: the check times ten, and its step within.
_PROGRESS: Final[dict[int, int]] = {
    pb.REASON_NONE: 120,
    pb.REASON_TIN_MALFORMED: 10,
    pb.REASON_ALIAS_UNKNOWN: 10,
    pb.REASON_ALIAS_AMBIGUOUS: 10,
    pb.REASON_KNOWN_AT_BEFORE_GENESIS: 10,
    pb.REASON_ISSUER_UNKNOWN: 20,
    pb.REASON_NO_ARRANGEMENT: 30,
    pb.REASON_ARRANGEMENT_NOT_YET: 30,
    pb.REASON_ARRANGEMENT_SUSPENDED: 30,
    pb.REASON_ARRANGEMENT_ENDED: 30,
    pb.REASON_DIRECTION_NOT_COVERED: 41,
    pb.REASON_MODE_NOT_COVERED: 42,
    pb.REASON_FUNCTION_NOT_COVERED: 43,
    pb.REASON_NO_RECORD: 50,
    pb.REASON_ROLE_NOT_COVERED: 60,
    pb.REASON_NOT_YET_VALID: 70,
    pb.REASON_ANNULLED: 70,
    pb.REASON_REVOKED: 70,
    pb.REASON_WITHDRAWN: 70,
    pb.REASON_NOT_SHARED: 70,
    pb.REASON_EXPIRED: 70,
    pb.REASON_SUSPENDED: 70,
    pb.REASON_LEVEL_NOT_COVERED: 80,
    pb.REASON_DISPATCH_NOT_COVERED: 91,
    pb.REASON_PARTY_MISMATCH: 92,
    pb.REASON_LEDGER_STALE: 101,
    pb.REASON_ISSUER_STALE: 102,
    pb.REASON_NO_RECOGNITION: 110,
}

_NO_TIN: Final = Tin("")
# Lists of benefits with their instructions: few, and long to write out for each verdict.
BENEFITS_REMEMBERED: Final = 1_024


class Finding(NamedTuple):
    """What one arrangement says, and what the verdict takes from it if it decides."""

    arrangement_id: bytes
    kind: int
    in_force: bool
    outcome: int
    reason: int
    progress: int
    holding: Holding | None = None
    rules: Sequence[Rule] = ()
    followed: bytes = b""


def evaluate(
    query: Query,
    state: StateView,
    keyring: Mapping[bytes, LookupKey],
    profiles: Profiles | None,
    instructions: Mapping[int, str] | None,
    times: Times,
) -> Verdict:
    """Return the verdict on `query` by what `state` shows.

    `keyring` holds lookup keys by arrangement id, those of earlier epochs under `epoch_name`;
    `profiles` says how the declared name and address fit (None: no profiles exist, and NOT_CHECKED
    passes); `instructions` the recogniser's words by BenefitCode. Raises `FormatError` for a query
    out of range and `KeyringError` for a lookup key that is missing or wrong.
    """
    check_query(query)
    case = Case(query, state, times)
    known = case.known
    tin = _NO_TIN
    subjects: Mapping[bytes, bytes] | None = None
    if query.tin is not None:
        try:
            tin = read_canonical(query.tin) or parse_tin(
                query.tin, PrefixesAt(state, max(known, 0))
            )
        except TinError as error:
            return _fail(case, tin, "", UNDETERMINED, error.reason)
    if known < 0:
        return _fail(case, tin, "", UNDETERMINED, pb.REASON_KNOWN_AT_BEFORE_GENESIS)
    if query.party is not None:
        found, reason = resolve_party(query.party, profiles)
        if reason:
            return _fail(case, tin, "", UNDETERMINED, reason)
        tin = Tin(found)
    if query.alias is None:
        issuer = speaker_of(state, tin.canonical[:2], known)
        if not issuer:
            return _fail(case, tin, "", NOT_RECOGNISED, pb.REASON_ISSUER_UNKNOWN)
    else:
        issuer, subjects, reason = resolve_alias(case, keyring)
        if reason:
            return _fail(case, tin, "", UNDETERMINED, reason)
    seen = state.author_seen(issuer, known)
    if seen is not None:
        case.seen = seen
    findings = [
        _find(case, arrangement, issuer, keyring, tin.canonical, subjects, profiles)
        for arrangement in _arrangements(state, issuer, query.recognising, known)
    ]
    if not findings:
        if issuer != query.recognising:
            return _fail(case, tin, issuer, NOT_RECOGNISED, _NO_ARRANGEMENT)
        stale = case.stale(state.default_staleness_limit)
        outcome = UNDETERMINED if stale else NOT_RECOGNISED
        return _fail(case, tin, issuer, outcome, stale or _NO_RECORD)
    best, informed = findings[0], False
    if len(findings) > 1:
        findings.sort()  # by arrangement id, which no two share
        best, informed = _weigh(findings, issuer == query.recognising)
    return _answer(case, tin, issuer, best, findings, informed, profiles, instructions)


def _weigh(findings: Sequence[Finding], home: bool) -> tuple[Finding, bool]:
    """Return the finding that decides, and whether information is in force beside it."""
    if home:
        return max(findings, key=_rank), False
    in_force = [finding for finding in findings if finding.in_force]
    recognition = [finding for finding in in_force if finding.kind == _RECOGNITION]
    # max keeps the first of equals: the lowest id.
    best = max(recognition or in_force or findings, key=_rank)
    return best, 0 < len(recognition) < len(in_force)


def _rank(finding: Finding) -> tuple[int, int]:
    favour = 2 if finding.outcome == RECOGNISED else int(finding.outcome == INFORMATION_ONLY)
    return favour, finding.progress


def _find(
    case: Case,
    arrangement: ArrangementHistory,
    issuer: str,
    keyring: Mapping[bytes, LookupKey],
    tin: str,
    subjects: Mapping[bytes, bytes] | None,
    profiles: Profiles | None,
) -> Finding:
    """Checks 1 (an alias) and 3 to 11 for one arrangement."""
    query, state, as_of, known = case.query, case.state, case.as_of, case.known
    text, identity = arrangement.text_at(known), arrangement.arrangement_id
    kind = text.kind
    home = issuer == query.recognising
    if home:
        cover = home_cover(query.function)
    else:
        cover = find_cover(
            arrangement,
            issuer,
            query.recognising,
            query.direction,
            query.transport_mode,
            query.function,
            as_of,
            known,
            case.goods,
        )
        case.rest_within(cover.low, cover.high)
    in_force = cover.in_force
    if subjects is not None and identity not in subjects:
        progress = _PROGRESS[_ALIAS_UNKNOWN]
        return Finding(identity, kind, in_force, UNDETERMINED, _ALIAS_UNKNOWN, progress)
    if not cover.rules:
        reason = cover.reason
        return Finding(identity, kind, in_force, NOT_RECOGNISED, reason, _PROGRESS[reason])
    asked = subjects[identity] if subjects else open_key(keyring, arrangement, known).subject(tin)
    subject = follow(case, identity, issuer, asked)
    followed = b"" if subject == asked else subject
    entries = up_to(known, state.subject(identity, issuer, subject))
    limit = text.staleness_limit or state.default_staleness_limit
    if not entries:
        stale = case.stale(limit)
        outcome = UNDETERMINED if stale else NOT_RECOGNISED
        reason, progress = stale or _NO_RECORD, _PROGRESS[_NO_RECORD]
        return Finding(identity, kind, True, outcome, reason, progress, followed=followed)
    case.rest_on(boundaries(entries))
    found = judge(
        holdings(entries, as_of),
        cover.rules,
        query.transport_mode,
        "" if home else query.level,
        bool(query.dispatch_economy) and _is_territory(case, issuer, query.dispatch_economy),
        profiles,
    )
    outcome, reason = NOT_RECOGNISED, found.reason
    if reason == SATISFIED:
        stale = case.stale(limit)
        if stale:
            outcome, reason = UNDETERMINED, stale
        elif kind == _INFORMATION and not home:
            outcome, reason = INFORMATION_ONLY, _NO_RECOGNITION
        else:
            outcome = RECOGNISED
    progress = _PROGRESS[reason]
    return Finding(
        identity, kind, True, outcome, reason, progress, found.holding, found.rules, followed
    )


def _arrangements(
    state: StateView, issuer: str, recogniser: str, known: int
) -> list[ArrangementHistory]:
    """The arrangements to ask: those of the pair, or at home all of one's own, signed by all."""
    found = []
    if issuer == recogniser:
        for identity in state.own_arrangements(issuer):
            arrangement = state.arrangement(identity)
            if arrangement is None or not arrangement.in_effect(known):
                continue
            # What it has left is not kept up to date any more.
            if issuer in arrangement.parties_at(known):
                found.append(arrangement)
        return found
    for pair in state.pair_history(issuer, recogniser):
        if pair.height <= known:
            arrangement = state.arrangement(pair.arrangement_id)
            if arrangement is not None:
                found.append(arrangement)
    return found


def _is_territory(case: Case, issuer: str, dispatch: str) -> bool:
    return dispatch == issuer or speaker_of(case.state, dispatch, case.known) == issuer


def _fail(case: Case, tin: Tin, issuer: str, outcome: int, reason: int) -> Verdict:
    """The verdict where no arrangement was reached."""
    return _answer(case, tin, issuer, Finding(b"", 0, False, outcome, reason, 0), (), False)


def _answer(
    case: Case,
    tin: Tin,
    issuer: str,
    best: Finding,
    findings: Sequence[Finding],
    informed: bool,
    profiles: Profiles | None = None,
    instructions: Mapping[int, str] | None = None,
) -> Verdict:
    state, query = case.state, case.query
    status = valid_from = valid_to = 0
    level, commitment, match = "", b"", _NOT_CHECKED
    benefits: tuple[GrantedBenefit, ...] = ()
    if best.holding is not None:
        entry, status = best.holding
        record = entry.record
        level, valid_from, valid_to = record.terms.level, record.valid_from, record.valid_to
        match = name_match(best.holding, profiles)
        if match != _NOT_CHECKED:
            commitment = record.profile_commitment
        if best.outcome == RECOGNISED:
            benefits = _benefits(best.rules, instructions or {})
    cache_until = state.header_time + state.heartbeat_interval
    if case.high and case.high < cache_until:
        cache_until = case.high
    if case.fresh_until and case.fresh_until < cache_until:
        cache_until = case.fresh_until
    # In the order of the fields: naming them would cost a tenth of the whole evaluation.
    return Verdict(
        best.outcome,
        best.reason,
        _HOME if issuer == query.recognising else _ARRANGEMENT,
        best.arrangement_id,
        status,
        level,
        valid_from,
        valid_to,
        benefits,
        informed,
        tuple([ArrangementOutcome(found[0], found[1], found[3], found[4]) for found in findings]),
        match,
        commitment,
        state.pilot,
        state.rules_version,
        case.low,
        case.high,
        best.followed,
        state.height,
        state.header_hash,
        max(case.seen, 0),
        case.attested,
        cache_until,
        issuer,
        query.recognising,
        case.as_of,
        case.known_at,
        *tin,
    )


def _benefits(rules: Sequence[Rule], instructions: Mapping[int, str]) -> tuple[GrantedBenefit, ...]:
    """The benefits of every rule that is satisfied, ascending, each once."""
    granted = rules[0].benefits
    if len(rules) > 1:
        granted = tuple(sorted({benefit for rule in rules for benefit in rule.benefits}))
    return _instruct(granted, tuple([instructions.get(benefit[0], "") for benefit in granted]))


@lru_cache(BENEFITS_REMEMBERED)
def _instruct(granted: tuple[Benefit, ...], words: tuple[str, ...]) -> tuple[GrantedBenefit, ...]:
    pairs = zip(granted, words, strict=True)
    return tuple([GrantedBenefit(code, by, instruction) for (code, by), instruction in pairs])

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

- Check 1 reads the TIN before known at, and an alias after it. An alias names no issuer: it is
  looked up for every party of every signed arrangement of the recogniser. More than one issuer, or
  more than one subject under any arrangement, is ALIAS_AMBIGUOUS for the whole verdict; an
  arrangement where the alias is not published answers ALIAS_UNKNOWN for itself.
- Check 6 and 8 pair certificates with rules: role and level satisfy the *same* rule. A role with a
  mode satisfies in that mode only. Benefits are those of every rule that is satisfied.
- Check 7 names the newest certificate among those that have begun by then, newest by log index, in
  one transaction (whose order is random) by effect; NOT_YET_VALID where none has begun.
- Check 9 is DISPATCH_NOT_COVERED unless some pair passes dispatch. The issuer's territory is its
  own code and every prefix it speaks for.
- NO_RECORD that turns stale still came no further than check 5.
- RENUMBERED leads on from the effect of the record that names the old number, unless that record is
  undone; of several the newest in ledger order, never back to a number already passed.
- A past known-at takes times as then: now is that time, or the time of that height's header, and
  the attested time is at most that. A known-at after the newest header asks about the newest.
- `holds_from` and `holds_to` enclose as_of without any instant at which a fact consulted changes:
  of rules, suspensions, ends, records, aliases, successions and, where now matters, freshness.
- `cache_until` is the earliest of the header's time plus the heartbeat interval, `holds_to`, and
  the first instant at which the answer would be stale.
- A lookup key that is missing or does not open the commitment raises `KeyringError`, once it is
  needed. A query out of range raises `FormatError`; what it merely names wrongly gets a verdict.
"""

from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2
from ledger.chain.economy import CODES
from ledger.customs.arrangement import IN_FORCE, ArrangementHistory, Rule
from ledger.customs.holding import Holding, boundaries, holdings, undone_places
from ledger.customs.judge import SATISFIED, judge, name_match
from ledger.customs.status import INSTANT_LIMIT, LEVEL_FORM, ROLE_FORM
from ledger.customs.subject import LookupKey
from ledger.customs.tin import Tin, parse_tin
from ledger.customs.verdict import ArrangementOutcome, GrantedBenefit, Query, Times, Verdict
from ledger.errors import FormatError, KeyringError, TinError
from ledger.state.view import StateView, StatusEntry

RECOGNISED: Final[int] = pb.OUTCOME_RECOGNISED
INFORMATION_ONLY: Final[int] = pb.OUTCOME_INFORMATION_ONLY
NOT_RECOGNISED: Final[int] = pb.OUTCOME_NOT_RECOGNISED
UNDETERMINED: Final[int] = pb.OUTCOME_UNDETERMINED

_NO_RECORD: Final[int] = pb.REASON_NO_RECORD
_NO_RECOGNITION: Final[int] = pb.REASON_NO_RECOGNITION
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

# Which certified role a declared function needs at home; any other needs the role of its own code.
_HOME_ROLES: Final = {"CZ": "EX", "SE": "EX", "CN": "IM"}


class _Finding(NamedTuple):
    """What one arrangement says, and what the verdict needs if it decides."""

    arrangement_id: bytes
    kind: int
    in_force: bool
    outcome: int
    reason: int
    progress: int
    holding: Holding | None = None
    rules: Sequence[Rule] = ()
    followed: bytes = b""


class _PrefixesAt(Container[str]):
    """The TIN prefixes that some member speaks for at one height."""

    def __init__(self, state: StateView, height: int) -> None:
        self._state, self._height = state, height

    def __contains__(self, prefix: object) -> bool:
        return isinstance(prefix, str) and bool(_speaker(self._state, prefix, self._height))


class _Case:
    """One question at one position of the ledger, and what its answer has rested on so far."""

    __slots__ = (
        "as_of",
        "attested",
        "fresh_until",
        "high",
        "known",
        "low",
        "moving",
        "now",
        "query",
        "seen",
        "state",
    )

    def __init__(self, query: Query, state: StateView, times: Times) -> None:
        self.query = query
        self.state = state
        self.known = state.height
        self.now, self.attested = times
        if query.known_at_time is not None:
            self.known = state.height_at(query.known_at_time)
            self._then(query.known_at_time)
        elif query.known_at_height is not None and query.known_at_height < state.height:
            self.known = query.known_at_height
            self._then(state.time_of(self.known) if self.known >= 0 else 0)
        self.as_of = times.now if query.as_of is None else query.as_of
        self.low = self.high = self.fresh_until = self.seen = 0
        # Whether waiting alone could make the answer stale.
        self.moving = self.now == times.now

    def _then(self, time: int) -> None:
        if time < self.now:
            self.now = time
            self.attested = min(self.attested, time)

    def rests_on(self, instants: Sequence[int]) -> None:
        """Narrow the interval around as_of to where none of these instants lies inside."""
        as_of, low, high = self.as_of, self.low, self.high
        for instant in instants:
            if instant <= as_of:
                low = max(low, instant)
            elif not high or instant < high:
                high = instant
        self.low, self.high = low, high

    def stale(self, limit: int) -> int:
        """Check 10 for an arrangement with this staleness `limit`: a reason, or 0."""
        now, attested, seen = self.now, self.attested, self.seen
        if attested < now - limit:
            return pb.REASON_LEDGER_STALE
        ends = attested + limit + 1
        if now > seen + limit:
            # Then an earlier as_of may be fresh where a later one is not.
            self.rests_on((seen + limit + 1,))
            if self.as_of > seen + limit:
                return pb.REASON_ISSUER_STALE
        elif self.query.as_of is None or self.as_of > seen + limit:
            ends = min(ends, seen + limit + 1)
        if self.moving and (not self.fresh_until or ends < self.fresh_until):
            self.fresh_until = ends
        return 0


def evaluate(
    query: Query,
    state: StateView,
    keyring: Mapping[bytes, LookupKey],
    profiles: Mapping[bytes, int] | None,
    instructions: Mapping[int, str] | None,
    times: Times,
) -> Verdict:
    """Return the verdict on `query` by what `state` shows.

    `keyring` holds lookup keys by arrangement id; `profiles` the NameMatch of the declared name and
    address by profile commitment (None or empty: no profiles exist, and NOT_CHECKED passes);
    `instructions` the recogniser's words by BenefitCode. Raises `FormatError` for a query out of
    range and `KeyringError` for a lookup key that is missing or wrong.
    """
    _require_query(query)
    case = _Case(query, state, times)
    recogniser = query.recognising
    tin = Tin("")
    subjects: Mapping[bytes, bytes] | None = None
    if query.tin is not None:
        try:
            tin = parse_tin(query.tin, _PrefixesAt(state, max(case.known, 0)))
        except TinError as error:
            return _answer(case, tin, "", UNDETERMINED, error.reason)
    if case.known < 0:
        return _answer(case, tin, "", UNDETERMINED, pb.REASON_KNOWN_AT_BEFORE_GENESIS)
    if query.tin is not None:
        issuer = _speaker(state, tin.canonical[:2], case.known)
        if not issuer:
            return _answer(case, tin, "", NOT_RECOGNISED, pb.REASON_ISSUER_UNKNOWN)
    else:
        issuer, subjects, reason = _resolve_alias(case, keyring)
        if reason:
            return _answer(case, tin, "", UNDETERMINED, reason)
    seen = state.author_seen(issuer, case.known)
    # A member without a transaction was last seen before any time there is.
    case.seen = -INSTANT_LIMIT if seen is None else seen
    findings = [
        _find(case, arrangement, issuer, keyring, tin.canonical, subjects, profiles)
        for arrangement in _arrangements(state, issuer, recogniser, case.known)
    ]
    if not findings:
        if issuer != recogniser:
            return _answer(case, tin, issuer, NOT_RECOGNISED, pb.REASON_NO_ARRANGEMENT)
        stale = case.stale(state.default_staleness_limit)
        if stale:
            return _answer(case, tin, issuer, UNDETERMINED, stale)
        return _answer(case, tin, issuer, NOT_RECOGNISED, _NO_RECORD)
    return _weigh(case, tin, issuer, findings, profiles, instructions)


def _weigh(
    case: _Case,
    tin: Tin,
    issuer: str,
    findings: list[_Finding],
    profiles: Mapping[bytes, int] | None,
    instructions: Mapping[int, str] | None,
) -> Verdict:
    informed = False
    if len(findings) == 1:
        best = findings[0]
    else:
        findings.sort()  # by arrangement id, which no two share
        deciding = findings
        if issuer != case.query.recognising:
            in_force = [finding for finding in findings if finding.in_force]
            deciding = [finding for finding in in_force if finding.kind == _RECOGNITION]
            informed = bool(deciding) and len(deciding) < len(in_force)
            deciding = deciding or in_force or findings
        # Python's max keeps the first of equals: the lowest id.
        best = max(deciding, key=_rank)
    verdict = _answer(case, tin, issuer, best.outcome, best.reason)
    verdict.arrangement_id = best.arrangement_id
    verdict.arrangements = tuple(
        [
            ArrangementOutcome(found.arrangement_id, found.kind, found.outcome, found.reason)
            for found in findings
        ]
    )
    verdict.informed = informed
    verdict.followed_subject = best.followed
    if best.holding is not None:
        entry, verdict.status = best.holding
        record = entry.record
        verdict.level = record.terms.level
        verdict.valid_from = record.valid_from
        verdict.valid_to = record.valid_to
        if profiles and record.profile_commitment in profiles:
            verdict.name_match = name_match(best.holding, profiles)
            verdict.profile_commitment = record.profile_commitment
    if best.outcome == RECOGNISED and best.rules:
        verdict.benefits = _benefits(best.rules, instructions or {})
    return verdict


def _rank(finding: _Finding) -> tuple[int, int]:
    favour = 2 if finding.outcome == RECOGNISED else finding.outcome == INFORMATION_ONLY
    return favour, finding.progress


def _find(
    case: _Case,
    arrangement: ArrangementHistory,
    issuer: str,
    keyring: Mapping[bytes, LookupKey],
    tin: str,
    subjects: Mapping[bytes, bytes] | None,
    profiles: Mapping[bytes, int] | None,
) -> _Finding:
    """Checks 1 and 3 to 11 for one arrangement."""
    query, state, as_of = case.query, case.state, case.as_of
    recogniser = query.recognising
    text, identity = arrangement.text, arrangement.arrangement_id
    kind = text.kind
    home = issuer == recogniser
    rules: Sequence[Rule]
    if home:
        in_force, rules = True, _home_rules(query.function)
    else:
        standing, rules = arrangement.standing(issuer, recogniser, as_of, case.known)
        case.rests_on(arrangement.boundaries(issuer, recogniser, case.known))
        in_force = standing == IN_FORCE
    if subjects is not None and identity not in subjects:
        unknown = pb.REASON_ALIAS_UNKNOWN
        return _Finding(identity, kind, in_force, UNDETERMINED, unknown, _PROGRESS[unknown])
    if not in_force:
        return _Finding(identity, kind, False, NOT_RECOGNISED, standing, _PROGRESS[standing])
    reason, rules = _covering(rules, query)
    if reason:
        return _Finding(identity, kind, True, NOT_RECOGNISED, reason, _PROGRESS[reason])
    asked = subjects[identity] if subjects else _opened(keyring, arrangement).subject(tin)
    subject = _follow(case, identity, issuer, asked)
    followed = b"" if subject == asked else subject
    entries = _known(state.subject(identity, issuer, subject), case.known)
    limit = text.staleness_limit or state.default_staleness_limit
    if not entries:
        reason = case.stale(limit)
        outcome = UNDETERMINED if reason else NOT_RECOGNISED
        progress = _PROGRESS[_NO_RECORD]
        reason = reason or _NO_RECORD
        return _Finding(identity, kind, True, outcome, reason, progress, followed=followed)
    case.rests_on(boundaries(entries))
    level = "" if home else query.level
    dispatched = bool(query.dispatch_economy) and _dispatched(case, issuer)
    found = judge(
        holdings(entries, as_of), rules, query.transport_mode, level, dispatched, profiles
    )
    reason, outcome = found.reason, NOT_RECOGNISED
    if reason == SATISFIED:
        reason = case.stale(limit)
        if reason:
            outcome = UNDETERMINED
        elif kind == _INFORMATION and not home:
            reason, outcome = _NO_RECOGNITION, INFORMATION_ONLY
        else:
            reason, outcome = SATISFIED, RECOGNISED
    granted = () if home else found.rules
    progress = _PROGRESS[reason]
    return _Finding(
        identity, kind, True, outcome, reason, progress, found.holding, granted, followed
    )


def _covering(rules: Sequence[Rule], query: Query) -> tuple[int, Sequence[Rule]]:
    """Check 4: the rules left, or the reason why none is."""
    direction, mode, function = query.direction, query.transport_mode, query.function
    rules = [rule for rule in rules if not rule.directions or direction in rule.directions]
    if not rules:
        return pb.REASON_DIRECTION_NOT_COVERED, ()
    rules = [rule for rule in rules if not rule.transport_modes or mode in rule.transport_modes]
    if not rules:
        return pb.REASON_MODE_NOT_COVERED, ()
    rules = [rule for rule in rules if not rule.functions or function in rule.functions]
    if not rules:
        return pb.REASON_FUNCTION_NOT_COVERED, ()
    return 0, rules


def _follow(case: _Case, arrangement_id: bytes, issuer: str, subject: bytes) -> bytes:
    """Return the number that RENUMBERED leads to from `subject`, or itself."""
    state, known = case.state, case.known
    passed = {subject}
    while True:
        later = b""
        for link in state.successors(arrangement_id, issuer, subject):
            if link.height > known or link.subject in passed:
                continue
            entries = _known(state.subject(arrangement_id, issuer, link.subject), known)
            place = link.log_index, link.position
            if place in undone_places(entries):
                continue
            effect = next(
                entry.record.effective_from
                for entry in entries
                if (entry.log_index, entry.position) == place
            )
            case.rests_on((effect,))
            if effect <= case.as_of:
                later = link.subject
        if not later:
            return subject
        passed.add(later)
        subject = later


def _resolve_alias(
    case: _Case, keyring: Mapping[bytes, LookupKey]
) -> tuple[str, Mapping[bytes, bytes], int]:
    """Check 1 for an alias: its issuer and its subject under each arrangement, or a reason."""
    state, alias, as_of = case.state, case.query.alias, case.as_of
    assert alias is not None
    issuers: set[str] = set()
    subjects: dict[bytes, set[bytes]] = {}
    for identity in state.own_arrangements(case.query.recognising):
        arrangement = state.arrangement(identity)
        if arrangement is None or not arrangement.in_effect(case.known):
            continue
        keyed = _opened(keyring, arrangement).alias(alias.scheme, alias.value)
        for party in arrangement.text.parties:
            newest = {
                entry.subject: entry
                for entry in state.alias(identity, party, keyed)
                if entry.height <= case.known
            }
            for entry in newest.values():
                case.rests_on([entry.valid_from, *([entry.valid_to] if entry.valid_to else [])])
                if entry.valid_from <= as_of and (not entry.valid_to or as_of < entry.valid_to):
                    issuers.add(party)
                    subjects.setdefault(identity, set()).add(entry.subject)
    if not issuers:
        return "", {}, pb.REASON_ALIAS_UNKNOWN
    if len(issuers) > 1 or any(len(found) > 1 for found in subjects.values()):
        return "", {}, pb.REASON_ALIAS_AMBIGUOUS
    return issuers.pop(), {identity: found.pop() for identity, found in subjects.items()}, 0


def _arrangements(
    state: StateView, issuer: str, recogniser: str, known: int
) -> list[ArrangementHistory]:
    if issuer == recogniser:
        identities = state.own_arrangements(issuer)
    else:
        pairs = state.pair_history(issuer, recogniser)
        identities = [pair.arrangement_id for pair in pairs if pair.height <= known]
    found = [state.arrangement(identity) for identity in identities]
    return [history for history in found if history is not None and history.in_effect(known)]


def _opened(keyring: Mapping[bytes, LookupKey], arrangement: ArrangementHistory) -> LookupKey:
    key = keyring.get(arrangement.arrangement_id)
    if key is None:
        raise KeyringError(f"no lookup key of arrangement {arrangement.arrangement_id.hex()}")
    if key.commitment != arrangement.text.lookup_key_commitment:
        name = arrangement.arrangement_id.hex()
        raise KeyringError(f"the lookup key does not open the commitment of arrangement {name}")
    return key


def _speaker(state: StateView, prefix: str, known: int) -> str:
    """Who speaks for `prefix` at height `known`, or nobody: an empty string."""
    speaker = ""
    for entry in state.speaker_history(prefix):
        if entry.height <= known:
            speaker = entry.economy if entry.begins else ""
    return speaker


def _dispatched(case: _Case, issuer: str) -> bool:
    dispatch = case.query.dispatch_economy
    return dispatch == issuer or _speaker(case.state, dispatch, case.known) == issuer


def _known(entries: Sequence[StatusEntry], known: int) -> Sequence[StatusEntry]:
    if entries and entries[-1].height > known:
        return [entry for entry in entries if entry.height <= known]
    return entries


@lru_cache(64)
def _home_rule(role: str) -> tuple[Rule, ...]:
    none: frozenset[str] = frozenset()
    roles = frozenset({role})
    any_number: frozenset[int] = frozenset()
    return (Rule("", "", 0, 0, none, roles, none, any_number, any_number, (), False, False, 0, 0),)


def _home_rules(function: str) -> tuple[Rule, ...]:
    """At home no text says which role a function needs."""
    return _home_rule(_HOME_ROLES.get(function, function))


def _benefits(rules: Sequence[Rule], instructions: Mapping[int, str]) -> tuple[GrantedBenefit, ...]:
    granted = sorted({benefit for rule in rules for benefit in rule.benefits})
    return tuple(
        [GrantedBenefit(*benefit, instructions.get(benefit.code, "")) for benefit in granted]
    )


def _answer(case: _Case, tin: Tin, issuer: str, outcome: int, reason: int) -> Verdict:
    state, query = case.state, case.query
    header_time = state.header_time
    cache_until = header_time + state.heartbeat_interval
    if case.high and case.high < cache_until:
        cache_until = case.high
    if case.fresh_until and case.fresh_until < cache_until:
        cache_until = case.fresh_until
    known_at = query.known_at_time
    if known_at is None:
        known_at = header_time if case.known == state.height else case.now
    return Verdict(
        outcome=outcome,
        reason=reason,
        basis=pb.BASIS_HOME if issuer == query.recognising else pb.BASIS_ARRANGEMENT,
        pilot=state.pilot,
        rules_version=state.rules_version,
        holds_from=case.low,
        holds_to=case.high,
        height=state.height,
        header_hash=state.header_hash,
        issuer_seen=max(case.seen, 0),
        attested_time=case.attested,
        cache_until=cache_until,
        issuing_economy=issuer,
        recognising_economy=query.recognising,
        as_of=case.as_of,
        known_at=known_at,
        tin=tin.canonical,
        tin_changes=tin.changes,
        tin_warnings=tin.warnings,
    )


def _require_query(query: Query) -> None:
    """What an edge must have seen to: a question in the codes and ranges that there are."""
    if (query.tin is None) == (query.alias is None):
        raise FormatError("a query has one identifier, a TIN or an alias")
    if query.recognising not in CODES or (
        query.dispatch_economy and query.dispatch_economy not in CODES
    ):
        raise FormatError("an economy is two upper-case letters")
    if not ROLE_FORM.fullmatch(query.function):
        raise FormatError(f"{query.function!r} is not the code of a function")
    if not 1 <= query.direction <= 3:
        raise FormatError("a direction is import, export or transit")
    if not 1 <= query.transport_mode <= 8:
        raise FormatError("a mode of transport is 1 to 8")
    if query.level and not LEVEL_FORM.fullmatch(query.level):
        raise FormatError(f"{query.level!r} is not the code of a level")
    if query.as_of is not None or query.known_at_time is not None or query.known_at_height:
        if query.known_at_time is not None and query.known_at_height is not None:
            raise FormatError("known at is a height or a time, not both")
        for instant in (query.as_of or 0, query.known_at_time or 0, query.known_at_height or 0):
            if not -INSTANT_LIMIT <= instant < INSTANT_LIMIT:
                raise FormatError("an instant or a height is out of range")

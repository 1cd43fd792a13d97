"""Checks 6 to 9: a trader's certificates against the rules that cover the question.

A certificate and a rule go together where one of the certificate's roles satisfies the rule in the
mode asked about. An empty list means any: where a rule names no role, each role satisfies it, and
so does a certificate that names none.

A suspension with a scope counts for its levels and roles only. A certificate reached in one role
may still hold by another; one that names no role is reached by every scope that names roles.

Each check narrows the pairs that the one before left: one whose certificate holds, one whose level
the rule covers, one whose dispatch and party match the rule accepts.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.arrangement import Rule
from ledger.customs.holding import NOT_YET_VALID, Holding
from ledger.customs.status import Role, Scope, StatusTerms

SATISFIED: Final[int] = pb.REASON_NONE

_CERTIFIED: Final[int] = pb.HELD_STATUS_CERTIFIED
_SUSPENDED: Final[int] = pb.HELD_STATUS_SUSPENDED
_NOT_CHECKED: Final[int] = pb.NAME_MATCH_NOT_CHECKED
_MATCHES: Final[frozenset[int]] = frozenset({pb.NAME_MATCH_EXACT, pb.NAME_MATCH_CLOSE})
_ANY_ROLE: Final = (Role(""),)

REASON_OF_STATUS: Final[dict[int, int]] = {
    pb.HELD_STATUS_SUSPENDED: pb.REASON_SUSPENDED,
    pb.HELD_STATUS_REVOKED: pb.REASON_REVOKED,
    pb.HELD_STATUS_WITHDRAWN: pb.REASON_WITHDRAWN,
    pb.HELD_STATUS_ANNULLED: pb.REASON_ANNULLED,
    pb.HELD_STATUS_NOT_SHARED: pb.REASON_NOT_SHARED,
    pb.HELD_STATUS_EXPIRED: pb.REASON_EXPIRED,
    pb.HELD_STATUS_NOT_YET_VALID: pb.REASON_NOT_YET_VALID,
}


class Judgement(NamedTuple):
    """Why it fails, or `SATISFIED`; the certificate that speaks; the rules that are satisfied."""

    reason: int
    holding: Holding | None = None
    rules: Sequence[Rule] = ()


class _Pair(NamedTuple):
    """A certificate with a role that satisfies a rule; whether it `holds` by such a role."""

    holding: Holding
    rule: Rule
    holds: bool


def judge(
    held: Sequence[Holding],
    rules: Sequence[Rule],
    mode: int,
    level: str,
    dispatched: bool,
    profiles: Mapping[bytes, int] | None,
) -> Judgement:
    """Judge the certificates `held` by `rules`, which cover direction, mode and function.

    `level` is the one asked for, or empty; `dispatched` whether the goods come from the issuer's
    territory; `profiles` the NameMatch by profile commitment, None or empty before there are any.
    """
    pairs = []
    for holding in held:
        terms = holding.entry.record.terms
        for rule in rules:
            roles = _satisfying(terms.roles, rule, mode)
            if roles:
                pairs.append(_Pair(holding, rule, _holds(holding, terms, roles, mode)))
    if not pairs:
        return Judgement(pb.REASON_ROLE_NOT_COVERED, _newest(held))
    left = [pair for pair in pairs if pair.holds]
    if not left:
        begun = [pair.holding for pair in pairs if pair.holding.status != NOT_YET_VALID]
        newest = _newest(begun or [pair.holding for pair in pairs])
        return Judgement(REASON_OF_STATUS[newest.status], newest)
    pairs = left
    left = [pair for pair in pairs if _level_covered(pair, level)]
    if not left:
        return _fail(pb.REASON_LEVEL_NOT_COVERED, pairs)
    if not dispatched:
        pairs = left
        left = [pair for pair in pairs if not pair.rule.dispatch_from_issuer_required]
        if not left:
            return _fail(pb.REASON_DISPATCH_NOT_COVERED, pairs)
    if profiles:
        pairs = left
        left = [
            pair
            for pair in pairs
            if not pair.rule.party_match_required or name_match(pair.holding, profiles) in _MATCHES
        ]
        if not left:
            return _fail(pb.REASON_PARTY_MISMATCH, pairs)
    if len(left) == 1:
        return Judgement(SATISFIED, left[0].holding, (left[0].rule,))
    return Judgement(
        SATISFIED, _newest([pair.holding for pair in left]), [pair.rule for pair in left]
    )


def name_match(holding: Holding, profiles: Mapping[bytes, int] | None) -> int:
    """Return how the declared name fits the profile that the certificate's record commits to."""
    if not profiles:
        return _NOT_CHECKED
    return profiles.get(holding.entry.record.profile_commitment, _NOT_CHECKED)


def _satisfying(roles: Sequence[Role], rule: Rule, mode: int) -> Sequence[Role]:
    wanted = rule.certified_roles
    if not wanted and not roles:
        return _ANY_ROLE
    return [
        role
        for role in roles
        if (not wanted or role[0] in wanted) and (not role[1] or role[1] == mode)
    ]


def _holds(holding: Holding, terms: StatusTerms, roles: Sequence[Role], mode: int) -> bool:
    if holding.status == _CERTIFIED:
        return True
    if holding.status != _SUSPENDED or terms.scope is None:
        return False
    scope = terms.scope
    return not all(_reached(scope, terms.level, role, mode) for role in roles)


def _reached(scope: Scope, level: str, role: Role, mode: int) -> bool:
    if level in scope.levels:
        return True
    if not role.code:
        return bool(scope.roles)
    return any(code == role.code and (not only or only == mode) for code, only in scope.roles)


def _level_covered(pair: _Pair, asked: str) -> bool:
    level = pair.holding.entry.record.terms.level
    covered = pair.rule.levels
    return (not covered or level in covered) and (not asked or level == asked)


def _fail(reason: int, pairs: Sequence[_Pair]) -> Judgement:
    return Judgement(reason, _newest([pair.holding for pair in pairs]))


def _newest(held: Sequence[Holding]) -> Holding:
    """The newest by log index; within one transaction, whose order is random, by effect."""
    if len(held) == 1:
        return held[0]
    return max(held, key=_age)


def _age(holding: Holding) -> tuple[int, int, int]:
    entry = holding.entry
    return entry.log_index, entry.record.effective_from, entry.position

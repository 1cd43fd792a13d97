"""Checks 6 to 9: a trader's certificates against the rules that cover the question.

A certificate and a rule go together where one of the certificate's roles satisfies the rule in the
mode asked about. An empty list means any: where a rule names no role, each role satisfies it, and
so does a certificate that names none.

A suspension with a scope counts for its levels and roles only. A certificate reached in one role
may still hold by another; one that names no role is reached by every scope that names roles.

Each check narrows the pairs that the one before left: certificates that hold, levels that the rule
covers, dispatch and party match that it accepts. So the pair that comes furthest decides.

>>> from ledger.customs.cover import home_cover
>>> from ledger.customs.status import StatusRecord
>>> from ledger.state.view import StatusEntry
>>> terms = StatusTerms(2, 2, (Role("EX"), Role("IM")), scope=Scope(roles=(Role("EX"),)))
>>> entry = StatusEntry(1, 1, 1, 0, StatusRecord(b"s" * 32, b"c" * 16, 0, 0, 0, terms))
>>> for function in ("EX", "CN", "CB"):
...     found = judge([Holding(entry, _SUSPENDED)], home_cover(function).rules, 1, "", False, None)
...     print(function, pb.Reason.Name(found.reason))
EX REASON_SUSPENDED
CN REASON_NONE
CB REASON_ROLE_NOT_COVERED
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.arrangement import Rule
from ledger.customs.holding import NOT_YET_VALID, Holding
from ledger.customs.profiles import Profiles
from ledger.customs.status import Role, Scope, StatusTerms

SATISFIED: Final[int] = pb.REASON_NONE

_CERTIFIED: Final[int] = pb.HELD_STATUS_CERTIFIED
_SUSPENDED: Final[int] = pb.HELD_STATUS_SUSPENDED
_NOT_CHECKED: Final[int] = pb.NAME_MATCH_NOT_CHECKED
_MATCHES: Final[frozenset[int]] = frozenset({pb.NAME_MATCH_EXACT, pb.NAME_MATCH_CLOSE})
_ANY_ROLE: Final = (Role(""),)
# Roles of certificates and of rules repeat: a programme has few combinations.
ROLES_REMEMBERED: Final = 4_096

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


# Where a pair stops: at check 7, 8, 9 (dispatch, then party match), or nowhere.
_HOLDS, _LEVEL, _DISPATCH, _PARTY, _PASSED = range(1, 6)
_REASONS: Final[dict[int, int]] = {
    _LEVEL: pb.REASON_LEVEL_NOT_COVERED,
    _DISPATCH: pb.REASON_DISPATCH_NOT_COVERED,
    _PARTY: pb.REASON_PARTY_MISMATCH,
}


def judge(
    held: Sequence[Holding],
    rules: Sequence[Rule],
    mode: int,
    level: str,
    dispatched: bool,
    profiles: Profiles | None,
) -> Judgement:
    """Judge the certificates `held` by `rules`, which cover direction, mode and function.

    `level` is the one asked for, or empty; `dispatched` whether the goods come from the issuer's
    territory; `profiles` is None before there are any.
    """
    furthest = 0
    left: list[tuple[Holding, Rule]] = []
    for holding in held:
        terms = holding.entry.record.terms
        for rule in rules:
            roles = _satisfying(terms.roles, rule.certified_roles, mode)
            if not roles:
                continue
            covered = rule.levels
            if holding.status != _CERTIFIED and not _spared(holding, terms, roles, mode):
                stop = _HOLDS
            elif (covered and terms.level not in covered) or (level and terms.level != level):
                stop = _LEVEL
            elif rule.dispatch_from_issuer_required and not dispatched:
                stop = _DISPATCH
            elif rule.party_match_required and not _matches(holding, profiles):
                stop = _PARTY
            else:
                stop = _PASSED
            if stop > furthest:
                furthest, left = stop, [(holding, rule)]
            elif stop == furthest:
                left.append((holding, rule))
    if furthest == _PASSED:
        return Judgement(SATISFIED, _newest(left), [rule for _, rule in left])
    if furthest == _HOLDS:
        newest = _newest([pair for pair in left if pair[0].status != NOT_YET_VALID] or left)
        return Judgement(REASON_OF_STATUS[newest.status], newest)
    if furthest:
        return Judgement(_REASONS[furthest], _newest(left))
    return Judgement(pb.REASON_ROLE_NOT_COVERED, max(held, key=_age))


def name_match(holding: Holding, profiles: Profiles | None) -> int:
    """Return how the declared name fits the profile that the certificate's record commits to."""
    commitment = holding.entry.record.profile_commitment
    if profiles is None or not commitment:
        return _NOT_CHECKED
    return profiles.get(commitment) or _NOT_CHECKED


@lru_cache(ROLES_REMEMBERED)
def _satisfying(roles: tuple[Role, ...], wanted: frozenset[str], mode: int) -> tuple[Role, ...]:
    if not wanted and not roles:
        return _ANY_ROLE
    return tuple(
        role
        for role in roles
        if (not wanted or role.code in wanted) and (not role.mode or role.mode == mode)
    )


def _spared(holding: Holding, terms: StatusTerms, roles: Sequence[Role], mode: int) -> bool:
    """Whether a scoped suspension leaves one of `roles`."""
    if holding.status != _SUSPENDED or terms.scope is None:
        return False
    scope = terms.scope
    return not all(_reached(scope, terms.level, role, mode) for role in roles)


def _matches(holding: Holding, profiles: Profiles | None) -> bool:
    return profiles is None or name_match(holding, profiles) in _MATCHES


def _reached(scope: Scope, level: str, role: Role, mode: int) -> bool:
    if level in scope.levels:
        return True
    if not role.code:
        return bool(scope.roles)
    return any(code == role.code and (not only or only == mode) for code, only in scope.roles)


def _newest(pairs: Sequence[tuple[Holding, Rule]]) -> Holding:
    """The newest by log index; within one transaction, whose order is random, by effect."""
    if len(pairs) == 1:
        return pairs[0][0]
    return max((holding for holding, _ in pairs), key=_age)


def _age(holding: Holding) -> tuple[int, int, int]:
    entry = holding.entry
    return entry.log_index, entry.record.effective_from, entry.position

"""Checks 3 and 4: is the arrangement in force between the two, and does a rule cover the question.

Of the rules that run then, from this issuer to this recogniser, those are left that cover the
direction, then the mode, then the function. At home no text is asked: EX, CZ and SE need the role
EX, IM and CN the role IM, any other function the role of its own code.

Many questions share an answer here. So an answer that rests on the whole history of an arrangement
is remembered with that history, together with the interval of as_of over which it holds. One about
goods of which the question tells when they were dispatched, accepted and so on is never remembered.

>>> from ledger.customs.arrangement import ArrangementEntry, Step
>>> from ledger.customs.arrangement_text import format_arrangement_text, parse_arrangement_text
>>> from ledger.customs.arrangement_text import pb as text_pb
>>> text = parse_arrangement_text(format_arrangement_text(text_pb.ArrangementText(
...     name="Sea", kind=text_pb.ARRANGEMENT_KIND_RECOGNITION, parties=["KR", "TW"],
...     rules=[text_pb.Rule(issuing="KR", recognising="TW", functions=["EX"], transport_modes=[1],
...                         **{"from": 100, "to": 200})], lookup_key_commitment=bytes(32))))
>>> entry = ArrangementEntry(1, 50, 0, "KR", Step("propose", text=text))
>>> agreed = ArrangementHistory.propose(b"a" * 16, entry)
>>> for party in text.parties:
...     agreed = agreed.extend(ArrangementEntry(2, 60, 1, party, Step("sign")))
>>> questions = (1, "EX", 150), (4, "EX", 150), (1, "CB", 150), (1, "EX", 99), (1, "EX", 200)
>>> for mode, function, as_of in questions:
...     cover = find_cover(agreed, "KR", "TW", 1, mode, function, as_of, known_height=2)
...     print(pb.Reason.Name(cover.reason), len(cover.rules), cover.low, cover.high)
REASON_NONE 1 100 200
REASON_MODE_NOT_COVERED 0 100 200
REASON_FUNCTION_NOT_COVERED 0 100 200
REASON_ARRANGEMENT_NOT_YET 0 0 100
REASON_ARRANGEMENT_ENDED 0 200 0
>>> [sorted(home_cover(function).rules[0].certified_roles) for function in ("SE", "CN", "CB")]
[['EX'], ['IM'], ['CB']]
"""

from functools import lru_cache
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.arrangement import IN_FORCE, ArrangementHistory, Goods, Rule

# Which certified role a declared function needs at home; any other needs the role of its own code.
HOME_ROLES: Final = {"CZ": "EX", "SE": "EX", "CN": "IM"}
# Answers kept for one arrangement: pairs, directions, modes and functions that people ask about.
COVERS_REMEMBERED: Final = 1_024


class Cover(NamedTuple):
    """The rules that cover a question, or why none does, over [low, high) of as_of.

    `reason` is `IN_FORCE` where there are rules; `low` and `high` are 0 where there is no such end.
    """

    reason: int
    in_force: bool
    rules: tuple[Rule, ...]
    low: int
    high: int


def find_cover(
    arrangement: ArrangementHistory,
    issuing: str,
    recognising: str,
    direction: int,
    mode: int,
    function: str,
    as_of: int,
    known_height: int,
    goods: Goods | None = None,
) -> Cover:
    """Return what covers goods and function as of an instant, by what was known at a height.

    `goods`: when they were dispatched and when their events were, where the question says so.
    """
    if goods is not None or known_height < arrangement.newest_height:
        return _cover(
            arrangement, issuing, recognising, direction, mode, function, as_of, known_height, goods
        )
    remembered = arrangement.covers
    question = (issuing, recognising, direction, mode, function)
    found: Cover | None = remembered.get(question)
    if found is None or as_of < found.low or (found.high and as_of >= found.high):
        found = _cover(
            arrangement, issuing, recognising, direction, mode, function, as_of, known_height
        )
        if len(remembered) >= COVERS_REMEMBERED:
            remembered.clear()
        remembered[question] = found
    return found


@lru_cache(64)
def home_cover(function: str) -> Cover:
    """Return the rule that stands in for a text where issuer and recogniser are the same."""
    role = HOME_ROLES.get(function, function)
    any_code: frozenset[str] = frozenset()
    any_number: frozenset[int] = frozenset()
    rule = Rule(
        issuing="",
        recognising="",
        begin=0,
        end=0,
        functions=any_code,
        certified_roles=frozenset({role}),
        levels=any_code,
        directions=any_number,
        transport_modes=any_number,
        benefits=(),
        party_match_required=False,
        dispatch_from_issuer_required=False,
        relevant_event=0,
        goods_under_way=0,
    )
    return Cover(IN_FORCE, True, (rule,), 0, 0)


def narrow(as_of: int, low: int, high: int, instants: list[int]) -> tuple[int, int]:
    """Narrow [low, high) around as_of to where none of `instants` lies inside."""
    for instant in instants:
        if instant <= as_of:
            low = max(low, instant)
        elif not high or instant < high:
            high = instant
    return low, high


def _cover(
    arrangement: ArrangementHistory,
    issuing: str,
    recognising: str,
    direction: int,
    mode: int,
    function: str,
    as_of: int,
    known_height: int,
    goods: Goods | None = None,
) -> Cover:
    standing, rules = arrangement.standing(issuing, recognising, as_of, known_height, goods)
    instants = arrangement.boundaries(issuing, recognising, known_height, goods)
    low, high = narrow(as_of, 0, 0, instants)
    if standing != IN_FORCE:
        return Cover(standing, False, (), low, high)
    rules = tuple([rule for rule in rules if not rule.directions or direction in rule.directions])
    if not rules:
        return Cover(pb.REASON_DIRECTION_NOT_COVERED, True, (), low, high)
    rules = tuple(
        [rule for rule in rules if not rule.transport_modes or mode in rule.transport_modes]
    )
    if not rules:
        return Cover(pb.REASON_MODE_NOT_COVERED, True, (), low, high)
    rules = tuple([rule for rule in rules if not rule.functions or function in rule.functions])
    if not rules:
        return Cover(pb.REASON_FUNCTION_NOT_COVERED, True, (), low, high)
    return Cover(IN_FORCE, True, rules, low, high)

"""What to think twice about in a text that is well formed: nothing here refuses it.

The Trade Facilitation Agreement (article 7.7) wants criteria for authorised operators that, as far
as possible, do not restrict the participation of small and medium-sized enterprises. A rule has no
condition on the size of an operator; it shuts small ones out through the levels and roles that it
names, where the issuer's programme grants those to large ones alone. Whether it does, the
certificates known can tell: those of the issuer that somebody has published, with the operator
class that they state.

    SMALL_OPERATORS_SHUT_OUT   small operators of the issuer hold certificates, none of which
                               satisfies the rule, while those of others do
    LEVELS_NAMED               the rule names levels, and the certificates known cannot tell: none
                               is a small operator's, or nobody's satisfies the rule

*Small* are the classes micro and small, by the issuer's own definition. A certificate that states
no class counts as another's.

>>> from ledger.customs.arrangement_text import format_arrangement_text, parse_arrangement_text, pb
>>> text = parse_arrangement_text(format_arrangement_text(pb.ArrangementText(
...     name="A", kind=1, parties=["KR", "TW"], lookup_key_commitment=bytes(32),
...     rules=[pb.Rule(issuing="KR", recognising="TW", certified_roles=["EX"], levels=["AAA"])])))
>>> [warning.code for warning in warnings_of(text)]
['LEVELS_NAMED']
>>> large, small = Certificate("KR", ("EX",), "AAA"), Certificate("KR", ("EX",), "A", small=True)
>>> print(warnings_of(text, [large, small])[0])
the rule from KR to TW shuts out small operators: none of the 1 certificates that they are known \
to hold satisfies it (TFA 7.7)
>>> warnings_of(text, [large, small._replace(level="AAA")])
()
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from aeo.ledger.v1 import status_pb2
from ledger.customs.arrangement_text import ArrangementText, Rule
from ledger.customs.status import StatusTerms

LEVELS_NAMED: Final = "LEVELS_NAMED"
SMALL_OPERATORS_SHUT_OUT: Final = "SMALL_OPERATORS_SHUT_OUT"

SMALL_CLASSES: Final[frozenset[int]] = frozenset(
    {status_pb2.OPERATOR_CLASS_MICRO, status_pb2.OPERATOR_CLASS_SMALL}
)


class Certificate(NamedTuple):
    """A certificate that is known: whose, for which roles, at which level, of a small operator?"""

    issuing: str
    roles: tuple[str, ...]
    level: str
    small: bool = False

    @classmethod
    def of(cls, issuing: str, terms: StatusTerms) -> "Certificate":
        """As a status record states it."""
        roles = tuple(role.code for role in terms.roles)
        return cls(issuing, roles, terms.level, terms.operator_class in SMALL_CLASSES)


class TextWarning(NamedTuple):
    """A code of this module, and the rule that it is about: its place in the text, and its pair."""

    code: str
    place: int
    issuing: str
    recognising: str
    message: str

    def __str__(self) -> str:
        return self.message


def warnings_of(
    text: ArrangementText, certificates: Iterable[Certificate] = ()
) -> tuple[TextWarning, ...]:
    """What a text's parties should think twice about, in the order of its rules."""
    # Many traders, few kinds of certificate.
    known: dict[Certificate, int] = {}
    for certificate in certificates:
        known[certificate] = known.get(certificate, 0) + 1
    found = []
    for place, rule in enumerate(text.rules):
        said = _warn(rule, known)
        if said is not None:
            code, message = said
            found.append(TextWarning(code, place, rule.issuing, rule.recognising, message))
    return tuple(found)


def _warn(rule: Rule, known: dict[Certificate, int]) -> tuple[str, str] | None:
    of_issuer = {each: count for each, count in known.items() if each.issuing == rule.issuing}
    small = {each: count for each, count in of_issuer.items() if each.small}
    satisfied = [each for each in of_issuer if _satisfies(each, rule)]
    between = f"the rule from {rule.issuing} to {rule.recognising}"
    if not small or not satisfied:
        if not rule.levels:
            return None
        levels = ", ".join(sorted(rule.levels))
        return LEVELS_NAMED, (
            f"{between} takes certificates of level {levels} alone; whether small operators hold"
            " them is not known (TFA 7.7)"
        )
    if any(each.small for each in satisfied):
        return None
    return SMALL_OPERATORS_SHUT_OUT, (
        f"{between} shuts out small operators: none of the {sum(small.values())} certificates that"
        " they are known to hold satisfies it (TFA 7.7)"
    )


def _satisfies(certificate: Certificate, rule: Rule) -> bool:
    by_level = not rule.levels or certificate.level in rule.levels
    by_role = not rule.certified_roles or not rule.certified_roles.isdisjoint(certificate.roles)
    return by_level and by_role

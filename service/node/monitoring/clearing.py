"""Declarations as they were cleared: judged one by one, then keyed.

Time runs from lodgement to release (stage 1) and from arrival to delivery (stage 2). A release
before arrival counts as zero in stage 1, since nobody waited for the goods, and is flagged. What is
not known stays not known: it is never zero.

>>> clearance = pb.Clearance(
...     declaration="D-1", operator="TW123", lodged_at=1_000, released_at=9_000, arrived_at=9_500,
...     delivered_at=9_900, transport_mode=4, clearance_mode=1, partner="KR")
>>> made = read_clearance(clearance, lambda kind, text: text.encode(), set(), "TW", 10_000)
>>> made.stage_1, made.before_arrival, made.stage_2, made.customs
(0, True, 400, None)
"""

from collections.abc import Callable, Container
from typing import Final

from aeo.exchange.v1 import reporting_service_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2, report_pb2
from ledger.chain.economy import parse_economy
from ledger.customs.arrangement_text import CODE_FORM
from ledger.customs.status import INSTANT_LIMIT, MODES
from ledger.errors import FormatError
from service.node.monitoring.aggregates import format_benefits
from service.node.publishing.targets import RowFault
from service.store.home.clearances import Cleared

CLEARANCE_CODES: Final[dict[str, str]] = {
    "DECLARATION_MALFORMED": "a declaration's number has 1 to 256 characters",
    "DECLARATION_KNOWN": "the declaration has been recorded before",
    "OPERATOR_MALFORMED": "an operator's number has 1 to 256 characters",
    "TIMES_MISSING": "lodgement and release must be known",
    "TIMES_OUT_OF_ORDER": "release is before lodgement, delivery before arrival, or a time to come",
    "MODE_UNKNOWN": "a mode of transport is 1 to 8",
    "CLEARANCE_MODE_UNKNOWN": "clearance is free, by paper review or by cargo examination",
    "PARTNER_MALFORMED": "the partner is an economy of two letters, and not one's own",
    "ARRANGEMENT_UNKNOWN": "recognised under no signed arrangement of the member",
    "BENEFIT_MALFORMED": "benefits have a code and a grantor, and go to who was recognised",
    "PARTIES_MALFORMED": "more parties are certified than were declared",
    "TIME_TAKEN_MALFORMED": "more time went to somebody than passed until release",
    "VALUE_MALFORMED": "a value is below 2^63",
}
# Of a declaration's own number, or an operator's.
TEXT_LIMIT: Final = 256
_COUNT_LIMIT: Final = 1 << 31

KeyOf = Callable[[bytes, str], bytes]


class Faulty(Exception):
    """One declaration is faulty; `fault` says why, without its numbers."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.fault = RowFault(code, CLEARANCE_CODES[code])


def read_clearance(
    clearance: pb.Clearance, key: KeyOf, own: Container[bytes], economy: str, now: int
) -> Cleared:
    """A declaration as it is kept; raises `Faulty`.

    `key` keys a text of a kind, `own` are the signed arrangements of `economy`.
    """
    declaration, operator = clearance.declaration.strip(), clearance.operator.strip()
    if not 1 <= len(declaration) <= TEXT_LIMIT:
        raise Faulty("DECLARATION_MALFORMED")
    if not 1 <= len(operator) <= TEXT_LIMIT:
        raise Faulty("OPERATOR_MALFORMED")
    _check_times(clearance, now)
    if clearance.transport_mode not in MODES:
        raise Faulty("MODE_UNKNOWN")
    if clearance.clearance_mode not in report_pb2.ClearanceMode.values()[1:]:
        raise Faulty("CLEARANCE_MODE_UNKNOWN")
    recognised = clearance.recognised_under
    if recognised and recognised not in own:
        raise Faulty("ARRANGEMENT_UNKNOWN")
    if not clearance.certified_parties <= clearance.parties < _COUNT_LIMIT:
        raise Faulty("PARTIES_MALFORMED")
    if clearance.value >= INSTANT_LIMIT:
        raise Faulty("VALUE_MALFORMED")
    arrived = clearance.arrived_at
    waited = clearance.released_at - clearance.lodged_at
    taken = {
        who: getattr(clearance, f"taken_by_{who}")
        if clearance.HasField(f"taken_by_{who}")
        else None
        for who in ("customs", "agency", "trader", "port")
    }
    if sum(each or 0 for each in taken.values()) > waited:
        raise Faulty("TIME_TAKEN_MALFORMED")
    early = clearance.released_at < arrived if arrived else None
    known = arrived and clearance.delivered_at
    return Cleared(
        declaration=key(b"declaration", declaration),
        operator=key(b"operator", operator.upper()),
        partner=_partner(clearance, economy),
        released_at=clearance.released_at,
        stage_1=0 if early else waited,
        stage_2=clearance.delivered_at - arrived if known else None,
        before_arrival=early,
        transport_mode=clearance.transport_mode,
        clearance_mode=clearance.clearance_mode,
        recognised_under=recognised,
        certified=clearance.certified,
        benefits=_benefits(clearance),
        value=clearance.value,
        direct_trade=clearance.direct_trade,
        small_or_medium=clearance.small_or_medium,
        parties=clearance.parties,
        certified_parties=clearance.certified_parties,
        **taken,
    )


def _check_times(clearance: pb.Clearance, now: int) -> None:
    lodged, released = clearance.lodged_at, clearance.released_at
    arrived, delivered = clearance.arrived_at, clearance.delivered_at
    if not (lodged and released):
        raise Faulty("TIMES_MISSING")
    times = [lodged, released, arrived, delivered]
    if (
        min(times) < 0
        or released < lodged
        or max(released, delivered) > now
        or (delivered and delivered < arrived)
    ):
        raise Faulty("TIMES_OUT_OF_ORDER")


def _partner(clearance: pb.Clearance, economy: str) -> str:
    if not clearance.partner:
        if clearance.recognised_under:
            return ""
        raise Faulty("PARTNER_MALFORMED")
    try:
        partner = parse_economy(clearance.partner.encode())
    except FormatError:
        raise Faulty("PARTNER_MALFORMED") from None
    if partner == economy:
        raise Faulty("PARTNER_MALFORMED")
    return partner


def _benefits(clearance: pb.Clearance) -> str:
    given = [(benefit.code, benefit.granted_by) for benefit in clearance.benefits_given]
    if given and not clearance.recognised_under:
        raise Faulty("BENEFIT_MALFORMED")
    for code, granted_by in given:
        if code not in arrangement_pb2.BenefitCode.values()[1:] or not CODE_FORM.fullmatch(
            granted_by
        ):
            raise Faulty("BENEFIT_MALFORMED")
    return format_benefits(given)

"""A verdict in words: for an officer at a border, and as JSON.

The words are for people; programs act on the codes, which stand in the JSON as the protocol names
them, without their prefixes.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import verdict_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2
from service.cli.civil import format_day, format_instant, format_last_day
from service.cli.output import facts, plain

REASONS: Final[Mapping[int, str]] = {
    pb.REASON_NONE: "every check passed",
    pb.REASON_TIN_MALFORMED: "this is not a trader identification number",
    pb.REASON_ALIAS_UNKNOWN: "no trader is known by this other number or name",
    pb.REASON_ALIAS_AMBIGUOUS: "the number can be read in two ways, or stands for several traders",
    pb.REASON_KNOWN_AT_BEFORE_GENESIS: "the ledger did not exist yet at the time asked for",
    pb.REASON_ISSUER_UNKNOWN: "no member of the network speaks for this number's prefix",
    pb.REASON_NO_ARRANGEMENT: "there is no signed arrangement with the issuer",
    pb.REASON_ARRANGEMENT_NOT_YET: "the arrangement with the issuer does not apply yet",
    pb.REASON_ARRANGEMENT_SUSPENDED: "the arrangement with the issuer is suspended",
    pb.REASON_ARRANGEMENT_ENDED: "the arrangement with the issuer has ended",
    pb.REASON_DIRECTION_NOT_COVERED: "the arrangement does not cover this direction",
    pb.REASON_MODE_NOT_COVERED: "the arrangement does not cover this mode of transport",
    pb.REASON_FUNCTION_NOT_COVERED: "the arrangement does not cover this party's function",
    pb.REASON_NO_RECORD: "nothing is published on this trader under the arrangement",
    pb.REASON_ROLE_NOT_COVERED: "no certificate of the trader is for this function",
    pb.REASON_NOT_YET_VALID: "the certificate is not valid yet",
    pb.REASON_ANNULLED: "the certificate was annulled",
    pb.REASON_REVOKED: "the certificate was revoked",
    pb.REASON_WITHDRAWN: "the trader has left the programme",
    pb.REASON_NOT_SHARED: "the issuer no longer shares this trader's status",
    pb.REASON_EXPIRED: "the certificate has expired",
    pb.REASON_SUSPENDED: "the certificate is suspended",
    pb.REASON_LEVEL_NOT_COVERED: "the arrangement does not cover the certificate's level",
    pb.REASON_DISPATCH_NOT_COVERED: "no dispatch from the issuer's territory was declared",
    pb.REASON_PARTY_MISMATCH: "the name declared does not match the certificate holder's",
    pb.REASON_LEDGER_STALE: "this node's ledger is too old to rely on",
    pb.REASON_ISSUER_STALE: "the issuer has been silent for too long to rely on its word",
    pb.REASON_NO_RECOGNITION: "the arrangement exchanges information; it gives no benefits",
}

_OUTCOMES: Final[Mapping[int, tuple[str, str]]] = {
    pb.OUTCOME_RECOGNISED: ("RECOGNISED", "bold green"),
    pb.OUTCOME_INFORMATION_ONLY: ("INFORMATION ONLY", "bold cyan"),
    pb.OUTCOME_NOT_RECOGNISED: ("NOT RECOGNISED", "bold red"),
    pb.OUTCOME_UNDETERMINED: ("UNDETERMINED", "bold yellow"),
}
_CHANGES: Final[Mapping[int, str]] = {
    pb.TIN_CHANGE_TRIMMED: "blanks around it dropped",
    pb.TIN_CHANGE_UPPER_CASED: "brought to capital letters",
    pb.TIN_CHANGE_SEPARATORS_DROPPED: "spaces or hyphens dropped",
    pb.TIN_CHANGE_AEO_DROPPED: "a leading AEO dropped",
}
_FINALITY: Final[Mapping[str, str]] = {
    "RECORDED": "recorded, not yet attested by a third of the members",
    "ATTESTED": "attested by more than a third of the members",
    "SEALED": "sealed by more than two thirds of the members",
}
# What was declared beside what the trader's profile says. Where nothing was compared, none stands.
_NAMES: Final[Mapping[int, str]] = {
    pb.NAME_MATCH_EXACT: "the one on file",
    pb.NAME_MATCH_CLOSE: "close to the one on file",
    pb.NAME_MATCH_DIFFERENT: "NOT the one on file: is this the certificate's holder?",
    pb.NAME_MATCH_NOT_COMPARABLE: "in another script than the one on file: not compared",
}
# Outcomes with which `aeo lookup` ends well.
POSITIVE: Final = frozenset({pb.OUTCOME_RECOGNISED, pb.OUTCOME_INFORMATION_ONLY})


def describe(verdict: pb.Verdict, finality: str, names: Mapping[bytes, str]) -> dict[str, Any]:
    """A verdict as JSON has it. `names` are those of arrangements, by id."""
    return {
        "tin": verdict.tin,
        "outcome": pb.Outcome.Name(verdict.outcome).removeprefix("OUTCOME_"),
        "reason": pb.Reason.Name(verdict.reason).removeprefix("REASON_"),
        "message": REASONS.get(verdict.reason, ""),
        "basis": pb.Basis.Name(verdict.basis).removeprefix("BASIS_"),
        "status": pb.HeldStatus.Name(verdict.status).removeprefix("HELD_STATUS_"),
        "level": verdict.level,
        "valid_from": verdict.valid_from or None,
        "valid_to": verdict.valid_to or None,
        "issuing_economy": verdict.issuing_economy,
        "recognising_economy": verdict.recognising_economy,
        "arrangement_id": verdict.arrangement_id.hex(),
        "arrangement": names.get(verdict.arrangement_id, ""),
        "arrangements": [
            {
                "arrangement_id": each.arrangement_id.hex(),
                "arrangement": names.get(each.arrangement_id, ""),
                "outcome": pb.Outcome.Name(each.outcome).removeprefix("OUTCOME_"),
                "reason": pb.Reason.Name(each.reason).removeprefix("REASON_"),
            }
            for each in verdict.arrangements
        ],
        "benefits": [
            {
                "code": _benefit(benefit),
                "granted_by": benefit.granted_by,
                "instruction": benefit.instruction,
            }
            for benefit in verdict.benefits
        ],
        "informed": verdict.informed,
        "as_of": verdict.as_of,
        "known_at": verdict.known_at,
        "holds_from": verdict.holds_from or None,
        "holds_to": verdict.holds_to or None,
        "issuer_seen": verdict.issuer_seen or None,
        "attested_time": verdict.attested_time or None,
        "cache_until": verdict.cache_until or None,
        "height": verdict.height,
        "header_hash": verdict.header_hash.hex(),
        "finality": finality,
        "name_match": pb.NameMatch.Name(verdict.name_match).removeprefix("NAME_MATCH_"),
        "tin_changes": [
            pb.TinChange.Name(each).removeprefix("TIN_CHANGE_") for each in verdict.tin_changes
        ],
        "tin_warnings": [
            pb.TinWarning.Name(each).removeprefix("TIN_WARNING_") for each in verdict.tin_warnings
        ],
        "pilot": verdict.pilot,
        "rules_version": verdict.rules_version,
    }


def text(
    asked: str,
    verdict: pb.Verdict,
    finality: str,
    *,
    names: Mapping[bytes, str],
    time_zone: Callable[[str], str],
) -> Group:
    """A verdict for people: dates of the certificate in the issuer's zone, the rest in ours."""
    said, style = _OUTCOMES.get(verdict.outcome, ("NO ANSWER", "bold yellow"))
    there, here = time_zone(verdict.issuing_economy), time_zone(verdict.recognising_economy)
    heading = Text.assemble(
        (said, style), "  ", (plain(verdict.tin or asked), "bold"), f"\n{_why(verdict)}\n"
    )
    rows = [
        ("name", _NAMES.get(verdict.name_match, "")),
        ("status", _status(verdict)),
        ("valid", _validity(verdict, there)),
        ("arrangement", _arrangement(verdict, names)),
        ("issuer", _seen(verdict, here)),
        ("holds", _holds(verdict, here)),
        ("ledger", f"height {verdict.height}, {_FINALITY.get(finality, 'finality not said')}"),
        ("number", _number(asked, verdict)),
        ("note", "a pilot: one operator may hold all keys" if verdict.pilot else ""),
    ]
    benefits = [
        (
            "benefit",
            f"{_benefit(benefit).replace('_', ' ').lower()} ({benefit.granted_by})"
            + (f": {benefit.instruction}" if benefit.instruction else ""),
        )
        for benefit in verdict.benefits
    ]
    return Group(heading, facts([*rows[:4], *benefits, *rows[4:]]))


def _why(verdict: pb.Verdict) -> str:
    why = REASONS.get(verdict.reason, "the question could not be read")
    return why[0].upper() + why[1:] + "."


def _status(verdict: pb.Verdict) -> str:
    if not verdict.status:
        return ""
    held = pb.HeldStatus.Name(verdict.status).removeprefix("HELD_STATUS_")
    level = f", level {verdict.level}" if verdict.level else ""
    return held.replace("_", " ").lower() + level


def _validity(verdict: pb.Verdict, zone: str) -> str:
    if not verdict.valid_from:
        return ""
    end = format_last_day(verdict.valid_to, zone)
    begin = format_day(verdict.valid_from, zone)
    return f"from {begin} {f'to {end}' if end else 'without end'} ({zone}, last day included)"


def _arrangement(verdict: pb.Verdict, names: Mapping[bytes, str]) -> str:
    if verdict.basis == pb.BASIS_HOME:
        return "none needed: your own trader"
    if not verdict.arrangement_id:
        return ""
    name = names.get(verdict.arrangement_id, "")
    return f"{name} ({verdict.arrangement_id.hex()})" if name else verdict.arrangement_id.hex()


def _seen(verdict: pb.Verdict, zone: str) -> str:
    if not verdict.issuing_economy:
        return ""
    seen = format_instant(verdict.issuer_seen, zone)
    return (
        f"{verdict.issuing_economy}, last heard of at {seen}"
        if seen
        else (f"{verdict.issuing_economy}, never heard of")
    )


def _holds(verdict: pb.Verdict, zone: str) -> str:
    asked = f"as of {format_instant(verdict.as_of, zone)}"
    begin, end = format_instant(verdict.holds_from, zone), format_instant(verdict.holds_to, zone)
    interval = " ".join(
        part for part in (f"from {begin}" if begin else "", f"until {end}" if end else "") if part
    )
    return f"{asked}; the same {interval}" if interval else asked


def _number(asked: str, verdict: pb.Verdict) -> str:
    parts = [_CHANGES[each] for each in verdict.tin_changes if each in _CHANGES]
    said = f"{asked!r} was read as {verdict.tin}: {', '.join(parts)}" if parts else ""
    if pb.TIN_WARNING_CHECK_DIGIT in verdict.tin_warnings:
        warning = "its check digit does not fit: was it mistyped?"
        said = f"{said}; {warning}" if said else warning
    return said


def _benefit(benefit: pb.GrantedBenefit) -> str:
    return arrangement_pb2.BenefitCode.Name(benefit.code).removeprefix("BENEFIT_CODE_")

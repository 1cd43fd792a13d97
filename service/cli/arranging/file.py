"""An arrangement's text as people write it: TOML, with civil dates and plain codes.

    name = "HK-NZ"
    kind = "RECOGNITION"                # or INFORMATION
    parties = ["HK", "NZ"]
    consent_required = false
    staleness_minutes = 60              # without it: the network's default
    notice_days = 90
    supply_chain_roles = []             # that a whole chain needs
    staged_starts = false               # each party names the day on which it starts

    [monitoring]                        # without it: nothing is owed
    period_days = 90
    reports = ["RELEASE-TIMES"]

    [[rule]]                            # one for each pair; an empty list means any
    issuing = "HK"
    recognising = "NZ"
    from = 2026-01-01                   # begins in the recogniser's time zone
    to = 2029-12-31                     # the last day; without it: no end
    functions = ["EX", "CZ", "SE", "MF"]
    certified_roles = ["EX"]
    levels = []
    directions = ["IMPORT"]
    transport_modes = [1, 4]
    benefits = ["LOWER_INSPECTION_RATE", "PRIORITY_INSPECTION by MPI"]
    party_match_required = false
    dispatch_from_issuer_required = false
    relevant_event = "ACCEPTANCE"       # or ARRIVAL, RELEASE
    goods_under_way = "HONOURED"        # or NOT_HONOURED

A benefit is granted by CUSTOMS unless an agency is named. The node adds the commitment to the
lookup key.

>>> text = read_arrangement('''
... name = "HK-NZ"
... kind = "RECOGNITION"
... parties = ["NZ", "HK"]
... [[rule]]
... issuing = "HK"
... recognising = "NZ"
... from = 2026-01-01
... directions = ["IMPORT"]
... ''', {"HK": "Asia/Hong_Kong", "NZ": "Pacific/Auckland"}.get)
>>> list(text.parties), getattr(text.rules[0], "from")
(['HK', 'NZ'], 1767178800000)
"""

import tomllib
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any, Final

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from aeo.ledger.v1 import arrangement_pb2 as pb
from service.cli.civil import parse_instant
from service.cli.errors import InputRefused

# As large as the ledger takes a text, with room for comments.
ARRANGEMENT_FILE_LIMIT: Final = 1 << 20

_TEXT: Final[dict[str, type]] = {
    "name": str,
    "kind": str,
    "parties": list,
    "consent_required": bool,
    "staleness_minutes": int,
    "notice_days": int,
    "supply_chain_roles": list,
    "staged_starts": bool,
    "monitoring": dict,
    "rule": list,
}
_MONITORING: Final[dict[str, type]] = {"period_days": int, "reports": list}
_RULE: Final[dict[str, type]] = {
    "issuing": str,
    "recognising": str,
    "from": date,
    "to": date,
    "functions": list,
    "certified_roles": list,
    "levels": list,
    "directions": list,
    "transport_modes": list,
    "benefits": list,
    "party_match_required": bool,
    "dispatch_from_issuer_required": bool,
    "relevant_event": str,
    "goods_under_way": str,
}


def read_arrangement(text: str, time_zone: Callable[[str], str | None]) -> pb.ArrangementText:
    """Read a text; `time_zone` knows each member's. `InputRefused` names the key at fault."""
    if len(text) > ARRANGEMENT_FILE_LIMIT:
        raise InputRefused("an arrangement's text has at most 1 MiB")
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(f"not TOML: {error}") from None
    _check(said, _TEXT, ("name", "kind", "parties"), "")
    for name in ("staleness_minutes", "notice_days"):
        if not 0 <= said.get(name, 0) < 1 << 31:
            raise InputRefused(f"{name} must be a number from 0 on")
    return pb.ArrangementText(
        name=said["name"],
        kind=_code(pb.ArrangementKind, "ARRANGEMENT_KIND_", said["kind"], "kind"),
        parties=_strings(said, "parties"),
        consent_required=said.get("consent_required", False),
        staleness_limit=said.get("staleness_minutes", 0) * 60_000,
        notice_days=said.get("notice_days", 0),
        supply_chain_roles=_strings(said, "supply_chain_roles"),
        staged_starts=said.get("staged_starts", False),
        monitoring=_monitoring(said["monitoring"]) if "monitoring" in said else None,
        rules=[
            _rule(rule, f"rule {number}: ", time_zone)
            for number, rule in enumerate(said.get("rule", ()), 1)
        ],
    )


def _monitoring(said: dict[str, Any]) -> pb.MonitoringClause:
    _check(said, _MONITORING, ("period_days", "reports"), "monitoring: ")
    if not 1 <= said["period_days"] <= 36_525:
        raise InputRefused("monitoring: period_days are 1 to 36525")
    reports = _strings(said, "reports", "monitoring: ")
    return pb.MonitoringClause(period_days=said["period_days"], reports=reports)


def _rule(said: Any, where: str, time_zone: Callable[[str], str | None]) -> pb.Rule:
    if not isinstance(said, dict):
        raise InputRefused(f"{where}must be a table: [[rule]]")
    _check(said, _RULE, ("issuing", "recognising", "from"), where)
    zone = time_zone(said["recognising"])
    if zone is None:
        raise InputRefused(f"{where}recognising: {said['recognising']} is not a member")
    rule = pb.Rule(
        issuing=said["issuing"],
        recognising=said["recognising"],
        functions=_strings(said, "functions", where),
        certified_roles=_strings(said, "certified_roles", where),
        levels=_strings(said, "levels", where),
        directions=sorted(
            _code(pb.Direction, "DIRECTION_", each, f"{where}directions")
            for each in _strings(said, "directions", where)
        ),
        transport_modes=sorted(_modes(said, where)),
        benefits=_benefits(said, where),
        party_match_required=said.get("party_match_required", False),
        dispatch_from_issuer_required=said.get("dispatch_from_issuer_required", False),
    )
    for name, kind, prefix in (
        ("relevant_event", pb.RelevantEvent, "RELEVANT_EVENT_"),
        ("goods_under_way", pb.GoodsUnderWay, "GOODS_UNDER_WAY_"),
    ):
        if name in said:
            setattr(rule, name, _code(kind, prefix, said[name], where + name))
    # `from` is a word of Python's own.
    setattr(rule, "from", parse_instant(said["from"].isoformat(), zone))
    if "to" in said:
        rule.to = parse_instant(said["to"].isoformat(), zone, last_day=True)
    return rule


def _check(
    said: Mapping[str, Any], known: Mapping[str, type], needed: Collection[str], where: str
) -> None:
    for name in needed:
        if name not in said:
            raise InputRefused(f"{where}{name} is missing")
    for name, value in said.items():
        if name not in known:
            raise InputRefused(f"{where}{name} is none of {', '.join(known)}")
        if type(value) is not known[name]:
            raise InputRefused(f"{where}{name} must be of type {known[name].__name__}")


def _strings(said: Mapping[str, Any], name: str, where: str = "") -> list[str]:
    values = said.get(name, [])
    if not all(isinstance(value, str) for value in values):
        raise InputRefused(f"{where}{name} must be a list of strings")
    return sorted(set(values))


def _modes(said: Mapping[str, Any], where: str) -> set[int]:
    modes = said.get("transport_modes", [])
    if not all(type(mode) is int and 1 <= mode <= 8 for mode in modes):
        raise InputRefused(f"{where}transport_modes are 1 to 8")
    return set(modes)


def _benefits(said: Mapping[str, Any], where: str) -> list[pb.Benefit]:
    pairs = set()
    for text in _strings(said, "benefits", where):
        code, _, granted_by = text.partition(" by ")
        number = _code(pb.BenefitCode, "BENEFIT_CODE_", code, f"{where}benefits")
        pairs.add((number, granted_by.strip() or "CUSTOMS"))
    return [pb.Benefit(code=code, granted_by=granted_by) for code, granted_by in sorted(pairs)]


def _code(kind: EnumTypeWrapper, prefix: str, text: str, where: str) -> Any:
    names = [name.removeprefix(prefix) for name in kind.keys()[1:]]
    if text not in names:
        raise InputRefused(f"{where}: {text} is none of {', '.join(names)}")
    return kind.Value(prefix + text)

"""An arrangement as commands show it, and a step of one that waits for a second person."""

from typing import Any

from google.protobuf.json_format import MessageToDict
from rich.console import Group
from rich.table import Table
from rich.text import Text

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2 as text_pb
from service.api.counted import counted
from service.cli.civil import format_day, format_instant, format_last_day
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, show, table
from service.cli.publishing.pending import show_pending
from service.client import Pending


def describe(arrangement: pb.Arrangement) -> dict[str, Any]:
    """An arrangement as JSON has it; `text` is in protobuf's own JSON, with the field names."""
    return {
        "arrangement_id": arrangement.arrangement_id.hex(),
        "name": arrangement.text.name,
        "kind": kind_of(arrangement),
        "parties": list(arrangement.text.parties),
        "state": state_of(arrangement),
        "proposer": arrangement.proposer,
        "text_hash": arrangement.text_hash.hex(),
        "signatures": [
            {"economy": each.economy, "time": each.time, "height": each.height}
            for each in arrangement.signatures
        ],
        "suspended_by": list(arrangement.suspended_by),
        "ended_from": arrangement.ended_from or None,
        "text": MessageToDict(arrangement.text, preserving_proto_field_name=True),
        "amendment_hash": arrangement.amendment_hash.hex() or None,
        "amendment_signatures": [each.economy for each in arrangement.amendment_signatures],
        "amendment": amendment_of(arrangement),
        "starts": {
            each.economy: {day.recognising: getattr(day, "from") for day in each.starts}
            for each in arrangement.starts
        },
        "epoch": arrangement.epoch,
        "pending_epoch": arrangement.pending_epoch or None,
        "republished": list(arrangement.republished),
    }


def amendment_of(arrangement: pb.Arrangement) -> dict[str, Any] | None:
    """The new text that waits, as JSON has it."""
    if not arrangement.amendment_bytes:
        return None
    text = text_pb.ArrangementText.FromString(arrangement.amendment_bytes)
    return MessageToDict(text, preserving_proto_field_name=True)


def find(network: NetworkFacts, text: str) -> pb.Arrangement:
    """The arrangement that a name or an id stands for."""
    arrangement_id = network.arrangement_id(text)
    return next(each for each in network.arrangements if each.arrangement_id == arrangement_id)


def tell(
    made: pb.Arrangement | Pending[pb.Arrangement], network: NetworkFacts, *, as_json: bool
) -> None:
    """Show an arrangement after a step, or that the step waits for a second person."""
    if isinstance(made, Pending):
        show_pending(made.step, as_json=as_json)
    else:
        show_arrangement(made, network, as_json=as_json)


def show_arrangement(arrangement: pb.Arrangement, network: NetworkFacts, *, as_json: bool) -> None:
    """Show one."""
    show(describe(arrangement), lambda: arrangement_text(arrangement, network), as_json=as_json)


def arrangement_text(arrangement: pb.Arrangement, network: NetworkFacts) -> Group:
    """An arrangement for people; where an amendment waits, its text follows."""
    shown: list[Table | Text] = [
        _life(arrangement, network),
        Text(),
        _rules(arrangement.text, network),
    ]
    if arrangement.amendment_bytes:
        text = text_pb.ArrangementText.FromString(arrangement.amendment_bytes)
        signed = ", ".join(sorted(each.economy for each in arrangement.amendment_signatures))
        waits = [
            ("amendment", text.name),
            ("parties", ", ".join(text.parties)),
            ("signed by", signed or "nobody yet"),
            ("text hash", arrangement.amendment_hash.hex()),
        ]
        shown += [Text(), facts(waits), Text(), _rules(text, network)]
    return Group(*shown)


def _rules(text: text_pb.ArrangementText, network: NetworkFacts) -> Table:
    rows = [_rule(rule, network.time_zone(rule.recognising)) for rule in text.rules]
    headings = ("rule", "from", "to", "functions", "roles", "levels", "directions", "modes")
    return table(*headings, "benefits", rows=rows)


def _starts(arrangement: pb.Arrangement, network: NetworkFacts) -> str:
    """The day that each party has named, in its own zone."""
    named = []
    for each in arrangement.starts:
        days = {day.recognising: getattr(day, "from") for day in each.starts}
        zone = network.time_zone(each.economy)
        named.append(f"{each.economy} on {format_day(days.get(each.economy, 0), zone)}")
    return ", ".join(named)


def _life(arrangement: pb.Arrangement, network: NetworkFacts) -> Table:
    text = arrangement.text
    signed = {each.economy for each in arrangement.signatures}
    state = state_of(arrangement).replace("_", " ").lower()
    return facts(
        [
            ("name", text.name),
            ("id", arrangement.arrangement_id.hex()),
            ("kind", kind_of(arrangement).lower()),
            ("state", state),
            ("parties", ", ".join(text.parties)),
            ("signed by", ", ".join(sorted(signed)) or "nobody yet"),
            ("not yet by", ", ".join(each for each in text.parties if each not in signed)),
            ("suspended by", ", ".join(arrangement.suspended_by)),
            ("ends", format_instant(arrangement.ended_from)),
            ("notice", counted(text.notice_days, "day") if text.notice_days else "none"),
            ("consent", "operators must consent" if text.consent_required else "not asked for"),
            (
                "stale after",
                counted(text.staleness_limit // 60_000, "minute")
                if text.staleness_limit
                else "default",
            ),
            ("starts", _starts(arrangement, network)),
            ("lookup key", f"epoch {arrangement.epoch}"),
            (
                "next lookup key",
                f"epoch {arrangement.pending_epoch}, republished by "
                + (", ".join(arrangement.republished) or "nobody yet")
                if arrangement.pending_epoch
                else "",
            ),
            ("text hash", arrangement.text_hash.hex()),
        ]
    )


def _rule(rule: text_pb.Rule, zone: str) -> tuple[str, ...]:
    directions = [
        text_pb.Direction.Name(each).removeprefix("DIRECTION_").lower() for each in rule.directions
    ]
    benefits = [
        text_pb.BenefitCode.Name(each.code).removeprefix("BENEFIT_CODE_").replace("_", " ").lower()
        for each in rule.benefits
    ]
    lists = (rule.functions, rule.certified_roles, rule.levels, directions, rule.transport_modes)
    return (
        f"{rule.issuing} > {rule.recognising}",
        format_day(getattr(rule, "from"), zone),
        format_last_day(rule.to, zone),
        *(" ".join(map(str, each)) or "any" for each in lists),
        ", ".join(benefits),
    )


def kind_of(arrangement: pb.Arrangement) -> str:
    """RECOGNITION or INFORMATION."""
    return text_pb.ArrangementKind.Name(arrangement.text.kind).removeprefix("ARRANGEMENT_KIND_")


def state_of(arrangement: pb.Arrangement) -> str:
    """The name of its state."""
    return pb.ArrangementState.Name(arrangement.state).removeprefix("ARRANGEMENT_STATE_")

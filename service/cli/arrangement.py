"""`aeo arrangement`: texts under which members recognise each other, and their steps."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from google.protobuf.json_format import MessageToDict
from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2 as text_pb
from service.cli.arrangement_file import read_arrangement
from service.cli.civil import format_day, format_instant, format_last_day, parse_moment
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import AnswerIsNo, InputRefused
from service.cli.network_facts import NetworkFacts
from service.cli.output import facts, show, stderr, table
from service.cli.pending import show_pending
from service.cli.profile import Profile, calls_node
from service.cli.publication import new_key
from service.client import ArrangementClient, Pending

app = group("Propose, sign, suspend, resume, end, and read arrangements.")

IdArgument: TypeAlias = Annotated[
    str, typer.Argument(help="The arrangement: its name, its id, or the first digits of its id.")
]
FromOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from", help="A date, which begins in your time zone, or an instant. Default: at once."
    ),
]


@app.command(
    epilog=examples("aeo arrangement propose hk-nz.toml --profile clients/HK/officer.toml")
)
@calls_node
def propose(
    file: Annotated[
        Path,
        typer.Argument(help="The text, as TOML: name, kind, parties and its dated rules."),
    ],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Propose an arrangement. Each party then signs it, you among them.

    The node makes the arrangement's lookup key and commits to it in the text, once a second person
    has approved it.
    """
    written = file.read_text(encoding="utf-8")
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        zones = {each.economy: each.time_zone for each in network.genesis.founders}
        try:
            text = read_arrangement(written, zones.get)
        except InputRefused as error:
            raise InputRefused(f"{file}: {error}") from None
        made = ArrangementClient(connection).propose(text, new_key())
        _tell(made, network, as_json=json)


@app.command(
    epilog=examples(
        "aeo arrangement sign HK-NZ --profile clients/NZ/officer.toml",
        "aeo arrangement sign HK-NZ --text-hash 5d41...",
    )
)
@calls_node
def sign(
    arrangement: IdArgument,
    *,
    text_hash: Annotated[
        str | None,
        typer.Option(help="The hash of the text that you have read; without it you are asked."),
    ] = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Sign an arrangement's text. It takes effect when every party has.

    A second person approves it.
    """
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        found = _find(network, arrangement)
        agreed = bytes.fromhex(text_hash) if text_hash and _is_hash(text_hash) else b""
        if text_hash is None:
            if not stderr().is_terminal:
                raise InputRefused(
                    "there is no terminal to ask on: read the text (aeo arrangement get) and give "
                    "its hash with --text-hash"
                )
            stderr().print(_text(found, network))
            if not typer.confirm("Sign this text?", err=True):
                raise AnswerIsNo("not signed")
            agreed = found.text_hash
        elif not agreed:
            raise InputRefused(f"{text_hash!r} is not a hash: 64 hex digits")
        signed = ArrangementClient(connection).sign(found.arrangement_id, agreed)
        _tell(signed, network, as_json=json)


@app.command(epilog=examples("aeo arrangement suspend HK-NZ"))
@calls_node
def suspend(
    arrangement: IdArgument,
    *,
    effective_from: FromOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Suspend an arrangement, alone, for all its parties. Takes an approver."""
    _step(ArrangementClient.suspend, arrangement, effective_from, profile, as_json=json)


@app.command(epilog=examples("aeo arrangement resume HK-NZ --from 2026-12-01"))
@calls_node
def resume(
    arrangement: IdArgument,
    *,
    effective_from: FromOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Resume an arrangement that you have suspended. A second person approves it."""
    _step(ArrangementClient.resume, arrangement, effective_from, profile, as_json=json)


@app.command(epilog=examples("aeo arrangement end HK-NZ --from 2027-06-30"))
@calls_node
def end(
    arrangement: IdArgument,
    *,
    effective_from: FromOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """End an arrangement, with the notice of its text. A second person approves it."""
    _step(ArrangementClient.end, arrangement, effective_from, profile, as_json=json)


@app.command(epilog=examples("aeo arrangement get HK-NZ --json"))
@calls_node
def get(arrangement: IdArgument, *, json: JsonOption = False, profile: Profile) -> None:
    """Show an arrangement: its text, who has signed it, and whether it runs."""
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        _show(_find(network, arrangement), network, as_json=json)


@app.command("list", epilog=examples("aeo arrangement list --party NZ"))
@calls_node
def list_(
    *,
    party: Annotated[
        str | None, typer.Option(help="Only those that this economy is a party of.")
    ] = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """List the arrangements of the network, oldest first."""
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        found = [
            each for each in network.arrangements if party is None or party in each.text.parties
        ]
    rows = [
        (
            each.arrangement_id.hex(),
            each.text.name,
            _kind(each).lower(),
            ", ".join(each.text.parties),
            _state(each).replace("_", " ").lower(),
        )
        for each in found
    ]
    show(
        [describe(each) for each in found],
        lambda: table("id", "name", "kind", "parties", "state", rows=rows),
        as_json=json,
    )


def describe(arrangement: pb.Arrangement) -> dict[str, Any]:
    """An arrangement as JSON has it; `text` is in protobuf's own JSON, with the field names."""
    return {
        "arrangement_id": arrangement.arrangement_id.hex(),
        "name": arrangement.text.name,
        "kind": _kind(arrangement),
        "parties": list(arrangement.text.parties),
        "state": _state(arrangement),
        "proposer": arrangement.proposer,
        "text_hash": arrangement.text_hash.hex(),
        "signatures": [
            {"economy": each.economy, "time": each.time, "height": each.height}
            for each in arrangement.signatures
        ],
        "suspended_by": list(arrangement.suspended_by),
        "ended_from": arrangement.ended_from or None,
        "text": MessageToDict(arrangement.text, preserving_proto_field_name=True),
    }


def _step(
    step: Callable[
        [ArrangementClient, bytes, datetime | None], pb.Arrangement | Pending[pb.Arrangement]
    ],
    arrangement: str,
    effective_from: str | None,
    profile: Profile,
    *,
    as_json: bool,
) -> None:
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        arrangement_id = network.arrangement_id(arrangement)
        moment = None
        if effective_from is not None:
            moment = parse_moment(effective_from, network.time_zone(profile.economy()))
        changed = step(ArrangementClient(connection), arrangement_id, moment)
        _tell(changed, network, as_json=as_json)


def _find(network: NetworkFacts, text: str) -> pb.Arrangement:
    arrangement_id = network.arrangement_id(text)
    return next(each for each in network.arrangements if each.arrangement_id == arrangement_id)


def _tell(
    made: pb.Arrangement | Pending[pb.Arrangement], network: NetworkFacts, *, as_json: bool
) -> None:
    if isinstance(made, Pending):
        show_pending(made.step, as_json=as_json)
    else:
        _show(made, network, as_json=as_json)


def _show(arrangement: pb.Arrangement, network: NetworkFacts, *, as_json: bool) -> None:
    show(describe(arrangement), lambda: _text(arrangement, network), as_json=as_json)


def _text(arrangement: pb.Arrangement, network: NetworkFacts) -> Group:
    text = arrangement.text
    signed = {each.economy for each in arrangement.signatures}
    state = _state(arrangement).replace("_", " ").lower()
    described = facts(
        [
            ("name", text.name),
            ("id", arrangement.arrangement_id.hex()),
            ("kind", _kind(arrangement).lower()),
            ("state", state),
            ("parties", ", ".join(text.parties)),
            ("signed by", ", ".join(sorted(signed)) or "nobody yet"),
            ("not yet by", ", ".join(each for each in text.parties if each not in signed)),
            ("suspended by", ", ".join(arrangement.suspended_by)),
            ("ends", format_instant(arrangement.ended_from)),
            ("notice", f"{text.notice_days} days" if text.notice_days else "none"),
            ("consent", "operators must consent" if text.consent_required else "not asked for"),
            (
                "stale after",
                f"{text.staleness_limit // 60_000} minutes" if text.staleness_limit else "default",
            ),
            ("text hash", arrangement.text_hash.hex()),
        ]
    )
    rows = [_rule(rule, network.time_zone(rule.recognising)) for rule in text.rules]
    headings = ("rule", "from", "to", "functions", "roles", "levels", "directions", "modes")
    return Group(described, Text(), table(*headings, "benefits", rows=rows))


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


def _kind(arrangement: pb.Arrangement) -> str:
    return text_pb.ArrangementKind.Name(arrangement.text.kind).removeprefix("ARRANGEMENT_KIND_")


def _state(arrangement: pb.Arrangement) -> str:
    return pb.ArrangementState.Name(arrangement.state).removeprefix("ARRANGEMENT_STATE_")


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(digit in "0123456789abcdefABCDEF" for digit in text)

"""`aeo arrangement`: texts under which members recognise each other, and their steps."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from service.cli.arranging import terms as arrangement_terms
from service.cli.arranging.file import ARRANGEMENT_FILE_LIMIT
from service.cli.arranging.show import (
    arrangement_text,
    describe,
    find,
    kind_of,
    show_arrangement,
    state_of,
    tell,
)
from service.cli.arranging.terms import read_text
from service.cli.civil import parse_moment
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import AnswerIsNo, InputRefused
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import show, stderr, table
from service.cli.profile import Profile, calls_node
from service.cli.publishing.publication import new_key
from service.cli.text_file import read_text_file
from service.client import ArrangementClient, Pending

app = group(
    "Propose, sign, amend, start, suspend, resume, end, change keys of, and read arrangements."
)

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
        typer.Argument(
            help="The text, as TOML: name, kind (RECOGNITION or INFORMATION), parties; if wanted "
            "consent_required, staleness_minutes, notice_days, supply_chain_roles, staged_starts, "
            "[monitoring] with period_days and reports; and a [[rule]] each: issuing, recognising, "
            "from, and if wanted to, functions, certified_roles, levels, directions, "
            "transport_modes, benefits, party_match_required, dispatch_from_issuer_required, "
            "relevant_event, goods_under_way."
        ),
    ],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Propose an arrangement. Each party then signs it, you among them.

    The node makes the arrangement's lookup key and commits to it in the text, once a second person
    has approved it.
    """
    written = read_text_file(file, ARRANGEMENT_FILE_LIMIT)
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        text = read_text(file, written, network)
        made = ArrangementClient(connection).propose(text, new_key())
        tell(made, network, as_json=json)


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
    """Sign an arrangement's text, or the amendment that waits. It takes effect when all have.

    A second person approves it.
    """
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        found = find(network, arrangement)
        agreed = bytes.fromhex(text_hash) if text_hash and _is_hash(text_hash) else b""
        if text_hash is None:
            if not stderr().is_terminal:
                raise InputRefused(
                    "there is no terminal to ask on: read the text (aeo arrangement get) and give "
                    "its hash with --text-hash"
                )
            stderr().print(arrangement_text(found, network))
            waits = "Sign the amendment?" if found.amendment_hash else "Sign this text?"
            if not typer.confirm(waits, err=True):
                raise AnswerIsNo("not signed")
            agreed = found.amendment_hash or found.text_hash
        elif not agreed:
            raise InputRefused(f"{text_hash!r} is not a hash: 64 hex digits")
        signed = ArrangementClient(connection).sign(found.arrangement_id, agreed)
        tell(signed, network, as_json=json)


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
        show_arrangement(find(network, arrangement), network, as_json=json)


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
            kind_of(each).lower(),
            ", ".join(each.text.parties),
            state_of(each).replace("_", " ").lower(),
        )
        for each in found
    ]
    show(
        [describe(each) for each in found],
        lambda: table("id", "name", "kind", "parties", "state", rows=rows),
        as_json=json,
    )


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
        tell(changed, network, as_json=as_json)


arrangement_terms.register(app)


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(digit in "0123456789abcdefABCDEF" for digit in text)

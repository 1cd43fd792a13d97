"""`aeo arrangement amend, start, open-epoch, republish, instruct`: what changes one that runs."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any, Final, cast

import typer

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2 as text_pb
from service.cli.arranging.file import ARRANGEMENT_FILE_LIMIT, read_arrangement
from service.cli.arranging.show import tell
from service.cli.arranging.warnings import warn
from service.cli.commands import JsonOption, examples
from service.cli.errors import InputRefused
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, progress, show
from service.cli.profile import Profile, calls_node
from service.cli.text_file import read_text_file
from service.client import ArrangementClient

NAMED_AT_ONCE: Final = 3_000
COPYING_SECONDS: Final = 120.0
"""The node copies what is named at once, some 20,000 records a second."""
_PREFIX: Final = "BENEFIT_CODE_"

ArrangementArgument = Annotated[
    str, typer.Argument(help="The arrangement: its name, its id, or the first digits of its id.")
]


def register(app: typer.Typer) -> None:
    """Put the commands under `aeo arrangement`."""
    app.command(
        epilog=examples(
            "aeo arrangement amend HK-NZ hk-nz-2.toml --profile clients/HK/officer.toml"
        )
    )(amend)
    app.command(epilog=examples("aeo arrangement start AAMRA 2026-10-01"))(start)
    app.command("open-epoch", epilog=examples("aeo arrangement open-epoch HK-NZ"))(open_epoch)
    app.command(
        epilog=examples(
            "aeo arrangement republish HK-NZ register.csv",
            "aeo arrangement republish HK-NZ --complete",
        )
    )(republish)
    app.command(
        epilog=examples(
            "aeo arrangement instruct",
            'aeo arrangement instruct PRIORITY_INSPECTION "Counter 3, before the others"',
        )
    )(instruct)


@calls_node
def amend(
    arrangement: ArrangementArgument,
    file: Annotated[
        Path, typer.Argument(help="The whole new text, as TOML, with the old rules that go on.")
    ],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Put a new text, or new parties, to all parties of both texts. Each then signs it.

    A second person approves it. The old text holds until the last signature.
    """
    written = read_text_file(file, ARRANGEMENT_FILE_LIMIT)
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        text = read_text(file, written, network)
        made = ArrangementClient(connection).amend(network.arrangement_id(arrangement), text)
        tell(made, network, as_json=json)


@calls_node
def start(
    arrangement: ArrangementArgument,
    day: Annotated[str, typer.Argument(help="A date: it begins for each party in its own zone.")],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Name the day from which you take part, where the text has staged starts.

    A second person approves it.
    """
    try:
        named = date.fromisoformat(day)
    except ValueError:
        raise InputRefused(f"{day!r} is not a date like 2026-12-31") from None
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        made = ArrangementClient(connection).start(network.arrangement_id(arrangement), named)
        tell(made, network, as_json=json)


@calls_node
def open_epoch(
    arrangement: ArrangementArgument, *, json: JsonOption = False, profile: Profile
) -> None:
    """Make a new lookup key, because one has leaked or a party has left.

    A second person approves it. It takes over when every party has republished its traders.
    """
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        made = ArrangementClient(connection).open_epoch(network.arrangement_id(arrangement))
        tell(made, network, as_json=json)


@calls_node
def republish(
    arrangement: ArrangementArgument,
    file: Annotated[
        Path | None,
        typer.Argument(help="A CSV file with columns tin and certificate, such as your register."),
    ] = None,
    *,
    aliases: Annotated[
        Path | None, typer.Option(help="A CSV file with columns scheme and value.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Say on the ledger that all are republished.")
    ] = False,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Name your certificates, so that the node publishes them under the new lookup key.

    The ledger has keyed numbers only and cannot name them. Without a file: how far it has come.
    """
    certificates = _columns(file, "tin", "certificate") if file is not None else []
    named = _columns(aliases, "scheme", "value") if aliases is not None else []
    with profile.connect() as connection:
        arrangement_id = NetworkFacts(connection, profile).arrangement_id(arrangement)
        client = ArrangementClient(connection)
        with progress("Naming", len(certificates) + len(named)) as done:
            sent = 0
            for part in _parts(certificates):
                client.republish(arrangement_id, part)
                sent += len(part)
                done(sent)
            for part in _parts(named):
                client.republish(arrangement_id, (), part)
                sent += len(part)
                done(sent)
        said = client.republish(arrangement_id)
        if complete:
            until = monotonic() + COPYING_SECONDS
            while said.named == said.certificates and not _copied(said) and monotonic() < until:
                sleep(0.2)
                said = client.republish(arrangement_id)
            said = client.republish(arrangement_id, complete=True)
    show(_describe(said), lambda: facts(_rows(said)), as_json=json)


@calls_node
def instruct(
    benefit: Annotated[
        str | None, typer.Argument(help="A benefit's code, such as PRIORITY_INSPECTION.")
    ] = None,
    text: Annotated[
        str | None, typer.Argument(help="What officers do; an empty text takes it back.")
    ] = None,
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Show, or set, what your officers are told to do for each benefit."""
    if (benefit is None) != (text is None):
        raise InputRefused("name a benefit and say what officers do for it, or neither")
    codes = {
        name.removeprefix(_PREFIX): text_pb.BenefitCode.Value(name)
        for name in text_pb.BenefitCode.keys()[1:]
    }
    if benefit is not None and benefit not in codes:
        raise InputRefused(f"{benefit} is none of {', '.join(codes)}")
    with profile.connect() as connection:
        client = ArrangementClient(connection)
        if benefit is not None:
            client.set_instructions({cast("text_pb.BenefitCode", codes[benefit]): text or ""})
        said = client.instructions()
    known = {
        text_pb.BenefitCode.Name(code).removeprefix(_PREFIX): words for code, words in said.items()
    }
    show(known, lambda: facts(list(known.items())), as_json=json)


def read_text(file: Path, written: str, network: NetworkFacts) -> text_pb.ArrangementText:
    """The text of a file, its dates in the zones of the network's members."""
    zones = {each.economy: each.time_zone for each in network.genesis.founders}
    try:
        text = read_arrangement(written, zones.get)
    except InputRefused as error:
        raise InputRefused(f"{file}: {error}") from None
    warn(text)
    return text


def _columns(path: Path, one: str, other: str) -> list[tuple[str, str]]:
    """Two columns of a CSV file, whatever else it has."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        missing = [name for name in (one, other) if name not in (reader.fieldnames or ())]
        if missing:
            raise InputRefused(f"{path}: there is no column {missing[0]}")
        try:
            return [(row[one] or "", row[other] or "") for row in reader]
        except csv.Error as error:
            raise InputRefused(f"{path}, line {reader.line_num}: {error}") from None


def _parts(named: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    rest = iter(named)
    while part := list(islice(rest, NAMED_AT_ONCE)):
        yield part


def _copied(said: pb.ArrangementServiceRepublishResponse) -> bool:
    return (said.copied, said.aliases_copied) == (said.certificates, said.aliases)


def _describe(said: pb.ArrangementServiceRepublishResponse) -> dict[str, Any]:
    return {
        "arrangement_id": said.arrangement.arrangement_id.hex(),
        "certificates": said.certificates,
        "named": said.named,
        "copied": said.copied,
        "aliases": said.aliases,
        "aliases_copied": said.aliases_copied,
        "epoch": said.arrangement.epoch,
        "pending_epoch": said.arrangement.pending_epoch or None,
        "republished": list(said.arrangement.republished),
    }


def _rows(said: pb.ArrangementServiceRepublishResponse) -> list[tuple[str, str]]:
    made = said.arrangement
    rows = [
        ("certificates", f"{said.certificates:,}"),
        ("named", f"{said.named:,}"),
        ("under the new key", f"{said.copied:,}"),
        ("aliases", f"{said.aliases:,}" if said.aliases else ""),
        ("under the new key", f"{said.aliases_copied:,}" if said.aliases else ""),
        ("lookup key in force", f"epoch {made.epoch}"),
    ]
    if made.pending_epoch:
        done = ", ".join(made.republished) or "nobody yet"
        rows.append(("waiting", f"epoch {made.pending_epoch}, republished by {done}"))
    return rows

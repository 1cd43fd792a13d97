"""`aeo lookup`: what to think of a declared trader; one, or a file of them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from service.api.counted import counted
from service.cli import exits
from service.cli.asking.goods_options import (
    AcceptedOption,
    ArrivedOption,
    DispatchedOption,
    ReleasedOption,
    goods_events,
)
from service.cli.asking.question_text import parse_alias, parse_direction, parse_known_at
from service.cli.asking.verdict_text import POSITIVE, REASONS, describe, text
from service.cli.civil import format_instant, parse_moment
from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, progress, show, show_json, show_text, table
from service.cli.profile import Profile, calls_node
from service.client import NameAndAddress, Question, StatusClient, Verdict
from service.client.goods import GoodsEvents
from service.client.status import MAX_BATCH
from service.client.verdicts import Checked

_COLUMNS: Final = (
    "tin",
    "function",
    "direction",
    "mode",
    "level",
    "as_of",
    "dispatch_economy",
    "declared_name",
    "declared_address",
    "name",
    "address",
    *GoodsEvents._fields,
)


@calls_node
def lookup(
    tin: Annotated[str | None, typer.Argument(help="The trader's number, as declared.")] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Instead of a number: a CSV file of questions, with a column tin and, if wanted, "
            f"{', '.join(_COLUMNS[1:])}; what a row leaves out is taken from the options."
        ),
    ] = None,
    alias: Annotated[
        str | None, typer.Option(help="Instead of a number: another identifier, SCHEME:VALUE.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Instead of a number: a name, searched in the profiles kept here."),
    ] = None,
    name_address: Annotated[
        str, typer.Option(help="With --name: the address that goes with it.")
    ] = "",
    function: Annotated[
        str, typer.Option(help="What the party is in the declaration: EX, CZ, SE, MF, IM, CN, ...")
    ] = "",
    direction: Annotated[str, typer.Option(help="Of the goods, as you see them.")] = "IMPORT",
    mode: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="Of transport: 1 sea, 2 rail, 3 road, 4 air, 5 mail, 6 multimodal, 7 fixed, "
            "8 inland water.",
        ),
    ] = None,
    level: Annotated[str, typer.Option(help="Ask for this level of the programme.")] = "",
    as_of: Annotated[
        str | None,
        typer.Option(
            help="When it should hold: a date, which begins in your zone, or an instant like "
            "2026-12-31T12:00+13:00. Default: now."
        ),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(help="By what the ledger said then: a height, a date or an instant."),
    ] = None,
    dispatch_economy: Annotated[str, typer.Option(help="Where the goods were dispatched.")] = "",
    declared_name: Annotated[str, typer.Option(help="The name in the declaration.")] = "",
    declared_address: Annotated[str, typer.Option(help="The address in the declaration.")] = "",
    dispatched: DispatchedOption = None,
    accepted: AcceptedOption = None,
    arrived: ArrivedOption = None,
    released: ReleasedOption = None,
    recogniser: Annotated[
        str, typer.Option(help="For this member instead of your own, where the node hosts it.")
    ] = "",
    purpose: Annotated[str, typer.Option(help="What for; agencies must say.")] = "",
    proof: Annotated[
        bool, typer.Option("--proof", help="Ask for the proof, check it, and say what it shows.")
    ] = False,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Look a trader up: is its certificate recognised here, for this, now?

    Exit code 0: RECOGNISED, or INFORMATION_ONLY; with --file: every row was answered. 1: any other
    verdict. 3: no node answered, which says nothing about the trader.
    """
    if sum(each is not None for each in (tin, file, alias, name)) != 1:
        raise InputRefused("give a number, or --file, or --alias, or --name")
    if name_address and name is None:
        raise InputRefused("--name-address goes with --name; a declared one is --declared-address")
    if proof and name is not None:
        raise InputRefused("--proof takes a number: ask by the one that the name leads to")
    if proof and file is not None:
        raise InputRefused("--proof is for one question at a time")
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        zone = network.time_zone(recogniser or profile.economy())
        usual = _Usual(
            Question(
                tin=tin or "",
                function=function.upper(),
                direction=parse_direction(direction),
                mode=mode or 0,
                alias=None if alias is None else parse_alias(alias),
                level=level,
                as_of=parse_moment(as_of, zone) if as_of is not None else None,
                known_at=None if known_at is None else parse_known_at(known_at, zone),
                dispatch_economy=dispatch_economy.upper(),
                declared_name=declared_name,
                declared_address=declared_address,
                recognising_economy=recogniser,
                purpose=purpose,
                goods=goods_events(zone, dispatched, accepted, arrived, released),
                party=None if name is None else NameAndAddress(name, name_address),
            ),
            zone,
        )
        client = StatusClient(connection, profile.trust_file(), profile.network())
        if file is not None:
            answered = _many(file, usual, client, network, as_json=json)
            raise typer.Exit(exits.FINE if answered else exits.NO)
        if not usual.question.function or not usual.question.mode:
            raise InputRefused("a question needs --function and --mode")
        verdict = client.ask(usual.question, prove=proof)
        _show(tin or alias or name or "", verdict, network, as_json=json)
    if verdict.message.outcome not in POSITIVE:
        raise typer.Exit(exits.NO)


@dataclass(frozen=True, slots=True)
class _Usual:
    """What a row of a file says where it says nothing."""

    question: Question
    time_zone: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a file: its question, or why it is none."""

    line: int
    tin: str
    question: Question | None
    problem: str = ""


def _show(asked: str, verdict: Verdict, network: NetworkFacts, *, as_json: bool) -> None:
    names = network.arrangement_names
    described = describe(verdict.message, verdict.finality, names)
    if verdict.checked is not None:
        described["proof"] = _describe_proof(verdict)

    def for_people() -> RenderableType:
        shown = text(
            asked, verdict.message, verdict.finality, names=names, time_zone=network.time_zone
        )
        return shown if verdict.checked is None else Group(shown, _proof_text(verdict.checked))

    show(described, for_people, as_json=as_json)


def _describe_proof(verdict: Verdict) -> dict[str, Any]:
    checked = verdict.checked
    assert checked is not None, "asked for"
    return {
        "verified": verdict.verified,
        "height": checked.height,
        "header_hash": checked.header_hash.hex(),
        "level": checked.level.upper(),
        "attested_time": checked.attested_time,
        "records": sum(len(history.entries) for history in checked.histories),
        "unproved": list(checked.unproved),
    }


def _proof_text(checked: Checked) -> RenderableType:
    seen = sum(len(history.entries) for history in checked.histories)
    proved = (
        f"by header {checked.height}, {checked.level} at {format_instant(checked.attested_time)}: "
        f"the trader's whole history, {counted(seen, 'record')} under "
        f"{counted(len(checked.histories), 'arrangement')}"
    )
    rows = [
        ("proved", proved),
        *(("not proved", each) for each in checked.unproved),
    ]
    return Group(Text(), facts(rows))


def _many(
    file: Path, usual: _Usual, client: StatusClient, network: NetworkFacts, *, as_json: bool
) -> bool:
    """Answer every row of a file, in order; whether each got a verdict."""
    rows = list(_rows(file, usual))
    remaining = iter(rows)
    answered = True
    shown: list[tuple[str, ...]] = []
    done_rows = 0
    with progress("Looking up", len(rows), "rows") as done:
        while chunk := list(islice(remaining, MAX_BATCH)):
            asked = [row.question for row in chunk if row.question is not None]
            verdicts = iter(client.lookup_many(asked))
            for row in chunk:
                verdict = next(verdicts) if row.question is not None else None
                problem = row.problem if verdict is None else verdict.problem
                answered = answered and not problem
                if as_json:
                    show_json(_line(row, verdict, problem, network), line=True)
                else:
                    shown.append(_cells(row, verdict, problem))
            done_rows += len(chunk)
            done(done_rows)
    if not as_json:
        show_text(table("line", "TIN", "outcome", "status", "why", rows=shown))
    return answered


def _line(
    row: _Row, verdict: Verdict | None, problem: str, network: NetworkFacts
) -> dict[str, Any]:
    place: dict[str, Any] = {"line": row.line, "asked": row.tin}
    if verdict is None or problem:
        return {**place, "problem": problem}
    return place | describe(verdict.message, verdict.finality, network.arrangement_names)


def _cells(row: _Row, verdict: Verdict | None, problem: str) -> tuple[str, ...]:
    if verdict is None or problem:
        return str(row.line), row.tin, "no answer", "", problem
    why = REASONS.get(verdict.message.reason, "")
    return str(row.line), verdict.tin or row.tin, str(verdict.outcome), verdict.status, why


def _rows(file: Path, usual: _Usual) -> Iterator[_Row]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        names = reader.fieldnames or ()
        unknown = [name for name in names if name not in _COLUMNS]
        if unknown or "tin" not in names:
            raise InputRefused(f"{file}: its columns must be tin, and among {', '.join(_COLUMNS)}")
        try:
            for cells in reader:
                tin = (cells["tin"] or "").strip()
                try:
                    question = _question(cells, usual)
                except InputRefused as error:
                    yield _Row(reader.line_num, tin, None, str(error))
                else:
                    yield _Row(reader.line_num, tin, question)
        except csv.Error as error:
            raise InputRefused(f"{file}: not CSV after line {reader.line_num}: {error}") from None


def _question(cells: dict[str | Any, str | Any], usual: _Usual) -> Question:
    if None in cells:
        raise InputRefused("more cells than the heading")
    said = {name: (cell or "").strip() for name, cell in cells.items()}
    base = usual.question
    mode = said.get("mode", "")
    if mode and mode not in tuple("12345678"):
        raise InputRefused(f"mode: {mode} is not 1 to 8")
    as_of = said.get("as_of", "")
    events = {
        name: parse_moment(said[name], usual.time_zone)
        for name in GoodsEvents._fields
        if said.get(name)
    }
    question = replace(
        base,
        tin=cells["tin"] or "",
        # A row without a number is about whom its name leads to.
        party=NameAndAddress(said["name"], said.get("address", ""))
        if said.get("name") and not said["tin"]
        else None,
        function=said.get("function", "").upper() or base.function,
        direction=parse_direction(said.get("direction", "") or base.direction),
        mode=int(mode) if mode else base.mode,
        level=said.get("level", "") or base.level,
        as_of=parse_moment(as_of, usual.time_zone) if as_of else base.as_of,
        dispatch_economy=said.get("dispatch_economy", "").upper() or base.dispatch_economy,
        declared_name=said.get("declared_name", "") or base.declared_name,
        declared_address=said.get("declared_address", "") or base.declared_address,
        goods=base.goods._replace(**events),
    )
    if not question.function or not question.mode:
        raise InputRefused("a question needs a function and a mode")
    return question

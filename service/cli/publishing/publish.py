"""`aeo publish`: an issuer's register against the ledger, and then onto it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1.approval_service_pb2 import PendingStep
from service.api.counted import counted
from service.cli import exits
from service.cli.commands import JsonOption
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, progress, say, show, table, warn
from service.cli.profile import Profile, calls_node
from service.cli.publishing.pending import describe_step
from service.cli.publishing.profile_file import profiles_of
from service.cli.publishing.publication import describe, follow, new_key
from service.cli.publishing.register_file import Fault, Row, read_register
from service.cli.publishing.register_plan import Change, Plan, name_arrangements, plan
from service.cli.text_file import read_text_file
from service.client import Pending, ProfileClient, PublishingClient
from service.node.publishing.confirmed import CONFIRMED_EVENTS

# Rows of one call; a node takes 3,000 and 4 MiB, and a row may name a few hundred arrangements.
CHUNK: Final = 2_000
# Changes that people are shown one by one; JSON always has all.
_SHOWN: Final = 40


@calls_node
def publish(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV file, one row a certificate: tin, certificate, roles, mode, level, status, "
            "valid_from, valid_to, class, name, address, arrangements."
        ),
    ],
    *,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what would change and every faulty row; no more."),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the ledger has every record.")
    ] = True,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Compare a register with what is published, show the difference, and publish it.

    Roles and arrangements are lists with semicolons; no arrangements means all of yours. Dates are
    civil dates in your own time zone, the last day included. A faulty row is told with its line
    and leaves the others as they are. Names and addresses never go to the ledger: they make the
    traders' profiles, and leave what `aeo profile put` said besides.

    Exit code 1: some rows were faulty, or the ledger refused them.
    """
    text = read_text_file(file)
    issuer = profile.economy()
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        register = read_register(text, network.time_zone(issuer))
        rows, unknown = name_arrangements(register.rows, network.arrangement_ids(issuer))
        client = PublishingClient(connection)
        planned = plan(rows, _compare(client, rows))
        faults = sorted([*register.faults, *unknown, *planned.faults], key=lambda each: each.line)
        result = _describe(file, issuer, planned, faults, network.arrangement_names)
        named, unnamed, lines = profiles_of(rows)
        faults = sorted([*faults, *unnamed], key=lambda each: each.line)
        result["faults"] = [_fault(each) for each in faults]
        if not dry_run and named:
            # Before the records, which commit to them.
            refused = ProfileClient(connection).put(named, from_register=True)
            result["profiles"] = len(named) - len(refused)
            told = {(each.line, each.column) for each in faults}
            for each in refused:
                line = lines[named[each.index].tin]
                if (line, each.code) not in told:
                    faults.append(Fault(line, each.code, each.message))
            result["faults"] = [_fault(each) for each in faults]
        if not dry_run and planned.submissions:
            answers, not_taken, waiting = _publish(client, planned, wait=wait)
            result["publications"] = answers
            result["pending"] = [describe_step(each) for each in waiting]
            result["faults"] += [_fault(each) for each in not_taken]
            faults += not_taken
    show(result, lambda: _text(result, dry_run=dry_run), as_json=json)
    for step in result["pending"]:
        say(f"step {step['step_id']} waits for a second person: aeo approve {step['step_id']}")
    for fault in faults:
        warn(f"{file}: {fault}")
    for answer in result["publications"]:
        for refused in answer["refused"]:
            where = f"{file}: line {refused['line']}"
            warn(f"{where}: the ledger refused it: {refused['message']} ({refused['code']})")
    if faults or any(answer["refused"] for answer in result["publications"]):
        raise typer.Exit(exits.NO)


def _compare(client: PublishingClient, rows: Sequence[Row]) -> list[publishing.RowComparison]:
    compared: list[publishing.RowComparison] = []
    with progress("Comparing", len(rows), "rows") as done:
        for start in range(0, len(rows), CHUNK):
            chunk = [row.submission for row in rows[start : start + CHUNK]]
            compared += client.compare(chunk).rows
            done(len(compared))
    return compared


def _publish(
    client: PublishingClient, planned: Plan, *, wait: bool
) -> tuple[list[dict[str, Any]], list[Fault], list[PendingStep]]:
    """Hand everything to the node, then wait for the ledger.

    Besides the answers: the faults of rows that it did not take, and what waits for a second
    person. Rows of that kind go in calls of their own, so that they hold up no others.
    """
    accepted: list[tuple[str, Sequence[int], int]] = []
    faults: list[Fault] = []
    waiting: list[PendingStep] = []
    total = len(planned.submissions)
    handed = 0
    with progress("Handing over", total, "records") as done:
        for rows in _chunks(planned.submissions):
            response = client.publish(new_key(), [planned.submissions[row] for row in rows])
            lines: Sequence[int] = [planned.lines[row] for row in rows]
            handed += len(rows)
            done(handed)
            if isinstance(response, Pending):
                waiting.append(response.step)
                continue
            faults += [
                Fault(line, row.code, row.message)
                for line, row in zip(lines, response.rows, strict=True)
                if row.code
            ]
            accepted.append((response.publication_id, lines, response.prepared))
    if not wait:
        return (
            [
                {"publication_id": name, "prepared": prepared, "refused": []}
                for name, _, prepared in accepted
            ],
            faults,
            waiting,
        )
    answers = []
    with progress("Recording", sum(prepared for *_, prepared in accepted), "rows") as done:
        recorded = 0
        for name, lines, prepared in accepted:
            answers.append(describe(follow(client, name), lines))
            recorded += prepared
            done(recorded)
    return answers, faults, waiting


def _chunks(submissions: Sequence[publishing.Submission]) -> Iterator[list[int]]:
    """The rows of each call: first those that take one person, then those that take two."""
    grave = [row.terms.event in CONFIRMED_EVENTS for row in submissions]
    for two in (False, True):
        rows = [row for row, each in enumerate(grave) if each is two]
        for start in range(0, len(rows), CHUNK):
            yield rows[start : start + CHUNK]


def _describe(
    file: Path,
    economy: str,
    planned: Plan,
    faults: Sequence[Fault],
    names: Mapping[bytes, str],
) -> dict[str, Any]:
    return {
        "file": str(file),
        "economy": economy,
        "unchanged": planned.unchanged,
        "profiles": 0,
        "changes": [_change(change, names) for change in planned.changes],
        "faults": [_fault(fault) for fault in faults],
        "publications": [],
        "pending": [],
    }


def _change(change: Change, names: Mapping[bytes, str]) -> dict[str, Any]:
    return {
        "line": change.line,
        "tin": change.tin,
        "certificate": change.certificate,
        "arrangement_id": change.arrangement_id.hex(),
        "arrangement": names.get(change.arrangement_id, ""),
        "event": change.event,
        "fields": list(change.fields),
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line, "place": fault.column, "message": fault.message}


def _text(result: Mapping[str, Any], *, dry_run: bool) -> Group:
    changes = result["changes"]
    counts = Counter(change["event"] for change in changes)
    parts: list[Any] = []
    if changes:
        rows = [
            (
                str(change["line"]),
                change["tin"],
                change["certificate"],
                change["arrangement"] or change["arrangement_id"],
                change["event"],
                ", ".join(change["fields"]),
            )
            for change in changes[:_SHOWN]
        ]
        headings = ("line", "TIN", "certificate", "arrangement", "event", "what differs")
        parts.append(table(*headings, rows=rows))
        if len(changes) > _SHOWN:
            parts.append(Text(f"... and {len(changes) - _SHOWN:,} more"))
        parts.append(Text())
    summary = [(event, f"{count:,}") for event, count in sorted(counts.items())]
    summary.append(("as published", f"{result['unchanged']:,}"))
    summary.append(("faulty", f"{len(result['faults']):,}"))
    if result["publications"]:
        summary.append(("published", _outcome(result["publications"])))
    if result["profiles"]:
        summary.append(("profiles in force", f"{result['profiles']:,}"))
    if dry_run:
        summary.append(("published", "nothing: this was a dry run"))
    parts.append(facts(summary))
    return Group(*parts)


def _outcome(answers: Sequence[Mapping[str, Any]]) -> str:
    """What became of all publications of a run, together."""
    if "state" not in answers[0]:
        prepared = sum(answer["prepared"] for answer in answers)
        return f"{counted(prepared, 'row')} stored by the node, not waited for"
    last = max(answers, key=lambda answer: int(answer["height"]))
    recorded = sum(answer["recorded"] for answer in answers)
    refused = sum(len(answer["refused"]) for answer in answers)
    if not recorded and not refused:
        return "nothing: the node took no row"
    return (
        f"{counted(recorded, 'record')}, {refused:,} refused, up to height {last['height']} "
        f"({last['finality'].lower()})"
    )

"""`aeo access-log`: who asked about whom, and whether the log is whole."""

import json as json_module
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from aeo.exchange.v1 import access_log_service_pb2 as pb
from aeo.exchange.v1 import verdict_pb2
from ledger.hashing import HASH_BYTES
from service.cli.civil import format_instant
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import AnswerIsNo, InputRefused
from service.cli.output import facts, say, show, table
from service.cli.profile import Profile, calls_node
from service.client.access_log import AccessLogClient

app = group("Read and verify the access log of your administration.")

_SHOWN_ITEMS: Final = 3


@app.command(
    "list",
    epilog=examples(
        "aeo access-log list --profile clients/NZ/auditor.toml",
        "aeo access-log list --tin HK12345678 --json",
    ),
)
@calls_node
def list_(
    *,
    from_number: Annotated[int, typer.Option("--from", min=1, help="The first entry.")] = 1,
    limit: Annotated[int, typer.Option(min=1, help="How many entries at most.")] = 100,
    tin: Annotated[str, typer.Option(help="Only entries about this trader.")] = "",
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """List entries, oldest first. Takes an auditor. Traders stand in it as keyed numbers."""
    with profile.connect() as connection:
        found = list(islice(AccessLogClient(connection).entries(from_number, tin), limit))
    rows = [
        (
            str(each.number),
            format_instant(each.time),
            f"{each.caller_economy}/{each.access_role}/{each.name}".strip("/"),
            each.method,
            each.purpose,
            _what(each),
        )
        for each in found
    ]
    headings = ("number", "time", "who", "method", "purpose", "what")
    show([describe(each) for each in found], lambda: table(*headings, rows=rows), as_json=json)


@app.command(epilog=examples("aeo access-log export 2026.jsonl --profile clients/NZ/auditor.toml"))
@calls_node
def export(
    file: Annotated[Path, typer.Argument(help="Where to write; must not be there yet.")],
    *,
    from_number: Annotated[int, typer.Option("--from", min=1, help="The first entry.")] = 1,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Write entries to a file, one JSON document a line, with their exact bytes and hashes.

    Keep the last hash elsewhere: against it a log that was cut off shows.
    """
    count, head = 0, ""
    with profile.connect() as connection, file.open("x", encoding="utf-8") as out:
        for entry in AccessLogClient(connection).entries(from_number):
            out.write(_line(entry))
            count, head = count + 1, f"{entry.number}:{entry.hash.hex()}"
    show(
        {"path": str(file), "entries": count, "head": head},
        lambda: facts([("entries", f"{count:,}"), ("head", head), ("file", str(file))]),
        as_json=json,
    )


@app.command(
    epilog=examples(
        "aeo access-log verify pilot/data/home-NZ.db",
        "aeo access-log verify home.db --head 812:9c5a...",
    )
)
def verify(
    store: Annotated[Path, typer.Argument(help="The home.db of an administration.")],
    *,
    head: Annotated[
        str, typer.Option(help="An entry's number and hash that somebody kept: NUMBER:HASH.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Recompute the chain of a log, offline. Exit code 1: it was changed, or cut off."""
    # Databases take longer to import than most commands to run.
    from service.store.home.access_log import BrokenLog, Head, check_file  # noqa: PLC0415

    kept = Head(*_head(head)) if head else None
    try:
        found = check_file(store, kept)
    except BrokenLog as error:
        raise AnswerIsNo(f"{store}: {error}") from None
    newest = f"{found.number}:{found.hash.hex()}"
    show(
        {"path": str(store), "verified": True, "entries": found.number, "head": newest},
        lambda: facts([("entries", f"{found.number:,}"), ("head", newest)]),
        as_json=json,
    )
    if kept is None:
        say("a log that was cut off shows only against a head kept elsewhere: give it with --head")


def describe(entry: pb.AccessEntry) -> dict[str, Any]:
    """An entry as JSON has it."""
    return {
        "number": entry.number,
        "time": entry.time,
        "caller_economy": entry.caller_economy,
        "access_role": entry.access_role,
        "name": entry.name,
        "method": entry.method,
        "purpose": entry.purpose,
        "height": entry.height,
        "items": [
            {
                "subject": item.subject.hex(),
                "outcome": _name(verdict_pb2.Outcome, item.outcome, "OUTCOME_"),
                "reason": _name(verdict_pb2.Reason, item.reason, "REASON_"),
            }
            for item in entry.items
        ],
        "step_id": entry.step_id,
        "step_event": entry.step_event,
        "lost": entry.lost,
        "entry": entry.entry.hex(),
        "hash": entry.hash.hex(),
    }


def _what(entry: pb.AccessEntry) -> str:
    if entry.lost:
        return f"{entry.lost:,} calls before could not be kept"
    if entry.step_id:
        return f"step {entry.step_id} {entry.step_event}"
    shown = [
        f"{item.subject.hex()[:8]} {_name(verdict_pb2.Reason, item.reason, 'REASON_')}"
        for item in entry.items[:_SHOWN_ITEMS]
    ]
    more = len(entry.items) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _name(kind: Any, value: int, prefix: str) -> str:
    if not value:
        return ""
    return str(kind.Name(value)).removeprefix(prefix) if value in kind.values() else str(value)


def _line(entry: pb.AccessEntry) -> str:
    return json_module.dumps(describe(entry)) + "\n"


def _head(text: str) -> tuple[int, bytes]:
    number, colon, digest = text.partition(":")
    try:
        found = int(number), bytes.fromhex(digest)
    except ValueError:
        found = -1, b""
    if not colon or found[0] < 0 or len(found[1]) != HASH_BYTES:
        raise InputRefused(f"{text!r} is not NUMBER:HASH, with a hash of 64 hex digits")
    return found

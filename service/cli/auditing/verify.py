"""`aeo verify ledger`: an exported chain executed again, offline, trusting nobody."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from ledger.audit.replay import ANCHORED, Report, verify_export
from ledger.bls.scheme import default_backend
from ledger.chain.anchor import Anchor
from ledger.errors import ChainError, CheckError
from ledger.state.map_updates import MapFactory, MapHere
from service.cli import exits
from service.cli.civil import format_instant
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.output import BYTES, facts, progress, show, show_json, warn
from service.cli.profile import read_network_id
from service.client.trust_file import TrustFile
from service.clock import SystemClock
from service.node.map_process import MapProcess

app = group("Verify what was taken away from a node. Needs no node and no network.")

# Read at once: the verifier itself holds one item of at most 1 MiB.
_CHUNK: Final = 1 << 20


@app.callback()
def verify() -> None:
    """Verify what was taken away from a node. Needs no node and no network."""


@app.command(
    epilog=examples(
        "aeo verify ledger chain.aeo --network-id 9c5a...",
        "aeo verify ledger chain.aeo --anchor risk-engine.anchor.json --processes 2",
    )
)
def ledger(
    path: Annotated[Path, typer.Argument(help="A file that `aeo ledger export` wrote.")],
    *,
    network_id: Annotated[
        str | None,
        typer.Option(help="The network's id, 64 hex digits, that you have from elsewhere."),
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(help="A header that you believe: a client's anchor file, or HEIGHT:HASH."),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, max=2, help="2: keep the state map in a process of its own.")
    ] = 1,
    json: JsonOption = False,
) -> None:
    """Execute a whole ledger again: every signature, record, root, header and seal.

    Exit code 0: all of it holds, from an anchor that may be relied on. 1: something does not, and
    the first place is named; or there is no anchor that is recent enough.
    """
    try:
        with ExitStack() as stack:
            map_factory = _map_factory(processes, stack)
            size = path.stat().st_size
            done = stack.enter_context(progress("Verifying", size, BYTES))
            for report in verify_export(  # noqa: B007 - the last one counts
                _chunks(path, done),
                now=SystemClock().now_ms(),
                backend=default_backend(),
                network_id=read_network_id(network_id) if network_id else None,
                anchor=read_anchor(anchor) if anchor else None,
                map_factory=map_factory,
            ):
                pass
    except CheckError as error:
        if json:
            place = error.place if isinstance(error, ChainError) else ""
            show_json({"verified": False, "place": place, "problem": str(error)})
        warn(f"{path} does not verify: {error}")
        raise typer.Exit(exits.NO) from None
    trust = "verified" if report.trust == ANCHORED else report.trust
    show(describe(report), lambda: report_text(report, trust), as_json=json)
    if not report.verified:
        warn(
            f"anchored too long ago: {path} agrees with itself, but replaced keys could have "
            "signed another past; give the network's id or a recent anchor"
        )
        raise typer.Exit(exits.NO)


def read_anchor(text: str) -> Anchor:
    """Read ``HEIGHT:HASH``, or a client's anchor file."""
    height, colon, digits = text.partition(":")
    if colon and height.isdecimal():
        try:
            header_hash = bytes.fromhex(digits)
        except ValueError:
            header_hash = b""
        if len(header_hash) != 32:
            raise InputRefused(f"{text}: a header's hash has 64 hex digits")
        return Anchor(int(height), header_hash)
    point = TrustFile(text).read()
    if point is None:
        raise InputRefused(f"{text}: no such file, and not HEIGHT:HASH either")
    return Anchor(point.height, point.header_hash)


def describe(report: Report) -> dict[str, Any]:
    """A report as JSON has it."""
    sealed = report.sealed_height >= 0
    return {
        "verified": report.verified,
        "trust": report.trust,
        "network_id": report.network_id.hex(),
        "network_name": report.network_name,
        "pilot": report.pilot,
        "height": report.height,
        "header_hash": report.header_hash.hex(),
        "header_time": report.header_time,
        "transactions": report.transactions,
        "records": report.records,
        "refused": report.refused,
        "seals": report.seals,
        "sealed_height": report.sealed_height if sealed else None,
        "attested_time": report.attested_time if sealed else None,
    }


def report_text(report: Report, trust: str = "") -> Table:
    """A report for people."""
    sealed = (
        f"{report.sealed_height} at {format_instant(report.attested_time)}"
        if report.sealed_height >= 0
        else "none"
    )
    return facts(
        [
            ("network", f"{report.network_name}{' (pilot)' if report.pilot else ''}"),
            ("network id", report.network_id.hex()),
            ("newest height", f"{report.height} of {format_instant(report.header_time)}"),
            ("header hash", report.header_hash.hex()),
            ("transactions", f"{report.transactions:,}"),
            ("records", f"{report.records:,}, of which {report.refused:,} were refused"),
            ("seals", f"{report.seals:,}"),
            ("last sealed height", sealed),
            ("trust", trust),
        ]
    )


def _map_factory(processes: int, stack: ExitStack) -> MapFactory:
    return MapHere if processes == 1 else lambda: stack.enter_context(MapProcess())


def _chunks(path: Path, done: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            done(file.tell())

"""`aeo verify evidence`: two signed statements that exclude each other, and whose they are."""

from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.audit.evidence import EVIDENCE_LIMIT, FORK, judge_evidence
from ledger.bls.scheme import default_backend
from ledger.errors import CheckError
from service.cli import exits
from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.output import facts, show, show_json, warn
from service.cli.profile import read_network_id

_STATEMENTS: Final = {
    True: "two sealed headers of one height",
    False: "two transactions with one number",
}


def verify_evidence(
    path: Annotated[Path, typer.Argument(help="A file with evidence, as commands write it.")],
    *,
    network_id: Annotated[
        str, typer.Option(help="The network's id, 64 hex digits, that you have from elsewhere.")
    ],
    json: JsonOption = False,
) -> None:
    """Check evidence of misbehaviour, and name who signed both statements.

    Exit code 0: it convicts them. 1: it convicts nobody.
    """
    if path.stat().st_size > EVIDENCE_LIMIT:
        raise InputRefused(f"{path} is larger than {EVIDENCE_LIMIT:,} bytes")
    expected = read_network_id(network_id)
    try:
        judged = judge_evidence(path.read_bytes(), expected, default_backend())
    except CheckError as error:
        if json:
            show_json({"convicts": [], "problem": str(error)})
        warn(f"{path} convicts nobody: {error}")
        raise typer.Exit(exits.NO) from None
    fork = judged.kind == FORK
    made = {
        "convicts": list(judged.economies),
        "kind": judged.kind.upper().replace(" ", "_"),
        "height" if fork else "number": judged.number,
        "network_id": expected.hex(),
    }
    rows = [
        ("convicts", ", ".join(judged.economies)),
        ("of", _STATEMENTS[fork]),
        ("height" if fork else "number", str(judged.number)),
        ("network id", expected.hex()),
    ]
    show(made, lambda: facts(rows), as_json=json)

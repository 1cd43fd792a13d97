"""`aeo ledger restore`: a lost node's ledger anew, from an export that a partner still has."""

from pathlib import Path
from typing import Annotated

import typer

from ledger.bls.scheme import default_backend
from ledger.errors import ChainError, CheckError
from service.cli import exits
from service.cli.auditing.verify import describe, report_text
from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.output import BYTES, progress, say, show, show_json, warn
from service.cli.profile import read_network_id
from service.clock import SystemClock
from service.config import load_config


def restore(
    path: Annotated[Path, typer.Argument(help="A file that `aeo ledger export` wrote.")],
    *,
    config: Annotated[
        Path, typer.Option(envvar="AEO_CONFIG", help="The TOML file of the node that lost it.")
    ],
    network_id: Annotated[
        str, typer.Option(help="The network's id, 64 hex digits, that you have from elsewhere.")
    ],
    new_guard: Annotated[
        bool,
        typer.Option(
            "--new-guard",
            help="The guard file is lost as well: begin one at the newest header of the export. "
            "Only if the members' keys have sealed nothing later.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make a solo node's ledger anew from anyone's export, all of it verified first.

    Nothing is overwritten: move a damaged ledger.db away before. The members' own stores come from
    a backup (aeo backup). Exit code 1: the export does not verify.
    """
    settings = load_config(config)
    if settings.engine.kind == "cometbft":
        raise InputRefused(
            "under CometBFT the other members bring a lost ledger back, block by block or from a "
            "snapshot: make empty stores with `aeo node join`, put the copy of the member's own "
            "store in place, and start the node"
        )
    # A whole node hangs from it, and no other command should wait for that to load.
    from service.api.configured import node_settings  # noqa: PLC0415
    from service.node.governance.member_key import HeldKeys  # noqa: PLC0415
    from service.node.rebuilding import LedgerThere, rebuild_ledger, renew_guard  # noqa: PLC0415

    backend, network = default_backend(), read_network_id(network_id)
    node = node_settings(settings)
    if not isinstance(node.ledger, Path):
        raise InputRefused(f"{node.ledger}: a server's own backup restores it, not this command")
    if new_guard and node.guard.exists():
        raise LedgerThere(f"{node.guard} is there: what the keys have sealed is known, keep it")
    try:
        with progress("Restoring", 2 * path.stat().st_size, BYTES) as done:
            report = rebuild_ledger(
                path,
                node.ledger,
                network_id=network,
                now=SystemClock().now_ms(),
                backend=backend,
                done=done,
            )
    except CheckError as error:
        if json:
            place = error.place if isinstance(error, ChainError) else ""
            show_json({"restored": False, "place": place, "problem": str(error)})
        warn(f"{path} does not verify, nothing is restored: {error}")
        raise typer.Exit(exits.NO) from None
    if new_guard:
        held = [HeldKeys.given(each, given, backend) for each, given in node.members.items()]
        key_ids = [key.key_id for keys in held for key in keys.all]
        renew_guard(node.guard, node.ledger, key_ids, network)
    found = describe(report)
    show({"restored": True, **found}, lambda: report_text(report, "verified"), as_json=json)
    if not node.guard.exists():
        say(
            f"The guard file {node.guard} is missing: bring it back. Where it is lost, see "
            "--new-guard."
        )

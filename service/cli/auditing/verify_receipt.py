"""`aeo verify receipt`: a verdict that was taken away, checked offline, trusting nobody."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from aeo.exchange.v1 import verdict_pb2
from ledger.audit.receipt import RECEIPT_LIMIT, Checked, check_receipt, parse_receipt
from ledger.audit.receipt_keys import Unopened
from ledger.audit.replay import ANCHORED
from ledger.bls.scheme import default_backend
from ledger.chain.genesis import GENESIS_LIMIT, parse_genesis
from ledger.customs.subject import LookupKey
from ledger.errors import CheckError, FormatError
from service.api.counted import counted
from service.cli import exits
from service.cli.asking.verdict_text import describe, text
from service.cli.auditing.verify import read_anchor
from service.cli.civil import format_instant
from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.output import facts, show, show_json, warn
from service.cli.profile import read_network_id
from service.clock import SystemClock

_KEYS_LIMIT: Final = 1 << 20


def verify_receipt(
    path: Annotated[Path, typer.Argument(help="A file that `aeo receipt get` wrote.")],
    *,
    network_id: Annotated[
        str | None,
        typer.Option(help="The network's id, 64 hex digits, that you have from elsewhere."),
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(help="A header that you believe: a client's anchor file, or HEIGHT:HASH."),
    ] = None,
    genesis: Annotated[
        Path | None, typer.Option(help="The network's genesis, for a receipt that comes without.")
    ] = None,
    lookup_keys: Annotated[
        Path | None,
        typer.Option(
            help="Where you hold lookup keys: a file with a line ARRANGEMENT EPOCH KEY for each, "
            "the first and last in hex. With them absence and aliases can be checked too."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check a receipt: seal, proofs, and the verdict, which is worked out again.

    Exit code 0: the verdict, whatever it says, follows from a ledger that may be relied on. 1:
    something does not hold; or only a lookup key could tell whose record is absent; or there is no
    anchor that is recent enough.
    """
    if network_id is None and anchor is None:
        raise InputRefused("give the network's id (--network-id) or a header that you believe")
    data = _read(path, RECEIPT_LIMIT)
    genesis_bytes = b"" if genesis is None else _read(genesis, GENESIS_LIMIT)
    try:
        checked = check_receipt(
            data,
            now=SystemClock().now_ms(),
            backend=default_backend(),
            network_id=read_network_id(network_id) if network_id else None,
            anchor=read_anchor(anchor) if anchor else None,
            lookup_keys=_lookup_keys(lookup_keys, parse_receipt(data).genesis or genesis_bytes),
            genesis_bytes=genesis_bytes,
        )
    except CheckError as error:
        if json:
            show_json({"verified": False, "problem": str(error)})
        warn(f"{path} does not verify: {error}")
        raise typer.Exit(exits.NO) from None
    show(describe_receipt(checked), lambda: receipt_text(checked), as_json=json)
    if checked.trust != ANCHORED:
        warn(
            f"{checked.trust}: {path} agrees with itself, but replaced keys could have signed "
            "another past; give the network's id or a recent anchor"
        )
    if checked.rests_on_unopened:
        warn("only a lookup key can tell that this is about the trader asked about")
    if not checked.verified:
        raise typer.Exit(exits.NO)


def describe_receipt(checked: Checked) -> dict[str, Any]:
    """What a receipt was found to show, as JSON has it."""
    message = verdict_pb2.Verdict.FromString(checked.verdict_bytes)
    return {
        "verified": checked.verified,
        "trust": checked.trust,
        "hand_overs": checked.hand_overs,
        "network_id": checked.genesis.network_id.hex(),
        "network_name": checked.genesis.network_name,
        "asked": _asked(checked),
        "asked_at": checked.asked_at,
        "level": checked.level.upper(),
        "attested_time": checked.attested_time,
        "records": checked.records,
        "unopened": [
            {
                "arrangement_id": each.arrangement_id.hex(),
                "identifier": each.identifier.hex(),
                "alias": each.is_alias,
            }
            for each in checked.unopened
        ],
        "unproved": list(checked.unproved),
        "verdict": describe(message, checked.level.upper(), checked.names),
    }


def receipt_text(checked: Checked) -> RenderableType:
    """The same for people: the verdict, then what was checked, then what was not."""
    message = verdict_pb2.Verdict.FromString(checked.verdict_bytes)
    zones = {founder.economy: founder.time_zone for founder in checked.genesis.founders}
    here = zones.get(message.recognising_economy, "UTC")
    verdict = text(
        _asked(checked),
        message,
        checked.level.upper(),
        names=checked.names,
        time_zone=lambda economy: zones.get(economy, "UTC"),
    )
    attested = format_instant(checked.attested_time, here)
    proved = f"by header {checked.header.height}, {checked.level} at {attested}"
    rows = [
        ("network", checked.genesis.network_name),
        ("network id", checked.genesis.network_id.hex()),
        ("asked", f"{format_instant(checked.asked_at, here)}, function {checked.query.function}"),
        ("proved", f"{proved}: {counted(checked.records, 'record')}"),
        ("trust", "verified" if checked.trust == ANCHORED else checked.trust),
        *([("hand-overs", str(checked.hand_overs))] if checked.hand_overs else []),
        *(("not opened", _unopened_text(each, checked.names)) for each in checked.unopened),
        *(("not proved", each) for each in checked.unproved),
    ]
    return Group(verdict, Text(), facts(rows))


def _unopened_text(unopened: Unopened, names: Mapping[bytes, str]) -> str:
    name = names.get(unopened.arrangement_id, unopened.arrangement_id.hex())
    what = (
        "this is the alias asked about" if unopened.is_alias else "the trader asked about is absent"
    )
    return f"that {what} under {name}: only its lookup key tells"


def _asked(checked: Checked) -> str:
    query = checked.query
    return query.tin if query.tin is not None else ":".join(query.alias or ())


def _lookup_keys(path: Path | None, genesis: bytes) -> dict[bytes, LookupKey]:
    """Keys by arrangement id out of a file."""
    if path is None:
        return {}
    network_id = parse_genesis(genesis).network_id
    keys = {}
    for number, line in enumerate(_read(path, _KEYS_LIMIT).decode().splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            arrangement, epoch, key = words
            arrangement_id = bytes.fromhex(arrangement)
            keys[arrangement_id] = LookupKey(
                bytes.fromhex(key), network_id, arrangement_id, int(epoch)
            )
        except (ValueError, FormatError):
            raise InputRefused(f"{path}, line {number}: not ARRANGEMENT EPOCH KEY") from None
    return keys


def _read(path: Path, limit: int) -> bytes:
    if path.stat().st_size > limit:
        raise InputRefused(f"{path} is larger than {limit:,} bytes")
    return path.read_bytes()

"""`aeo key register`: what a would-be member hands over to be admitted."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger.bls.scheme import default_backend
from ledger.chain.registration import parse_registration
from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.governing.founders import founder_of
from service.cli.governing.key import HostOption, PassphraseOption, new_passphrase
from service.cli.output import facts, say, show
from service.cli.profile import read_network_id
from service.keys.key_file import PUBLIC_MODE, read_passphrase, write_new
from service.keys.member_keys import (
    BLS_FILE,
    make_member_keys,
    open_member_keys,
    register_member,
)

REGISTRATION_FILE: Final = "registration.bin"


def register(
    folder: Annotated[
        Path, typer.Argument(help="Where the keys are; made where there are none yet.")
    ],
    *,
    economy: Annotated[
        str, typer.Option(help="Who asks: two letters (ISO 3166-1 alpha-2, or EU).")
    ],
    network: Annotated[str, typer.Option(help="The network's name; certificates carry it.")],
    network_id: Annotated[str, typer.Option(help="The network's id, 64 hex digits.")],
    name: Annotated[str, typer.Option(help="The administration's name.")] = "",
    time_zone: Annotated[str, typer.Option(help="Of its headquarters, such as Asia/Tokyo.")] = "",
    prefixes: Annotated[
        str, typer.Option(help="The TIN prefixes it speaks for, split by semicolons.")
    ] = "",
    weight: Annotated[int, typer.Option(min=0, help="Its weight; 0 neither seals nor votes.")] = 1,
    endpoint: Annotated[str, typer.Option(help="Where partners reach its node, host:port.")] = "",
    host: HostOption = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
) -> None:
    """Make all keys of a would-be member, and the registration that a member proposes to admit."""
    network_bytes = read_network_id(network_id)
    applicant = founder_of(
        {
            "economy": economy,
            "name": name,
            "time_zone": time_zone,
            "prefixes": prefixes,
            "weight": str(weight),
            "endpoint": endpoint,
        }
    )
    target = folder / REGISTRATION_FILE
    if target.exists():
        raise InputRefused(f"{target} is there already; a registration is never overwritten")
    backend = default_backend()
    if (folder / BLS_FILE).exists():
        keys = open_member_keys(folder, economy, read_passphrase(passphrase_file), backend)
    else:
        # A whole node hangs from it, and no other command should wait for that to load.
        from service.node.founding.folder import LOCAL_HOSTS  # noqa: PLC0415

        keys = make_member_keys(
            folder,
            economy,
            network_name=network,
            hosts=(*LOCAL_HOSTS, *(host or ())),
            passphrase=new_passphrase(passphrase_file),
            now=datetime.now(UTC),
            backend=backend,
        )
    data = register_member(applicant, keys, network_bytes, backend)
    write_new(target, data, mode=PUBLIC_MODE)
    registration = parse_registration(data)
    made: dict[str, Any] = {
        "registration": str(target),
        "economy": economy,
        "network_id": network_id.lower(),
        "key_id": keys.key_id.hex(),
        "name": registration.name,
        "time_zone": registration.time_zone,
        "prefixes": list(registration.prefixes),
        "weight": registration.weight,
        "endpoint": registration.endpoint,
    }
    rows = [
        ("registration", made["registration"]),
        ("key id", made["key_id"]),
        ("speaks for", ", ".join(registration.prefixes)),
        ("weight", str(weight)),
        ("time zone", registration.time_zone),
    ]
    show(made, lambda: facts(rows), as_json=json)
    say(
        f"Hand {target.name} to a member, who proposes it: aeo member admit --registration "
        f"{target.name}. Say the key id over another way, so that nobody can exchange the file."
    )

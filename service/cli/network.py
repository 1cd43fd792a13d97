"""`aeo network init`: a network of founders, and the node that hosts them, in one folder.

    node.toml             the node's configuration
    genesis.bin           the network's first bytes: give them to every partner
    network-id            its id in hex: what a client should have by hand
    authorities.pem       the authorities of all members
    passphrase            opens every key below, unless --passphrase-file names another
    members/NZ/           all keys of a member (see `aeo key new`)
    clients/NZ/           a certificate, a key and a profile for each access role
    data/                 the stores of the node

All of it is made in a folder beside and then renamed, so a network is there whole or not at all.
"""

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import tomli_w
import typer

from ledger.bls.scheme import BlsBackend, default_backend
from ledger.chain.genesis import Genesis
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.founders import founders_of_codes, founders_of_file
from service.cli.key import LOCAL_HOSTS, HostOption
from service.cli.output import facts, progress, say, show
from service.config import DEFAULT_HEALTH, DEFAULT_LISTEN, DEFAULT_METRICS
from service.keys.key_file import PUBLIC_MODE, read_passphrase, write_new
from service.keys.keystore import Scrypt
from service.keys.member_keys import (
    BLS_FILE,
    ED25519_FILE,
    NODE_FILE,
    NODE_KEY_FILE,
    Founder,
    MemberKeys,
    make_client,
    make_member_keys,
    register_founder,
)
from service.keys.spiffe import AccessRole, SpiffeId, format_trust_domain
from service.node.network import create_network
from service.node.node import NodeSettings

app = group("Begin a network.")

CLIENT_ROLES: Final = (
    AccessRole.RISK_ENGINE,
    AccessRole.BORDER_OFFICER,
    AccessRole.OFFICER,
    AccessRole.APPROVER,
    AccessRole.AUDITOR,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make. `passphrase_file` None: make a passphrase and keep it in the folder."""

    name: str
    founders: Sequence[Founder]
    listen: str
    health: str
    metrics: str
    hosts: Sequence[str]
    passphrase_file: Path | None
    pilot: bool
    kdf: Scrypt = field(default_factory=Scrypt)


@app.command(
    epilog=examples(
        "aeo network init pilot --members HK,NZ",
        "aeo network init apec --members-file members.csv --name 'APEC pilot' --listen 0.0.0.0:7443"
        " --host exchange.example",
    )
)
def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet, or is empty.")],
    *,
    members: Annotated[
        str | None, typer.Option(help="The founding members' codes, such as HK,NZ.")
    ] = None,
    members_file: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file instead: economy, time_zone, prefixes (split by semicolons), and if "
            "wanted name, weight, endpoint."
        ),
    ] = None,
    time_zone: Annotated[
        list[str] | None,
        typer.Option(help="The zone of a member's headquarters, such as AU=Australia/Perth."),
    ] = None,
    name: Annotated[str, typer.Option(help="The network's name.")] = "AEO status exchange",
    listen: Annotated[str, typer.Option(help="Where the node answers.")] = DEFAULT_LISTEN,
    health: Annotated[str, typer.Option(help="Where it answers probes.")] = DEFAULT_HEALTH,
    metrics: Annotated[str, typer.Option(help="Where it shows its counts.")] = DEFAULT_METRICS,
    host: HostOption = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(help="A file with the passphrase of all keys; else one is made."),
    ] = None,
    pilot: Annotated[
        bool,
        typer.Option(
            "--pilot/--no-pilot",
            help="Whether one operator may hold all keys; every verdict repeats it.",
        ),
    ] = True,
    json: JsonOption = False,
) -> None:
    """Make a network of its own: keys, genesis, certificates, profiles, the node's configuration.

    One node hosts all members, for trying out and for pilots. Start it with `aeo node run`.
    """
    if (members is None) == (members_file is None):
        raise InputRefused("name the members with --members or with --members-file")
    plan = Plan(
        name=name,
        founders=(
            founders_of_file(members_file)
            if members_file is not None
            else founders_of_codes(members or "", _zones(time_zone or ()))
        ),
        listen=listen,
        health=health,
        metrics=metrics,
        hosts=(*LOCAL_HOSTS, *(host or ())),
        passphrase_file=passphrase_file.absolute() if passphrase_file is not None else None,
        pilot=pilot,
    )
    genesis = init_network(folder, plan)
    made = _describe(folder, genesis)
    show(
        made,
        lambda: facts([(key.replace("_", " "), _text(made[key])) for key in made]),
        as_json=json,
    )
    if passphrase_file is None:
        say(f"A passphrase was made: {folder / 'passphrase'}. Keep it apart from the keys.")
    say(f"Next: aeo node run --config {folder / 'node.toml'}")


def init_network(folder: Path, plan: Plan) -> Genesis:
    """Make the folder of a network, whole or not at all."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputRefused(f"{folder} is there already and not empty")
    folder.parent.mkdir(parents=True, exist_ok=True)
    begun = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    begun.mkdir(mode=0o700)
    try:
        genesis = _make(begun, plan)
        begun.replace(folder)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    return genesis


def _make(folder: Path, plan: Plan) -> Genesis:
    backend, now = default_backend(), datetime.now(UTC)
    if plan.passphrase_file is None:
        write_new(folder / "passphrase", secrets.token_urlsafe(24).encode() + b"\n")
    passphrase_file = plan.passphrase_file or folder / "passphrase"
    passphrase = read_passphrase(passphrase_file)
    keys: list[MemberKeys] = []
    with progress("Making keys", len(plan.founders), "members") as done:
        for founder in plan.founders:
            keys.append(_member_keys(folder, founder.economy, plan, passphrase, now, backend))
            done(len(keys))
    genesis = create_network(
        NodeSettings.in_folder(
            folder / "data", {member.economy: member.bls_secret for member in keys}
        ),
        name=plan.name,
        created_at=int(now.timestamp() * 1000),
        founders=[
            register_founder(founder, member, backend)
            for founder, member in zip(plan.founders, keys, strict=True)
        ],
        backend=backend,
        pilot=plan.pilot,
    )
    authorities = b"".join(member.authority.pem for member in keys if member.authority)
    _write(folder / "genesis.bin", genesis.data)
    _write(folder / "network-id", genesis.network_id.hex().encode() + b"\n")
    _write(folder / "authorities.pem", authorities)
    _write(folder / "node.toml", _node_config(plan).encode())
    for member in keys:
        _make_clients(folder, member, plan, genesis, now)
    return genesis


def _member_keys(
    folder: Path, economy: str, plan: Plan, passphrase: str, now: datetime, backend: BlsBackend
) -> MemberKeys:
    return make_member_keys(
        folder / "members" / economy,
        economy,
        network_name=plan.name,
        hosts=plan.hosts,
        passphrase=passphrase,
        now=now,
        backend=backend,
        kdf=plan.kdf,
    )


def _make_clients(
    folder: Path, member: MemberKeys, plan: Plan, genesis: Genesis, now: datetime
) -> None:
    assert member.authority is not None, "just made"
    clients = folder / "clients" / member.economy
    domain = format_trust_domain(plan.name)
    for role in CLIENT_ROLES:
        holder = SpiffeId(domain, member.economy, role, str(role))
        make_client(clients, member.authority, holder, now)
        profile = {
            "address": _reached_at(plan),
            "network_id": genesis.network_id.hex(),
            "anchor": f"{role}.anchor.json",
            "authorities": "../../authorities.pem",
            "certificate": f"{role}.pem",
            "key": f"{role}.key",
        }
        _write(clients / f"{role}.toml", tomli_w.dumps(profile).encode())


def _reached_at(plan: Plan) -> str:
    """Where clients find the node: what it listens on, or its first name where that is anywhere."""
    host, _, port = plan.listen.rpartition(":")
    if host not in {"0.0.0.0", "[::]"}:  # noqa: S104 - compared, not bound
        return plan.listen
    named = [each for each in plan.hosts if each not in LOCAL_HOSTS]
    return f"{named[0] if named else 'localhost'}:{port}"


def _node_config(plan: Plan) -> str:
    passphrase = str(plan.passphrase_file or "passphrase")
    first = f"members/{plan.founders[0].economy}"
    config: dict[str, Any] = {
        "data": "data",
        "listen": {"grpc": plan.listen, "health": plan.health, "metrics": plan.metrics},
        "tls": {
            "certificate": f"{first}/{NODE_FILE}",
            "key": f"{first}/{NODE_KEY_FILE}",
            "passphrase_file": passphrase,
        },
        "member": [
            {
                "economy": founder.economy,
                "bls_keystore": f"members/{founder.economy}/{BLS_FILE}",
                "ed25519_key": f"members/{founder.economy}/{ED25519_FILE}",
                "passphrase_file": passphrase,
            }
            for founder in plan.founders
        ],
    }
    return tomli_w.dumps(config)


def _describe(folder: Path, genesis: Genesis) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "network_id": genesis.network_id.hex(),
        "network_name": genesis.network_name,
        "pilot": genesis.pilot,
        "members": [founder.economy for founder in genesis.founders],
        "configuration": str(folder / "node.toml"),
        "profiles": [
            str(folder / "clients" / founder.economy / f"{role}.toml")
            for founder in genesis.founders
            for role in CLIENT_ROLES
        ],
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ("\n" if any("/" in each for each in value) else ", ").join(value)
    return str(value)


def _zones(given: Sequence[str]) -> dict[str, str]:
    zones = {}
    for each in given:
        economy, equals, zone = each.partition("=")
        if not equals:
            raise InputRefused(f"--time-zone {each} is not like AU=Australia/Perth")
        zones[economy.strip()] = zone.strip()
    return zones


def _write(path: Path, data: bytes) -> None:
    write_new(path, data, mode=PUBLIC_MODE)

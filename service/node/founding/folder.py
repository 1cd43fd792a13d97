"""Founding a network: its keys, genesis, certificates and stores, and one node that hosts it all.

    node.toml             the node's configuration
    genesis.bin           the network's first bytes: give them to every partner
    network-id            its id in hex: what a client should have by hand
    authorities.pem       the authorities of all members
    passphrase            opens every key below, unless another file was named
    members/NZ/           all keys of a member (`service.keys.member_keys`)
    clients/NZ/           a certificate, a key and a profile for each access role; `replica.toml`
                          is the configuration of a replica
    data/                 the stores of the node

All of it is made in a folder beside and then renamed, so a network is there whole or not at all.
"""

import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import tomli_w

from ledger.bls.scheme import BlsBackend, default_backend
from ledger.chain.genesis import Genesis
from service.errors import Refused
from service.keys.key_file import PUBLIC_MODE, read_passphrase, write_new
from service.keys.keystore import Pbkdf2, Scrypt
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
from service.node.founding.network import create_network
from service.node.node import NodeSettings

LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
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
    kdf: Scrypt | Pbkdf2 = field(default_factory=Scrypt)


class FolderTaken(Refused):
    """The folder of a new network is there already."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is there already and not empty")


def found_network(
    folder: Path, plan: Plan, done: Callable[[int], None] = lambda made: None
) -> Genesis:
    """Make the folder of a network; `done` hears how many members have their keys.

    Raises `FolderTaken`, and the errors of keys and stores.
    """
    return in_new_folder(folder, lambda begun: _make(begun, plan, done))


def in_new_folder(folder: Path, make: Callable[[Path], Genesis]) -> Genesis:
    """Have a network made in a folder beside, then rename it: it is there whole or not at all."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTaken(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    begun = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    begun.mkdir(mode=0o700)
    try:
        genesis = make(begun)
        begun.replace(folder)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    return genesis


def _make(folder: Path, plan: Plan, done: Callable[[int], None]) -> Genesis:
    backend, now = default_backend(), datetime.now(UTC)
    if plan.passphrase_file is None:
        write_new(folder / "passphrase", secrets.token_urlsafe(24).encode() + b"\n")
    passphrase_file = plan.passphrase_file or folder / "passphrase"
    passphrase = read_passphrase(passphrase_file)
    keys: list[MemberKeys] = []
    for founder in plan.founders:
        keys.append(make_founder_keys(folder, founder.economy, plan, passphrase, now, backend))
        done(len(keys))
    genesis = create_network(
        NodeSettings.in_folder(
            folder / "data", {member.economy: member.bls_secret for member in keys}
        ),
        name=plan.name,
        created_at=int(now.timestamp() * 1000),
        founders=[
            register_founder(with_endpoint(founder, plan), member, backend)
            for founder, member in zip(plan.founders, keys, strict=True)
        ],
        backend=backend,
        pilot=plan.pilot,
    )
    authorities = b"".join(member.authority.pem for member in keys if member.authority)
    write_public(folder / "genesis.bin", genesis.data)
    write_public(folder / "network-id", genesis.network_id.hex().encode() + b"\n")
    write_public(folder / "authorities.pem", authorities)
    write_public(folder / "node.toml", node_config(plan).encode())
    for member in keys:
        make_clients(folder, member, plan, genesis, now)
    return genesis


def make_founder_keys(
    folder: Path, economy: str, plan: Plan, passphrase: str, now: datetime, backend: BlsBackend
) -> MemberKeys:
    """All keys of one founder, below a network's folder."""
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


def make_clients(
    folder: Path, member: MemberKeys, plan: Plan, genesis: Genesis, now: datetime
) -> None:
    """A certificate, a key and a profile for each access role of one member."""
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
            "client_certificate": f"{role}.pem",
            "client_key": f"{role}.key",
        }
        write_public(clients / f"{role}.toml", tomli_w.dumps(profile).encode())
    holder = SpiffeId(domain, member.economy, AccessRole.REPLICA, "replica")
    make_client(clients, member.authority, holder, now, hosts=plan.hosts)
    config = replica_config(plan, member.economy, genesis)
    write_public(clients / "replica.toml", tomli_w.dumps(config).encode())


def replica_config(plan: Plan, economy: str, genesis: Genesis) -> dict[str, Any]:
    """The configuration of a replica of one member, that follows the plan's node."""
    own = {"certificate": "replica.pem", "key": "replica.key"}
    return {
        "data": "replica",
        "network_id": genesis.network_id.hex(),
        "economy": economy,
        "source": [{"address": _reached_at(plan)}],
        "client": {"authorities": "../../authorities.pem", **own},
        "tls": own,
    }


def with_endpoint(founder: Founder, plan: Plan) -> Founder:
    """The founder with the endpoint of its node, this one unless another is named."""
    if founder.endpoint or plan.listen.endswith(":0"):  # of a free port nobody knows the number
        return founder
    return replace(founder, endpoint=_reached_at(plan))


def _reached_at(plan: Plan) -> str:
    """Where clients find the node: what it listens on, or its first name where that is anywhere."""
    host, _, port = plan.listen.rpartition(":")
    if host not in {"0.0.0.0", "[::]"}:  # noqa: S104 - compared, not bound
        return plan.listen
    named = [each for each in plan.hosts if each not in LOCAL_HOSTS]
    return f"{named[0] if named else 'localhost'}:{port}"


def node_config(plan: Plan, engine: dict[str, Any] | None = None) -> str:
    """The configuration of a node that hosts the plan's founders."""
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
    if engine is not None:
        config["engine"] = engine
    return tomli_w.dumps(config)


def write_public(path: Path, data: bytes) -> None:
    """A new file that anybody may read."""
    write_new(path, data, mode=PUBLIC_MODE)

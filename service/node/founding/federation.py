"""Founding a network of several nodes: a folder for each member, to be carried to its own machine.

    genesis.bin, network-id      the network, the same for all
    authorities.pem              the authorities of all members
    AU/                          all that the node of one member needs (`founding.folder`)
    AU/genesis.bin, AU/network-id, AU/authorities.pem, AU/passphrase
    AU/node.toml                 with `engine.kind = "cometbft"` and the other members as peers
    AU/members/AU/, AU/clients/AU/
    AU/data/                     its stores
    AU/cometbft/                 what CometBFT starts from

No folder holds another member's secrets. Founding from one machine is for trials and pilots: who
runs it has seen every key. Members that do not trust one operator make their keys themselves, and
are admitted (`aeo key register`, `aeo member admit`, `aeo node join`).
"""

import secrets
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ledger.bls.scheme import BlsBackend, default_backend
from ledger.chain.genesis import Genesis, check_genesis, format_genesis, parse_genesis
from ledger.chain.parameters import DEFAULT_PARAMETERS, Parameters, format_parameters
from ledger.ed25519 import SEED_BYTES
from service.engine.cometbft.home import StateSync, write_node_key
from service.keys.key_file import read_passphrase, write_new
from service.keys.member_keys import MemberKeys, open_member_keys, register_founder
from service.node.founding.folder import (
    Plan,
    in_new_folder,
    make_clients,
    make_founder_keys,
    node_config,
    with_endpoint,
    write_public,
)
from service.node.founding.network import join_network
from service.node.node import NodeSettings

COMETBFT_FOLDER: Final = "cometbft"
PORTS_APART: Final = 10
"""Between the addresses of two members that share a machine."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one member's node and its CometBFT answer, each as host:port.

    `reached` is where the CometBFT of others finds this one's `p2p`.
    """

    listen: str
    health: str
    metrics: str
    abci: str
    rpc: str
    p2p: str
    reached: str

    @classmethod
    def at(cls, host: str, ports: Sequence[int]) -> "Place":
        """On six ports of one host, in the order of the fields; what is the node's own is on
        loopback."""
        loopback = "127.0.0.1"
        hosts = (host, host, host, loopback, loopback, host)
        grpc, health, metrics, abci, rpc, p2p = (
            f"{each}:{port}" for each, port in zip(hosts, ports, strict=True)
        )
        return cls(grpc, health, metrics, abci, rpc, p2p, p2p)

    @classmethod
    def beside(cls, listen: str, number: int) -> "Place":
        """The place of the member of a number among those on one machine, from the first's port."""
        host, _, port = listen.rpartition(":")
        first = int(port) + number * PORTS_APART
        return cls.at(host, range(first, first + 6))


def places_of(plan: Plan) -> list[Place]:
    """Where each founder's node answers, from the plan's own address.

    A founder with an endpoint has a machine of its own, which is called by that name; the others
    share this one.
    """
    places, beside = [], 0
    for founder in plan.founders:
        if founder.endpoint:
            alone = Place.beside(plan.listen, 0)
            host = founder.endpoint.rpartition(":")[0]
            places.append(replace(alone, reached=f"{host}:{alone.p2p.rpartition(':')[2]}"))
        else:
            places.append(Place.beside(plan.listen, beside))
            beside += 1
    return places


def found_federation(
    folder: Path,
    plan: Plan,
    places: Sequence[Place],
    done: Callable[[int], None] = lambda made: None,
    *,
    parameters: Parameters = DEFAULT_PARAMETERS,
    created_at: int | None = None,
) -> Genesis:
    """Make the folders of all members' nodes; `places` in the order of the plan's founders.

    The network begins at `created_at` (Unix ms), by default now. Raises `FolderTaken`, and the
    errors of keys and stores.
    """
    return in_new_folder(
        folder, lambda begun: _make(begun, plan, places, done, parameters, created_at)
    )


def join_federation(
    folder: Path,
    plan: Plan,
    place: Place,
    genesis_bytes: bytes,
    peers: Sequence[str],
    *,
    state_sync: StateSync | None = None,
) -> str:
    """Make the rest of the folder of a node whose member asks, or will ask, to be admitted.

    Its keys are in `members/` already (`aeo key register`). The node follows the chain from its
    start on, and takes part once the others have handed over to a set with it; returns the id by
    which CometBFT's peers name it. Raises the errors of keys and stores.
    """
    economy = plan.founders[0].economy
    own = replace(plan, listen=place.listen, health=place.health, metrics=place.metrics)
    genesis = parse_genesis(genesis_bytes)
    backend, now = default_backend(), datetime.now(UTC)
    passphrase = read_passphrase(plan.passphrase_file or folder / "passphrase")
    keys = open_member_keys(folder / "members" / economy, economy, passphrase, backend)
    known = [founder.ca_certificate for founder in genesis.founders]
    if keys.authority is not None and keys.authority.der not in known:
        known.append(keys.authority.der)
    authorities = "".join(map(ssl.DER_cert_to_PEM_cert, known)).encode()
    _write_network(folder, genesis, authorities)
    node_id = write_node_key(folder / COMETBFT_FOLDER, secrets.token_bytes(SEED_BYTES))
    engine = engine_section(place, peers)
    if state_sync is not None:
        engine["cometbft"] |= {
            "state_sync": list(state_sync.servers),
            "trust_height": state_sync.trust_height,
            "trust_hash": state_sync.trust_hash,
        }
    write_public(folder / "node.toml", node_config(own, engine).encode())
    join_network(
        NodeSettings.in_folder(folder / "data", {economy: keys.bls_secret}), genesis_bytes, backend
    )
    if keys.authority is not None:
        make_clients(folder, keys, own, genesis, now)
    return node_id


def peers_of(ids: Sequence[str], places: Sequence[Place], own: int) -> list[str]:
    """The other members as CometBFT wants them named."""
    return [
        f"{node_id}@{place.reached}"
        for number, (node_id, place) in enumerate(zip(ids, places, strict=True))
        if number != own
    ]


def engine_section(place: Place, peers: Sequence[str]) -> dict[str, Any]:
    """The part of a node's configuration that says who orders."""
    cometbft = {
        "home": COMETBFT_FOLDER,
        "abci": place.abci,
        "rpc": place.rpc,
        "p2p": place.p2p,
        "peers": list(peers),
    }
    if place.reached != place.p2p:
        cometbft["external"] = place.reached
    return {"kind": "cometbft", "cometbft": cometbft}


def _make(
    folder: Path,
    plan: Plan,
    places: Sequence[Place],
    done: Callable[[int], None],
    parameters: Parameters,
    created_at: int | None,
) -> Genesis:
    backend, now = default_backend(), datetime.now(UTC)
    plans = [
        replace(
            plan,
            founders=(founder,),
            listen=place.listen,
            health=place.health,
            metrics=place.metrics,
        )
        for founder, place in zip(plan.founders, places, strict=True)
    ]
    keys: list[MemberKeys] = []
    for own in plans:
        keys.append(_member(folder, own, now, backend))
        done(len(keys))
    registrations = [
        register_founder(with_endpoint(own.founders[0], own), member, backend)
        for own, member in zip(plans, keys, strict=True)
    ]
    begins = int(now.timestamp() * 1000) if created_at is None else created_at
    data = format_genesis(
        plan.name, begins, registrations, format_parameters(parameters), pilot=plan.pilot
    )
    genesis = parse_genesis(data)
    check_genesis(genesis, backend)
    authorities = b"".join(member.authority.pem for member in keys if member.authority)
    ids = [
        write_node_key(
            folder / own.founders[0].economy / COMETBFT_FOLDER, secrets.token_bytes(SEED_BYTES)
        )
        for own in plans
    ]
    _write_network(folder, genesis, authorities)
    for number, (own, member) in enumerate(zip(plans, keys, strict=True)):
        room = folder / member.economy
        _write_network(room, genesis, authorities)
        engine = engine_section(places[number], peers_of(ids, places, number))
        write_public(room / "node.toml", node_config(own, engine).encode())
        join_network(
            NodeSettings.in_folder(room / "data", {member.economy: member.bls_secret}),
            data,
            backend,
        )
        make_clients(room, member, own, genesis, now)
    return genesis


def _member(folder: Path, plan: Plan, now: datetime, backend: BlsBackend) -> MemberKeys:
    economy = plan.founders[0].economy
    room = folder / economy
    room.mkdir(mode=0o700)
    if plan.passphrase_file is None:
        write_new(room / "passphrase", secrets.token_urlsafe(24).encode() + b"\n")
    passphrase = read_passphrase(plan.passphrase_file or room / "passphrase")
    return make_founder_keys(room, economy, plan, passphrase, now, backend)


def _write_network(folder: Path, genesis: Genesis, authorities: bytes) -> None:
    write_public(folder / "genesis.bin", genesis.data)
    write_public(folder / "network-id", genesis.network_id.hex().encode() + b"\n")
    write_public(folder / "authorities.pem", authorities)

"""The files that CometBFT starts from, written anew at each start from ours.

    config/config.toml                 addresses, peers, times
    config/genesis.json                derived from the network's genesis: the same at every member
    config/priv_validator_key.json     the member's consensus key, in the clear, mode 0600
    config/node_key.json               who this node is to its peers; made once
    data/priv_validator_state.json     what the key signed last; CometBFT's own, never touched again

A validator's address, and a node's id, are the first 20 bytes of SHA-256 of an Ed25519 public key.

Block 1 bears the genesis time, and the application hash before it is the hash of header 0, so a
CometBFT chain of another ledger is refused at its first block. Vote extensions are on from height
1: they carry the seals. Blocks are offered the whole mempool (`max_bytes` -1); the application cuts
them to size.

>>> chain_id(bytes(32))
'aeo-00000000000000000000'
>>> node_id(bytes(32))
'66687aadf862bd776c8fc18b8e9f8e2008971485'
"""

import json
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import tomli_w

from ledger import ed25519
from ledger.bls.scheme import default_backend
from ledger.chain.genesis import Genesis
from ledger.chain.transaction import MAX_TRANSACTION_BYTES
from ledger.state.machine import Machine

ADDRESS_BYTES: Final = 20
CONFIG_FILE: Final = "config/config.toml"
GENESIS_FILE: Final = "config/genesis.json"
VALIDATOR_KEY_FILE: Final = "config/priv_validator_key.json"
NODE_KEY_FILE: Final = "config/node_key.json"
VALIDATOR_STATE_FILE: Final = "data/priv_validator_state.json"

EMPTY_BLOCKS: Final = "2s"
"""A recorded time may be early by this and a round: it is the chain's clock while nobody writes."""
MEMPOOL_BYTES: Final = 64 << 20
"""Some minutes of full blocks; each author has a share of its own in the application's rules."""
MEMPOOL_TRANSACTIONS: Final = 5_000


@dataclass(frozen=True, slots=True)
class StateSync:
    """Begin with a snapshot of peers: RPC addresses of two or more, and a block to trust."""

    servers: tuple[str, ...]
    trust_height: int
    trust_hash: str


@dataclass(frozen=True, slots=True)
class HomeSettings:
    """Addresses are host:port; `peers` are id@host:port; an empty `metrics` shows none."""

    moniker: str
    abci: str
    rpc: str
    p2p: str
    peers: tuple[str, ...] = ()
    external: str = ""
    metrics: str = ""
    state_sync: StateSync | None = None


def chain_id(network_id: bytes) -> str:
    """What CometBFT calls the network of an id (32 bytes)."""
    return f"aeo-{network_id.hex()[:20]}"


def address_of(public_key: bytes) -> bytes:
    """A validator's address (20 bytes), or a node's id, from its Ed25519 public key."""
    return sha256(public_key).digest()[:ADDRESS_BYTES]


def node_id(public_key: bytes) -> str:
    """A node's id as its peers write it."""
    return address_of(public_key).hex()


def write_home(home: Path, settings: HomeSettings, genesis: Genesis) -> None:
    """Write everything but the validator's key; what was made once stays."""
    for folder in (home, home / "config", home / "data"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(home / CONFIG_FILE, tomli_w.dumps(_config(settings)))
    _write(home / GENESIS_FILE, _json(format_genesis_json(genesis)))
    if not (home / NODE_KEY_FILE).exists():
        write_node_key(home, os.urandom(ed25519.SEED_BYTES))
    if not (home / VALIDATOR_STATE_FILE).exists():
        _write(home / VALIDATOR_STATE_FILE, _json({"height": "0", "round": 0, "step": 0}))


def write_node_key(home: Path, seed: bytes) -> str:
    """Write who this node is to its peers; returns its id."""
    (home / "config").mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(home / NODE_KEY_FILE, _json({"priv_key": _private(seed)}))
    return node_id(ed25519.public_key(seed))


def write_validator_key(home: Path, seed: bytes) -> bytes:
    """Write the consensus key that CometBFT signs with from its next start; its public key."""
    public_key = ed25519.public_key(seed)
    key = {
        "address": address_of(public_key).hex().upper(),
        "pub_key": _public(public_key),
        "priv_key": _private(seed),
    }
    _write(home / VALIDATOR_KEY_FILE, _json(key))
    return public_key


def validator_address(home: Path) -> bytes | None:
    """The address of the key that CometBFT signs with; None where no key was written yet."""
    try:
        key = json.loads((home / VALIDATOR_KEY_FILE).read_bytes())
    except FileNotFoundError:
        return None
    return bytes.fromhex(key["address"])


def format_genesis_json(genesis: Genesis) -> dict[str, Any]:
    """CometBFT's genesis of the network: the same bytes wherever it is derived."""
    created = datetime.fromtimestamp(genesis.created_at // 1000, UTC)
    header_hash = Machine(genesis, default_backend()).state.header_hash
    return {
        "genesis_time": f"{created:%Y-%m-%dT%H:%M:%S}.{genesis.created_at % 1000:03}Z",
        "chain_id": chain_id(genesis.network_id),
        "initial_height": "1",
        "consensus_params": {
            "block": {"max_bytes": "-1", "max_gas": "-1"},
            "evidence": {
                "max_age_num_blocks": "100000",
                "max_age_duration": "172800000000000",
                "max_bytes": "1048576",
            },
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": "0"},
            "abci": {"vote_extensions_enable_height": "1"},
        },
        "validators": [
            {
                "address": address_of(founder.consensus_public_key).hex().upper(),
                "pub_key": _public(founder.consensus_public_key),
                "power": str(founder.weight),
                "name": founder.economy,
            }
            for founder in genesis.founders
            if founder.weight
        ],
        "app_hash": header_hash.hex().upper(),
    }


def _config(settings: HomeSettings) -> dict[str, Any]:
    """What differs from CometBFT's own defaults, and why."""
    config: dict[str, Any] = {
        "proxy_app": f"tcp://{settings.abci}",
        "abci": "socket",  # gRPC with such an address hangs
        "moniker": settings.moniker,
        "log_level": "error",
        "log_format": "json",
        "rpc": {"laddr": f"tcp://{settings.rpc}", "cors_allowed_origins": []},
        "p2p": {
            "laddr": f"tcp://{settings.p2p}",
            "external_address": settings.external,
            "persistent_peers": ",".join(settings.peers),
            # Strangers may fill all other places; members always find one.
            "unconditional_peer_ids": ",".join(peer.partition("@")[0] for peer in settings.peers),
            # Members are few and known by name; their addresses may be private ones.
            "addr_book_strict": False,
            "allow_duplicate_ip": True,
            "pex": False,
            "flush_throttle_timeout": "10ms",
            "send_rate": 64 << 20,
            "recv_rate": 64 << 20,
            "max_packet_msg_payload_size": 16 << 10,
        },
        "mempool": {
            "recheck": True,
            "size": MEMPOOL_TRANSACTIONS,
            "max_txs_bytes": MEMPOOL_BYTES,
            "max_tx_bytes": MAX_TRANSACTION_BYTES,
            "cache_size": 2 * MEMPOOL_TRANSACTIONS,
            # What did not enter now may enter later: a number too far ahead.
            "keep-invalid-txs-in-cache": False,
        },
        "consensus": {
            # A member that is away costs a round: what waits for its proposal waits this long.
            "timeout_propose": "1s",
            "timeout_propose_delta": "500ms",
            "timeout_prevote": "500ms",
            "timeout_precommit": "500ms",
            # Late precommits carry shares: the longer, the more of a seal, and the larger blocks.
            "timeout_commit": "150ms",
            "create_empty_blocks": False,
            "create_empty_blocks_interval": EMPTY_BLOCKS,
            "peer_gossip_sleep_duration": "10ms",
        },
        # The ledger is our own index.
        "tx_index": {"indexer": "null"},
        "storage": {"discard_abci_responses": True},
    }
    if settings.metrics:
        config["instrumentation"] = {
            "prometheus": True,
            "prometheus_listen_addr": settings.metrics,
        }
    if settings.state_sync is not None:
        config["statesync"] = {
            "enable": True,
            "rpc_servers": ",".join(_servers(settings.state_sync.servers)),
            "trust_height": settings.state_sync.trust_height,
            "trust_hash": settings.state_sync.trust_hash,
            "trust_period": "168h0m0s",
        }
    return config


def _servers(servers: Sequence[str]) -> list[str]:
    # CometBFT's light client wants two; the same one twice is as good as one.
    return [f"http://{each}" for each in (servers if len(servers) > 1 else (*servers, *servers))]


def _public(public_key: bytes) -> dict[str, str]:
    return {"type": "tendermint/PubKeyEd25519", "value": b64encode(public_key).decode()}


def _private(seed: bytes) -> dict[str, str]:
    value = b64encode(seed + ed25519.public_key(seed)).decode()
    return {"type": "tendermint/PrivKeyEd25519", "value": value}


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for its owner alone."""
    beside = path.with_name(f".{path.name}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)

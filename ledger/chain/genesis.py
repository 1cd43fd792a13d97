r"""Genesis: the first bytes of a network. `aeo.ledger.v1.Genesis`, 1 byte to 1 MiB.

    network name, creation time, pilot    true: one operator may hold all keys
    founders      Registration messages as bytes, ascending by economy
    parameters    a Parameters message as bytes

    network_id = H("aeo/v1/network", genesis bytes)

`parse_genesis` checks what the bytes alone show: every founder is well-formed and registered for 32
zero bytes, no key is there twice, each prefix has one speaker, and the founders form a signing set.
`check_genesis` verifies the founders' signatures.

>>> network_id(b"").hex()
'd4a54f43686be0dc4d10d301ccfe145baf59087c99a6b74c19bb1b406fd1c3fc'
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aeo.ledger.v1.genesis_pb2 import Genesis as GenesisMessage
from ledger.bls.scheme import BlsBackend
from ledger.chain.parameters import Parameters, parse_parameters
from ledger.chain.registration import (
    FOUNDERS_NETWORK,
    Registration,
    check_name,
    open_registration,
    parse_registration,
)
from ledger.chain.signing_set import SigningMember, SigningSet
from ledger.errors import FormatError
from ledger.hashing import tagged
from ledger.wire import format_strict, parse_strict

GENESIS_LIMIT: Final = 1 << 20
# The end of the year 9999, as in google.protobuf.Timestamp. Later instants have no civil date.
MAX_TIME: Final = 253_402_300_799_999
_MAX_NAME: Final = 64  # characters

network_id: Final = tagged("aeo/v1/network")


@dataclass(frozen=True, slots=True)
class Genesis:
    """A network's beginning. `created_at` is in Unix milliseconds; `data` the exact bytes."""

    network_id: bytes
    network_name: str
    created_at: int
    pilot: bool
    founders: tuple[Registration, ...]
    parameters: Parameters
    parameter_bytes: bytes
    signing_set: SigningSet
    data: bytes


def format_genesis(
    network_name: str,
    created_at: int,
    founders: Iterable[bytes],
    parameters: bytes,
    *,
    pilot: bool,
) -> bytes:
    """Write a genesis of Registration messages in any order, and of Parameters bytes.

    Raises `FormatError` for what no `parse_genesis` accepts.
    """
    ascending = sorted(founders, key=lambda founder: parse_registration(founder).economy)
    data = format_strict(
        GenesisMessage(
            network_name=network_name,
            created_at=created_at,
            pilot=pilot,
            founders=ascending,
            parameters=parameters,
        )
    )
    parse_genesis(data)
    return data


def parse_genesis(data: bytes) -> Genesis:
    """Read a genesis without asking whether the founders' signatures hold; or `FormatError`."""
    message = parse_strict(GenesisMessage, data, GENESIS_LIMIT)
    check_name(message.network_name, _MAX_NAME)
    if not 1 <= message.created_at <= MAX_TIME:
        raise FormatError(f"a creation time of {message.created_at}")
    founders = tuple(parse_registration(founder) for founder in message.founders)
    _check_founders(founders)
    return Genesis(
        network_id=network_id(data),
        network_name=message.network_name,
        created_at=message.created_at,
        pilot=message.pilot,
        founders=founders,
        parameters=parse_parameters(message.parameters),
        parameter_bytes=message.parameters,
        # Ascending, and of a total weight in range: the set's own rules.
        signing_set=SigningSet(
            tuple(
                SigningMember(founder.economy, founder.weight, founder.bls_public_key)
                for founder in founders
                if founder.weight
            )
        ),
        data=data,
    )


def check_genesis(genesis: Genesis, backend: BlsBackend) -> None:
    """Check that every founder holds the keys it registered; raises `SignatureError`."""
    for founder in genesis.founders:
        open_registration(founder.data, backend)


def _check_founders(founders: Sequence[Registration]) -> None:
    economies = [founder.economy for founder in founders]
    if economies != sorted(set(economies)):
        raise FormatError("the founders do not ascend by economy")
    for founder in founders:
        if founder.network_id != FOUNDERS_NETWORK:
            raise FormatError(f"the founder {founder.economy} registered for another network")
    _check_once("a BLS key", [founder.bls_public_key for founder in founders])
    _check_once("a key id", [founder.key_id for founder in founders])
    _check_once("an Ed25519 key", [founder.consensus_public_key for founder in founders])
    _check_once("an authority's key", [founder.ca_public_key for founder in founders])
    _check_once("a prefix", [prefix for founder in founders for prefix in founder.prefixes])


def _check_once(what: str, values: Sequence[bytes | str]) -> None:
    if len(set(values)) != len(values):
        raise FormatError(f"{what} is there twice")

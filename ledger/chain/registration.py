r"""A registration: a member's data, with proof that whoever asks holds the keys.

    aeo.ledger.v1.Registration
        body                  aeo.ledger.v1.RegistrationBody, as bytes
        proof of possession   the BLS key signs itself
        BLS signature         over H("aeo/v1/registration", body)
        Ed25519 signature     over the same

The body names the network (32 zero bytes for a founder: the network has no id yet), the economy and
its name, IANA time zone, TIN prefixes (ascending), weight, BLS and Ed25519 key, the certificate of
the authority of its nodes and clients, and the endpoint of its node.

That a time zone has the form of one is checked here; whether it exists is for the software that
reads civil dates, for the database of zones changes and the ledger's rules do not.

>>> registration_message(b"").hex()
'c09e94b99bc6dea1b586feb9bdb458f6b3dab67091aeaf4c9806252b467cf807'
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from aeo.ledger.v1.member_pb2 import Registration as RegistrationMessage
from aeo.ledger.v1.member_pb2 import RegistrationBody
from ledger import ed25519
from ledger.bls.scheme import PUBLIC_KEY_BYTES, BlsBackend, key_id
from ledger.chain.certificate import authority_public_key
from ledger.chain.economy import economy_bytes
from ledger.chain.signing_set import TOTAL_WEIGHT_LIMIT
from ledger.errors import FormatError, SignatureError
from ledger.hashing import HASH_BYTES, ZERO_HASH, tagged
from ledger.wire import format_strict, parse_strict

# A certificate (8 KiB) and all 676 prefixes fit with room to spare.
REGISTRATION_LIMIT: Final = 16_384
# A founder's network has no id yet: it is the hash of what the founders registered.
FOUNDERS_NETWORK: Final = ZERO_HASH

_MAX_NAME: Final = 200  # characters
_TIME_ZONE: Final = re.compile(
    r"(?=.{3,64}\Z)[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}"
)
_ENDPOINT: Final = re.compile(
    r"(?=.{3,255}\Z)([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}"
)

_MESSAGE: Final = tagged("aeo/v1/registration")


@dataclass(frozen=True, slots=True)
class Registration:
    """What a member registered. `data` is the exact Registration message, a history's record.

    `ca_public_key` is the SubjectPublicKeyInfo (DER) of `ca_certificate` (DER); `key_id` names the
    BLS key; `endpoint` is host:port, or empty.
    """

    network_id: bytes
    economy: str
    name: str
    time_zone: str
    prefixes: tuple[str, ...]
    weight: int
    bls_public_key: bytes
    consensus_public_key: bytes
    ca_certificate: bytes
    ca_public_key: bytes
    endpoint: str
    key_id: bytes
    data: bytes


def registration_message(body: bytes) -> bytes:
    """What both new keys sign: 32 bytes."""
    return _MESSAGE(body)


def sign_registration(
    body: RegistrationBody, bls_secret: int, ed25519_seed: bytes, backend: BlsBackend
) -> bytes:
    """Write a registration of `body`, whose public keys are filled in here.

    Raises `FormatError` for a body that no `parse_registration` accepts.
    """
    complete = RegistrationBody()
    complete.CopyFrom(body)
    complete.bls_public_key = backend.public_key(bls_secret)
    complete.consensus_public_key = ed25519.public_key(ed25519_seed)
    body_bytes = format_strict(complete)
    message = registration_message(body_bytes)
    data = format_strict(
        RegistrationMessage(
            body=body_bytes,
            proof_of_possession=backend.prove_possession(bls_secret),
            bls_signature=backend.sign(bls_secret, message),
            ed25519_signature=ed25519.sign(ed25519_seed, message),
        )
    )
    parse_registration(data)
    return data


def parse_registration(data: bytes) -> Registration:
    """Read a registration without asking whether its signatures hold; raises `FormatError`."""
    body_bytes = parse_strict(RegistrationMessage, data, REGISTRATION_LIMIT).body
    body = parse_strict(RegistrationBody, body_bytes, REGISTRATION_LIMIT)
    if len(body.network_id) != HASH_BYTES:
        raise FormatError(f"a network id has {HASH_BYTES} bytes")
    economy_bytes(body.economy)
    check_name(body.name, _MAX_NAME)
    if not _TIME_ZONE.fullmatch(body.time_zone):
        raise FormatError(f"{body.time_zone!r} does not look like an IANA time zone")
    prefixes = tuple(body.prefixes)
    for prefix in prefixes:
        economy_bytes(prefix)
    if any(later <= earlier for earlier, later in pairwise(prefixes)):
        raise FormatError("the prefixes do not ascend")
    if body.weight >= TOTAL_WEIGHT_LIMIT:
        raise FormatError(f"a weight of {body.weight}")
    if len(body.bls_public_key) != PUBLIC_KEY_BYTES:
        raise FormatError(f"a BLS public key has {PUBLIC_KEY_BYTES} bytes")
    if len(body.consensus_public_key) != ed25519.PUBLIC_KEY_BYTES:
        raise FormatError(f"an Ed25519 public key has {ed25519.PUBLIC_KEY_BYTES} bytes")
    if body.endpoint and not _ENDPOINT.fullmatch(body.endpoint):
        raise FormatError(f"{body.endpoint!r} is not host:port")
    return Registration(
        network_id=body.network_id,
        economy=body.economy,
        name=body.name,
        time_zone=body.time_zone,
        prefixes=prefixes,
        weight=body.weight,
        bls_public_key=body.bls_public_key,
        consensus_public_key=body.consensus_public_key,
        ca_certificate=body.ca_certificate,
        ca_public_key=authority_public_key(body.ca_certificate),
        endpoint=body.endpoint,
        key_id=key_id(body.bls_public_key),
        data=data,
    )


def open_registration(data: bytes, backend: BlsBackend) -> Registration:
    """Read a registration whose keys all sign; raises `FormatError` or `SignatureError`.

    Which network it is for, and whether a key was seen before, is for the caller to check.
    """
    registration = parse_registration(data)
    signed = parse_strict(RegistrationMessage, data, REGISTRATION_LIMIT)
    key, message = registration.bls_public_key, registration_message(signed.body)
    whose = f"the registration of {registration.economy}"
    if not backend.check_possession(key, signed.proof_of_possession):
        raise SignatureError(f"{whose}: the proof of possession does not hold")
    if not backend.verify(key, message, signed.bls_signature):
        raise SignatureError(f"{whose}: the BLS key did not sign it")
    if not ed25519.verify(registration.consensus_public_key, message, signed.ed25519_signature):
        raise SignatureError(f"{whose}: the Ed25519 key did not sign it")
    return registration


def check_name(name: str, limit: int) -> None:
    """Check a name for people: 1 to `limit` characters on one line; raises `FormatError`."""
    if not 1 <= len(name) <= limit or name != name.strip(" "):
        raise FormatError(f"a name has 1 to {limit} characters and no blanks around it")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in name):
        raise FormatError("a name has no control characters")

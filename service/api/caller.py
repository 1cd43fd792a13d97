"""Who calls, and what they may do.

A client certificate names its holder in one SAN URI (a SPIFFE id, RFC 3986 and SPIFFE-ID):

    spiffe://<network>/<economy>/<access role>/<name>

>>> network, caller = parse_spiffe("spiffe://apec-pilot/NZ/risk-engine/tsw-1")
>>> network, caller.economy, str(caller.access_role), caller.name
('apec-pilot', 'NZ', 'risk-engine', 'tsw-1')

The certificate must be issued by the authority that this economy registered on the ledger: the
TLS handshake accepts any member's authority, so without this check Hong Kong could issue a
certificate that says New Zealand.

The table `RIGHTS` is *Who may do what* of the domain, as data.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import cast

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from service.api.failures import Denied, Unauthenticated

MAX_KNOWN_CERTIFICATES = 4096
"""Certificates whose holder is remembered, about 3 KB each: more than clients of one node."""

ECONOMY_METADATA = "aeo-economy"
ACCESS_ROLE_METADATA = "aeo-access-role"
NAME_METADATA = "aeo-name"

_SPIFFE = re.compile(
    r"spiffe://([a-z0-9._-]{1,255})/([A-Z]{2})/([a-z]+(?:-[a-z]+)*)/([A-Za-z0-9._-]{1,64})"
)
_NOT_IN_TRUST_DOMAIN = re.compile(r"[^a-z0-9._-]+")


class AccessRole(StrEnum):
    """A right to call, not a trade role."""

    RISK_ENGINE = "risk-engine"
    BORDER_OFFICER = "border-officer"
    AGENCY = "agency"
    OFFICER = "officer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    NODE_ADMIN = "node-admin"
    NODE = "node"

    # Enum hashes the member's name in Python; the string's own hash is cached: 0.3 us per call.
    __hash__ = str.__hash__


class Right(Enum):
    """What a call does, as the table of the domain divides it."""

    LOOK_UP = "look up"
    PREPARE = "prepare records and suspend"
    CONFIRM = "confirm what takes two persons"
    READ_PUBLICATIONS = "read own publications"
    READ_ARRANGEMENTS = "read arrangements"
    READ_LEDGER = "read the ledger and its proofs"
    READ_ACCESS_LOG = "read the access log"
    RUN_NODE = "run the node"
    PEER = "speak as another member's node"


_ROLES = frozenset(role.value for role in AccessRole)
_R = AccessRole
RIGHTS: Mapping[Right, frozenset[AccessRole]] = {
    Right.LOOK_UP: frozenset({_R.RISK_ENGINE, _R.BORDER_OFFICER, _R.AGENCY}),
    Right.PREPARE: frozenset({_R.OFFICER, _R.APPROVER}),
    Right.CONFIRM: frozenset({_R.APPROVER}),
    Right.READ_PUBLICATIONS: frozenset({_R.OFFICER, _R.APPROVER, _R.AUDITOR}),
    Right.READ_ARRANGEMENTS: frozenset(_R) - {_R.AGENCY},
    # Whoever looks up with proofs must be able to fetch what a proof hangs from.
    Right.READ_LEDGER: frozenset(_R),
    Right.READ_ACCESS_LOG: frozenset({_R.AUDITOR}),
    Right.RUN_NODE: frozenset({_R.NODE_ADMIN}),
    Right.PEER: frozenset({_R.NODE}),
}
del _R


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an economy's person, program or node."""

    economy: str
    access_role: AccessRole
    name: str


Identify = Callable[[grpc.ServicerContext], Caller]
"""Tells who calls; raises Unauthenticated."""


def require(caller: Caller, *roles: AccessRole) -> None:
    """Raise Denied unless the caller has one of these access roles."""
    if caller.access_role not in roles:
        raise Denied(
            "ACCESS_ROLE", f"takes {' or '.join(roles)}; the caller is {caller.access_role}"
        )


def format_trust_domain(network_name: str) -> str:
    """The network's name as the first part of a SPIFFE id: lower case, letters, digits, ._-

    >>> format_trust_domain("APEC pilot 2026")
    'apec-pilot-2026'
    """
    return _NOT_IN_TRUST_DOMAIN.sub("-", network_name.lower()).strip("-")[:255]


def format_spiffe(trust_domain: str, caller: Caller) -> str:
    """The SPIFFE id of a caller; ValueError when a part of it cannot be said in one."""
    uri = f"spiffe://{trust_domain}/{caller.economy}/{caller.access_role}/{caller.name}"
    if parse_spiffe(uri) != (trust_domain, caller):
        raise ValueError(f"not a SPIFFE id: {uri!r}")
    return uri


def parse_spiffe(uri: str) -> tuple[str, Caller]:
    """(trust domain, caller) of a SPIFFE id; Unauthenticated when it is not one of ours."""
    match = _SPIFFE.fullmatch(uri)
    if match is None or match[3] not in _ROLES:
        raise Unauthenticated("SPIFFE_ID", f"not spiffe://network/economy/role/name: {uri[:200]!r}")
    return match[1], Caller(match[2], AccessRole(match[3]), match[4])


class Authorities:
    """The authorities that members registered for certificates of their nodes and clients."""

    def __init__(
        self, trust_domain: str, certificates: Mapping[str, Iterable[x509.Certificate]]
    ) -> None:
        self.trust_domain = trust_domain
        self._of = {economy: tuple(given) for economy, given in certificates.items()}

    def bundle(self) -> bytes:
        """All authorities as PEM: what the TLS handshake accepts."""
        return b"".join(
            certificate.public_bytes(Encoding.PEM)
            for economy in sorted(self._of)
            for certificate in self._of[economy]
        )

    def holder(self, certificate: x509.Certificate) -> Caller:
        """Who a client certificate stands for; Unauthenticated when its issuer may not say so."""
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, ValueError):
            raise Unauthenticated("SPIFFE_ID", "the certificate names nobody") from None
        uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
        if len(uris) != 1:
            raise Unauthenticated("SPIFFE_ID", f"the certificate has {len(uris)} URIs, not one")
        trust_domain, caller = parse_spiffe(uris[0])
        if trust_domain != self.trust_domain:
            raise Unauthenticated("OTHER_NETWORK", f"the certificate is for {trust_domain}")
        for authority in self._of.get(caller.economy, ()):
            try:
                certificate.verify_directly_issued_by(authority)
            except (InvalidSignature, ValueError, TypeError):
                continue
            return caller
        raise Unauthenticated(
            "WRONG_AUTHORITY",
            f"the certificate says {caller.economy}, whose authority did not issue it",
        )


class CertificateIdentity:
    """Identify by client certificate, each certificate opened once.

    Keyed by the certificate itself. An address would be cheaper to get (0.3 against 2.8 us), but
    it outlives its connection: whoever next has the port would inherit the caller.
    """

    def __init__(self, authorities: Authorities, now: Callable[[], float] = time.time) -> None:
        self._authorities = authorities
        self._now = now
        self._known: dict[bytes, tuple[Caller, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, context: grpc.ServicerContext) -> Caller:
        """The caller; Unauthenticated without a certificate that one of our authorities issued."""
        certificates = context.auth_context().get("x509_pem_cert")
        if not certificates:
            raise Unauthenticated("NO_CERTIFICATE", "no client certificate")
        pem: bytes = cast("Sequence[bytes]", certificates)[0]  # the stubs say bytes
        known = self._known.get(pem)
        caller, expiry = known if known is not None else self._open(pem)
        # TLS looks at the dates once, at the handshake; a connection may live for weeks.
        if self._now() >= expiry:
            raise Unauthenticated("CERTIFICATE_EXPIRED", "the client certificate has expired")
        return caller

    def _open(self, pem: bytes) -> tuple[Caller, float]:
        certificate = x509.load_pem_x509_certificate(pem)
        caller = self._authorities.holder(certificate)
        known = caller, certificate.not_valid_after_utc.timestamp()
        with self._lock:
            while len(self._known) >= MAX_KNOWN_CERTIFICATES:
                del self._known[next(iter(self._known))]
            self._known[pem] = known
        return known


def plaintext_identity(context: grpc.ServicerContext) -> Caller:
    """Identify by what the caller says in metadata: only behind plaintext on loopback."""
    said = {key: str(value) for key, value in context.invocation_metadata() or ()}
    economy = said.get(ECONOMY_METADATA, "")
    role = said.get(ACCESS_ROLE_METADATA, "")
    name = said.get(NAME_METADATA, "plaintext")
    return parse_spiffe(f"spiffe://plaintext/{economy}/{role}/{name}")[1]

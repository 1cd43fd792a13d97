"""Who calls, and what they may do.

A client certificate names its holder in one SAN URI (`service.keys.spiffe`). It must be issued by
the authority that this economy registered on the ledger: the TLS handshake accepts any member's
authority, so without this check Hong Kong could issue a certificate that says New Zealand.

The table `RIGHTS` is *Who may do what* of the domain, as data. Where the domain is silent:
approvers may do what officers do; who publishes may read what was published; every member's
caller may read the ledger, since a proof is worth nothing to whom may not fetch its header; a
replica is given its own administration's lookup keys, and may do nothing else.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self, cast

import grpc
import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from ledger.errors import FormatError
from service.api.failures import Denied, Unauthenticated
from service.api.registered import usable_authorities
from service.keys.spiffe import AccessRole, SpiffeId, parse_spiffe

MAX_KNOWN_CERTIFICATES = 4096
"""Certificates whose holder is remembered, about 3 KB each: more than clients of one node."""

ECONOMY_METADATA = "aeo-economy"
ACCESS_ROLE_METADATA = "aeo-access-role"
NAME_METADATA = "aeo-name"

_log = structlog.get_logger("aeo.caller")


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
    HOLD_KEYS = "hold the own lookup keys, to answer from a replica"


_R = AccessRole
RIGHTS: Mapping[Right, frozenset[AccessRole]] = {
    Right.LOOK_UP: frozenset({_R.RISK_ENGINE, _R.BORDER_OFFICER, _R.AGENCY}),
    Right.PREPARE: frozenset({_R.OFFICER, _R.APPROVER}),
    Right.CONFIRM: frozenset({_R.APPROVER}),
    Right.READ_PUBLICATIONS: frozenset({_R.OFFICER, _R.APPROVER, _R.AUDITOR}),
    Right.READ_ARRANGEMENTS: frozenset(_R) - {_R.AGENCY, _R.REPLICA},
    # Whoever looks up with proofs must be able to fetch what a proof hangs from.
    Right.READ_LEDGER: frozenset(_R),
    Right.READ_ACCESS_LOG: frozenset({_R.AUDITOR}),
    Right.RUN_NODE: frozenset({_R.NODE_ADMIN}),
    Right.PEER: frozenset({_R.NODE}),
    Right.HOLD_KEYS: frozenset({_R.REPLICA}),
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


class AuthoritySource(Protocol):
    """Whose client certificates count, which may change."""

    def current(self) -> "Authorities":
        """The authorities now; the same object as long as they stay the same."""


class Authorities:
    """The authorities that members registered for certificates of their nodes and clients.

    `guests` are no members in force, but may come as people and programs, not as nodes.
    """

    def __init__(
        self,
        trust_domain: str,
        certificates: Mapping[str, Iterable[x509.Certificate]],
        guests: Collection[str] = (),
    ) -> None:
        self.trust_domain = trust_domain
        self._of = {economy: tuple(given) for economy, given in certificates.items()}
        self._guests = frozenset(guests)

    def current(self) -> "Authorities":
        """Itself: these never change."""
        return self

    def only(self, economies: Collection[str], guests: Collection[str]) -> "Authorities":
        """Those of some economies."""
        kept = {economy: own for economy, own in self._of.items() if economy in economies}
        return Authorities(self.trust_domain, kept, guests)

    @classmethod
    def from_ledger(
        cls,
        trust_domain: str,
        certificates: Mapping[str, bytes],
        guests: Collection[str] = (),
    ) -> Self:
        """From each economy's registered certificate in DER, as the ledger has them.

        The ledger takes certificates that no TLS library may read, or that are of no authority:
        who registered one has no clients here, and nobody else is the worse for it
        (`service.api.registered`).
        """
        usable = usable_authorities(certificates)
        loaded = {economy: (certificate,) for economy, certificate in usable.items()}
        return cls(trust_domain, loaded, guests)

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
        holder = _parse(uris[0])
        if holder.trust_domain != self.trust_domain:
            raise Unauthenticated("OTHER_NETWORK", f"the certificate is for {holder.trust_domain}")
        for authority in self._of.get(holder.economy, ()):
            try:
                certificate.verify_directly_issued_by(authority)
            except (InvalidSignature, ValueError, TypeError):
                continue
            if holder.economy in self._guests and holder.access_role is AccessRole.NODE:
                raise Unauthenticated(
                    "NOT_A_MEMBER", f"{holder.economy} is suspended or was removed"
                )
            return Caller(holder.economy, holder.access_role, holder.name)
        raise Unauthenticated(
            "WRONG_AUTHORITY",
            f"the certificate says {holder.economy}, whose authority did not issue it",
        )


class CertificateIdentity:
    """Identify by client certificate, each certificate opened once while the authorities last.

    Keyed by the certificate itself. An address would be cheaper to get (0.3 against 2.8 us), but
    it outlives its connection: whoever next has the port would inherit the caller.
    """

    def __init__(self, source: AuthoritySource, now: Callable[[], float] = time.time) -> None:
        self._source = source
        self._now = now
        # Replaced as a whole, so that no caller outlives the authorities that it was known by.
        self._known: tuple[Authorities, dict[bytes, tuple[Caller, float]]] = source.current(), {}
        self._lock = threading.Lock()

    def __call__(self, context: grpc.ServicerContext) -> Caller:
        """The caller; Unauthenticated without a certificate that one of our authorities issued."""
        certificates = context.auth_context().get("x509_pem_cert")
        if not certificates:
            raise Unauthenticated("NO_CERTIFICATE", "no client certificate")
        pem: bytes = cast("Sequence[bytes]", certificates)[0]  # the stubs say bytes
        authorities, holders = self._known
        current = self._source.current()
        if current is not authorities:
            authorities, holders = self._known = current, {}
        known = holders.get(pem)
        caller, expiry = known if known is not None else self._open(pem, authorities, holders)
        # TLS looks at the dates once, at the handshake; a connection may live for weeks.
        if self._now() >= expiry:
            raise Unauthenticated("CERTIFICATE_EXPIRED", "the client certificate has expired")
        return caller

    def _open(
        self, pem: bytes, authorities: Authorities, holders: dict[bytes, tuple[Caller, float]]
    ) -> tuple[Caller, float]:
        certificate = x509.load_pem_x509_certificate(pem)
        caller = authorities.holder(certificate)
        known = caller, certificate.not_valid_after_utc.timestamp()
        with self._lock:
            while len(holders) >= MAX_KNOWN_CERTIFICATES:
                del holders[next(iter(holders))]
            holders[pem] = known
        return known


def plaintext_identity(context: grpc.ServicerContext) -> Caller:
    """Identify by what the caller says in metadata: only behind plaintext on loopback."""
    # Later ones win, as for repeated headers; a binary value is none of ours.
    said = {key: str(value) for key, value in context.invocation_metadata() or ()}
    economy = said.get(ECONOMY_METADATA, "")
    role = said.get(ACCESS_ROLE_METADATA, "")
    name = said.get(NAME_METADATA, "plaintext")
    said_to_be = _parse(f"spiffe://plaintext/{economy}/{role}/{name}")
    return Caller(said_to_be.economy, said_to_be.access_role, said_to_be.name)


def _parse(uri: str) -> SpiffeId:
    try:
        return parse_spiffe(uri)
    except FormatError as error:
        raise Unauthenticated("SPIFFE_ID", str(error)) from None

"""A member's certificate authority, and the certificates that it issues: X.509, P-256.

Each certificate names its holder in one SAN URI (`service.keys.spiffe`). A node certificate serves
and calls (serverAuth and clientAuth, with the host names it answers to); everyone else's only
calls. The authority signs certificates of its own and nothing below them (path length 0); its
certificate goes on the ledger, its key need not be on any node.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from service.keys.spiffe import node_host, parse_spiffe

AUTHORITY_DAYS = 3650
"""Life of an authority: longer than a programme's planning, shorter than P-256 is trusted."""
CERTIFICATE_DAYS = 397
"""Life of a node's or client's certificate: a year and a month to renew it in."""
SKEW = timedelta(hours=1)
"""A certificate begins before now, for peers whose clock is behind."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate in DER, as a registration carries it."""
        return self.certificate.public_bytes(Encoding.DER)


def make_authority(economy: str, now: datetime) -> Issued:
    """Make the authority of a member, valid from `now` (aware).

    Its certificate stands in the genesis, hence in receipts: the name is short.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(economy, f"{economy} AEO authority")
    usage = _key_usage(key_cert_sign=True, crl_sign=True)
    builder = (
        _builder(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return Issued(key, builder.sign(key, hashes.SHA256()))


def issue_node(authority: Issued, spiffe_id: str, hosts: Sequence[str], now: datetime) -> Issued:
    """Issue the certificate of a node that answers to `hosts` (names or IP addresses).

    Other nodes know it by one name more, which no client's certificate has.
    """
    usages = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    holder = parse_spiffe(spiffe_id)
    names = [_general_name(host) for host in hosts]
    names.append(x509.DNSName(node_host(holder.economy, holder.trust_domain)))
    return _issue(authority, spiffe_id, names, usages, now)


def issue_replica(authority: Issued, spiffe_id: str, hosts: Sequence[str], now: datetime) -> Issued:
    """Issue the certificate of a replica: it calls nodes, and answers to `hosts` as a node does."""
    usages = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    return _issue(authority, spiffe_id, [_general_name(host) for host in hosts], usages, now)


def issue_client(authority: Issued, spiffe_id: str, now: datetime) -> Issued:
    """Issue the certificate of a person or program that calls a node."""
    return _issue(authority, spiffe_id, [], (ExtendedKeyUsageOID.CLIENT_AUTH,), now)


def _issue(
    authority: Issued,
    spiffe_id: str,
    hosts: list[x509.GeneralName],
    usages: Sequence[x509.ObjectIdentifier],
    now: datetime,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    economy = issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    names = [x509.UniformResourceIdentifier(spiffe_id), *hosts]
    subject = _name(str(economy), spiffe_id.rpartition("/")[2])
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(subject, issuer, key, now, CERTIFICATE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(above, critical=False)
    )
    return Issued(key, builder.sign(authority.key, hashes.SHA256()))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(economy: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, economy),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(**granted: bool) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
        " key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{usage: granted.get(usage, False) for usage in every.split()})

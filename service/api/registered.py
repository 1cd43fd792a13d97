"""Which of the authorities on the ledger can be trusted in one TLS handshake beside the others.

The ledger takes any certificate in which it finds a public key, and a member may register another
one by itself. The TLS library reads all of them as one list, and two things in it would shut out
the clients of everybody else, so neither comes into the list:

- what the library cannot read: there it stops, and what stands behind it is lost
- a second authority with the name (subject) of a first: names are all that it looks authorities up
  by, and a client whose certificate bears that name might be checked with the wrong key

Of two with one name, the one stays whose organisation is its own economy's code, as
`make_authority` writes it: so nobody can take that name. Otherwise the one given first stays.

>>> import datetime as dt
>>> from service.keys.authority import make_authority
>>> made = make_authority("NZ", dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
>>> usable_authorities({"NZ": made.der})["NZ"].subject.rfc4514_string()
'CN=NZ AEO authority,O=NZ'
"""

import ssl
from collections.abc import Mapping

import structlog
from cryptography import x509
from cryptography.x509.oid import NameOID

_log = structlog.get_logger("aeo.caller")

# As the TLS library compares names: attributes by type and value, whatever case and blanks.
_Name = tuple[frozenset[tuple[str, str]], ...]


def usable_authorities(certificates: Mapping[str, bytes]) -> dict[str, x509.Certificate]:
    """Those of the certificates (DER, by economy) that are authorities and harm no other."""
    found: dict[_Name, tuple[str, x509.Certificate]] = {}
    for economy, der in certificates.items():
        try:
            certificate = _load(der)
            name = _name(certificate.subject)
        except Exception as error:  # noqa: BLE001 - hostile bytes; the libraries' errors differ
            _log.warning("authority cannot be used", economy=economy, reason=str(error))
            continue
        other = found.get(name)
        if other is not None:
            loser = other[0] if _is_own(economy, certificate) else economy
            _log.warning("authority cannot be used", economy=loser, reason="the name of another's")
            if loser == economy:
                continue
        found[name] = economy, certificate
    return dict(found.values())


def _load(der: bytes) -> x509.Certificate:
    """Read a certificate in every part that a TLS library reads; raises whatever is wrong."""
    certificate = x509.load_der_x509_certificate(der)
    certificate.public_key()
    _name(certificate.issuer)
    extension = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    if not extension.value.ca:
        raise ValueError("not CA:TRUE")
    # `cryptography` leaves parts unread; OpenSSL is stricter where the handshake's library is.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=der)
    return certificate


def _name(name: x509.Name) -> _Name:
    return tuple(
        frozenset((each.oid.dotted_string, _plain(each.value)) for each in part)
        for part in name.rdns
    )


def _plain(value: str | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else " ".join(value.split()).lower()


def _is_own(economy: str, certificate: x509.Certificate) -> bool:
    organisations = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [_plain(each.value) for each in organisations] == [economy.lower()]

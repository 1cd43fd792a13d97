"""Names of callers and nodes: a SPIFFE id, the one SAN URI of a certificate.

    spiffe://<network>/<economy>/<access role>/<name>

The network's name is brought to the letters of a trust domain.

>>> format_trust_domain("APEC pilot 2026")
'apec-pilot-2026'
>>> holder = parse_spiffe("spiffe://apec-pilot-2026/NZ/risk-engine/tsw-1")
>>> holder.economy, str(holder.access_role), holder.name
('NZ', 'risk-engine', 'tsw-1')
>>> format_spiffe(holder)
'spiffe://apec-pilot-2026/NZ/risk-engine/tsw-1'

A node's certificate has a DNS name besides, by which other nodes know it wherever it runs; nobody
looks it up.

>>> node_host("NZ", "apec-pilot-2026")
'nz.node.apec-pilot-2026'
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from ledger.errors import FormatError

_SPIFFE = re.compile(
    r"spiffe://([a-z0-9._-]{1,255})/([A-Z]{2})/([a-z]+(?:-[a-z]+)*)/([A-Za-z0-9._-]{1,64})"
)
_NOT_IN_TRUST_DOMAIN = re.compile(r"[^a-z0-9._-]+")


class AccessRole(StrEnum):
    """A right to call (*Who may do what* of the domain), not a trade role."""

    RISK_ENGINE = "risk-engine"
    BORDER_OFFICER = "border-officer"
    AGENCY = "agency"
    OFFICER = "officer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    NODE_ADMIN = "node-admin"
    NODE = "node"
    REPLICA = "replica"

    # Enum hashes the member's name in Python, 0.3 us at each call; a string remembers its hash.
    __hash__ = str.__hash__


_ROLES = frozenset(role.value for role in AccessRole)


@dataclass(frozen=True, slots=True)
class SpiffeId:
    """The holder of a certificate: `trust_domain` is the network's, `name` is the economy's own."""

    trust_domain: str
    economy: str
    access_role: AccessRole
    name: str


def format_trust_domain(network_name: str) -> str:
    """The network's name in lower case, with a hyphen for what a trust domain may not hold."""
    return _NOT_IN_TRUST_DOMAIN.sub("-", network_name.lower()).strip("-")[:255]


def format_spiffe(holder: SpiffeId) -> str:
    """Write a SPIFFE id; FormatError when a part cannot stand in one."""
    uri = f"spiffe://{holder.trust_domain}/{holder.economy}/{holder.access_role}/{holder.name}"
    parse_spiffe(uri)
    return uri


def node_host(economy: str, trust_domain: str) -> str:
    """The DNS name that the certificates of a member's nodes have, and no client's."""
    return f"{economy.lower()}.node.{trust_domain}"


def parse_spiffe(uri: str) -> SpiffeId:
    """Read a SPIFFE id; FormatError when it is not one of this exchange."""
    match = _SPIFFE.fullmatch(uri)
    if match is None or match[3] not in _ROLES:
        raise FormatError(f"not spiffe://network/economy/access-role/name: {uri[:200]!r}")
    return SpiffeId(match[1], match[2], AccessRole(match[3]), match[4])

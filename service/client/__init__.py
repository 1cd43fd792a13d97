"""How anyone calls a node: risk engines, officers' programs, auditors.

    from service.client import StatusClient, Tls

    with StatusClient.open("nz-node:7443", Tls.files("ca.pem", "engine.pem", "engine.key"),
                           trust_file=TrustFile("anchor.json", network_id)) as client:
        verdict = client.lookup("KR1234567890", function="EX", direction="IMPORT", mode=1)
        if verdict.recognised:
            apply(verdict.benefits)

| name | what it is for |
|---|---|
| `StatusClient` | look-ups, batches, streams, whole chains, histories, news |
| `PublishingClient` | publish records and aliases, follow publications |
| `ArrangementClient` | propose, sign, suspend, resume, end, read |
| `MembershipClient` | members and proposals: list, propose, vote, rotate keys |
| `ConsentClient` | whether traders agree to be shared |
| `AccessLogClient` | the access log of the own administration |
| `ApprovalClient`, `Pending`, `taken` | steps that take two persons |
| `ReportingClient`, `Period` | clearances, indicators, monitoring reports |
| `LedgerClient` | headers, blocks, proofs, export |
| `Tls`, `Plaintext` | how to reach the node |
| `TrustFile`, `Trust` | what this client believes about the network, and how it grows |
| `Unavailable` and the other errors | `service.client.errors` |
"""

from service.client.access_log import AccessLogClient
from service.client.approvals import ApprovalClient, Pending, taken
from service.client.arrangements import ArrangementClient
from service.client.chain import Chain, ChainParty
from service.client.connection import Connection, Plaintext, Tls
from service.client.consents import ConsentClient
from service.client.errors import (
    ClientError,
    Conflict,
    Denied,
    Invalid,
    NoSuchThing,
    Unavailable,
)
from service.client.ledger import LedgerClient
from service.client.membership import MembershipClient
from service.client.profiles import ProfileClient
from service.client.publishing import PublishingClient
from service.client.reporting import Period, ReportingClient
from service.client.status import StatusClient
from service.client.trust import Trust
from service.client.trust_file import TrustFile
from service.client.verdicts import NameAndAddress, Question, Verdict

__all__ = [
    "AccessLogClient",
    "ApprovalClient",
    "ArrangementClient",
    "Chain",
    "ChainParty",
    "ClientError",
    "Conflict",
    "Connection",
    "ConsentClient",
    "Denied",
    "Invalid",
    "LedgerClient",
    "MembershipClient",
    "NameAndAddress",
    "NoSuchThing",
    "Pending",
    "Period",
    "Plaintext",
    "ProfileClient",
    "PublishingClient",
    "Question",
    "ReportingClient",
    "StatusClient",
    "Tls",
    "Trust",
    "TrustFile",
    "Unavailable",
    "Verdict",
    "taken",
]

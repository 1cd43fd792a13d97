"""What a replica asks of nodes: blocks from whichever answers, and the keyring from its own.

Nothing that comes is checked here (`service.node.replica`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from aeo.exchange.v1 import ledger_service_pb2 as ledger
from aeo.exchange.v1 import replica_service_pb2 as pb
from aeo.exchange.v1.ledger_service_pb2_grpc import LedgerServiceStub
from aeo.exchange.v1.replica_service_pb2_grpc import ReplicaServiceStub
from service.client.connection import Connection, Plaintext, Tls
from service.client.errors import Unavailable


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The PEM files of a `Tls`, read anew for each connection, since certificates are renewed."""

    authorities: Path
    certificate: Path
    key: Path
    server_name: str = ""


class NodeAddress(NamedTuple):
    """A node, and how this replica shows itself to it."""

    address: str
    security: Tls | Plaintext | TlsFiles

    def connect(self, deadline: float) -> Connection:
        """A connection to it; `Unavailable` where a file cannot be read just now."""
        security = self.security
        if isinstance(security, TlsFiles):
            try:
                security = Tls.files(
                    security.authorities, security.certificate, security.key, security.server_name
                )
            except OSError as error:
                raise Unavailable(f"{error.filename}: {error.strerror}") from None
        return Connection.open(self.address, security, deadline)


class ReplicaClient:
    """`ReplicaService`, and the stream of blocks, of one node."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ledger = LedgerServiceStub(connection.channel)
        self._stub = ReplicaServiceStub(connection.channel)

    def keyring(self, known_digest: bytes = b"") -> pb.GetKeyringResponse:
        """The lookup keys and instructions of the caller's own economy."""
        request = pb.GetKeyringRequest(known_digest=known_digest)
        return self._connection.call(self._stub.GetKeyring, request)

    def follow(self, from_height: int) -> Iterator[ledger.StreamBlocksResponse]:
        """Blocks from a height on as they come, once: a stream that ends is not taken up again.

        Closing the connection ends it from any thread. Raises a `ClientError` where it breaks off.
        """
        request = ledger.StreamBlocksRequest(from_height=from_height)
        return self._connection.stream(self._ledger.StreamBlocks, request)

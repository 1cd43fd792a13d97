"""Reading the ledger: headers, blocks, proofs, and the export that anyone can verify offline.

What a `LedgerClient` returns is what the node says; `service.client.trust` and `ledger.audit` check
it.
"""

import time
from collections.abc import Iterator, Sequence

from aeo.exchange.v1 import ledger_service_pb2 as pb
from aeo.exchange.v1.ledger_service_pb2_grpc import LedgerServiceStub
from ledger.chain.export import GENESIS, HEADER, SEAL, TRANSACTION, Item, format_export
from ledger.chain.export_order import order_items
from ledger.chain.genesis import parse_genesis
from ledger.chain.header import Header, parse_header
from ledger.chain.set_change import SetChange, read_set_change
from service.client.connection import Connection, resuming
from service.client.errors import Unavailable
from service.client.trust import ShownHeader

PATIENCE = 30.0
"""Seconds for which a stream of blocks tries to reach a node that has gone away."""
SEAL_PATIENCE = 2.0
"""Seconds that an export waits for the seal of a block that has just come."""


class LedgerClient:
    """`LedgerService` of one node; a `service.client.trust.HeaderSource`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = LedgerServiceStub(connection.channel)

    def network(self, deadline: float | None = None) -> pb.GetNetworkResponse:
        """The genesis, the signing sets, the members that the node hosts."""
        return self._connection.call(self._stub.GetNetwork, pb.GetNetworkRequest(), deadline)

    def genesis(self) -> bytes:
        """The genesis bytes."""
        return self.network().genesis

    def header(self, height: int, anchor_height: int | None = None) -> ShownHeader:
        """The header at a height, with the proof that the anchor's is its ancestor."""
        request = pb.GetHeaderRequest(height=height, anchor_height=anchor_height)
        said = self._connection.call(self._stub.GetHeader, request)
        return ShownHeader(said.header, said.seal, said.ancestor_proof)

    def latest(self, anchor_height: int | None = None) -> ShownHeader:
        """The newest header, likewise."""
        request = pb.GetLatestRequest(anchor_height=anchor_height)
        said = self._connection.call(self._stub.GetLatest, request)
        return ShownHeader(said.header, said.seal, said.ancestor_proof)

    def seal(self, height: int) -> bytes:
        """The best seal of a header; empty while it has none."""
        return self._connection.call(self._stub.GetSeal, pb.GetSealRequest(height=height)).seal

    def inclusion_proof(self, log_index: int, log_size: int = 0) -> pb.GetInclusionProofResponse:
        """A transaction and its proof in the log of a size, by default the newest."""
        request = pb.GetInclusionProofRequest(log_index=log_index, log_size=log_size)
        return self._connection.call(self._stub.GetInclusionProof, request)

    def consistency_proof(self, old_size: int, new_size: int = 0) -> Sequence[bytes]:
        """That the log of the old size is the beginning of the new, by default the newest."""
        request = pb.GetConsistencyProofRequest(old_size=old_size, new_size=new_size)
        return self._connection.call(self._stub.GetConsistencyProof, request).proof

    def state_proof(self, key: bytes) -> pb.GetStateProofResponse:
        """What the newest map holds under a key of 32 bytes, or that it holds nothing."""
        return self._connection.call(self._stub.GetStateProof, pb.GetStateProofRequest(key=key))

    def trust_chain(self, signing_set_hash: bytes = b"") -> list[SetChange]:
        """How trust passed on from a set, by default the founders'; empty if it still seals.

        Raises `NoSuchThing` for a set that never did.
        """
        request = pb.GetTrustChainRequest(signing_set_hash=signing_set_hash)
        said = self._connection.call(self._stub.GetTrustChain, request)
        return [read_set_change(change) for change in said.changes]

    def evidence(self) -> list[bytes]:
        """Evidence of misbehaviour that the node keeps, for `ledger.audit.evidence`."""
        said = self._connection.call(self._stub.ListEvidence, pb.ListEvidenceRequest())
        return list(said.evidence)

    def blocks(
        self, from_height: int = 0, *, stop_at_latest: bool = False
    ) -> Iterator[pb.StreamBlocksResponse]:
        """Blocks as they come; a large one in several messages, a late seal in one of its own.

        Taken up again where it broke off, from the beginning of the block that was under way.
        """
        at = from_height

        def start() -> Iterator[pb.StreamBlocksResponse]:
            nonlocal at
            request = pb.StreamBlocksRequest(from_height=at, stop_at_latest=stop_at_latest)
            for message in self._connection.stream(self._stub.StreamBlocks, request):
                at = max(at, parse_header(message.header).height)
                yield message
            if not stop_at_latest:
                raise Unavailable("the node ended the stream")

        return resuming(start, PATIENCE)

    def export(self) -> Iterator[bytes]:
        """The whole ledger up to its newest sealed header, as chunks of one file.

        Raises a `ClientError` where the node goes away: half a file is no export.
        """
        changes, latest = self._changes_and_latest()
        return format_export(order_items(self._items(latest), changes))

    def _changes_and_latest(self) -> tuple[list[SetChange], Header]:
        """The set changes of all hand-overs up to a header that is the newest."""
        while True:
            changes, latest = self.trust_chain(), parse_header(self.latest().header)
            sets = changes[-1].sets.pending if changes else None
            founders = sets or parse_genesis(self.genesis()).signing_set
            if founders.hash == latest.signing_set_hash:
                return changes, latest
            # There was a hand-over between the two answers.

    def _items(self, latest: Header) -> Iterator[Item]:
        yield GENESIS, self.genesis()
        held: list[Item] = []  # since the newest seal: the file must end with one
        newest = b""
        request = pb.StreamBlocksRequest(from_height=0, stop_at_latest=True)
        for message in self._connection.stream(self._stub.StreamBlocks, request):
            if message.header != newest:
                height = parse_header(message.header).height
                if newest and height <= parse_header(newest).height:
                    continue  # the late seal of an earlier block
                if height > latest.height:
                    break  # it may name a set whose set change is not among those asked for
                newest = message.header
                held.append((HEADER, newest))
            held.extend((TRANSACTION, transaction) for transaction in message.transactions)
            if message.seal:
                held.append((SEAL, message.seal))
                yield from held
                held = []
        seal = self._late_seal(parse_header(newest).height) if held else b""
        if seal:
            yield from held
            yield SEAL, seal

    def _late_seal(self, height: int) -> bytes:
        until = time.monotonic() + SEAL_PATIENCE
        while True:
            seal = self.seal(height)
            if seal or time.monotonic() > until:
                return seal
            time.sleep(0.05)

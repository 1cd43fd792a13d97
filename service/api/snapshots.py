"""The calls of `LedgerService` that hand out snapshots, and why a header in one may be trusted."""

from collections.abc import Mapping
from functools import partial

from aeo.exchange.v1 import ledger_service_pb2 as pb
from ledger.chain.snapshot import format_manifest
from service.api.caller import RIGHTS, Right
from service.api.failures import NotFound
from service.api.method import Call, Method, Pool, unary
from service.node.node import Node


class SnapshotCalls:
    """Reads the snapshots of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register beside the other calls of the service."""
        roles = RIGHTS[Right.READ_LEDGER]
        call = partial(unary, roles=roles, pool=Pool.QUICK)
        return {
            "GetSnapshot": call(self.get_snapshot, pb.GetSnapshotRequest),
            "GetSnapshotChunk": call(self.get_snapshot_chunk, pb.GetSnapshotChunkRequest),
        }

    def get_snapshot(self, _request: pb.GetSnapshotRequest, _call: Call) -> pb.GetSnapshotResponse:
        """The newest snapshot whose header is sealed, by itself or by a later one."""
        node = self._node
        state = node.state
        for held in reversed(node.snapshots.held()):
            seal = next(node.ledger_store.seals(held.height), None)
            header = None if seal is None else node.ledger_store.header(seal.height)
            if seal is None or header is None or seal.height > state.height:
                continue
            proof = []
            if seal.height > held.height:
                proof = state.facts.headers.prove_inclusion(held.height, seal.height)
            return pb.GetSnapshotResponse(
                manifest=format_manifest(held.manifest),
                header=header.header,
                seal=seal.seal,
                ancestor_proof=proof,
                changes=[each.message() for each in node.set_changes_until(seal.height)],
            )
        raise NotFound("NO_SNAPSHOT", "this node has made no snapshot that is sealed yet")

    def get_snapshot_chunk(
        self, request: pb.GetSnapshotChunkRequest, _call: Call
    ) -> pb.GetSnapshotChunkResponse:
        """One chunk of a snapshot that is still kept."""
        chunk = self._node.snapshots.chunk(request.height, request.index)
        if not chunk:
            raise NotFound(
                "NO_SNAPSHOT", f"no chunk {request.index} of a snapshot of height {request.height}"
            )
        return pb.GetSnapshotChunkResponse(chunk=chunk)

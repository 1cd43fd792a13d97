"""A node that lies: it passes on what a real node says, altered on the way.

It speaks gRPC on a port of its own. A lie is a function of what the real node said; one that is not
given is the truth.
"""

from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Self

import grpc

from aeo.exchange.v1 import ledger_service_pb2 as pb
from aeo.exchange.v1.ledger_service_pb2_grpc import (
    LedgerServiceServicer,
    LedgerServiceStub,
    add_LedgerServiceServicer_to_server,
)

WHO = (("aeo-economy", "NZ"), ("aeo-access-role", "replica"), ("aeo-name", "liar"))
Block = pb.StreamBlocksResponse


class LyingNode(LedgerServiceServicer):
    """Altered answers of the node at `truth`. `blocks` makes of each message any number of them."""

    def __init__(
        self,
        truth: str,
        *,
        blocks: Callable[[Block], Iterator[Block]] | None = None,
        latest: Callable[[pb.GetLatestResponse], pb.GetLatestResponse] | None = None,
        network: Callable[[pb.GetNetworkResponse], pb.GetNetworkResponse] | None = None,
        snapshot: Callable[[pb.GetSnapshotResponse], object] | None = None,
        chunk: Callable[[pb.GetSnapshotChunkResponse], object] | None = None,
    ) -> None:
        self._channel = grpc.insecure_channel(truth)
        self._truth = LedgerServiceStub(self._channel)
        self._blocks = blocks
        self._latest = latest
        self._network = network
        self._snapshot = snapshot
        self._chunk = chunk
        self.streams = 0
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        add_LedgerServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()
        self._channel.close()

    def GetNetwork(self, request: object, _context: object) -> object:
        said = self._truth.GetNetwork(request, metadata=WHO)
        return self._network(said) if self._network else said

    def GetLatest(self, request: object, _context: object) -> object:
        said = self._truth.GetLatest(request, metadata=WHO)
        return self._latest(said) if self._latest else said

    def ListEvidence(self, request: object, _context: object) -> object:
        return self._truth.ListEvidence(request, metadata=WHO)

    def GetSnapshot(self, request: object, context: grpc.ServicerContext) -> object:
        said = _passed_on(self._truth.GetSnapshot, request, context)
        return self._snapshot(said) if self._snapshot else said

    def GetSnapshotChunk(self, request: object, context: grpc.ServicerContext) -> object:
        said = _passed_on(self._truth.GetSnapshotChunk, request, context)
        return self._chunk(said) if self._chunk else said

    def StreamBlocks(self, request: object, context: grpc.ServicerContext) -> object:
        self.streams += 1
        stream = self._truth.StreamBlocks(request, metadata=WHO)
        context.add_callback(stream.cancel)
        try:
            for message in stream:
                yield from self._blocks(message) if self._blocks else (message,)
        except grpc.RpcError:
            return


def _passed_on(
    call: Callable[..., object], request: object, context: grpc.ServicerContext
) -> object:
    """The real node's answer, or its refusal."""
    try:
        return call(request, metadata=WHO)
    except grpc.RpcError as error:
        context.abort(error.code(), error.details())

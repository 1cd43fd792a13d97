"""Snapshots over ABCI: those that we have for others, and the one that an empty node begins with.

CometBFT's light client has verified the hash of the header that a snapshot must lead to; whether
it does is for the `SnapshotStore` to find out, chunk by chunk. A snapshot that is refused is one
peer's; CometBFT goes on to the next. A chunk that is not the snapshot's says nothing about the
snapshot: it is fetched again, from somebody else.

A node that has a block already takes none. A CometBFT that offers it one all the same has not kept
what a snapshot brought, since both died in between; the very snapshot that is here is accepted then
and not read again, so that CometBFT can go on from it.
"""

from typing import Final

import structlog

from aeo.abci.v1 import abci_pb2 as abci
from ledger.errors import LedgerError
from service.engine.cometbft.protocol import SnapshotInfo, SnapshotStore

_OFFER: Final = abci.ResponseOfferSnapshot
_APPLY: Final = abci.ResponseApplySnapshotChunk

_log = structlog.get_logger("aeo.engine")


class StateSync:
    """ABCI's four snapshot calls; without a store there are no snapshots."""

    def __init__(self, snapshots: SnapshotStore | None) -> None:
        self._snapshots = snapshots
        # Whether what is offered is here already.
        self._here = False

    def list(self) -> abci.ResponseListSnapshots:
        """The snapshots that others may have."""
        found = () if self._snapshots is None else self._snapshots.list()
        return abci.ResponseListSnapshots(
            snapshots=[abci.Snapshot(**each._asdict()) for each in found]
        )

    def load(self, request: abci.RequestLoadSnapshotChunk) -> abci.ResponseLoadSnapshotChunk:
        """One chunk; empty where there is none."""
        if self._snapshots is None:
            return abci.ResponseLoadSnapshotChunk()
        chunk = self._snapshots.chunk(request.height, request.format, request.chunk)
        return abci.ResponseLoadSnapshotChunk(chunk=chunk)

    def offer(
        self, request: abci.RequestOfferSnapshot, *, height: int, header_hash: bytes
    ) -> abci.ResponseOfferSnapshot:
        """Whether to take a snapshot that a peer offers.

        `height` is CometBFT's here, 0 for a node without a block; `header_hash` is of our newest.
        """
        if self._snapshots is None:
            return abci.ResponseOfferSnapshot(result=_OFFER.RESULT_ABORT)
        given = request.snapshot
        self._here = height > 0 and (given.height, request.app_hash) == (height, header_hash)
        if height:
            result = _OFFER.RESULT_ACCEPT if self._here else _OFFER.RESULT_REJECT
            return abci.ResponseOfferSnapshot(result=result)
        info = SnapshotInfo(given.height, given.format, given.chunks, given.hash, given.metadata)
        try:
            wanted = self._snapshots.offer(info, request.app_hash)
        except LedgerError as error:
            _log.warning("snapshot refused", height=given.height, reason=str(error))
            wanted = False
        result = _OFFER.RESULT_ACCEPT if wanted else _OFFER.RESULT_REJECT
        return abci.ResponseOfferSnapshot(result=result)

    def apply(
        self, request: abci.RequestApplySnapshotChunk
    ) -> tuple[abci.ResponseApplySnapshotChunk, bool]:
        """Take a chunk; also whether the machine has the snapshot's state now."""
        if self._snapshots is None:
            return abci.ResponseApplySnapshotChunk(result=_APPLY.RESULT_ABORT), False
        if self._here:
            return abci.ResponseApplySnapshotChunk(result=_APPLY.RESULT_ACCEPT), False
        if not self._snapshots.fits(request.index, request.chunk):
            _log.warning("wrong chunk of a snapshot", chunk=request.index, sender=request.sender)
            again = abci.ResponseApplySnapshotChunk(
                result=_APPLY.RESULT_RETRY,
                refetch_chunks=[request.index],
                reject_senders=[request.sender],
            )
            return again, False
        try:
            done = self._snapshots.apply(request.index, request.chunk)
        except LedgerError as error:
            _log.warning("snapshot refused", chunk=request.index, reason=str(error))
            refused = abci.ResponseApplySnapshotChunk(
                result=_APPLY.RESULT_REJECT_SNAPSHOT, reject_senders=[request.sender]
            )
            return refused, False
        return abci.ResponseApplySnapshotChunk(result=_APPLY.RESULT_ACCEPT), done

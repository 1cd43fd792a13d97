"""Snapshots as an outer engine passes them between nodes (ABCI's state sync).

What is offered is a snapshot under the engine's own height, with a manifest and the set changes of
its past as metadata. The engine's light client has verified the header's hash; against it
everything else is checked, here and in `service.node.snapshots.taking_up`. A node takes one only
while it is empty; the chunks lie in a folder until they are all there.
"""

import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog
from google.protobuf.message import DecodeError

from aeo.exchange.v1 import ledger_service_pb2 as pb
from ledger.bls.scheme import BlsBackend
from ledger.chain.header import header_hash
from ledger.chain.set_change import SetChange, check_set_changes, read_set_change
from ledger.chain.snapshot import (
    FORMAT,
    Manifest,
    check_chunk,
    check_extent,
    format_manifest,
    parse_manifest,
)
from ledger.errors import ChainError, FormatError, LedgerError
from ledger.state.machine import Machine
from service.engine.cometbft.protocol import SnapshotInfo
from service.errors import ServiceError
from service.node.governance.set_changes import SetChanges
from service.node.snapshots.made import Snapshots
from service.node.snapshots.taking_up import take_up
from service.store.ledger.engine_mark import EngineMark
from service.store.ledger.ledger_store import LedgerStore

_log = structlog.get_logger("aeo.snapshots")


class _Taking(NamedTuple):
    """A snapshot whose chunks are coming."""

    manifest: Manifest
    changes: Sequence[SetChange]
    engine_height: int
    missing: set[int]


class EngineSnapshots:
    """A `service.engine.cometbft.protocol.SnapshotStore` over a node's own."""

    def __init__(
        self,
        snapshots: Snapshots,
        machine: Machine,
        store: LedgerStore,
        set_changes: SetChanges,
        backend: BlsBackend,
        folder: Path,
    ) -> None:
        self._snapshots = snapshots
        self._machine = machine
        self._store = store
        self._set_changes = set_changes
        self._backend = backend
        self._folder = folder
        self._taking: _Taking | None = None
        self._deriving: threading.Thread | None = None
        self._derived_for = -1

    def list(self) -> Sequence[SnapshotInfo]:
        """The snapshots at hand that the engine has a height of.

        Any peer may ask, and the engine waits: where the set changes of one cannot be shown, or
        only by executing the ledger, that one is left out. They are derived beside meanwhile.
        """
        shown = []
        for each in self._snapshots.held():
            if not each.engine_height:
                continue
            try:
                changes = self._set_changes.at_hand(each.height)
            except (ServiceError, LedgerError) as error:
                _log.warning("snapshot not shown", height=each.height, reason=str(error))
                continue
            if changes is None:
                self._derive_beside(each.height)
                continue
            shown.append(
                SnapshotInfo(
                    each.engine_height,
                    FORMAT,
                    len(each.manifest.chunk_hashes),
                    each.manifest.hash,
                    _metadata(each.manifest, changes),
                )
            )
        return shown

    def _derive_beside(self, height: int) -> None:
        """Begin to derive the set changes that are missing, so that they are at hand later.

        Once for each snapshot: anybody may ask, and what failed would fail again.
        """
        deriving = self._deriving
        if height <= self._derived_for or (deriving is not None and deriving.is_alive()):
            return
        self._derived_for = height
        self._deriving = threading.Thread(
            target=self._derive, args=(height,), name="aeo-set-changes", daemon=True
        )
        self._deriving.start()

    def _derive(self, height: int) -> None:
        try:
            self._set_changes.all(height)
        except Exception as error:  # noqa: BLE001 - the snapshot is not shown, the rest goes on
            _log.warning("snapshot not shown", height=height, reason=str(error))

    def chunk(self, height: int, version: int, index: int) -> bytes:
        """One chunk of the snapshot of the engine's height; empty where there is none."""
        for each in self._snapshots.held():
            if (each.engine_height, FORMAT) == (height, version) and height:
                return self._snapshots.chunk(each.height, index)
        return b""

    def offer(self, info: SnapshotInfo, app_hash: bytes) -> bool:
        """Whether to take chunks of a snapshot; `app_hash` is the trusted header's hash.

        Raises `FormatError` and `CheckError` for one that cannot be what it says.
        """
        if info.format != FORMAT:
            return False
        place = f"snapshot of the engine's height {info.height}"
        manifest, changes = _read_metadata(info.metadata)
        if (manifest.hash, len(manifest.chunk_hashes)) != (info.hash, info.chunks):
            raise ChainError(place, "its manifest is another")
        if header_hash(manifest.header_bytes) != app_hash:
            raise ChainError(place, "its header is not the one that the engine has verified")
        genesis = self._machine.state.genesis
        sets = check_set_changes(genesis.signing_set, changes, genesis.network_id, self._backend)
        if sets[-1].hash != manifest.header.signing_set_hash:
            raise ChainError(place, "trust does not lead to the signing set of its header")
        check_extent(manifest)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)
        self._taking = _Taking(manifest, changes, info.height, set(range(info.chunks)))
        return True

    def fits(self, index: int, chunk: bytes) -> bool:
        """Whether a chunk is the one at its place in the snapshot being taken, if one is."""
        if self._taking is None:
            return True
        try:
            check_chunk(self._taking.manifest, index, chunk)
        except ChainError:
            return False
        return True

    def apply(self, index: int, chunk: bytes) -> bool:
        """Take a chunk; True when it was the last one missing and the machine has the state.

        Raises `CheckError` where the chunk, or all of them together, are not the snapshot.
        """
        taking = self._taking
        if taking is None:
            raise ChainError("snapshot", "none was offered")
        check_chunk(taking.manifest, index, chunk)
        self._chunk_file(index).write_bytes(chunk)
        taking.missing.discard(index)
        if taking.missing:
            return False
        self._taking = None
        try:
            take_up(
                self._machine,
                self._store,
                taking.manifest,
                lambda: self._chunks(taking.manifest),
                self._backend,
                changes=taking.changes,
                # Of which time the engine's block is, nobody has proved.
                mark=EngineMark(taking.engine_height, 0, taking.manifest.height, 0),
            )
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        return True

    def _chunks(self, manifest: Manifest) -> Iterator[bytes]:
        for index in range(len(manifest.chunk_hashes)):
            yield self._chunk_file(index).read_bytes()

    def _chunk_file(self, index: int) -> Path:
        return self._folder / f"{index:06d}"


def _metadata(manifest: Manifest, changes: Sequence[SetChange]) -> bytes:
    message = pb.GetSnapshotResponse(
        manifest=format_manifest(manifest), changes=[change.message() for change in changes]
    )
    return message.SerializeToString(deterministic=True)


def _read_metadata(data: bytes) -> tuple[Manifest, Sequence[SetChange]]:
    try:
        message = pb.GetSnapshotResponse.FromString(data)
    except DecodeError as error:
        raise FormatError("a snapshot's metadata cannot be read") from error
    return parse_manifest(message.manifest), [read_set_change(each) for each in message.changes]

"""Fetching a snapshot from a node; nothing that it says is believed before it is checked.

`fetch_snapshot` brings the newest one that the node has, chunk by chunk, into a folder. What is
there already from an attempt that broke off is not fetched again.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from aeo.exchange.v1 import ledger_service_pb2 as pb
from aeo.exchange.v1.ledger_service_pb2_grpc import LedgerServiceStub
from ledger.chain.set_change import SetChange, read_set_change
from ledger.chain.snapshot import Manifest, check_chunk, parse_manifest
from ledger.errors import CheckError
from service.client.connection import Connection


class ShownSnapshot(NamedTuple):
    """A snapshot as a node shows it: its manifest, and why its header may be trusted.

    `header` is the snapshot's own or a later one that descends from it, as `ancestor_proof` shows;
    `seal` is of that header, and `changes` lead from the founders' set to the one that it names.
    """

    manifest: Manifest
    header: bytes
    seal: bytes
    ancestor_proof: tuple[bytes, ...]
    changes: tuple[SetChange, ...]


class FetchedSnapshot(NamedTuple):
    """A snapshot whose chunks, as its manifest lists them, lie in a folder."""

    shown: ShownSnapshot
    folder: Path

    def chunks(self) -> Iterator[bytes]:
        """All chunks, read anew."""
        for index in range(len(self.shown.manifest.chunk_hashes)):
            yield _chunk_file(self.folder, index).read_bytes()

    def remove(self) -> None:
        """Drop the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def show_snapshot(connection: Connection) -> ShownSnapshot:
    """What the node's newest snapshot is.

    Raises `NoSuchThing` where it has none, other `ClientError`s, `FormatError`.
    """
    said = connection.call(
        LedgerServiceStub(connection.channel).GetSnapshot, pb.GetSnapshotRequest()
    )
    return ShownSnapshot(
        parse_manifest(said.manifest),
        said.header,
        said.seal,
        tuple(said.ancestor_proof),
        tuple(read_set_change(change) for change in said.changes),
    )


def fetch_snapshot(
    connection: Connection,
    folder: Path,
    shown: ShownSnapshot,
    done: Callable[[int], None] = lambda fetched: None,
) -> FetchedSnapshot:
    """Fetch the chunks of a snapshot that was shown; `done` hears how many there are.

    Raises `ClientError`, and `CheckError` for a chunk that is not the one in the manifest.
    """
    stub = LedgerServiceStub(connection.channel)
    place = folder / shown.manifest.hash.hex()[:16]
    for other in folder.iterdir() if folder.is_dir() else ():
        if other != place:
            shutil.rmtree(other, ignore_errors=True)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for index in range(len(shown.manifest.chunk_hashes)):
        if not _is_there(shown.manifest, place, index):
            request = pb.GetSnapshotChunkRequest(height=shown.manifest.height, index=index)
            chunk = connection.call(stub.GetSnapshotChunk, request).chunk
            check_chunk(shown.manifest, index, chunk)
            _chunk_file(place, index).write_bytes(chunk)
        done(index + 1)
    return FetchedSnapshot(shown, place)


def _is_there(manifest: Manifest, place: Path, index: int) -> bool:
    try:
        check_chunk(manifest, index, _chunk_file(place, index).read_bytes())
    except (OSError, CheckError):
        return False
    return True


def _chunk_file(place: Path, index: int) -> Path:
    return place / f"{index:06d}"

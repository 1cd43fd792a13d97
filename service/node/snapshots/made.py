"""Snapshots that this node makes for others: one now and then, the newest few kept in a folder.

    snapshots/000000000120/manifest    `ledger.chain.snapshot` manifest
    snapshots/000000000120/engine      the outer engine's height at which that was the newest header
    snapshots/000000000120/000000      the first chunk; and so on

A snapshot appears under its height whole or not at all: it is made beside and renamed. It is made
on a thread of its own from a state that it holds on to, so blocks go on meanwhile. Nothing in the
folder is believed when it is read back: who takes a snapshot checks it, and one with a chunk that
is missing or altered is thrown away.

Where one cannot be made (full disk, folder that may not be written), the next is tried after a
while that doubles, not at each block: an attempt reads all of the state, and writes until it fails.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from ledger.chain.snapshot import (
    Manifest,
    check_chunk,
    chunk_hash,
    format_manifest,
    format_snapshot,
    parse_manifest,
)
from ledger.errors import CheckError, FormatError
from ledger.state.snapshotting import snapshot_items
from ledger.state.state import State

KEPT: Final = 2
# An older one that was made, or fetched from, so lately stays: somebody may be about to go on.
HOLD_SECONDS: Final = 300.0
# But never more than these.
MOST: Final = 8
EVERY_BLOCKS: Final = 10_000
# Between two chunks, so that look-ups find the interpreter free now and then.
_PAUSE_SECONDS: Final = 0.005

FIRST_PAUSE_SECONDS: Final = 60.0
LONGEST_PAUSE_SECONDS: Final = 6 * 3600.0
"""After an attempt that failed, doubling from the first."""

_MANIFEST: Final = "manifest"
_ENGINE: Final = "engine"
_PART: Final = ".part"

_log = structlog.get_logger("aeo.snapshots")


class HeldSnapshot(NamedTuple):
    """A snapshot in the folder; `engine_height` is 0 where no outer engine counts."""

    manifest: Manifest
    engine_height: int

    @property
    def height(self) -> int:
        """The header's."""
        return self.manifest.height


class Snapshots:
    """The snapshots of one node. Any thread may ask; one is made at a time.

    `headers` gives the bytes of the stored headers from 0 to a height; `every`: so many blocks, 0
    for none but on request.
    """

    def __init__(
        self,
        folder: Path,
        headers: Callable[[int], Iterable[bytes]],
        *,
        every: int = EVERY_BLOCKS,
        kept: int = KEPT,
        hold_seconds: float = HOLD_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._headers = headers
        self._every = every
        self._kept = kept
        self._hold_seconds = hold_seconds
        self._monotonic = monotonic
        # How many failed, since the start and in a row; until when the next one waits.
        self._failures = 0
        self._in_a_row = 0
        self._not_before = float("-inf")
        # When each was made or fetched from, monotonic.
        self._used: dict[int, float] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._held = {each.height: each for each in self._read_folder()}

    @property
    def failures(self) -> int:
        """How many could not be made since the start."""
        return self._failures

    def stop(self) -> None:
        """Give up the one that is being made. Idempotent."""
        self._stopping.set()
        self.wait()

    def wait(self) -> None:
        """Wait for the one that is being made, if any."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def held(self) -> list[HeldSnapshot]:
        """Those at hand, the newest last."""
        with self._lock:
            return [self._held[height] for height in sorted(self._held)]

    def newest(self) -> HeldSnapshot | None:
        """The newest at hand."""
        held = self.held()
        return held[-1] if held else None

    def chunk(self, height: int, index: int) -> bytes:
        """One chunk, compared with its manifest; empty where there is none that is whole."""
        with self._lock:
            held = self._held.get(height)
        if held is None or not 0 <= index < len(held.manifest.chunk_hashes):
            return b""
        try:
            chunk = self._chunk_file(self._place(height), index).read_bytes()
            check_chunk(held.manifest, index, chunk)
        except (OSError, CheckError) as error:
            _log.warning("snapshot given up", height=height, chunk=index, reason=str(error))
            self._drop(height)
            return b""
        self._used[height] = self._monotonic()
        return chunk

    def after_block(self, state: State, engine_height: int = 0) -> None:
        """Begin to make one if it is time and none is being made; returns at once."""
        newest = self.newest()
        since = state.height - (0 if newest is None else newest.height)
        busy = self._thread is not None and self._thread.is_alive()
        if not self._every or since < self._every or busy or self._stopping.is_set():
            return
        if self._monotonic() < self._not_before:
            return
        self._thread = threading.Thread(
            target=self._make_logged, args=(state, engine_height), name="aeo-snapshot", daemon=True
        )
        self._thread.start()

    def make(self, state: State, engine_height: int = 0) -> HeldSnapshot | None:
        """Make one now, on this thread; None where it was stopped. Raises `OSError` and so on."""
        place = self._place(state.height)
        begun = place.with_name(place.name + _PART)
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(mode=0o700)
        try:
            hashes = []
            for index, chunk in enumerate(self._chunks(state)):
                self._chunk_file(begun, index).write_bytes(chunk)
                hashes.append(chunk_hash(chunk))
                if self._stopping.wait(_PAUSE_SECONDS):
                    return None
            made = HeldSnapshot(Manifest(state.header_bytes, tuple(hashes)), engine_height)
            (begun / _MANIFEST).write_bytes(format_manifest(made.manifest))
            (begun / _ENGINE).write_text(str(engine_height))
            with self._lock:
                shutil.rmtree(place, ignore_errors=True)
                begun.rename(place)
                self._held[state.height] = made
        finally:
            shutil.rmtree(begun, ignore_errors=True)
        self._used[state.height] = self._monotonic()
        self._drop_old()
        _log.info("snapshot made", height=made.height, chunks=len(hashes))
        return made

    def _make_logged(self, state: State, engine_height: int) -> None:
        try:
            self.make(state, engine_height)
        except Exception as error:  # noqa: BLE001 - a node without snapshots is a node still
            pause = min(FIRST_PAUSE_SECONDS * 2**self._in_a_row, LONGEST_PAUSE_SECONDS)
            self._failures += 1
            # No further than the longest: a disk may be full for years.
            self._in_a_row = min(self._in_a_row + 1, 32)
            self._not_before = self._monotonic() + pause
            _log.warning(
                "no snapshot", height=state.height, reason=str(error), again_after_seconds=pause
            )
        else:
            self._in_a_row = 0

    def _chunks(self, state: State) -> Iterator[bytes]:
        return format_snapshot(snapshot_items(state, self._headers(state.height)))

    def _drop_old(self) -> None:
        """Keep the newest, and others while they are in use, but not too many."""
        held, now = self.held(), self._monotonic()
        for number, old in enumerate(reversed(held)):
            used = now - self._used.get(old.height, float("-inf")) < self._hold_seconds
            if number >= MOST or (number >= self._kept and not used):
                self._drop(old.height)

    def _drop(self, height: int) -> None:
        self._used.pop(height, None)
        with self._lock:
            self._held.pop(height, None)
            shutil.rmtree(self._place(height), ignore_errors=True)

    def _read_folder(self) -> Iterator[HeldSnapshot]:
        """What an earlier run left that is whole, as far as names say; the rest is removed."""
        for place in sorted(self._folder.iterdir()):
            try:
                manifest = parse_manifest((place / _MANIFEST).read_bytes())
                engine_height = int((place / _ENGINE).read_text())
                place.rename(self._place(manifest.height))
            except (OSError, ValueError, FormatError) as error:
                _log.warning("snapshot removed", place=place.name, reason=str(error))
                shutil.rmtree(place, ignore_errors=True)
                continue
            yield HeldSnapshot(manifest, engine_height)

    def _place(self, height: int) -> Path:
        return self._folder / f"{height:012d}"

    @staticmethod
    def _chunk_file(place: Path, index: int) -> Path:
        return place / f"{index:06d}"

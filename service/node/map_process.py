"""The state map in a process of its own: half of the work of checking a ledger, on another core.

`MapProcess` is a `ledger.state.map_updates.MapUpdater`. Frames of bytes cross a pipe, each one a
request:

    B  leaves            build a version           B and S are not answered; the versions are
    S  base (8) leaves   update version `base`      numbered from 1 in the order of the requests
    R  version (8)       root                      answered by 32 bytes
    P  version (8) key   prove                     answered by a proof

`leaves` is key || value, 64 bytes each. So `submit` returns at once, and the caller executes the
next block meanwhile. The child keeps the newest `VERSIONS_KEPT` versions, which share what is
unchanged. An empty answer says that the version is no longer kept.

The process is started anew (`spawn`), never forked: a fork would copy threads and locks half-way.
"""

import multiprocessing
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from threading import Lock
from typing import Final, Self, cast

from ledger.state.map_updates import MapVersion
from ledger.tree.map import StateMap
from ledger.tree.map_proof import KEY_BYTES, LEAF_BYTES
from service.errors import MapProcessFailed

# A verifier asks for roots up to eight blocks late; proofs are asked of the newest.
VERSIONS_KEPT: Final = 16
_START_SECONDS: Final = 60


class MapProcess:
    """A `MapUpdater` in a child process; use as a context manager, or call `close`.

    Several threads may call. Raises `MapProcessFailed` when the child is gone or kept no version.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs,), name="aeo-state-map", daemon=True
        )
        self._process.start()
        theirs.close()
        self._lock = Lock()
        self._versions = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process. Idempotent."""
        self._pipe.close()
        self._process.join(_START_SECONDS)

    def build(self, leaves: Iterable[tuple[bytes, bytes]]) -> MapVersion:
        """Make a version of nothing but `leaves`."""
        return self._make(b"B" + _join(leaves))

    def submit(self, base: MapVersion, changes: Mapping[bytes, bytes]) -> MapVersion:
        """Make a version from `base`; returns before it is made."""
        return self._make(b"S" + _number(base) + _join(changes.items()))

    def root(self, version: MapVersion) -> bytes:
        """The root hash of a version, 32 bytes; waits for it."""
        return self._ask(b"R" + _number(version))

    def get(self, version: MapVersion, key: bytes) -> bytes | None:
        """A key's value, None when it is absent."""
        return self._ask(b"G" + _number(version) + key)[1:] or None

    def prove(self, version: MapVersion, key: bytes) -> bytes:
        """The proof of a key's value, or of its absence."""
        return self._ask(b"P" + _number(version) + key)

    def _make(self, request: bytes) -> int:
        with self._lock:
            self._send(request)
            self._versions += 1
            return self._versions

    def _ask(self, request: bytes) -> bytes:
        with self._lock:
            self._send(request)
            try:
                answer = self._pipe.recv_bytes()
            except (EOFError, OSError) as error:
                raise MapProcessFailed("the process of the state map has ended") from error
        if not answer:
            raise MapProcessFailed("the process of the state map does not have that version")
        return answer

    def _send(self, request: bytes) -> None:
        try:
            self._pipe.send_bytes(request)
        except OSError as error:
            raise MapProcessFailed("the process of the state map has ended") from error


def _serve(pipe: Connection) -> None:
    """The child: answer requests until the pipe closes."""
    versions: dict[int, StateMap] = {}
    newest = 0
    while True:
        try:
            request = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        kind, rest = request[:1], request[1:]
        if kind == b"B":
            made = StateMap.build(_split(rest))
        else:
            base = versions.get(int.from_bytes(rest[:8]))
            rest = rest[8:]
            if kind != b"S":
                pipe.send_bytes(_answer(base, kind, rest))
                continue
            if base is None:
                return
            made = base.update(_split(rest))
        newest += 1
        versions[newest] = made
        versions.pop(newest - VERSIONS_KEPT, None)


def _answer(version: StateMap | None, kind: bytes, key: bytes) -> bytes:
    if version is None:
        return b""
    if kind == b"G":
        # An answer is never empty: after this byte comes the value, or nothing.
        return kind + (version.get(key) or b"")
    return version.root if kind == b"R" else version.prove(key)


def _number(version: MapVersion) -> bytes:
    return cast("int", version).to_bytes(8)


def _join(leaves: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([part for leaf in leaves for part in leaf])


def _split(data: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (data[at : at + KEY_BYTES], data[at + KEY_BYTES : at + LEAF_BYTES])
        for at in range(0, len(data), LEAF_BYTES)
    ]

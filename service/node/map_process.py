"""The state map in a process of its own: half of the work of checking a ledger, on another core.

`MapProcess` is a `ledger.state.map_updates.MapUpdater`. Frames of bytes cross a pipe, each request
answered by one frame, in order:

    B  leaves             build a version             its root (32)
    S  base (8)  leaves   make a version from `base`  its root
    G  version (8)  key   look up                     "=" and the value (32), or "-"
    P  version (8)  key   prove                       the proof

`leaves` is key || value, 64 bytes each; versions are numbered from 1 in the order of B and S.
Nobody waits for an answer before it is needed: `submit` returns at once, the caller executes more
blocks meanwhile, and finds an earlier version's root among the answers that have come. The child
keeps the newest `VERSIONS_KEPT` versions, which share what is unchanged; what is asked of an older
one is answered by an empty frame.

A block's leaves are more than a pipe holds, and the child reads only between two versions. So a
thread writes: whoever submits goes on executing instead of waiting for the child to read.

The process is started anew (`spawn`), never forked: a fork would copy threads and locks half-way.
"""

import gc
import multiprocessing
from collections import deque
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final, Self, cast

from ledger.state.map_updates import MapVersion
from ledger.tree.map import StateMap
from ledger.tree.map_proof import KEY_BYTES, LEAF_BYTES
from service.errors import MapProcessFailed

# A verifier asks for roots up to eight blocks late; proofs are asked of the newest.
VERSIONS_KEPT: Final = 16
_JOIN_SECONDS: Final = 60
_PRESENT: Final = b"="
_ABSENT: Final = b"-"


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
        # None ends the thread.
        self._requests: SimpleQueue[bytes | None] = SimpleQueue()
        self._writer = Thread(target=self._write, name="aeo-map-requests", daemon=True)
        self._writer.start()
        self._closed = False
        # Guards everything below, and the order of requests and answers.
        self._lock = Lock()
        self._versions = 0
        self._unanswered: deque[int] = deque()
        self._roots: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; what was submitted and not yet read is dropped. Idempotent."""
        self._closed = True
        self._requests.put(None)
        self._writer.join(_JOIN_SECONDS)
        self._pipe.close()
        self._process.join(_JOIN_SECONDS)

    def build(self, leaves: Iterable[tuple[bytes, bytes]]) -> MapVersion:
        """Make a version of nothing but `leaves`."""
        return self._make(b"B" + _join(leaves))

    def submit(self, base: MapVersion, changes: Mapping[bytes, bytes]) -> MapVersion:
        """Make a version from `base`; returns before it is made."""
        return self._make(b"S" + _number(base) + _join(changes.items()))

    def root(self, version: MapVersion) -> bytes:
        """The root hash of a version, 32 bytes; waits for it."""
        number = cast("int", version)
        with self._lock:
            try:
                while number in self._unanswered:
                    self._read_root()
            except (EOFError, OSError) as error:
                raise _ended() from error
            return _require(self._roots.get(number))

    def get(self, version: MapVersion, key: bytes) -> bytes | None:
        """A key's value, None when it is absent."""
        answer = self._ask(b"G" + _number(version) + key)
        return answer[1:] if answer[:1] == _PRESENT else None

    def prove(self, version: MapVersion, key: bytes) -> bytes:
        """The proof of a key's value, or of its absence."""
        return self._ask(b"P" + _number(version) + key)

    def _ask(self, request: bytes) -> bytes:
        with self._lock:
            try:
                self._send(request)
                while self._unanswered:
                    self._read_root()
                return _require(self._pipe.recv_bytes())
            except (EOFError, OSError) as error:
                raise _ended() from error

    def _make(self, request: bytes) -> int:
        with self._lock:
            try:
                self._send(request)
                self._versions += 1
                self._unanswered.append(self._versions)
                # Else a caller who never asks for roots would let the child wait for ever.
                while self._unanswered and self._pipe.poll():
                    self._read_root()
            except (EOFError, OSError) as error:
                raise _ended() from error
            return self._versions

    def _send(self, request: bytes) -> None:
        if self._closed or not self._writer.is_alive():
            raise EOFError
        self._requests.put(request)

    def _write(self) -> None:
        """The thread: pass requests on in their order until the end, or until the child is gone."""
        while (request := self._requests.get()) is not None and not self._closed:
            try:
                self._pipe.send_bytes(request)
            except OSError:
                return  # whoever waits for the answer is told by the end of the pipe

    def _read_root(self) -> None:
        root = self._pipe.recv_bytes()
        number = self._unanswered.popleft()
        self._roots[number] = root
        self._roots.pop(number - VERSIONS_KEPT, None)


def _serve(pipe: Connection) -> None:
    """The child: answer requests until the pipe closes."""
    # Maps are trees of tuples without cycles: the collector would only walk them, again and again.
    gc.disable()
    versions: dict[int, StateMap] = {}
    newest = 0
    while True:
        try:
            request = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        kind, rest = request[:1], request[1:]
        if kind == b"B":
            base, leaves = StateMap.empty(), rest
        else:
            found = versions.get(int.from_bytes(rest[:8]))
            if found is None:
                pipe.send_bytes(b"")
                newest += kind == b"S"
                continue
            base, leaves = found, rest[8:]
        if kind == b"P":
            pipe.send_bytes(base.prove(leaves))
            continue
        if kind == b"G":
            value = base.get(leaves)
            pipe.send_bytes(_ABSENT if value is None else _PRESENT + value)
            continue
        newest += 1
        versions[newest] = base.update(_split(leaves))
        versions.pop(newest - VERSIONS_KEPT, None)
        pipe.send_bytes(versions[newest].root)


def _ended() -> MapProcessFailed:
    return MapProcessFailed("the process of the state map has ended")


def _require(answer: bytes | None) -> bytes:
    if not answer:
        raise MapProcessFailed("the process of the state map no longer has that version")
    return answer


def _number(version: MapVersion) -> bytes:
    return cast("int", version).to_bytes(8)


def _join(leaves: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([part for leaf in leaves for part in leaf])


def _split(data: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (data[at : at + KEY_BYTES], data[at + KEY_BYTES : at + LEAF_BYTES])
        for at in range(0, len(data), LEAF_BYTES)
    ]

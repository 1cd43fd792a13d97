"""The guard file: what each member's key sealed last, so that it never seals two truths.

Before a member signs a header, the guard stores network, key, height, header hash and attested
time with fsync. It refuses a lower height, another hash for the same height, and a lower time. The
file lies outside the database and its backups: a node that is restored from a backup, and so has
forgotten what it signed, is still held to it.
```
 (8)  "AEO-GRD1"     count (4)
 each, ascending:  network id (32)   key id (8)   height (8)   header hash (32)   attested time (8)
 (32) H("aeo/guard", all of the above)
```
It is replaced whole: a new file, fsync, rename, fsync of the folder. A guard that is missing or
damaged is never made anew by itself: `SealGuard.create` is a person's decision, taken once.

>>> marks = {(bytes(32), b"\\x01" * 8): Mark(7, b"\\x02" * 32, 1_767_225_600_000)}
>>> data = format_guard(marks)
>>> len(data), data[:12].hex()
(132, '41454f2d4752443100000001')
>>> parse_guard(data) == marks
True
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import Final, NamedTuple, Self

import structlog

from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged
from service.errors import GuardRefused, StoreCorrupt, StoreError
from service.store.database import OnStep, no_step, sync_folder
from service.store.lock import FileLock

MAGIC: Final = b"AEO-GRD1"
KEY_ID_BYTES: Final = 8
STEPS: Final = ("guard:before", "guard:written", "guard:renamed", "guard:synced")

_COUNT: Final = Struct(">I")
_MARK: Final = Struct(">32s8sQ32sQ")
_HEAD_BYTES: Final = len(MAGIC) + _COUNT.size
_checksum = tagged("aeo/guard")
_log = structlog.get_logger(__name__)


class Mark(NamedTuple):
    """What a key sealed last."""

    height: int
    header_hash: bytes
    attested_time: int


Marks = Mapping[tuple[bytes, bytes], Mark]


def format_guard(marks: Marks) -> bytes:
    """Give the file's bytes for marks by (network id, key id)."""
    parts = [MAGIC, _COUNT.pack(len(marks))]
    for (network_id, key_id), mark in sorted(marks.items()):
        parts.append(_MARK.pack(network_id, key_id, *mark))
    data = b"".join(parts)
    return data + _checksum(data)


def parse_guard(data: bytes) -> dict[tuple[bytes, bytes], Mark]:
    """Take the file's bytes apart; FormatError when they are not whole and unchanged."""
    body, checksum = data[:-HASH_BYTES], data[-HASH_BYTES:]
    if len(body) < _HEAD_BYTES or not body.startswith(MAGIC):
        raise FormatError("not a guard file")
    if _checksum(body) != checksum:
        raise FormatError("the checksum does not match: it was cut off or changed")
    (count,) = _COUNT.unpack_from(body, len(MAGIC))
    if len(body) != _HEAD_BYTES + count * _MARK.size:
        raise FormatError("its length does not match its count")
    return {
        (network_id, key_id): Mark(height, header_hash, attested_time)
        for network_id, key_id, height, header_hash, attested_time in _MARK.iter_unpack(
            body[_HEAD_BYTES:]
        )
    }


class SealGuard:
    """Says whether a key may seal, after it has stored that it will.

    Calls may come from any thread. One process has the file open at a time. Get one from `create`
    or `open`; close it at the end.
    """

    def __init__(self, path: Path, on_step: OnStep = no_step) -> None:
        self.path = path
        self._on_step = on_step
        self._mutex = Lock()
        self._broken = False
        self._lock = FileLock(path)
        self._marks: dict[tuple[bytes, bytes], Mark] = {}

    @classmethod
    def create(cls, path: Path, *, on_step: OnStep = no_step) -> Self:
        """Make the guard of keys that have never sealed. `StoreError` when there is a file.

        For keys that may have sealed before this makes two truths possible.
        """
        guard = cls(path, on_step)
        if path.exists():
            guard.close()
            raise StoreError(path, "there is a guard file already; it is never made anew")
        try:
            guard._store({})
        except StoreError:
            guard.close()
            raise
        _log.info("seal guard created", path=str(path))
        return guard

    @classmethod
    def open(cls, path: Path, *, on_step: OnStep = no_step) -> Self:
        """Open the guard that is there.

        Raises `StoreError` when it is missing, `StoreCorrupt` when damaged, `StoreBusy` when
        another node has it: in each case nothing may be sealed.
        """
        guard = cls(path, on_step)
        try:
            guard._marks = parse_guard(path.read_bytes())
        except FileNotFoundError as error:
            guard.close()
            raise StoreError(
                path,
                "the guard file is missing: without it this node does not know what its members "
                "have sealed; bring it back, or create one only for keys that never sealed",
            ) from error
        except FormatError as error:
            guard.close()
            raise StoreCorrupt(path, "guard file", str(error)) from error
        except OSError as error:
            guard.close()
            raise StoreError(path, f"cannot be read: {error.strerror}") from error
        return guard

    def close(self) -> None:
        """Let others open it; nothing can be signed through this one any more."""
        self._broken = True
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def last(self, network_id: bytes, key_id: bytes) -> Mark | None:
        """Return what a key sealed last in a network, None when it never did."""
        return self._marks.get((network_id, key_id))

    def may_sign(
        self, network_id: bytes, key_id: bytes, height: int, header_hash: bytes, attested_time: int
    ) -> None:
        """Return once it is on the disk that this key seals this header at this time.

        Raises `GuardRefused` when it must not, `StoreError` when that cannot be stored.
        """
        self.may_sign_all(network_id, [key_id], height, header_hash, attested_time)

    def may_sign_all(
        self,
        network_id: bytes,
        key_ids: Sequence[bytes],
        height: int,
        header_hash: bytes,
        attested_time: int,
    ) -> None:
        """As `may_sign`, for all keys or, when one of them must not, for none: one fsync."""
        mark = Mark(height, header_hash, attested_time)
        if len(network_id) != HASH_BYTES or len(header_hash) != HASH_BYTES:
            raise FormatError("a network id and a header hash have 32 bytes")
        with self._mutex:
            if self._broken:
                raise StoreError(self.path, "is closed, or failed before; open it again")
            marks = dict(self._marks)
            for key_id in key_ids:
                if len(key_id) != KEY_ID_BYTES:
                    raise FormatError("a key id has 8 bytes")
                _check_mark(key_id, marks.get((network_id, key_id)), mark)
                marks[network_id, key_id] = mark
            if marks != self._marks:
                self._store(marks)

    def _store(self, marks: dict[tuple[bytes, bytes], Mark]) -> None:
        """Replace the file; after a failure what the disk holds is not known, and it stops."""
        new = self.path.with_name(self.path.name + ".new")
        self._broken = True
        self._on_step("guard:before")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(format_guard(marks))
                file.flush()
                os.fsync(descriptor)
            self._on_step("guard:written")
            new.replace(self.path)
            self._on_step("guard:renamed")
            sync_folder(self.path.parent)
        except OSError as error:
            _log.error("seal guard not stored", path=str(self.path), error=error.strerror)
            raise StoreError(self.path, f"cannot be written: {error.strerror}") from error
        self._on_step("guard:synced")
        self._marks = marks
        self._broken = False


def _check_mark(key_id: bytes, last: Mark | None, mark: Mark) -> None:
    if last is None:
        return
    height = mark.height
    if height < last.height:
        raise GuardRefused(key_id, height, f"it has sealed height {last.height} already")
    if height == last.height and mark.header_hash != last.header_hash:
        raise GuardRefused(
            key_id, height, f"it has sealed another header there: {last.header_hash.hex()}"
        )
    if mark.attested_time < last.attested_time:
        raise GuardRefused(
            key_id,
            height,
            f"it has attested the time {last.attested_time}, later than {mark.attested_time}",
        )

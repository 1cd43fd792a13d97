"""A copy of a node's SQLite stores, taken while the node writes them.

SQLite's own online copy reads one state of a file, in one read transaction, and hinders no writer.
The stores of the members are copied first and the ledger last: a copy of the ledger that is ahead
of a member's store is what a crash leaves as well, and is taken up at the next start; the other way
round would be records that the ledger does not have.

Not copied: the guard file, because an old one lets a key sign a second truth, and the keys, which
change only when they are rotated and are kept elsewhere.

A copy has the mode 0600 and holds lookup keys and, until it is destroyed, profiles that were
erased since: keep it as closely as the stores, and no longer than the law allows.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from service.errors import Refused, StoreCorrupt, StoreError
from service.store.database import sync_folder

LEDGER_FILE: Final = "ledger.db"
_HOME_FILES: Final = "home-*.db"


class Copied(NamedTuple):
    """One file of a backup: its name, and its size in bytes."""

    name: str
    size: int


class BackupRefused(Refused):
    """There is nothing to copy, or somewhere that it must not go."""


def back_up(data: Path, target: Path) -> list[Copied]:
    """Copy every store in the folder `data` into the new folder `target`; what was copied.

    The folder appears whole or not at all. Raises `BackupRefused`, and `StoreCorrupt` for a store
    whose copy contradicts itself.
    """
    stores = [*sorted(data.glob(_HOME_FILES)), data / LEDGER_FILE]
    if not stores[-1].is_file():
        raise BackupRefused(f"{data}: there is no {LEDGER_FILE} in it")
    if target.exists():
        raise BackupRefused(f"{target} is there already; a backup is never overwritten")
    target.parent.mkdir(parents=True, exist_ok=True)
    begun = target.with_name(f".{target.name}.part")
    begun.mkdir(mode=0o700)
    try:
        copied = [_copy(store, begun / store.name) for store in stores]
        sync_folder(begun)
        begun.rename(target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    return copied


def _copy(source: Path, target: Path) -> Copied:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
            read.execute("PRAGMA query_only = ON")
            read.backup(written, pages=-1)
            # One file, that can be carried away: no write-ahead log beside it.
            written.execute("PRAGMA journal_mode = DELETE")
            (found,) = written.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise StoreError(source, f"cannot be copied: {error}") from error
    if found != "ok":
        raise StoreCorrupt(source, "database file", str(found))
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return Copied(target.name, target.stat().st_size)

"""One writer for one file, across processes: an advisory lock held for as long as it is open.

The lock is on a file of its own beside the data (``ledger.db.lock``), because SQLite releases and
takes locks on its files as it pleases. The system lets go of it when the process dies, however it
dies, so a crash leaves nothing to clean up. The file names the process that holds it, for people.
"""

import fcntl
import os
from pathlib import Path

from service.errors import StoreBusy, StoreError


class FileLock:
    """The exclusive right to write what lies at `path`; taken at once or not at all."""

    __slots__ = ("_descriptor",)

    def __init__(self, path: Path) -> None:
        lock_path = path.with_name(path.name + ".lock")
        try:
            descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(path, f"cannot open its lock file: {error.strerror}") from error
        try:
            # flock, not lockf: a second opener within this process is refused too.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StoreBusy(path, holder) from error
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others have it; the lock file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

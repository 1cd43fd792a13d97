"""Files that hold secrets: mode 0600, never overwritten, on the disk before anyone relies on them.

A key file that the group or others may read is refused, as OpenSSH does: it is no longer a secret.
One that root owns and that its group alone may read besides is taken by a process that is not root:
a volume of Kubernetes shows a secret to such a process in no other way.
"""

import os
import stat
from getpass import getpass
from pathlib import Path

from service.errors import Failed

SECRET_MODE = 0o600
PUBLIC_MODE = 0o644
MAX_FILE_BYTES = 64 << 10
"""A keystore has 1 KB, a certificate chain a few."""


class KeyFileError(Failed):
    """A key file cannot be written, read or opened; says which and why, never what is in it."""

    def __init__(self, path: Path | str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


def write_new(path: Path, data: bytes, *, mode: int = SECRET_MODE) -> None:
    """Write a file that does not exist yet, with fsync of file and folder. KeyFileError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)  # whatever the umask says
            file.write(data)
            file.flush()
            os.fsync(handle)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise KeyFileError(path, "is there already; a key is never overwritten") from None
    except OSError as error:
        raise KeyFileError(path, f"cannot be written: {error.strerror}") from None


def read_secret(path: Path) -> bytes:
    """Read a file that only its owner may read. KeyFileError."""
    data, mode, owner = _read(path)
    mounted = owner == 0 and os.geteuid() != 0
    if mode & (0o037 if mounted else 0o077):
        raise KeyFileError(path, f"is open to others (mode {mode:04o}); chmod 600 it")
    return data


def read_public(path: Path) -> bytes:
    """Read a certificate or another file without secrets. KeyFileError."""
    return _read(path)[0]


def read_passphrase(path: Path | None, prompt: str = "Passphrase") -> str:
    """The first line of a file that only its owner may read; without a file, ask on the terminal.

    A trailing line break is not part of it; blanks are. KeyFileError when it is empty.
    """
    if path is None:
        passphrase = getpass(f"{prompt}: ")
    else:
        try:
            passphrase = read_secret(path).decode("utf-8").partition("\n")[0].removesuffix("\r")
        except UnicodeDecodeError:
            raise KeyFileError(path, "the passphrase is not UTF-8") from None
    if not passphrase:
        raise KeyFileError(path or "terminal", "the passphrase is empty")
    return passphrase


def _read(path: Path) -> tuple[bytes, int, int]:
    """What a file holds, its mode and its owner."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(path, f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise KeyFileError(path, f"is larger than {MAX_FILE_BYTES} bytes")
    return data, stat.S_IMODE(found.st_mode), found.st_uid

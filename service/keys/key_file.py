"""Files that hold secrets: mode 0600, never overwritten, on the disk before anyone relies on them.

A key file that the group or others may read is refused, as OpenSSH does: it is no longer a secret.
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
    data, mode = _read(path)
    if mode & 0o077:
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


def _read(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(path, f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise KeyFileError(path, f"is larger than {MAX_FILE_BYTES} bytes")
    return data, mode

"""A member's BLS keys in one folder: the first, and one more for each rotation.

    bls-keystore.json      the first, made with the member's other keys
    ed25519.pem
    bls-keystore-2.json    the pair of the first rotation, and so on
    ed25519-2.pem

A new pair is on the disk before anybody hears of it: Ed25519 first, so that a keystore is never
without its partner. Each file is under the passphrase of the folder, at the price of the newest
keystore there. A key that was replaced is
destroyed: its file is renamed, so that a crash never leaves half a keystore for the next start to
stumble over, then overwritten and removed. Where the first two have other names, the further ones
follow them. That is what a file system can promise; a copy in a
backup, or what a flash disk keeps aside, is for the operator to destroy.
"""

import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple, Self

from ledger.bls.keygen import keygen
from ledger.bls.scheme import BlsBackend
from ledger.ed25519 import SEED_BYTES
from service.keys.key_file import KeyFileError, read_secret, write_new
from service.keys.keystore import format_keystore, kdf_of
from service.keys.member_keys import (
    ED25519_FILE,
    open_bls_key,
    open_ed25519_key,
)
from service.keys.pem import format_ed25519

# What a file is called from the moment it is to be destroyed.
DESTROYED: Final = ".destroyed"
_NUMBER: Final = re.compile(r"(?:-([1-9][0-9]{0,5}))?")


class NewPair(NamedTuple):
    """Keys that no registration names yet."""

    bls_secret: int
    ed25519_seed: bytes


@dataclass(frozen=True, slots=True)
class _Stored:
    keystore: Path
    ed25519: Path
    secret: int = field(repr=False)


class KeyFolder:
    """The open BLS keys of one member, and where they lie. Made by `open`. Any thread may call."""

    def __init__(
        self,
        economy: str,
        keystore: Path,
        ed25519: Path,
        passphrase: str,
    ) -> None:
        self.economy = economy
        self.folder = keystore.parent
        self._keystore = _first_of(keystore)
        self._ed25519 = _first_of(ed25519)
        self._passphrase = passphrase
        self._lock = Lock()
        # Replaced as a whole.
        self._stored: tuple[_Stored, ...] = ()

    @classmethod
    def open(
        cls,
        economy: str,
        passphrase: str,
        keystore: Path,
        ed25519: Path | None = None,
    ) -> Self:
        """Open `keystore`, which may be gone since it was replaced, and all further ones beside it.

        `ed25519` belongs to the first. KeyFileError when there is no key at all, or one that does
        not open.
        """
        partner = keystore.parent / ED25519_FILE if ed25519 is None else ed25519
        keys = cls(economy, keystore, partner, passphrase)
        numbers = keys._numbers()
        if not numbers:
            open_bls_key(keystore, passphrase)  # says why
        keys._stored = tuple(
            _Stored(*paths, open_bls_key(paths[0], passphrase))
            for paths in map(keys._pair, numbers)
        )
        keys._finish_destroying()
        return keys

    @property
    def secrets(self) -> tuple[int, ...]:
        """Every BLS secret, the oldest first."""
        return tuple(stored.secret for stored in self._stored)

    def seed(self, bls_secret: int) -> bytes:
        """The Ed25519 seed that belongs to a BLS secret. KeyFileError when it cannot be opened."""
        stored = next(each for each in self._stored if each.secret == bls_secret)
        return open_ed25519_key(stored.ed25519, self._passphrase)

    def make(self, backend: BlsBackend) -> NewPair:
        """Make a pair; it is on the disk when this returns. KeyFileError."""
        secret, seed = keygen(secrets.token_bytes(32)), secrets.token_bytes(SEED_BYTES)
        with self._lock:
            number = self._free_number()
            keystore, ed25519 = self._pair(number)
            text = format_keystore(
                secret,
                self._passphrase,
                public_key=backend.public_key(secret),
                kdf=kdf_of(read_secret(self._stored[-1].keystore).decode()),
                description=f"{self.economy}, pair {number}",
            )
            write_new(ed25519, format_ed25519(seed, self._passphrase))
            write_new(keystore, text.encode())
            self._stored = (*self._stored, _Stored(keystore, ed25519, secret))
        return NewPair(secret, seed)

    def destroy(self, bls_secret: int) -> None:
        """Destroy a BLS secret and its Ed25519 partner. KeyFileError, also for the last one."""
        with self._lock:
            gone = [each for each in self._stored if each.secret == bls_secret]
            left = tuple(each for each in self._stored if each.secret != bls_secret)
            if not left:
                raise KeyFileError(self.folder, "the last key of a member is never destroyed")
            for each in gone:
                _destroy(each.keystore)
                _destroy(each.ed25519)
            self._stored = left

    def _numbers(self) -> list[int]:
        """The numbers of the keystores that are there, ascending."""
        return sorted(
            number for path in self.folder.glob("*") if (number := _number(path, self._keystore))
        )

    def _pair(self, number: int) -> tuple[Path, Path]:
        """Where the keystore and the Ed25519 key of a number lie."""
        return _numbered(self._keystore, number), _numbered(self._ed25519, number)

    def _free_number(self) -> int:
        """A number above all that either file has, or had until it was to be destroyed."""
        taken = [1]
        for folder in {self._keystore.parent, self._ed25519.parent}:
            for path in folder.iterdir():
                named = path.with_name(path.name.removesuffix(DESTROYED))
                taken += (_number(named, self._keystore), _number(named, self._ed25519))
        return max(taken) + 1

    def _finish_destroying(self) -> None:
        """Go on where a crash left off."""
        for first in (self._keystore, self._ed25519):
            for path in first.parent.glob(f"*{DESTROYED}"):
                if _number(path.with_name(path.name.removesuffix(DESTROYED)), first):
                    _wipe(path)


def _first_of(path: Path) -> Path:
    """The name without a number: a configuration may point at a further key."""
    return path.with_stem(re.sub(r"-[1-9][0-9]{0,5}\Z", "", path.stem))


def _numbered(first: Path, number: int) -> Path:
    return first if number == 1 else first.with_stem(f"{first.stem}-{number}")


def _number(path: Path, first: Path) -> int:
    """Which of the files that begin with `first` this is; 0 for none of them."""
    if path.suffix != first.suffix or not path.stem.startswith(first.stem):
        return 0
    match = _NUMBER.fullmatch(path.stem.removeprefix(first.stem))
    return 0 if match is None else int(match[1] or 1)


def _destroy(path: Path) -> None:
    doomed = path.with_name(path.name + DESTROYED)
    try:
        path.rename(doomed)
        _sync(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise KeyFileError(path, f"cannot be destroyed: {error.strerror}") from None
    _wipe(doomed)


def _wipe(path: Path) -> None:
    """Overwrite a file, then remove it."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        _sync(path.parent)
    except OSError as error:
        raise KeyFileError(path, f"cannot be destroyed: {error.strerror}") from None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

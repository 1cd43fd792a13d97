"""A certificate and its key that are renewed under a running process.

Whoever renews replaces the files: cert-manager a few weeks before they end, or an officer with
`aeo key`. Each use asks for the pair as it is now; the files are looked at once a second at most,
and read again when either has changed.

The two files are not replaced in one instant by everybody (Kubernetes does: it moves a link to a
folder). A pair that does not fit, or of which one half cannot be read, is therefore no error for
whoever asks: the pair that was good stays in use, the reason is logged and shown, and the files are
looked at again. A key without a passphrase is taken as it is, whatever passphrase is given.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from service.keys.key_file import KeyFileError, read_public
from service.keys.member_keys import open_issued

LOOK_EVERY_S: Final = 1.0
"""Two calls of stat take 5 us; a second more of an old certificate harms nobody."""

_log = structlog.get_logger("aeo.certificate")

_Stamp = tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate with those between it and the authority, and its key in the clear: PEM."""

    certificate: bytes
    key: bytes = field(repr=False)
    expires: datetime


class RenewedCertificate:
    """The newest good pair of two files. Any thread may call.

    Raises KeyFileError where the pair cannot be opened when it is made; never later.
    """

    def __init__(
        self,
        certificate: Path,
        key: Path,
        passphrase: str | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.certificate = certificate
        self.key = key
        self._passphrase = passphrase
        self._monotonic = monotonic
        self._lock = threading.Lock()
        # Guarded by the lock; `_shown` and `_fault` are replaced as a whole.
        self._stamp = self._look()
        self._looked = monotonic()
        self._shown = self._open()
        self._fault = ""

    def current(self) -> Shown:
        """The pair now; the same object as long as it stays the same."""
        if self._monotonic() - self._looked >= LOOK_EVERY_S and self._lock.acquire(blocking=False):
            try:  # who comes while another looks takes what is there
                self._renew()
            finally:
                self._lock.release()
        return self._shown

    @property
    def fault(self) -> str:
        """Why the files as they are now are not used; empty while they are."""
        return self._fault

    def _renew(self) -> None:
        self._looked = self._monotonic()
        stamp = self._look()
        if stamp == self._stamp and not self._fault:
            return
        try:
            shown = self._open()
        except KeyFileError as error:
            if str(error) != self._fault:
                _log.warning("the renewed certificate is not used", reason=str(error))
            self._fault = str(error)
            return
        self._stamp, self._fault = stamp, ""
        if shown != self._shown:
            self._shown = shown
            _log.info(
                "a renewed certificate is in use",
                file=str(self.certificate),
                expires=shown.expires.isoformat(),
            )

    def _look(self) -> _Stamp:
        """What tells that a file was replaced or written to; of a file that is away, nothing."""
        stamps = []
        for path in (self.certificate, self.key):
            try:
                found = os.stat(path)
            except OSError:
                stamps.append((0, 0, 0, 0))
            else:
                stamps.append((found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size))
        return tuple(stamps)

    def _open(self) -> Shown:
        issued = open_issued(self.certificate, self.key, self._passphrase)
        chain = read_public(self.certificate)
        # The whole file: intermediate certificates may follow the node's own. Where it was
        # replaced between the two readings, the next look finds another stamp.
        key = issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            first = x509.load_pem_x509_certificates(chain)[0]
        except ValueError:
            raise KeyFileError(self.certificate, "not certificates in PEM") from None
        if first != issued.certificate:
            raise KeyFileError(self.certificate, "was replaced while it was read")
        return Shown(chain, key, issued.certificate.not_valid_after_utc)

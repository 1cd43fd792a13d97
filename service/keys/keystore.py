r"""BLS keystores: EIP-2335, version 4.

    dk        = scrypt or PBKDF2-HMAC-SHA256 (passphrase, salt), 32 bytes
    message   = AES-128-CTR(key dk[0:16], iv, secret key in 32 bytes big-endian)
    checksum  = SHA-256(dk[16:32] || message)      tells a wrong passphrase

The passphrase is brought to NFKD, loses its control characters (C0, DEL, C1) and is UTF-8.

>>> normal_passphrase("\N{MATHEMATICAL FRAKTUR SMALL T}est\tpass").decode()
'testpass'
>>> text = format_keystore(7, "correct horse", public_key=bytes(48), kdf=Pbkdf2(iterations=10))
>>> parse_keystore(text, "correct horse")
7
"""

import hashlib
import hmac
import json
import secrets
import unicodedata
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ledger.bls.keygen import secret_key_from_bytes, secret_key_to_bytes
from ledger.errors import FormatError

KEYSTORE_LIMIT = 16 << 10
DERIVED_BYTES = 32
SALT_BYTES = 32
MAX_SCRYPT_MEMORY = 1 << 30
"""Bytes: 128 * n * r of a keystore that we open. The EIP's own parameters take 256 MB."""
MAX_ITERATIONS = 1 << 24
"""PBKDF2 rounds of a keystore that we open: some ten seconds."""


class WrongPassphrase(FormatError):
    """The checksum says that this passphrase does not open the keystore."""


@dataclass(frozen=True, slots=True)
class Scrypt:
    """RFC 7914. The default, n = 2^18, is the EIP's: 256 MB and about a second for each guess."""

    n: int = 1 << 18
    r: int = 8
    p: int = 1

    def derive(self, passphrase: bytes, salt: bytes) -> bytes:
        """32 bytes from a passphrase."""
        memory = 128 * self.r * (self.n + self.p + 2)
        return hashlib.scrypt(
            passphrase, salt=salt, n=self.n, r=self.r, p=self.p, maxmem=memory, dklen=DERIVED_BYTES
        )

    def module(self, salt: bytes) -> dict[str, Any]:
        """The kdf module of a keystore."""
        cost = {"n": self.n, "p": self.p, "r": self.r}
        return _module("scrypt", "", dklen=DERIVED_BYTES, **cost, salt=salt.hex())


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    """RFC 8018 with HMAC-SHA256. 2^18 rounds, the EIP's."""

    iterations: int = 1 << 18

    def derive(self, passphrase: bytes, salt: bytes) -> bytes:
        """32 bytes from a passphrase."""
        return hashlib.pbkdf2_hmac("sha256", passphrase, salt, self.iterations, DERIVED_BYTES)

    def module(self, salt: bytes) -> dict[str, Any]:
        """The kdf module of a keystore."""
        return _module(
            "pbkdf2", "", dklen=DERIVED_BYTES, c=self.iterations, prf="hmac-sha256", salt=salt.hex()
        )


def normal_passphrase(passphrase: str) -> bytes:
    """NFKD, without control characters, UTF-8 (EIP-2335, *Password requirements*)."""
    kept = (c for c in unicodedata.normalize("NFKD", passphrase) if unicodedata.category(c) != "Cc")
    return "".join(kept).encode()


def format_keystore(
    secret: int,
    passphrase: str,
    *,
    public_key: bytes,
    kdf: Scrypt | Pbkdf2 | None = None,
    description: str = "",
    path: str = "",
) -> str:
    """Write a keystore as JSON. `path` is the EIP-2334 path of a derived key, empty for none."""
    return _format(
        secret_key_to_bytes(secret),
        passphrase,
        kdf or Scrypt(),
        salt=secrets.token_bytes(SALT_BYTES),
        iv=secrets.token_bytes(16),
        description=description,
        pubkey=public_key.hex(),
        path=path,
        uuid=str(uuid.uuid4()),
    )


def parse_keystore(text: str, passphrase: str) -> int:
    """Open a keystore: the secret key. FormatError, WrongPassphrase among them."""
    if len(text) > KEYSTORE_LIMIT:
        raise FormatError(f"a keystore of more than {KEYSTORE_LIMIT} characters")
    try:
        store = json.loads(text)
        if store["version"] != 4:
            raise FormatError(f"a keystore of version {store['version']!r}, not 4")
        crypto = store["crypto"]
        kdf, salt = _parse_kdf(crypto["kdf"])
        checksum, cipher = crypto["checksum"], crypto["cipher"]
        if (checksum["function"], cipher["function"]) != ("sha256", "aes-128-ctr"):
            raise FormatError("a checksum or cipher other than sha256 and aes-128-ctr")
        message, iv = bytes.fromhex(cipher["message"]), bytes.fromhex(cipher["params"]["iv"])
        expected = bytes.fromhex(checksum["message"])
        derived = kdf.derive(normal_passphrase(passphrase), salt)
        if not hmac.compare_digest(_checksum(derived, message), expected):
            raise WrongPassphrase("the passphrase does not open this keystore")
        return secret_key_from_bytes(_aes_ctr(derived, iv, message))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"not a keystore: {type(error).__name__}") from None


def kdf_of(text: str) -> Scrypt | Pbkdf2:
    """How dear a keystore makes each guess: for another one beside it. FormatError."""
    if len(text) > KEYSTORE_LIMIT:
        raise FormatError(f"a keystore of more than {KEYSTORE_LIMIT} characters")
    try:
        return _parse_kdf(json.loads(text)["crypto"]["kdf"])[0]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"not a keystore: {type(error).__name__}") from None


def _format(
    secret: bytes, passphrase: str, kdf: Scrypt | Pbkdf2, *, salt: bytes, iv: bytes, **about: str
) -> str:
    derived = kdf.derive(normal_passphrase(passphrase), salt)
    message = _aes_ctr(derived, iv, secret)
    crypto = {
        "kdf": kdf.module(salt),
        "checksum": _module("sha256", _checksum(derived, message).hex()),
        "cipher": _module("aes-128-ctr", message.hex(), iv=iv.hex()),
    }
    return json.dumps({"crypto": crypto, **about, "version": 4}, indent=2) + "\n"


def _parse_kdf(module: dict[str, Any]) -> tuple[Scrypt | Pbkdf2, bytes]:
    function, params = module["function"], module["params"]
    if params["dklen"] != DERIVED_BYTES:
        raise FormatError(f"a derived key of {params['dklen']!r} bytes, not {DERIVED_BYTES}")
    salt = bytes.fromhex(params["salt"])
    if function == "scrypt":
        n, r, p = (_positive(params[name]) for name in "nrp")
        if 128 * n * r > MAX_SCRYPT_MEMORY or p > 16:
            raise FormatError("scrypt parameters that would take more than 1 GB")
        return Scrypt(n, r, p), salt
    if function == "pbkdf2" and params["prf"] == "hmac-sha256":
        iterations = _positive(params["c"])
        if iterations > MAX_ITERATIONS:
            raise FormatError(f"more than {MAX_ITERATIONS} rounds of PBKDF2")
        return Pbkdf2(iterations), salt
    raise FormatError(f"a key derivation other than scrypt and pbkdf2: {function!r}")


def _positive(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise FormatError("a parameter that is not a positive integer")
    return value


def _module(function: str, message: str, **params: int | str) -> dict[str, Any]:
    return {"function": function, "params": params, "message": message}


def _checksum(derived: bytes, message: bytes) -> bytes:
    return hashlib.sha256(derived[16:32] + message).digest()


def _aes_ctr(derived: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(derived[:16]), modes.CTR(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()

"""Keys at rest: the published keystores, our own, and everything that must not open."""

import datetime as dt
import json
import re
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.bls.scheme import ORDER, default_backend
from ledger.chain.registration import open_registration
from ledger.errors import FormatError
from service.keys import keystore
from service.keys.authority import issue_client, make_authority
from service.keys.key_file import KeyFileError, read_passphrase, read_secret, write_new
from service.keys.keystore import (
    Pbkdf2,
    Scrypt,
    WrongPassphrase,
    format_keystore,
    normal_passphrase,
    parse_keystore,
)
from service.keys.member_keys import (
    Founder,
    make_client,
    make_member_keys,
    open_issued,
    open_member_keys,
    register_founder,
)
from service.keys.pem import format_ed25519, parse_ed25519, parse_p256
from service.keys.spiffe import AccessRole, SpiffeId, format_spiffe, parse_spiffe

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
QUICK = Pbkdf2(iterations=2)

# The two test cases of EIP-2335: one secret, one passphrase, one salt and iv.
EIP_PASSPHRASE = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑"
EIP_SECRET = bytes.fromhex("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f")
EIP_SALT = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
EIP_IV = "264daa3f303d7259501c93d997d84fe6"
EIP_PUBLIC_KEY = (
    "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27"
    "f4ae4040902382ae2910c15e2b420d07"
)
EIP_STORES = {
    "scrypt": {
        "kdf": {"dklen": 32, "n": 262144, "p": 1, "r": 8, "salt": EIP_SALT},
        "checksum": "d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484",
        "cipher": "06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f",
        "uuid": "1d85ae20-35c5-4611-98e8-aa14a633906f",
        "path": "m/12381/60/3141592653/589793238",
        "description": "This is a test keystore that uses scrypt to secure the secret.",
    },
    "pbkdf2": {
        "kdf": {"dklen": 32, "c": 262144, "prf": "hmac-sha256", "salt": EIP_SALT},
        "checksum": "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1",
        "cipher": "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad",
        "uuid": "64625def-3331-4eea-ab6f-782f3ed16a83",
        "path": "m/12381/60/0/0",
        "description": "This is a test keystore that uses PBKDF2 to secure the secret.",
    },
}


def eip_keystore(function: str) -> dict:
    case = EIP_STORES[function]
    return {
        "crypto": {
            "kdf": {"function": function, "params": case["kdf"], "message": ""},
            "checksum": {"function": "sha256", "params": {}, "message": case["checksum"]},
            "cipher": {
                "function": "aes-128-ctr",
                "params": {"iv": EIP_IV},
                "message": case["cipher"],
            },
        },
        "description": case["description"],
        "pubkey": EIP_PUBLIC_KEY,
        "path": case["path"],
        "uuid": case["uuid"],
        "version": 4,
    }


@pytest.mark.parametrize("function", EIP_STORES)
def test_the_published_keystores_open_and_are_written_alike(function):
    published = eip_keystore(function)
    assert normal_passphrase(EIP_PASSPHRASE).hex() == "7465737470617373776f7264f09f9491"
    secret = parse_keystore(json.dumps(published), EIP_PASSPHRASE)
    assert secret == int.from_bytes(EIP_SECRET)
    assert default_backend().public_key(secret).hex() == EIP_PUBLIC_KEY
    written = keystore._format(
        EIP_SECRET,
        EIP_PASSPHRASE,
        Scrypt() if function == "scrypt" else Pbkdf2(),
        salt=bytes.fromhex(EIP_SALT),
        iv=bytes.fromhex(EIP_IV),
        **{name: published[name] for name in ("description", "pubkey", "path", "uuid")},
    )
    assert json.loads(written) == published


@given(st.integers(1, ORDER - 1), st.text(min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_what_is_written_opens_with_that_passphrase_alone(secret, passphrase):
    text = format_keystore(secret, passphrase, public_key=bytes(48), kdf=QUICK)
    assert parse_keystore(text, passphrase) == secret
    with pytest.raises(WrongPassphrase):
        parse_keystore(text, passphrase + "x")


def test_each_changed_byte_of_salt_iv_message_and_checksum_is_noticed():
    text = format_keystore(5, "p", public_key=bytes(48), kdf=QUICK)
    parts = re.findall(r'"(?:salt|message)": "([0-9a-f]{32,})"', text)
    assert len(parts) == 3  # the iv is not covered by the checksum: EIP-2335
    for part in parts:
        for at in range(len(part)):
            changed = part[:at] + format(int(part[at], 16) ^ 1, "x") + part[at + 1 :]
            with pytest.raises(FormatError):
                parse_keystore(text.replace(part, changed), "p")


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(version=3),
        lambda s: s.pop("crypto"),
        lambda s: s["crypto"]["kdf"].update(function="argon2"),
        lambda s: s["crypto"]["kdf"]["params"].update(n=1 << 30),
        lambda s: s["crypto"]["kdf"]["params"].update(n=True),
        lambda s: s["crypto"]["kdf"]["params"].update(n=3),
        lambda s: s["crypto"]["kdf"]["params"].update(dklen=64),
        lambda s: s["crypto"]["kdf"]["params"].update(salt="zz"),
        lambda s: s["crypto"]["cipher"].update(function="aes-256-gcm"),
        lambda s: s["crypto"].update(checksum=[]),
    ],
)
def test_keystores_of_another_kind_are_refused(change):
    store = eip_keystore("scrypt")
    change(store)
    with pytest.raises(FormatError):
        parse_keystore(json.dumps(store), EIP_PASSPHRASE)


@pytest.mark.parametrize("text", ["", "[]", "null", "4", '"x"', "{", "[" * 9000, " " * 20_000])
def test_what_is_no_keystore_is_a_format_error(text):
    with pytest.raises(FormatError):
        parse_keystore(text, "p")


def test_ed25519_keys_are_pkcs8_and_of_their_kind():
    pem = format_ed25519(b"\x01" * 32, "𝔭")
    assert parse_ed25519(pem, "p") == b"\x01" * 32  # NFKD
    with pytest.raises(WrongPassphrase):
        parse_ed25519(pem, "q")
    with pytest.raises(FormatError, match="P-256"):
        parse_p256(pem, "p")
    with pytest.raises(FormatError, match="PEM"):
        parse_ed25519(b"x", "p")
    assert Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).private_bytes_raw() == b"\x01" * 32


def test_secrets_are_private_and_never_overwritten(tmp_path):
    path = tmp_path / "secret"
    write_new(path, b"pass phrase \r\nsecond line\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_passphrase(path) == "pass phrase "
    with pytest.raises(KeyFileError, match="never overwritten"):
        write_new(path, b"other")
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="open to others"):
        read_secret(path)
    empty = tmp_path / "empty"
    write_new(empty, b"\n")
    with pytest.raises(KeyFileError, match="empty"):
        read_passphrase(empty)
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_secret(tmp_path / "absent")


def make(folder, economy="NZ"):
    return make_member_keys(
        folder,
        economy,
        network_name="Test network",
        hosts=["127.0.0.1", "node.example"],
        passphrase="correct horse",
        now=NOW,
        backend=default_backend(),
        kdf=QUICK,
    )


def test_a_members_keys_are_made_once_and_open_again(tmp_path):
    folder = tmp_path / "nz"
    made = make(folder)
    opened = open_member_keys(folder, "NZ", "correct horse", default_backend())
    assert opened.bls_secret == made.bls_secret
    assert opened.ed25519_seed == made.ed25519_seed
    assert opened.node.certificate == made.node.certificate
    assert str(made.bls_secret) not in repr(made)
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {
        "bls-keystore.json": 0o600,
        "ed25519.pem": 0o600,
        "authority.key": 0o600,
        "node.key": 0o600,
        "authority.pem": 0o644,
        "node.pem": 0o644,
    }
    with pytest.raises(KeyFileError, match="passphrase does not open"):
        open_member_keys(folder, "NZ", "wrong", default_backend())
    with pytest.raises(KeyFileError, match="never overwritten"):
        make(folder)
    (folder / "authority.key").unlink()  # kept elsewhere: the node runs without it
    assert open_member_keys(folder, "NZ", "correct horse", default_backend()).authority is None


def test_a_founders_registration_opens(tmp_path):
    keys = make(tmp_path / "nz")
    founder = Founder("NZ", "New Zealand Customs Service", "Pacific/Auckland", ("NZ",), 1)
    backend = default_backend()
    registration = open_registration(register_founder(founder, keys, backend), backend)
    assert registration.bls_public_key == keys.bls_public_key
    assert x509.load_der_x509_certificate(registration.ca_certificate) == keys.authority_certificate


def test_clients_are_issued_and_a_foreign_key_is_noticed(tmp_path):
    keys = make(tmp_path / "nz")
    assert keys.authority is not None
    holders = [
        SpiffeId("test-network", "NZ", AccessRole.RISK_ENGINE, name) for name in ("one", "two")
    ]
    for holder in holders:
        issued = make_client(tmp_path, keys.authority, holder, NOW)
        names = issued.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        (uri,) = names.value.get_values_for_type(x509.UniformResourceIdentifier)
        assert parse_spiffe(uri) == holder
        issued.certificate.verify_directly_issued_by(keys.authority_certificate)
    assert open_issued(tmp_path / "one.pem", tmp_path / "one.key", None).certificate
    with pytest.raises(KeyFileError, match=r"not the key of two\.pem"):
        open_issued(tmp_path / "two.pem", tmp_path / "one.key", None)


def test_certificates_say_what_they_are_for():
    authority = make_authority("NZ", NOW)
    client = issue_client(authority, "spiffe://n/NZ/officer/a", NOW).certificate
    extensions = client.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.value.path_length, constraints.critical) == (
        True,
        0,
        True,
    )


@pytest.mark.parametrize(
    "uri",
    [
        "spiffe://n/NZ/officer",
        "spiffe://n/NZ/officer/a/b",
        "spiffe://n/nz/officer/a",
        "spiffe://n/NZ/king/a",
        "spiffe://N/NZ/officer/a",
        "spiffe://n/NZ/officer/a\n",
        "spiffe://n:1/NZ/officer/a",
        "https://n/NZ/officer/a",
        "",
    ],
)
def test_what_is_no_spiffe_id_of_ours_is_refused(uri):
    with pytest.raises(FormatError):
        parse_spiffe(uri)


def test_a_name_that_cannot_stand_in_a_spiffe_id_is_refused():
    with pytest.raises(FormatError):
        format_spiffe(SpiffeId("n", "NZ", AccessRole.OFFICER, "a/b"))

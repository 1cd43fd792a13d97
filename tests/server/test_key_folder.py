"""Several keys of one member: made, found again, destroyed; every crash between leaves some."""

import datetime as dt
import stat
from pathlib import Path

import pytest

from ledger.bls.scheme import default_backend
from service.keys.key_file import KeyFileError
from service.keys.key_folder import DESTROYED, KeyFolder
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import BLS_FILE, make_member_keys

QUICK = Pbkdf2(iterations=2)
BACKEND = default_backend()
PASSPHRASE = "correct horse"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "NZ"
    make_member_keys(
        made,
        "NZ",
        network_name="test",
        hosts=["127.0.0.1"],
        passphrase=PASSPHRASE,
        now=dt.datetime.now(dt.UTC),
        backend=BACKEND,
        kdf=QUICK,
    )
    return made


def opened(folder: Path, keystore: str = BLS_FILE) -> KeyFolder:
    return KeyFolder.open("NZ", PASSPHRASE, folder / keystore)


def test_a_further_pair_lies_beside_the_first_and_is_found_again(folder: Path) -> None:
    keys = opened(folder)
    assert len(keys.secrets) == 1
    pair = keys.make(BACKEND)
    for name in ("bls-keystore-2.json", "ed25519-2.pem"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        assert '"c": 2,' in (folder / "bls-keystore-2.json").read_text(), "as dear as the first"
    again = opened(folder)
    assert again.secrets == keys.secrets == (keys.secrets[0], pair.bls_secret)
    assert again.seed(pair.bls_secret) == pair.ed25519_seed
    assert again.seed(again.secrets[0]) != pair.ed25519_seed


def test_a_destroyed_key_is_gone_and_its_number_is_not_used_again(folder: Path) -> None:
    keys = opened(folder)
    first, second = keys.secrets[0], keys.make(BACKEND).bls_secret
    keys.destroy(first)
    assert sorted(path.name for path in folder.glob("bls-*")) == ["bls-keystore-2.json"]
    assert not (folder / "ed25519.pem").exists()
    # The configuration goes on naming the first.
    assert opened(folder).secrets == (second,)
    assert opened(folder, "bls-keystore-2.json").secrets == (second,)
    third = opened(folder).make(BACKEND).bls_secret
    assert (folder / "bls-keystore-3.json").exists()
    assert opened(folder).secrets == (second, third)


def test_the_last_key_is_never_destroyed(folder: Path) -> None:
    keys = opened(folder)
    with pytest.raises(KeyFileError, match="never destroyed"):
        keys.destroy(keys.secrets[0])
    assert opened(folder).secrets == keys.secrets


def test_a_crash_while_a_pair_is_made_costs_a_number_and_nothing_else(folder: Path) -> None:
    keys = opened(folder)
    (folder / "ed25519-2.pem").write_bytes(b"as far as it came")
    pair = keys.make(BACKEND)
    assert (folder / "bls-keystore-3.json").exists()
    assert opened(folder).secrets[1:] == (pair.bls_secret,)


def test_a_crash_while_a_key_is_destroyed_is_made_good_at_the_next_start(folder: Path) -> None:
    keys = opened(folder)
    second = keys.make(BACKEND).bls_secret
    path = folder / BLS_FILE
    path.rename(folder / (BLS_FILE + DESTROYED))
    (folder / (BLS_FILE + DESTROYED)).write_bytes(b"half of it zeros")
    assert opened(folder).secrets == (second,)
    assert not list(folder.glob(f"*{DESTROYED}"))


def test_two_members_may_share_a_folder(folder: Path) -> None:
    (folder / BLS_FILE).rename(folder / "NZ.json")
    (folder / "ed25519.pem").rename(folder / "NZ.pem")
    keys = KeyFolder.open("NZ", PASSPHRASE, folder / "NZ.json", folder / "NZ.pem")
    pair = keys.make(BACKEND)
    assert {"NZ-2.json", "NZ-2.pem"} <= {path.name for path in folder.iterdir()}
    (folder / "NZX-2.json").write_text("another member's")
    again = KeyFolder.open("NZ", PASSPHRASE, folder / "NZ.json", folder / "NZ.pem")
    assert again.secrets == (keys.secrets[0], pair.bls_secret)


@pytest.mark.parametrize("passphrase", ["", "wrong"])
def test_what_does_not_open_names_the_file(folder: Path, passphrase: str) -> None:
    opened(folder).make(BACKEND)
    with pytest.raises(KeyFileError, match=r"bls-keystore\.json"):
        KeyFolder.open("NZ", passphrase, folder / BLS_FILE)
    (folder / "bls-keystore-2.json").write_text("{}")
    with pytest.raises(KeyFileError, match="keystore-2"):
        opened(folder)
    with pytest.raises(KeyFileError, match="No such file"):
        opened(folder.parent)

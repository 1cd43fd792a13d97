"""What CometBFT starts from: the same genesis at all, no secret of another, no key overwritten."""

import json
import stat
import tomllib
from pathlib import Path

import pytest

from commands import run
from ledger.chain.genesis import parse_genesis
from service.config import ConfigError, load_config
from service.engine.cometbft.home import (
    GENESIS_FILE,
    NODE_KEY_FILE,
    VALIDATOR_KEY_FILE,
    VALIDATOR_STATE_FILE,
    validator_address,
)

MEMBERS = ("AU", "NZ", "SG")
SECOND_MEMBER = """[[member]]
economy = "XX"
bls_keystore = "x"
ed25519_key = "x"
[[member]]"""


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folders, and what CometBFT starts from in each."""
    folder = tmp_path_factory.mktemp("home") / "three"
    said = run(
        "network", "init", folder, "--members", ",".join(MEMBERS), "--engine", "cometbft",
        "--listen", "127.0.0.1:7643", "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["pilot"] is False
    assert said.json["configurations"] == [str(folder / each / "node.toml") for each in MEMBERS]
    for each in MEMBERS:
        made = run("cometbft", "home", "--config", folder / each / "node.toml", "--json")
        assert made.code == 0, made.err
    return folder


def test_all_begin_with_one_genesis(federation: Path) -> None:
    ours = parse_genesis((federation / "genesis.bin").read_bytes())
    assert {(federation / each / "genesis.bin").read_bytes() for each in MEMBERS} == {ours.data}
    (theirs,) = {(federation / each / "cometbft" / GENESIS_FILE).read_text() for each in MEMBERS}
    genesis = json.loads(theirs)
    assert genesis["chain_id"] == f"aeo-{ours.network_id.hex()[:20]}"
    assert genesis["consensus_params"]["abci"]["vote_extensions_enable_height"] == "1"
    assert genesis["consensus_params"]["block"]["max_bytes"] == "-1"
    assert [(each["name"], each["power"]) for each in genesis["validators"]] == [
        (each, "1") for each in MEMBERS
    ]
    addresses = [bytes.fromhex(each["address"]) for each in genesis["validators"]]
    assert addresses == [validator_address(federation / each / "cometbft") for each in MEMBERS]


def test_each_knows_the_others_and_not_itself(federation: Path) -> None:
    for number, economy in enumerate(MEMBERS):
        engine = load_config(federation / economy / "node.toml").engine.cometbft
        ports = {7648 + 10 * other for other in range(3) if other != number}
        assert {int(peer.rpartition(":")[2]) for peer in engine.peers} == ports
        told = tomllib.loads(
            (federation / economy / "cometbft" / "config" / "config.toml").read_text()
        )
        assert told["p2p"]["persistent_peers"].split(",") == list(engine.peers)
        # However many strangers connect, there is room for the others.
        ids = [peer.partition("@")[0] for peer in engine.peers]
        assert told["p2p"]["unconditional_peer_ids"].split(",") == ids
        assert told["proxy_app"] == f"tcp://127.0.0.1:{7646 + 10 * number}"


def test_no_folder_has_another_members_secrets(federation: Path) -> None:
    for economy in MEMBERS:
        assert [each.name for each in (federation / economy / "members").iterdir()] == [economy]
    secrets = [
        path.read_bytes()
        for each in MEMBERS
        for path in (
            federation / each / "passphrase",
            federation / each / "cometbft" / VALIDATOR_KEY_FILE,
            federation / each / "cometbft" / NODE_KEY_FILE,
        )
    ]
    assert len(set(secrets)) == len(secrets)
    for path in federation.rglob("*key*.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_what_was_signed_last_is_never_forgotten(federation: Path) -> None:
    state = federation / "AU" / "cometbft" / VALIDATOR_STATE_FILE
    state.write_text('{"height": "7", "round": 0, "step": 3}')
    node_key = (federation / "AU" / "cometbft" / NODE_KEY_FILE).read_bytes()
    run("cometbft", "home", "--config", federation / "AU" / "node.toml")
    assert '"7"' in state.read_text()
    assert (federation / "AU" / "cometbft" / NODE_KEY_FILE).read_bytes() == node_key


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('abci = "127.0.0.1', 'abci = "0.0.0.0', "whoever reaches it decides"),
        ('\nrpc = "127.0.0.1', '\nrpc = "0.0.0.0', "it shows the whole ledger"),
        ('peers = [', 'peers = ["nobody@nowhere",', "is not like"),
        ('kind = "cometbft"', 'kind = "raft"', "'solo' or 'cometbft'"),
        ('home = "cometbft"', 'home = "cometbft"\nhaste = 1', "no such setting"),
        ('home = "cometbft"', 'state_sync = ["au:26657"]', "needs trust_height"),
        ("[[member]]", SECOND_MEMBER, "hosts one member"),
    ],
)  # fmt: skip
def test_what_a_configuration_must_not_say(
    federation: Path, tmp_path: Path, before: str, after: str, why: str
) -> None:
    text = (federation / "AU" / "node.toml").read_text()
    assert before in text
    changed = tmp_path / "node.toml"
    changed.write_text(text.replace(before, after, 1))
    with pytest.raises(ConfigError, match=why):
        load_config(changed)


def test_an_applicant_makes_its_own_folder(federation: Path, tmp_path: Path) -> None:
    network_id = (federation / "network-id").read_text().strip()
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("of the applicant\n")
    passphrase.chmod(0o600)
    registered = run(
        "key", "register", tmp_path / "jp" / "members" / "JP", "--economy", "JP",
        "--network", "AEO status exchange", "--network-id", network_id,
        "--endpoint", "jp-node.example:7443", "--passphrase-file", passphrase, "--json",
    )  # fmt: skip
    assert registered.code == 0, registered.err
    peer = load_config(federation / "AU" / "node.toml").engine.cometbft.peers[0]
    options = (
        "--economy", "JP", "--genesis", federation / "genesis.bin", "--peer", peer,
        "--listen", "127.0.0.1:7743", "--external", "jp-node.example:26656",
        "--passphrase-file", passphrase, "--json",
    )  # fmt: skip
    wrong = run("node", "join", tmp_path / "jp", "--network-id", "00" * 32, *options)
    assert wrong.code == 2
    assert network_id in wrong.err
    joined = run("node", "join", tmp_path / "jp", "--network-id", network_id, *options)
    assert joined.code == 0, joined.err
    assert joined.json["peer"].endswith("@jp-node.example:26656")
    config = load_config(tmp_path / "jp" / "node.toml")
    assert config.engine.cometbft.peers == (peer,)
    assert config.engine.cometbft.external == "jp-node.example:26656"
    made = run("cometbft", "home", "--config", tmp_path / "jp" / "node.toml")
    assert made.code == 0, made.err
    home = tmp_path / "jp" / "cometbft"
    theirs = federation / "AU" / "cometbft"
    assert (home / GENESIS_FILE).read_bytes() == (theirs / GENESIS_FILE).read_bytes()
    assert validator_address(home) not in {None, validator_address(theirs)}

"""Configuration: file under environment, nothing unknown, nothing secret told."""

import json

import pytest

from service.config import ConfigError, load_config

GOOD = """
data = "var"
[listen]
grpc = "0.0.0.0:7443"
[tls]
certificate = "node.pem"
key = "/keys/node.key"
passphrase_file = "hidden-place"
[[member]]
economy = "NZ"
bls_keystore = "bls.json"
ed25519_key = "ed25519.pem"
passphrase_file = "hidden-place"
"""


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "node.toml"
        path.write_text(text)
        return path

    return written


def test_a_file_with_defaults_and_paths_from_its_folder(write, tmp_path):
    config = load_config(write(GOOD))
    assert config.data == tmp_path / "var"
    assert str(config.tls.key) == "/keys/node.key"
    assert config.member[0].bls_keystore == tmp_path / "bls.json"
    assert config.limits.in_flight == 2_000


def test_the_environment_wins_key_by_key(write, monkeypatch):
    monkeypatch.setenv("AEO_LISTEN__GRPC", "127.0.0.1:9")
    monkeypatch.setenv("AEO_LOG__LEVEL", "DEBUG")
    config = load_config(write(GOOD + '[log]\nevery = 7\nlevel = "ERROR"\n'))
    assert config.listen.grpc == "127.0.0.1:9"
    assert (config.log.level, config.log.every) == ("DEBUG", 7)


def test_the_environment_alone_will_do(monkeypatch):
    member = {"economy": "HK", "bls_keystore": "a", "ed25519_key": "b"}
    monkeypatch.setenv("AEO_DATA", "/data")
    monkeypatch.setenv("AEO_TLS__PLAINTEXT_LOOPBACK", "true")
    monkeypatch.setenv("AEO_MEMBER", json.dumps([member]))
    assert load_config(None).member[0].economy == "HK"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "[limits]\nin_fligth = 1\n", "limits.in_fligth: no such setting"),
        ("colour = 1\n" + GOOD, "colour: no such setting"),
        (GOOD.replace('economy = "NZ"', 'economy = "nz"'), "member.0.economy"),
        (GOOD + "[limits]\nin_flight = 0\n", "limits.in_flight"),
        (GOOD.replace("0.0.0.0:7443", "7443"), "listen.grpc"),
        (GOOD.replace('data = "var"', ""), "data: Field required"),
        (GOOD.replace('certificate = "node.pem"', ""), "tls.certificate and tls.key are needed"),
        (
            GOOD.replace("[tls]", "[tls]\nplaintext_loopback = true"),
            "plaintext_loopback is for loopback only, not 0.0.0.0:7443",
        ),
        (GOOD + GOOD[GOOD.index("[[member]]") :], "an economy stands twice"),
        (GOOD + 'node_key = "node.key"\n', "node_certificate and node_key go together"),
        ("data = ", "not TOML"),
    ],
)
def test_what_is_wrong_is_named(write, text, message):
    with pytest.raises(ConfigError) as error:
        load_config(write(text))
    assert message in str(error.value)


def test_an_unknown_variable_is_an_error(write, monkeypatch):
    monkeypatch.setenv("AEO_LISTEN__GPRC", "127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"listen\.gprc: no such setting"):
        load_config(write(GOOD))
    monkeypatch.delenv("AEO_LISTEN__GPRC")
    monkeypatch.setenv("AEO_LISTENN", "x")
    with pytest.raises(ConfigError, match="AEO_LISTENN: no such setting"):
        load_config(write(GOOD))


def test_a_variable_that_is_not_json_is_an_error(write, monkeypatch):
    monkeypatch.setenv("AEO_MEMBER", "NZ")
    with pytest.raises(ConfigError, match="member"):
        load_config(write(GOOD))


def test_plaintext_is_allowed_on_loopback_by_name(write):
    config = load_config(write('data = "d"\n[tls]\nplaintext_loopback = true\n'))
    assert config.tls.plaintext_loopback


def test_what_is_in_force_is_told_without_secrets(write):
    described = load_config(write(GOOD)).describe()
    text = json.dumps(described)
    assert "hidden-place" not in text
    assert described["limits"]["in_flight"] == 2_000
    assert described["member"][0]["economy"] == "NZ"


STORES = 'ledger_store = "postgresql://aeo@db/aeo?passfile=/run/hidden-place"\n'


def test_stores_on_a_server(write, monkeypatch):
    monkeypatch.setenv("AEO_HOME_STORE", "postgresql://aeo@db/own?sslmode=verify-full")
    config = load_config(write(STORES + GOOD))
    assert config.ledger_store == "postgresql://aeo@db/aeo?passfile=/run/hidden-place"
    described = config.describe()
    assert described["ledger_store"] == "postgresql://aeo@db/aeo?passfile=********"
    assert described["home_store"] == "postgresql://aeo@db/own?sslmode=verify-full"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://aeo:hunter2@db/aeo",
        "postgresql://aeo@db/aeo?password=hunter2",
        "postgresql://aeo@db/aeo?sslmode=require&pass%77ord=hunter2",
        "postgresql://aeo@db/aeo?sslpassword=hunter2",
        "mysql://aeo@db/hunter2",
        "host=db password=hunter2",
    ],
)
def test_an_address_holds_no_password_and_is_not_repeated(write, address):
    with pytest.raises(ConfigError, match="ledger_store") as caught:
        load_config(write(f'ledger_store = "{address}"\n{GOOD}'))
    assert "hunter2" not in str(caught.value)


def test_a_limit_of_pages_is_of_a_file(write):
    with pytest.raises(ConfigError, match="max_page_count is of a file"):
        load_config(write(f"max_page_count = 9\n{STORES}{GOOD}"))

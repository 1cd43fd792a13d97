"""What a node is told: one TOML file, each key overridable from the environment.

    data = "var/nz"
    [listen]
    grpc = "0.0.0.0:7443"
    [tls]
    certificate = "keys/node.pem"
    key = "keys/node.key"
    passphrase_file = "keys/passphrase"
    [[member]]
    economy = "NZ"
    bls_keystore = "keys/bls-keystore.json"
    ed25519_key = "keys/ed25519.pem"
    passphrase_file = "keys/passphrase"

A variable is `AEO_`, the section, two underscores, the key: `AEO_LISTEN__GRPC=127.0.0.1:7443`. A
whole list is given as JSON: `AEO_MEMBER='[{"economy": "NZ", ...}]'`. Variables win over the file,
the file over the defaults. A key that nobody knows is an error, in the file and in the
environment: a misspelt limit that is silently ignored is worse than a node that does not start.
Relative paths in the file are read from the folder of the file.

Secrets never stand here, only the names of files that hold them. The exchange's own limits (records
of a transaction, bytes of a block) are rules of the network or constants of the code, not settings.
"""

import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from service.errors import Refused

PREFIX = "AEO_"
DEFAULT_LISTEN = "127.0.0.1:7443"
"""Nobody is reached by accident; a node for partners names its address."""
DEFAULT_HEALTH = "127.0.0.1:7444"
DEFAULT_METRICS = "127.0.0.1:7445"
MAX_REQUEST_BYTES = 4 << 20
"""3,000 submissions or look-ups of about 1 KB each, the largest lawful request, with room."""
MAX_RESPONSE_BYTES = 16 << 20
"""3,000 verdicts of at most 2 KB, or a trader's whole history, with room."""
QUICK_THREADS = 4
"""Calls answered from memory: more threads only take the interpreter lock from each other."""
WAITING_THREADS = 32
"""Calls that wait for the disk, a signature or a commit."""
STREAM_THREADS = 256
"""Open streams; each holds a thread (8 MB of address space, about 50 KB of memory)."""
MAX_IN_FLIGHT = 2_000
"""Quick or waiting calls held at once: at 10,000 calls a second the last one waits 0.2 s."""
RETRY_MS = 200
"""When a refused caller may try again: by then a full queue of look-ups has been worked off."""
GRACE_SECONDS = 10.0
"""For accepted calls at a stop: a publication takes a quarter second, Kubernetes kills after 30."""
LOG_EVERY = 10_000
"""Of the successful calls of one method, one in so many is logged: a line takes about 50 us, a
look-up 100. Every refusal is logged."""

_NOT_SETTINGS = {
    *("CONFIG", "PROFILE", "ADDRESS", "NETWORK_ID", "ANCHOR", "AUTHORITIES"),
    *("CLIENT_CERTIFICATE", "CLIENT_KEY", "SERVER_NAME", "PLAINTEXT", "DEADLINE"),
    *("COMETBFT_CACHE", "COMETBFT_PROGRAM"),
}
"""Variables of ours for the command line: the file itself, how a client reaches a node, and where
CometBFT's program lies."""

Address = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$")]
"""host:port; port 0 takes a free one."""
Count = Annotated[int, Field(ge=1)]


def is_loopback(address: str) -> bool:
    """Whether `host:port` can be reached from this machine alone.

    >>> [is_loopback(a) for a in ("127.0.0.1:1", "[::1]:1", "localhost:1", "0.0.0.0:1", "nz:1")]
    [True, True, True, False, False]
    """
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_server_address(text: str) -> str:
    """The address of a PostgreSQL database as libpq reads it, without a secret in it. ValueError.

    Messages never repeat what was given: it may hold the password that must not stand there.
    """
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("a database's address begins with postgresql://")
    if any(ord(letter) <= 0x20 for letter in text):
        raise ValueError("a database's address holds no spaces: write %20")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("not an address") from None
    secret = {"password", "sslpassword"} & parse_qs(parts.query, keep_blank_values=True).keys()
    if secret or ":" in parts.netloc.rpartition("@")[0]:
        raise ValueError(
            "a database's address holds no password: name a file by ?passfile=..., or give it in"
            " PGPASSWORD or PGPASSFILE"
        )
    return text


def shown_address(text: str) -> str:
    """A database's address with the names of files that hold secrets masked.

    >>> shown_address("postgresql://aeo@db/aeo?passfile=/run/secrets/db&sslmode=verify-full")
    'postgresql://aeo@db/aeo?passfile=********&sslmode=verify-full'
    """
    return re.sub(r"(?<=[?&])(passfile|sslkey)=[^&#]*", r"\1=********", text)


ServerAddress = Annotated[str, AfterValidator(check_server_address)]


class ConfigError(Refused):
    """The configuration is not usable: every fault with its key, one a line."""


class Section(BaseModel):
    """One table of a file; a key that nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(Section):
    """Where the node answers. Health and metrics are plaintext: keep them off the open net."""

    grpc: Address = DEFAULT_LISTEN
    health: Address | Literal[""] = DEFAULT_HEALTH
    metrics: Address | Literal[""] = DEFAULT_METRICS


class Tls(Section):
    """Mutual TLS: certificate and key, or plaintext on loopback, asked for by name.

    `authorities` is a PEM bundle of members' authorities; by default those on the ledger.
    """

    certificate: Path | None = None
    key: Path | None = None
    passphrase_file: Path | None = None
    authorities: Path | None = None
    plaintext_loopback: bool = False


class Member(Section):
    """A member that this node hosts, and the files of its keys.

    With its node certificate the node speaks to partners' nodes as this member, and is known to
    them; by default it lies beside the BLS keystore (node.pem and node.key).
    """

    economy: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    bls_keystore: Path
    ed25519_key: Path
    passphrase_file: Path | None = None
    node_certificate: Path | None = None
    node_key: Path | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.node_certificate is None) != (self.node_key is None):
            raise ValueError("node_certificate and node_key go together")
        return self


class CometBft(Section):
    """CometBFT beside the node. `home` is its folder; `peers` are id@host:port of other members.

    `abci` is where the node answers it, `rpc` where it answers the node: both on loopback. `p2p` is
    where the other members' CometBFT reaches it, by the address `external` where that differs.
    `run` false: somebody else starts it, on the files that `aeo cometbft home` writes.
    """

    home: Path = Path("cometbft")
    abci: Address = "127.0.0.1:26658"
    rpc: Address = "127.0.0.1:26657"
    p2p: Address = "0.0.0.0:26656"
    external: Address | Literal[""] = ""
    peers: tuple[str, ...] = ()
    metrics: Address | Literal[""] = ""
    run: bool = True
    program: Path | None = None
    """By default the one that `aeo cometbft install` built."""
    state_sync: tuple[Address, ...] = ()
    """RPC addresses of members, through tunnels of theirs, to begin a new node from a snapshot."""
    trust_height: Annotated[int, Field(ge=0)] = 0
    trust_hash: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{64})?$")] = ""

    @model_validator(mode="after")
    def _checked(self) -> Self:
        for peer in self.peers:
            if re.fullmatch(r"[0-9a-f]{40}@\S+:\d{1,5}", peer) is None:
                raise ValueError(f"peers: {peer} is not like <40 hex digits>@host:port")
        if not is_loopback(self.abci):
            raise ValueError("abci: whoever reaches it decides what the node records; loopback")
        if not is_loopback(self.rpc):
            raise ValueError("rpc: it shows the whole ledger to whoever reaches it; loopback")
        if self.state_sync and not (self.trust_height and self.trust_hash):
            raise ValueError("state_sync needs trust_height and trust_hash")
        return self


class Engine(Section):
    """Who orders: this process alone, or the members together by CometBFT."""

    kind: Literal["solo", "cometbft"] = "solo"
    cometbft: CometBft = CometBft()


class LimitSettings(Section):
    """What one listener takes at once."""

    request_bytes: Count = MAX_REQUEST_BYTES
    response_bytes: Count = MAX_RESPONSE_BYTES
    in_flight: Count = MAX_IN_FLIGHT
    streams: Count = STREAM_THREADS
    quick_threads: Count = QUICK_THREADS
    waiting_threads: Count = WAITING_THREADS
    retry_ms: Count = RETRY_MS
    grace_seconds: Annotated[float, Field(ge=0)] = GRACE_SECONDS


class Log(Section):
    """The log on stderr. `every` 0 logs no successful call."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    every: Annotated[int, Field(ge=0)] = LOG_EVERY


Kind = TypeVar("Kind", bound="Settings")


class Settings(BaseSettings):
    """What a program is told; each program has a kind of its own."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file; the file comes as the arguments. Nothing else is read."""
        return EnvSettingsSource(settings_cls), init_settings

    def describe(self) -> dict[str, Any]:
        """What is in force, for people and JSON. Where a file holds a secret, its name is masked.

        Even the name of a passphrase file helps who reads a log in search of one.
        """
        described = self.model_dump(mode="json")
        _mask(described)
        return described


class Config(Settings):
    """All settings of a node, checked. Made by `load_config`."""

    data: Path
    guard: Path | None = None
    """Folder of the guard file; by default in `data`. Keep it out of backups of the stores."""
    map_process: bool = False
    """The state map in a process of its own: publishing up to twice as fast, on two cores."""
    snapshot_blocks: Annotated[int, Field(ge=0)] = 10_000
    """Blocks after which a snapshot is made, for nodes and replicas far behind; 0: never."""
    max_page_count: Count | None = None
    """Pages (4 KB) that the ledger's database may have; absent: the disk's room."""
    ledger_store: ServerAddress | None = None
    """postgresql://user@host/database of the ledger; absent: the file ledger.db in `data`."""
    home_store: ServerAddress | None = None
    """The same for the members' own stores; absent: files in `data`."""
    listen: Listen = Listen()
    tls: Tls = Tls()
    member: tuple[Member, ...] = ()
    engine: Engine = Engine()
    limits: LimitSettings = LimitSettings()
    log: Log = Log()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.tls.plaintext_loopback:
            if not is_loopback(self.listen.grpc):
                raise ValueError(
                    f"tls.plaintext_loopback is for loopback only, not {self.listen.grpc}"
                )
            if self.tls.certificate or self.tls.key:
                raise ValueError("tls.plaintext_loopback excludes tls.certificate and tls.key")
        elif self.tls.certificate is None or self.tls.key is None:
            raise ValueError(
                "tls.certificate and tls.key are needed"
                " (or tls.plaintext_loopback = true, on a loopback address)"
            )
        economies = [member.economy for member in self.member]
        if len(set(economies)) != len(economies):
            raise ValueError("member: an economy stands twice")
        if self.ledger_store is not None and self.max_page_count is not None:
            raise ValueError("max_page_count is of a file; a server's room is the server's")
        if self.engine.kind == "cometbft" and len(economies) != 1:
            raise ValueError("engine: under CometBFT a node hosts one member, a validator")
        return self


def load_config(path: Path | None) -> Config:
    """A node's settings, from a TOML file (None: environment alone) and the environment."""
    return load_settings(Config, path)


def load_settings(kind: type[Kind], path: Path | None) -> Kind:
    """Read a TOML file (None: environment alone) and the environment. ConfigError."""
    given: dict[str, Any] = {}
    if path is not None:
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not TOML: {error}") from None
    _check_environment(kind)
    try:
        config = kind(**given)
    except ValidationError as error:
        faults = "\n".join(_fault(fault) for fault in error.errors())
        raise ConfigError(f"{path or 'environment'}:\n{faults}") from None
    except ValueError as error:  # a variable that is not the JSON it has to be
        raise ConfigError(str(error)) from None
    return _resolve(config, path.parent) if path is not None else config


def _check_environment(kind: type[Settings]) -> None:
    """Refuse variables of ours that set nothing; pydantic passes over them."""
    known = {name.upper() for name in kind.model_fields} | _NOT_SETTINGS
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX):
            top = variable.removeprefix(PREFIX).partition("__")[0]
            if top not in known:
                raise ConfigError(f"environment: {variable}: no such setting")


def _fault(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    text = "no such setting" if fault["type"] == "extra_forbidden" else fault["msg"]
    return f"  {place}: {text}" if place else f"  {text.removeprefix('Value error, ')}"


def _resolve(config: Kind, folder: Path) -> Kind:
    """Relative paths from the folder of the file, so that the node may be started from anywhere."""

    def resolved(value: Any) -> Any:
        if isinstance(value, Path):
            return folder / value
        if isinstance(value, tuple):
            return tuple(resolved(item) for item in value)
        if isinstance(value, BaseModel):
            return value.model_copy(
                update={name: resolved(getattr(value, name)) for name in type(value).model_fields}
            )
        return value

    result: Kind = resolved(config)
    return result


def _mask(described: Any) -> None:
    if isinstance(described, list):
        for item in described:
            _mask(item)
    if isinstance(described, dict):
        for name, value in described.items():
            if name.startswith("passphrase") and value is not None:
                described[name] = "********"
            elif name in {"ledger_store", "home_store"} and value is not None:
                described[name] = shown_address(value)
            else:
                _mask(value)

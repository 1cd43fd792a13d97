"""What a replica is told: one TOML file, each key overridable from the environment.

    data = "replica"
    network_id = "9c5a..."
    economy = "NZ"
    processes = 2
    home = "nz-node.example:7443"
    [[source]]
    address = "nz-node.example:7443"
    [[source]]
    address = "hk-node.example:7443"
    [client]
    authorities = "authorities.pem"
    certificate = "replica.pem"
    key = "replica.key"
    [listen]
    grpc = "0.0.0.0:7443"
    [tls]
    certificate = "replica.pem"
    key = "replica.key"

Written, overridden and refused as a node's is (`service.config`). `client` is how it shows itself
to nodes, `listen` and `tls` how it answers those who ask it. The files of `client` are read at each
connection: a certificate that was renewed is taken up by itself.
"""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from ledger.chain.anchor import Anchor
from ledger.errors import FormatError
from service.client.connection import Plaintext
from service.client.replica import NodeAddress, TlsFiles
from service.client.trust_file import TrustFile
from service.config import (
    Address,
    ConfigError,
    Count,
    LimitSettings,
    Listen,
    Log,
    Section,
    Settings,
    Tls,
    is_loopback,
    load_settings,
)
from service.keys.spiffe import AccessRole
from service.node.replica.follow import REFUSED_SECONDS, SILENCE_SECONDS, Patience
from service.node.replica.replica import ReplicaSettings
from service.node.snapshots.catching_up import FAR_BEHIND

DEFAULT_LISTEN: Final = "127.0.0.1:7453"
"""Beside a node on the same machine."""
DEFAULT_HEALTH: Final = "127.0.0.1:7454"
DEFAULT_METRICS: Final = "127.0.0.1:7455"
Seconds = Annotated[float, Field(gt=0)]


class SourceSettings(Section):
    """A node to follow; `server_name` is the name in its certificate, if not the host."""

    address: Address
    server_name: str = ""


class ClientFiles(Section):
    """A certificate of the access role `replica`, its key, and who may have issued a node's."""

    authorities: Path
    certificate: Path
    key: Path


class ReplicaConfig(Settings):
    """All settings of a replica, checked. Made by `load_replica_config`."""

    data: Path
    network_id: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """By hand: everything that is believed hangs from it."""
    economy: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """Whose lookup keys it holds, and for whom it answers."""
    source: Annotated[tuple[SourceSettings, ...], Field(min_length=1)]
    """Tried in this order."""
    home: SourceSettings | None = None
    """The economy's own node, that hands out its keyring; by default the first source."""
    anchor: Path | None = None
    """A trust file, as clients keep one: a header that must be on the past."""
    client: ClientFiles | None = None
    """None: plaintext, to nodes on loopback alone."""
    processes: Count = 1
    """That answer, on one port; one more follows."""
    map_process: bool = False
    max_page_count: Count | None = None
    silence_seconds: Seconds = SILENCE_SECONDS
    """After so long without news the next source is asked."""
    refused_seconds: Seconds = REFUSED_SECONDS
    """For so long a source that lied is not asked."""
    far_behind: Count = FAR_BEHIND
    """Heights behind a source's snapshot at which the blocks up to it are passed over."""
    listen: Listen = Listen(grpc=DEFAULT_LISTEN, health=DEFAULT_HEALTH, metrics=DEFAULT_METRICS)
    tls: Tls = Tls()
    limits: LimitSettings = LimitSettings()
    log: Log = Log()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        named = [*self.source, *([self.home] if self.home else [])]
        if self.client is None and not all(is_loopback(each.address) for each in named):
            raise ValueError("client is needed: plaintext reaches nodes on loopback only")
        addresses = [each.address for each in self.source]
        if len(set(addresses)) != len(addresses):
            raise ValueError("source: an address stands twice")
        if self.tls.authorities is not None:
            raise ValueError("tls.authorities: a replica knows callers by the ledger's authorities")
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
        return self


def load_replica_config(path: Path | None) -> ReplicaConfig:
    """A replica's settings, from a TOML file (None: environment alone) and the environment."""
    return load_settings(ReplicaConfig, path)


def replica_settings(config: ReplicaConfig) -> ReplicaSettings:
    """What a replica is started with. Raises `ConfigError`, `AnchorError`."""
    return ReplicaSettings(
        folder=config.data,
        network_id=bytes.fromhex(config.network_id),
        economy=config.economy,
        sources=tuple(_node(config, each) for each in config.source),
        home=_node(config, config.home or config.source[0]),
        anchor=_anchor(config),
        map_process=config.map_process,
        max_page_count=config.max_page_count,
        patience=Patience(config.silence_seconds, config.refused_seconds),
        far_behind=config.far_behind,
    )


def _node(config: ReplicaConfig, named: SourceSettings) -> NodeAddress:
    if config.client is None:
        return NodeAddress(named.address, Plaintext(config.economy, AccessRole.REPLICA, "replica"))
    files = config.client
    return NodeAddress(
        named.address,
        TlsFiles(files.authorities, files.certificate, files.key, named.server_name),
    )


def _anchor(config: ReplicaConfig) -> Anchor | None:
    if config.anchor is None:
        return None
    try:
        point = TrustFile(config.anchor, bytes.fromhex(config.network_id)).read()
    except FormatError as error:
        raise ConfigError(f"anchor: {config.anchor}: {error}") from None
    if point is None:
        raise ConfigError(f"anchor: {config.anchor}: there is no such file")
    return Anchor(point.height, point.header_hash)

"""From a node's configuration to its parts: keys opened, addresses, limits, who may call."""

from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from ledger.chain.genesis import parse_genesis
from service.api.caller import Authorities
from service.api.listener import Limits, MutualTls, Pair, PlaintextLoopback
from service.api.serving import ServingSettings, authorities_of
from service.config import Config, ConfigError, Member
from service.engine.cometbft.home import HomeSettings, StateSync
from service.engine.settings import CometBftSettings, SoloSettings
from service.keys.key_file import KeyFileError, read_passphrase, read_public
from service.keys.key_folder import KeyFolder
from service.keys.member_keys import NODE_FILE, NODE_KEY_FILE
from service.keys.renewal import RenewedCertificate
from service.keys.spiffe import format_trust_domain
from service.node.keys.peers import NodeTls
from service.node.node import Node, NodeSettings
from service.node.ordering import write_cometbft_home
from service.store.ledger.ledger_store import LedgerStore
from service.store.location import Folder, Stores, parse_stores


def node_settings(config: Config) -> NodeSettings:
    """Open the keys of every member, and say where the files lie."""
    keys, tls = {}, {}
    for member in config.member:
        passphrase = read_passphrase(member.passphrase_file, f"Passphrase of {member.economy}")
        keys[member.economy] = KeyFolder.open(
            member.economy, passphrase, member.bls_keystore, member.ed25519_key
        )
        shown = None if config.tls.plaintext_loopback else _node_tls(member, passphrase)
        if shown is not None:
            tls[member.economy] = shown
    guard = config.guard if config.guard is not None else config.data
    return NodeSettings(
        ledger=_stores(config.ledger_store, config.data).store("ledger"),
        homes=config.data,
        home_store=_stores(config.home_store, config.data),
        guard=guard / "guard",
        members=keys,
        map_process=config.map_process,
        snapshot_blocks=config.snapshot_blocks,
        max_page_count=config.max_page_count,
        tls=tls,
        engine=engine_settings(config),
    )


def _stores(address: str | None, data: Path) -> Stores:
    return Folder(data) if address is None else parse_stores(address)


def engine_settings(config: Config) -> SoloSettings | CometBftSettings:
    """Who orders, as the configuration says."""
    told = config.engine.cometbft
    if config.engine.kind == "solo":
        return SoloSettings()
    sync = None
    if told.state_sync:
        sync = StateSync(told.state_sync, told.trust_height, told.trust_hash)
    files = HomeSettings(
        moniker=config.member[0].economy,
        abci=told.abci,
        rpc=told.rpc,
        p2p=told.p2p,
        peers=told.peers,
        external=told.external,
        metrics=told.metrics,
        state_sync=sync,
    )
    # Who starts CometBFT elsewhere has its files written there, by `aeo cometbft home`.
    return CometBftSettings(told.home, files, run=told.run, program=told.program, write=told.run)


def write_engine_home(config: Config) -> Path:
    """Write what CometBFT starts from, for whoever starts it; the folder."""
    settings = node_settings(config)
    engine = settings.engine
    (keys,) = settings.members.values()
    if not isinstance(engine, CometBftSettings) or not isinstance(keys, KeyFolder):
        raise ConfigError("engine.kind is not cometbft")
    with LedgerStore(settings.ledger, read_only=True) as store:
        data = store.genesis()
    if data is None:
        raise ConfigError(f"{settings.ledger}: has no network in it")
    write_cometbft_home(engine, keys, parse_genesis(data))
    return engine.home


def serving_settings(config: Config, node: Node) -> ServingSettings:
    """How a node answers, as its configuration says."""
    limits = config.limits
    certificates = _certificates(config, node)
    return ServingSettings(
        listen=config.listen.grpc,
        security=_security(config, node, certificates),
        health=config.listen.health,
        metrics=config.listen.metrics,
        limits=Limits(
            request_bytes=limits.request_bytes,
            response_bytes=limits.response_bytes,
            in_flight=limits.in_flight,
            streams=limits.streams,
            quick_threads=limits.quick_threads,
            waiting_threads=limits.waiting_threads,
            retry_ms=limits.retry_ms,
            log_every=config.log.every,
        ),
        certificates=certificates,
    )


class NodeTlsFiles:
    """A member's node certificate as its files have it now (`service.keys.renewal`)."""

    def __init__(self, files: RenewedCertificate) -> None:
        self.files = files

    def current(self) -> NodeTls:
        """The certificate and key now."""
        shown = self.files.current()
        return NodeTls(shown.certificate, shown.key)


def _node_tls(member: Member, passphrase: str) -> NodeTlsFiles | None:
    """A member's node certificate; None where none is named and none lies beside its keystore."""
    beside = member.bls_keystore.parent
    certificate = member.node_certificate or beside / NODE_FILE
    key = member.node_key or beside / NODE_KEY_FILE
    if member.node_certificate is None and not (certificate.is_file() and key.is_file()):
        return None
    return NodeTlsFiles(RenewedCertificate(certificate, key, passphrase))


def _certificates(config: Config, node: Node) -> dict[str, RenewedCertificate]:
    """What the node shows: its own certificate first, named "", then each member's, by economy."""
    tls = config.tls
    if tls.plaintext_loopback:
        return {}
    assert tls.certificate is not None, "the configuration says so"
    assert tls.key is not None, "the configuration says so"
    passphrase = read_passphrase(tls.passphrase_file) if tls.passphrase_file else None
    shown = {"": RenewedCertificate(tls.certificate, tls.key, passphrase)}
    for economy, source in node.settings.tls.items():
        if isinstance(source, NodeTlsFiles):
            shown[economy] = source.files
    return shown


def _security(
    config: Config, node: Node, certificates: dict[str, RenewedCertificate]
) -> MutualTls | PlaintextLoopback:
    if not certificates:
        return PlaintextLoopback()
    given = None
    if config.tls.authorities is not None:
        trust_domain = format_trust_domain(node.genesis.network_name)
        given = _authorities(config.tls.authorities, trust_domain)

    def renewed() -> tuple[Pair, ...]:
        # A partner's node asks for a member by name, and is shown that member's certificate. A
        # file that stands twice in the configuration is shown once.
        shown = (each.current() for each in certificates.values())
        return tuple(dict.fromkeys((each.key, each.certificate) for each in shown))

    key, chain = renewed()[0]
    return MutualTls(key, chain, authorities_of(node, given), renewed=renewed)


def _authorities(path: Path, trust_domain: str) -> Authorities:
    """A bundle of authorities; each says in its subject (O) whose it is."""
    by_economy: dict[str, list[x509.Certificate]] = {}
    try:
        certificates = x509.load_pem_x509_certificates(read_public(path))
    except ValueError:
        raise KeyFileError(path, "not certificates in PEM") from None
    for certificate in certificates:
        names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if not names:
            raise ConfigError(f"{path}: a certificate that names no economy (O)")
        by_economy.setdefault(str(names[0].value), []).append(certificate)
    return Authorities(trust_domain, by_economy)

"""From a node's configuration to its parts: keys opened, addresses, limits, who may call."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ledger.chain.genesis import Genesis
from service.api.caller import Authorities
from service.api.listener import Limits, MutualTls, PlaintextLoopback
from service.api.serving import ServingSettings, authorities_of
from service.config import Config, ConfigError
from service.keys.key_file import KeyFileError, read_passphrase, read_public
from service.keys.member_keys import open_bls_key, open_issued
from service.keys.spiffe import format_trust_domain
from service.node.node import NodeSettings


def node_settings(config: Config) -> NodeSettings:
    """Open the keys of every member, and say where the files lie."""
    secrets = {}
    for member in config.member:
        passphrase = read_passphrase(member.passphrase_file, f"Passphrase of {member.economy}")
        secrets[member.economy] = open_bls_key(member.bls_keystore, passphrase)
    guard = config.guard if config.guard is not None else config.data
    return NodeSettings(
        ledger=config.data / "ledger.db",
        homes=config.data,
        guard=guard / "guard",
        members=secrets,
        map_process=config.map_process,
        max_page_count=config.max_page_count,
    )


def serving_settings(config: Config, genesis: Genesis) -> ServingSettings:
    """How a node answers, as its configuration says."""
    limits = config.limits
    return ServingSettings(
        listen=config.listen.grpc,
        security=_security(config, genesis),
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
    )


def _security(config: Config, genesis: Genesis) -> MutualTls | PlaintextLoopback:
    tls = config.tls
    if tls.plaintext_loopback:
        return PlaintextLoopback()
    assert tls.certificate is not None, "the configuration says so"
    assert tls.key is not None, "the configuration says so"
    passphrase = read_passphrase(tls.passphrase_file) if tls.passphrase_file else None
    issued = open_issued(tls.certificate, tls.key, passphrase)
    key = issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    authorities = (
        authorities_of(genesis)
        if tls.authorities is None
        else _authorities(tls.authorities, format_trust_domain(genesis.network_name))
    )
    # The whole file: intermediate certificates may follow the node's own.
    return MutualTls(key, read_public(tls.certificate), authorities)


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

"""A network of two members on free ports of 127.0.0.1, with certificates of our own making."""

import datetime as dt
from collections.abc import Callable, Iterator

import grpc
import pytest

from service.api.caller import Authorities
from service.api.listener import Limits, Listener, MutualTls
from service.api.method import Method
from service.api.metrics import Metrics
from service.keys.authority import Issued, issue_client, issue_node, make_authority
from service.keys.pem import format_p256

NETWORK = "test-network"
NOW = dt.datetime.now(dt.UTC)


class Network:
    """New Zealand serves; New Zealand and Hong Kong call."""

    def __init__(self) -> None:
        self.authority = {economy: make_authority(economy, NOW) for economy in ("NZ", "HK")}
        self.node = issue_node(
            self.authority["NZ"], f"spiffe://{NETWORK}/NZ/node/node", ["127.0.0.1"], NOW
        )
        self.authorities = Authorities(
            NETWORK, {economy: [a.certificate] for economy, a in self.authority.items()}
        )

    def tls(self) -> MutualTls:
        return MutualTls(format_p256(self.node.key, None), self.node.pem, self.authorities)

    def client(self, role: str, *, economy: str = "NZ", issuer: str | None = None) -> Issued:
        uri = f"spiffe://{NETWORK}/{economy}/{role}/test"
        return issue_client(self.authority[issuer or economy], uri, NOW)

    def channel(self, port: int, client: Issued | None) -> grpc.Channel:
        key = None if client is None else format_p256(client.key, None)
        chain = None if client is None else client.pem
        root = self.authority["NZ"].pem
        return grpc.secure_channel(
            f"127.0.0.1:{port}", grpc.ssl_channel_credentials(root, key, chain)
        )


@pytest.fixture(scope="session")
def network() -> Network:
    return Network()


Serve = Callable[..., Listener]


@pytest.fixture
def serve(network: Network) -> Iterator[Serve]:
    started: list[Listener] = []

    def start(
        methods: dict[str, Method], limits: Limits | None = None, **options: object
    ) -> Listener:
        security = options.get("security", network.tls())
        metrics = options.get("metrics", Metrics())
        listener = Listener("127.0.0.1:0", security, metrics, limits)  # type: ignore[arg-type]
        listener.register("test.Service", methods)
        listener.start()
        started.append(listener)
        return listener

    yield start
    for listener in started:
        listener.stop(0.5)

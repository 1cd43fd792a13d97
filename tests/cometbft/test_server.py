"""The socket: frames, order, four connections at once, nonsense, and an application that fails."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from aeo.abci.v1 import abci_pb2 as abci
from cometbft.driver import Network
from service.engine.cometbft.framing import MAX_FRAME_BYTES, format_frame
from service.engine.cometbft.server import AbciServer
from service.errors import EngineStopped

TIMEOUT = 20


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Network(tmp_path, ("AU", "HK", "NZ", "SG")) as network:
        yield network


@pytest.fixture
def server(network: Network) -> Iterator[AbciServer]:
    server = AbciServer(network["AU"].application)
    server.start()
    yield server
    server.stop()


class Cometbft:
    """One connection of CometBFT."""

    def __init__(self, server: AbciServer) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server._port), TIMEOUT)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, *requests: abci.Request) -> None:
        data = b"".join(format_frame(each.SerializeToString()) for each in requests)
        self.socket.sendall(data)

    def receive(self) -> abci.Response:
        length = shift = 0
        while True:
            (byte,) = self.file.read(1)
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return abci.Response.FromString(self.file.read(length))

    def ask(self, **request: object) -> abci.Response:
        self.send(abci.Request(**request), abci.Request(flush=abci.RequestFlush()))  # type: ignore[arg-type]
        answer = self.receive()
        assert self.receive().WhichOneof("value") == "flush"
        return answer


def test_each_request_has_its_answer_in_order(server: AbciServer, network: Network) -> None:
    transaction = network.world.transaction("HK")
    kinds = [
        abci.Request(echo=abci.RequestEcho(message="hello")),
        abci.Request(info=abci.RequestInfo(version="0.38.25")),
        abci.Request(check_tx=abci.RequestCheckTx(tx=transaction)),
        abci.Request(check_tx=abci.RequestCheckTx(tx=b"junk")),
        abci.Request(query=abci.RequestQuery(path="/")),
        abci.Request(list_snapshots=abci.RequestListSnapshots()),
        abci.Request(flush=abci.RequestFlush()),
    ] * 50
    with Cometbft(server) as cometbft:
        cometbft.send(*kinds)
        answers = [cometbft.receive() for _ in kinds]
    assert [each.WhichOneof("value") for each in answers] == [
        each.WhichOneof("value") for each in kinds
    ]
    assert answers[0].echo.message == "hello"
    assert answers[2].check_tx.code == 0
    assert answers[3].check_tx.code == 2


def test_a_height_over_the_socket(server: AbciServer, network: Network) -> None:
    """Every call of a height, as bytes; the answers are those of a call in process."""
    with Cometbft(server) as cometbft:
        info = cometbft.ask(info=abci.RequestInfo()).info
        assert (info.last_block_height, info.app_version) == (0, 1)
        begun = cometbft.ask(init_chain=network.init_chain()).init_chain
        assert begun.app_hash == network.world.view.header_hash
        assert len(begun.validators) == 4
        data = network.world.transaction("HK")
        assert cometbft.ask(check_tx=abci.RequestCheckTx(tx=data)).check_tx.code == 0
        prepare = abci.RequestPrepareProposal(max_tx_bytes=100 << 20, txs=[data], height=1)
        assert list(cometbft.ask(prepare_proposal=prepare).prepare_proposal.txs) == [data]
        process = abci.RequestProcessProposal(txs=[data], height=1)
        assert cometbft.ask(process_proposal=process).process_proposal.status == 1
        extend = abci.RequestExtendVote(height=1, txs=[data])
        assert len(cometbft.ask(extend_vote=extend).extend_vote.vote_extension) == 96
        verify = abci.RequestVerifyVoteExtension(
            height=1, validator_address=network["HK"].address, vote_extension=bytes(96)
        )
        assert cometbft.ask(verify_vote_extension=verify).verify_vote_extension.status == 1
        decided = abci.RequestFinalizeBlock(txs=[data], height=1)
        finalized = cometbft.ask(finalize_block=decided).finalize_block
        assert len(finalized.tx_results) == 1
        assert cometbft.ask(info=abci.RequestInfo()).info.last_block_height == 0
        assert cometbft.ask(commit=abci.RequestCommit()).WhichOneof("value") == "commit"
        info = cometbft.ask(info=abci.RequestInfo()).info
        assert (info.last_block_height, info.last_block_app_hash) == (1, finalized.app_hash)


def test_transactions_that_come_together_are_verified_together(
    server: AbciServer, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One batch for each author, however CometBFT's bytes are cut; a bad one hurts nobody."""
    world = network.world
    sent = [world.transaction(author) for author in ("HK", "NZ") * 8]
    bad = bytearray(world.transaction("SG"))
    bad[1:97] = sent[0][1:97]
    sent += [bytes(bad), b"junk"]
    backend = network["AU"].application.mempool._backend
    alone: list[int] = []
    original = type(backend).verify
    monkeypatch.setattr(
        type(backend),
        "verify",
        lambda self, *given: alone.append(1) or original(self, *given),
    )
    requests = [abci.Request(check_tx=abci.RequestCheckTx(tx=each)) for each in sent]
    with Cometbft(server) as cometbft:
        cometbft.send(*requests)
        codes = [cometbft.receive().check_tx.code for _ in requests]
    assert codes == [0] * 16 + [9, 2]
    assert len(alone) < 16, "most of them in batches"


@pytest.mark.parametrize("piece", [1, 7, 300])
def test_bytes_may_come_in_any_pieces(server: AbciServer, piece: int) -> None:
    echo = abci.Request(echo=abci.RequestEcho(message="x" * 400)).SerializeToString()
    data = format_frame(echo) * 3
    with Cometbft(server) as cometbft:
        for at in range(0, len(data), piece):
            cometbft.socket.sendall(data[at : at + piece])
        for _ in range(3):
            assert cometbft.receive().echo.message == "x" * 400


def test_four_connections_at_once(server: AbciServer, network: Network) -> None:
    transaction = network.world.transaction("HK")
    failures: list[BaseException] = []

    def talk() -> None:
        try:
            with Cometbft(server) as cometbft:
                for _ in range(100):
                    request = abci.RequestCheckTx(tx=transaction)
                    assert cometbft.ask(check_tx=request).check_tx.code == 0
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=talk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert failures == []


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff" * 20,
        (MAX_FRAME_BYTES + 1).to_bytes(5, "little") + b"\x7f",
        b"\x05\xff\xff\xff\xff\xff",
        b"\x00",
        b"\x80\x80\x80\x80\x80\x80\x01",
        format_frame(b"\x22\x00"),
        b"\x05abc",
    ],
)
def test_nonsense_ends_its_connection_and_no_other(server: AbciServer, nonsense: bytes) -> None:
    with Cometbft(server) as good, Cometbft(server) as bad:
        bad.socket.sendall(nonsense)
        bad.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert bad.file.read(1) == b""
        assert good.ask(echo=abci.RequestEcho(message="still here")).echo.message == "still here"
    assert server.failure is None


def test_a_lying_proposers_hundred_megabytes_are_read_and_refused(server: AbciServer) -> None:
    proposal = abci.RequestProcessProposal(txs=[bytes(100_000_000)], height=1)
    with Cometbft(server) as cometbft:
        answer = cometbft.ask(process_proposal=proposal)
    assert answer.process_proposal.status == 2


def test_what_raises_ends_everything_and_says_why(network: Network) -> None:
    heard: list[Exception] = []
    application = network["AU"].application
    server = AbciServer(application, on_failure=heard.append)
    server.start()
    with Cometbft(server) as consensus, Cometbft(server) as other:
        consensus.send(abci.Request(commit=abci.RequestCommit()))
        answer = consensus.receive()
        assert "not decided" in answer.exception.error
        assert consensus.file.read(1) == b"", "the connection ends"
        assert other.file.read(1) == b"", "and so does every other"
    server.stop()
    assert isinstance(server.failure, EngineStopped)
    assert heard == [server.failure]
    assert application.failure is server.failure


def test_a_port_that_is_taken_is_told(server: AbciServer, network: Network) -> None:
    second = AbciServer(network["HK"].application, port=server._port)
    with pytest.raises(EngineStopped, match="cannot listen"):
        second.start()
    second.stop()


def test_stopping_twice_and_without_a_connection(network: Network) -> None:
    server = AbciServer(network["AU"].application)
    server.start()
    server.stop()
    server.stop()
    assert server.failure is None

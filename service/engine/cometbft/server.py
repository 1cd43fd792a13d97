"""The socket at which CometBFT finds its application: four connections, answers in order.

CometBFT opens one connection each for consensus, mempool, queries and snapshots, and sends framed
requests (`framing`); each is answered by one response, in order. One thread of its own does all of
it, a call at a time: the state machine wants one writer, and one message of each connection in turn
keeps a flood of transactions from holding up a vote. Transactions that came together, while a block
was executed say, have their signatures checked together.

A call that raises ends everything: CometBFT is told, and stops; so does this server, which says why
(`failure`). Nothing that a peer sends raises, so what does is our own: a full disk, say.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Final

import structlog
from google.protobuf.message import DecodeError, Message

from aeo.abci.v1 import abci_pb2 as abci
from ledger.errors import FormatError
from service.engine.cometbft.application import Application
from service.engine.cometbft.framing import Frames, format_frame
from service.errors import EngineStopped

# What asyncio keeps of a connection before it lets CometBFT wait.
BUFFER_BYTES: Final = 1 << 20
_START_SECONDS: Final = 10.0

_log = structlog.get_logger("aeo.engine")


def answer(application: Application, request: abci.Request) -> abci.Response:
    """Let the application answer a request. Raises what it raises, and `FormatError`."""
    kind = request.WhichOneof("value")
    response = abci.Response()
    if kind is None:
        raise FormatError("a request of no kind that we know")
    if kind == "flush":
        response.flush.SetInParent()
    elif kind == "echo":
        response.echo.message = request.echo.message
    else:
        call: Callable[[Message], Message] = getattr(application, kind)
        reply = getattr(response, kind)
        reply.CopyFrom(call(getattr(request, kind)))
        reply.SetInParent()
    return response


class AbciServer:
    """Serves one application, until stopped or until a call raises.

    `on_failure` hears, on the server's thread, of what ended it.
    """

    def __init__(
        self,
        application: Application,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        on_failure: Callable[[Exception], None] | None = None,
    ) -> None:
        self.failure: Exception | None = None
        self._application = application
        self._host = host
        self._port = port
        self._on_failure = on_failure
        self._thread = threading.Thread(target=self._run, name="aeo-abci")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._started = threading.Event()
        self._refused: OSError | None = None
        self._connections: set[asyncio.Task[None]] = set()

    def start(self) -> int:
        """Listen; return the port. Raises `EngineStopped` where the port cannot be had."""
        self._thread.start()
        self._started.wait(_START_SECONDS)
        if self._refused is not None or not self._started.is_set():
            raise EngineStopped(f"cannot listen for CometBFT on port {self._port}: {self._refused}")
        return self._port

    def stop(self) -> None:
        """Finish the call under way, then end. Idempotent."""
        loop, ending = self._loop, self._ending
        if loop is not None and ending is not None and not loop.is_closed():
            loop.call_soon_threadsafe(ending.set)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await asyncio.start_server(
                self._connected, self._host, self._port, limit=BUFFER_BYTES
            )
        except OSError as error:
            self._refused = error
            self._started.set()
            return
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._ending.wait()
        server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except asyncio.CancelledError:
            pass  # the server ends; asyncio would log it as an error of the connection
        except (ConnectionError, FormatError, DecodeError) as error:
            _log.warning("a connection of CometBFT broke off", reason=str(error))
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        while data := await reader.read(BUFFER_BYTES):
            requests = [abci.Request.FromString(each) for each in frames.feed(data)]
            waiting = [each.check_tx for each in requests if each.HasField("check_tx")]
            if len(waiting) > 1:
                self._application.check_ahead(waiting)
            for request in requests:
                writer.write(format_frame(self._answered(request).SerializeToString()))
                if self.failure is not None:
                    await writer.drain()
                    assert self._ending is not None
                    self._ending.set()
                    return
                # A connection with much to read does not keep the others waiting.
                await asyncio.sleep(0)
            await writer.drain()
        if frames.within:
            raise FormatError("a frame ends early")

    def _answered(self, request: abci.Request) -> abci.Response:
        try:
            return answer(self._application, request)
        except FormatError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever stops us is told to everyone
            self._fail(error)
            return abci.Response(exception=abci.ResponseException(error=str(error)))

    def _fail(self, error: Exception) -> None:
        if self.failure is None:
            self.failure = self._application.failure = error
            _log.error("the application has stopped", reason=str(error), exc_info=error)
            if self._on_failure is not None:
                self._on_failure(error)

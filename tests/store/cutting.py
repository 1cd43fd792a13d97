"""A way to a server that can be cut at the worst moment: while a COMMIT is under way."""

import selectors
import socket
from contextlib import suppress
from threading import Event, Thread
from typing import Literal

Cut = Literal["before", "after"]


class CuttableWay:
    """Listens on `port` of 127.0.0.1 and passes everything on to `to`, until it is told to cut.

    `cut` is done once, at the next COMMIT: `before` it reaches the server, or `after` the server
    has answered, whose answer is then lost. `closed` afterwards: nobody gets through any more.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.cut: Cut | None = None
        self.then_closed = False
        self.closed = False
        self.cuts = 0
        self._ending = Event()
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        self._ending.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.closed:
                client.close()
                continue
            thread = Thread(target=self._pass_on, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, client: socket.socket) -> None:
        with (
            client,
            socket.create_connection(("127.0.0.1", self._to)) as server,
            selectors.DefaultSelector() as ready,
            suppress(OSError),
        ):
            ready.register(client, selectors.EVENT_READ)
            ready.register(server, selectors.EVENT_READ)
            while not self._ending.is_set():
                for key, _ in ready.select(0.1):
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    if source is client and self.cut and b"COMMIT" in data:
                        self._cut(server, data)
                        return
                    (server if source is client else client).sendall(data)

    def _cut(self, server: socket.socket, data: bytes) -> None:
        how, self.cut = self.cut, None
        self.cuts += 1
        self.closed = self.then_closed
        if how == "after":
            server.sendall(data)
            assert server.recv(1 << 16), "the server's answer"

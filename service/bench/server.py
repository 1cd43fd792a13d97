"""The node that is measured, in a process of its own, and beside it the echo that it is held to.

The echo stands behind the same listener: the same port, TLS, admission and wrapper, the same
threads. It reads nothing and answers with bytes that were made before: what is left of a call when
nothing is looked up.
"""

import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Final

from service.api.approvals import SERVICE as APPROVALS
from service.api.approvals import ApprovalServicer
from service.api.four_eyes import ApprovalDesk
from service.api.ledger import SERVICE as LEDGER
from service.api.ledger import LedgerServicer
from service.api.listener import Listener, MutualTls
from service.api.method import Call, Kind, Method
from service.api.metrics import Metrics
from service.api.publishing import SERVICE as PUBLISHING
from service.api.publishing import PublishingServicer
from service.api.serving import authorities_of
from service.api.status import SERVICE as STATUS
from service.api.status import StatusServicer
from service.bench.process import CLIENT_CORE, move_children, wait_for_end
from service.bench.world import HOST, World
from service.keys.spiffe import AccessRole
from service.node.collector import settle_collector
from service.node.lookup.desks import Desks
from service.node.node import Node

BENCH: Final = "aeo.bench.v1.Bench"
ECHO: Final = f"/{BENCH}/Echo"
SET_ECHO: Final = f"/{BENCH}/SetEcho"
UNLOGGED: Final = "aeo.bench.v1.Unlogged"
BUSY: Final = f"/{BENCH}/Busy"
FORGET: Final = f"/{BENCH}/Forget"

_GRACE_S: Final = 10.0


def serve_world(pipe: Connection, world: World, map_process: bool) -> None:
    """Serve until the parent closes the pipe; says the address once ready."""
    with Node.start(world.settings(map_process=map_process)) as node:
        move_children(CLIENT_CORE)
        settle_collector()
        authorities = authorities_of(node)
        security = MutualTls(world.node.key, world.node.certificate, authorities)
        desk = ApprovalDesk(node)
        listener = Listener(f"{HOST}:0", security, Metrics(), guard=desk.guard)
        listener.register(APPROVALS, ApprovalServicer(desk).methods())
        status = StatusServicer(node)
        listener.register(STATUS, status.methods())
        listener.register(PUBLISHING, PublishingServicer(node).methods())
        listener.register(LEDGER, LedgerServicer(node).methods())
        listener.register(BENCH, _Bench(status).methods())
        listener.register(UNLOGGED, _Unlogged(node, status.desks).methods())
        pipe.send(f"{HOST}:{listener.start()}")
        wait_for_end(pipe)
        listener.stop(_GRACE_S)


class _Unlogged(StatusServicer):
    """The same look-ups, from the same memory, without a word in the access log: what it costs."""

    def __init__(self, node: Node, desks: Desks) -> None:
        super().__init__(node)
        self.desks = desks

    def _note(self, *_: object) -> None:
        pass


class _Bench:
    """What only a bench asks of a server."""

    def __init__(self, status: StatusServicer) -> None:
        self._status = status
        self._answer = b""

    def methods(self) -> Mapping[str, Method]:
        handlers = {
            ECHO: self._echo,
            SET_ECHO: self._set_echo,
            BUSY: self._busy,
            FORGET: self._forget,
        }
        roles = frozenset(AccessRole)
        return {
            path.rpartition("/")[2]: Method(Kind.UNARY, handler, None, None, roles)
            for path, handler in handlers.items()
        }

    def _echo(self, _request: bytes, _call: Call) -> bytes:
        return self._answer

    def _set_echo(self, request: bytes, _call: Call) -> bytes:
        self._answer = request
        return b""

    def _busy(self, _request: bytes, _call: Call) -> bytes:
        """Nanoseconds of processor time that this process has used."""
        return time.process_time_ns().to_bytes(8)

    def _forget(self, _request: bytes, _call: Call) -> bytes:
        """Forget every remembered question."""
        self._status.desks.forget()
        return b""

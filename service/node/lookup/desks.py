"""The desks of one host, one for each member it answers for, and where the ledger stands."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.customs.verdict import Times
from service.clock import Clock
from service.node.lookup.desk import REMEMBERED, LookupDesk, Position
from service.node.lookup.host import AnsweringHost

INSTRUCTIONS_KEPT_NS: Final = 1_000_000_000
"""Handling instructions are read from the member's store at most once a second: new words reach the
officers within that time, and a look-up never waits for the disk."""


class Desks:
    """Look-ups for every hosted member; `remembered` bounds what all desks together remember."""

    def __init__(self, node: AnsweringHost, remembered: int = REMEMBERED) -> None:
        self._node = node
        share = max(1, remembered // max(1, len(node.hosted)))
        self._desks = {
            economy: LookupDesk(
                economy,
                self.position,
                member.keyring.keys,
                _Instructions(node, economy),
                share,
                member.profiles.view,
                member.access_log.subject,
            )
            for economy, member in node.hosted.items()
        }
        for economy, member in node.hosted.items():
            # An erased trader's TIN is not to be remembered either.
            member.profiles.when_erased(self._desks[economy].forget)

    def of(self, economy: str) -> LookupDesk | None:
        """The desk of a hosted member, None for any other."""
        return self._desks.get(economy)

    def forget(self) -> None:
        """Drop every remembered question, and the TINs with them."""
        for desk in self._desks.values():
            desk.forget()

    def position(self) -> Position:
        """Where the ledger stands now."""
        node = self._node
        state = node.state
        now = node.known_time.now_ms(state.header_time)
        seal = node.newest_seal
        if seal is None:
            return Position(state, Times(now, 0), exchange.FINALITY_RECORDED)
        finality = seal.finality if seal.height >= state.height else exchange.FINALITY_RECORDED
        return Position(state, Times(now, seal.attested_time), finality)


class _Instructions:
    """A member's handling instructions by benefit code, at most a second old."""

    __slots__ = ("_clock", "_kept", "_read", "_until")

    def __init__(self, host: AnsweringHost, economy: str) -> None:
        self._read: Callable[[], Mapping[int, str]] = partial(host.instructions, economy)
        self._clock: Clock = host.clock
        self._kept: Mapping[int, str] = {}
        self._until = -1

    def __call__(self) -> Mapping[int, str]:
        now = self._clock.monotonic_ns()
        if now >= self._until:
            self._kept = self._read()
            self._until = now + INSTRUCTIONS_KEPT_NS
        return self._kept

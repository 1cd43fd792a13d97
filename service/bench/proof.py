"""What a client pays to trust nobody: a looked-up proof checked, and verified look-ups a second."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Final

import grpc

from aeo.exchange.v1 import ledger_service_pb2 as ledger
from aeo.exchange.v1.status_service_pb2 import LookupRequest, LookupResponse
from service.bench.calls import GET_HEADER, GET_NETWORK, LOOKUP, method, one, open_channel
from service.bench.figures import AtMost, Figure
from service.bench.process import CLIENT_CORE, measured
from service.bench.timing import microseconds_each
from service.bench.traders import question
from service.bench.world import World
from service.client.checking import Asked, check_lookup
from service.client.trust import ShownHeader, Trust
from service.clock import SystemClock

_ANSWERS: Final = 1_000
_SEALS: Final = 50
_MS: Final = 1e3
# Between sending and receiving, for an answer that is checked later than it came.
_ON_THE_WAY_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ProofMeasures:
    """Rounds of microseconds for an answer checked, and verified calls a second."""

    known_us: list[float]
    unknown_us: list[float]
    rate: float
    response_bytes: int


def proof_figures(address: str, world: World, rounds: int, seconds: float) -> list[Figure]:
    """Figures of the client's checks and of look-ups that are checked."""
    found = measured(CLIENT_CORE, measure_proofs, address, world, rounds, seconds)
    name, title = f"proof.{world.traders}", f"a looked-up proof checked, {world.traders:,} traders"
    return [
        Figure.of(
            f"{name}.known",
            f"{title}: the header's seal verified before",
            found.known_us,
            "us",
            AtMost(100),
            f"answer parsed, histories hashed, map proofs checked; {found.response_bytes:,} bytes",
        ),
        Figure.of(
            f"{name}.unknown",
            f"{title}: not yet",
            [each / _MS for each in found.unknown_us],
            "ms",
            AtMost(4),
            "the seal and the way from the anchor too; proofs at hand",
        ),
        Figure(
            f"{name}.rate",
            f"look-ups with every proof checked, {world.traders:,} traders: one caller",
            found.rate,
            "/s",
        ),
    ]


def measure_proofs(address: str, world: World, rounds: int, seconds: float) -> ProofMeasures:
    """Ask with proof and check, in this process."""
    with open_channel(address, world, world.engine) as channel:
        source = _Source(channel)
        asked = []
        for number in range(_ANSWERS):
            request = question(number, world.traders)
            request.include_proof = True
            asked.append(request)
        clock = SystemClock()
        answers = [
            (request, one(channel, LOOKUP, request.SerializeToString()), clock.now_ms())
            for request in asked
        ]
        trust = Trust.begin(source, network_id=world.network_id)
        check = _checker(trust)
        check(answers[0])
        known = microseconds_each(check, answers, rounds)

        # Each trust of its own has seen nothing but the genesis; the ancestor's proof is at hand.
        fresh = [Trust.begin(source, network_id=world.network_id) for _ in range(_SEALS * rounds)]
        unknown = []
        for at in range(0, len(fresh), _SEALS):
            checks = [_checker(trust) for trust in fresh[at : at + _SEALS]]
            unknown += microseconds_each(lambda check: check(answers[0]), checks, 1)

        call, count = method(channel, LOOKUP), 0
        started = perf_counter()
        while perf_counter() - started < seconds:
            request = asked[count % len(asked)]
            sent = clock.now_ms()
            check((request, call(request.SerializeToString()), sent))
            count += 1
        rate = count / (perf_counter() - started)
    size = sum(len(data) for _, data, _ in answers) // len(answers)
    return ProofMeasures(known, unknown, rate, size)


class _Source:
    """Headers as the node shows them, each asked for once."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self.header = cache(self._header)

    def genesis(self) -> bytes:
        request = ledger.GetNetworkRequest().SerializeToString()
        answer = one(self._channel, GET_NETWORK, request)
        return ledger.GetNetworkResponse.FromString(answer).genesis

    def _header(self, height: int, anchor_height: int | None = None) -> ShownHeader:
        request = ledger.GetHeaderRequest(height=height, anchor_height=anchor_height)
        answer = one(self._channel, GET_HEADER, request.SerializeToString())
        shown = ledger.GetHeaderResponse.FromString(answer)
        return ShownHeader(shown.header, shown.seal, tuple(shown.ancestor_proof))

    def trust_chain(self, _signing_set_hash: bytes = b"") -> tuple[()]:
        """Nobody hands over in a benchmark."""
        return ()


def _checker(trust: Trust) -> Callable[[tuple[LookupRequest, bytes, int]], None]:
    """Everything that the typed client checks, from the answer's bytes on."""
    anchor = trust.anchor  # as it was when all of them were asked

    def check(answered: tuple[LookupRequest, bytes, int]) -> None:
        request, data, sent = answered
        response = LookupResponse.FromString(data)
        check_lookup(Asked(request, sent, anchor), response, trust, {}, sent + _ON_THE_WAY_MS)

    return check

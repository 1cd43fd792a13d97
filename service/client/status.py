"""Look-ups for a risk engine: one, many, a stream, a trader's history, and the news.

    with StatusClient.open("nz-node:7443", Tls.files("ca.pem", "me.pem", "me.key")) as client:
        verdict = client.lookup("KR1234567890", function="EX", direction="IMPORT", mode=1)

`prove=True` asks for the proof and checks it (`service.client.checking`): the client then needs a
`TrustFile` or a network id to start from. An answer that does not check raises a `CheckError`; no
answer at all raises `Unavailable`, which says nothing about the trader.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple, Self

from aeo.exchange.v1 import status_service_pb2 as pb
from aeo.exchange.v1.status_service_pb2_grpc import StatusServiceStub
from aeo.ledger.v1 import status_pb2
from ledger.customs.subject import LookupKey
from service.client.chain import Chain, ChainParty, chain_request
from service.client.checking import Asked, check_lookup
from service.client.connection import DEFAULT_DEADLINE, Connection, Plaintext, Tls, resuming
from service.client.errors import Unavailable
from service.client.goods import NOT_SAID, GoodsEvents
from service.client.ledger import LedgerClient
from service.client.trust import Trust
from service.client.trust_file import TrustFile
from service.client.verdicts import (
    AliasOf,
    Direction,
    Question,
    Verdict,
    finality_name,
    instant,
)

MAX_BATCH: Final = 3_000
"""Questions of one call; `lookup_many` makes as many calls as it takes."""
WATCH_PATIENCE: Final = 600.0
"""Seconds for which a watcher tries to reach a node that has gone away."""


class Cursor(NamedTuple):
    """A place in the ledger; keep it to resume from."""

    log_index: int
    position: int


class StatusNews(NamedTuple):
    """A status record that was executed. `tin` is empty unless it was registered."""

    cursor: Cursor
    arrangement_id: bytes
    issuer: str
    subject: bytes
    tin: str
    recorded: datetime | None
    record: status_pb2.StatusRecord


class CaughtUp(NamedTuple):
    """All news up to this height has been told; `cursor` None while the ledger is empty."""

    cursor: Cursor | None
    height: int
    header_hash: bytes


class StatusClient:
    """`StatusService` of one node. Any thread may call.

    `lookup_keys` by arrangement id let the client check absence too; a risk engine of a party may
    hold them.
    """

    def __init__(
        self,
        connection: Connection,
        trust_file: TrustFile | None = None,
        network_id: bytes | None = None,
        lookup_keys: Mapping[bytes, LookupKey] | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._connection = connection
        self._stub = StatusServiceStub(connection.channel)
        self._trust_file = trust_file
        self._network_id = network_id
        self._lookup_keys = dict(lookup_keys or {})
        self._now_ms = now_ms
        self._trust: Trust | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        address: str,
        security: Tls | Plaintext,
        trust_file: TrustFile | None = None,
        network_id: bytes | None = None,
        lookup_keys: Mapping[bytes, LookupKey] | None = None,
        deadline: float = DEFAULT_DEADLINE,
    ) -> Self:
        """Connect to `host:port`; nothing is sent before the first call."""
        connection = Connection.open(address, security, deadline)
        return cls(connection, trust_file, network_id, lookup_keys)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def trust(self) -> Trust:
        """What this client believes; begun with the first use, which asks the node for genesis."""
        with self._lock:
            if self._trust is None:
                self._trust = Trust.begin(
                    LedgerClient(self._connection),
                    self._trust_file,
                    self._network_id,
                    self._now_ms,
                )
            return self._trust

    def lookup(
        self,
        tin: str = "",
        *,
        function: str,
        direction: Direction,
        mode: int,
        alias: AliasOf | None = None,
        level: str = "",
        as_of: datetime | None = None,
        known_at: datetime | int | None = None,
        dispatch_economy: str = "",
        declared_name: str = "",
        declared_address: str = "",
        recognising_economy: str = "",
        purpose: str = "",
        prove: bool = False,
        deadline: float | None = None,
    ) -> Verdict:
        """One verdict; see `Question` for what is asked."""
        question = Question(
            tin,
            function,
            direction,
            mode,
            alias,
            level,
            as_of,
            known_at,
            dispatch_economy,
            declared_name,
            declared_address,
            recognising_economy,
            purpose,
        )
        return self.ask(question, prove=prove, deadline=deadline)

    def ask(
        self, question: Question, *, prove: bool = False, deadline: float | None = None
    ) -> Verdict:
        """The same for a `Question`."""
        request = question.request(include_proof=prove)
        if not prove:
            said = self._connection.call(self._stub.Lookup, request, deadline)
            return Verdict(said.verdict, finality_name(said.finality))
        trust = self.trust
        asked = Asked(request, self._now_ms(), trust.anchor)
        said = self._connection.call(self._stub.Lookup, request, deadline)
        checked = check_lookup(asked, said, trust, self._lookup_keys, self._now_ms())
        return Verdict(said.verdict, finality_name(said.finality), checked)

    def lookup_many(
        self, questions: Iterable[Question], deadline: float | None = None
    ) -> list[Verdict]:
        """One verdict for each question, in order. One that cannot be read has a `problem`."""
        remaining, verdicts = iter(questions), list[Verdict]()
        while batch := list(islice(remaining, MAX_BATCH)):
            request = pb.BatchLookupRequest(requests=[each.request() for each in batch])
            said = self._connection.call(self._stub.BatchLookup, request, deadline)
            finality = finality_name(said.finality)
            problems = {each.index: each.description for each in said.problems}
            verdicts += [
                Verdict(verdict, finality, problem=problems.get(index, ""))
                for index, verdict in enumerate(said.verdicts)
            ]
        return verdicts

    def lookup_stream(
        self, questions: Iterable[Question], deadline: float | None = None
    ) -> Iterator[Verdict]:
        """Answers while the questions still come; in order. Not taken up again where it breaks."""
        requests = (pb.StreamLookupRequest(request=each.request()) for each in questions)
        for message in self._connection.stream(self._stub.StreamLookup, requests, deadline):
            said = message.response
            yield Verdict(
                said.verdict, finality_name(said.finality), problem=said.problem.description
            )

    def lookup_chain(
        self,
        parties: Sequence[ChainParty],
        *,
        direction: Direction,
        mode: int,
        as_of: datetime | None = None,
        known_at: datetime | int | None = None,
        dispatch_economy: str = "",
        recognising_economy: str = "",
        purpose: str = "",
        goods: GoodsEvents = NOT_SAID,
        deadline: float | None = None,
    ) -> Chain:
        """All parties of one declaration, 1 to 100; `Invalid` names the field of a faulty one."""
        request = chain_request(
            parties,
            direction,
            mode,
            as_of,
            known_at,
            dispatch_economy,
            recognising_economy,
            purpose,
            goods,
        )
        said = self._connection.call(self._stub.LookupSupplyChain, request, deadline)
        return Chain(said)

    def history(
        self,
        tin: str,
        arrangement_id: bytes = b"",
        recognising_economy: str = "",
        purpose: str = "",
        deadline: float | None = None,
    ) -> pb.GetHistoryResponse:
        """Every record of a trader under the arrangements between its issuer and the caller."""
        request = pb.GetHistoryRequest(
            tin=tin,
            arrangement_id=arrangement_id,
            recognising_economy=recognising_economy,
            purpose=purpose,
        )
        return self._connection.call(self._stub.GetHistory, request, deadline)

    def receipt(
        self,
        question: Question,
        *,
        anchor_height: int | None = None,
        include_genesis: bool = True,
        deadline: float | None = None,
    ) -> bytes:
        """One verdict to take away, with everything it rests on; see `ledger.audit.receipt`.

        `anchor_height`: a header that the checker will start from instead of the network id;
        without the genesis the receipt is for a checker who has it. Nothing of it is checked here.
        """
        request = pb.GetReceiptRequest(
            question=question.request(),
            anchor_height=anchor_height,
            without_genesis=not include_genesis,
        )
        return self._connection.call(self._stub.GetReceipt, request, deadline).receipt

    def watch(
        self,
        after: Cursor | None = None,
        tins: Sequence[str] = (),
        *,
        only_registered: bool = False,
        recognising_economy: str = "",
        purpose: str = "",
        patience: float = WATCH_PATIENCE,
    ) -> Iterator[StatusNews | CaughtUp]:
        """News after a cursor (None: from now on), in order, none twice and none left out.

        Taken up again where it breaks off; `Unavailable` after `patience` seconds of trying.
        """
        place = after

        def start() -> Iterator[StatusNews | CaughtUp]:
            nonlocal place
            request = pb.WatchRequest(
                after=None if place is None else _cursor(place),
                tins=tins,
                only_registered=only_registered,
                recognising_economy=recognising_economy,
                purpose=purpose,
            )
            for message in self._connection.stream(self._stub.Watch, request):
                news = _news(message)
                place = news.cursor or place
                yield news
            # News never end: the node is stopping.
            raise Unavailable("the node ended the stream")

        return resuming(start, patience)


def _cursor(place: Cursor) -> Any:
    return pb.WatchCursor(log_index=place.log_index, position=place.position)


def _news(message: pb.WatchResponse) -> StatusNews | CaughtUp:
    if message.WhichOneof("event") == "caught_up":
        said = message.caught_up
        cursor = None
        if said.HasField("cursor"):
            cursor = Cursor(said.cursor.log_index, said.cursor.position)
        return CaughtUp(cursor, said.height, said.header_hash)
    change = message.change
    return StatusNews(
        Cursor(change.cursor.log_index, change.cursor.position),
        change.arrangement_id,
        change.issuer,
        change.subject,
        change.tin,
        instant(change.entry.time),
        change.record,
    )

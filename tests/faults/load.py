"""Members that publish all the time, and what must be so afterwards whatever happened meanwhile.

    with Load(network, shared, ("AU", "HK")) as load:
        ...                                     kill, cut, fill
    load.check()

Every publication has a key and is repeated under it until it is acknowledged, as a client would. So
at the end each record of each publication is in the ledger once: more would be a record doubled,
less one lost.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from cometbft.network import Network, wait_until
from ledger.chain.header import parse_header
from ledger.chain.transaction import parse_transaction
from node.node_world import row
from service.client import ClientError, LedgerClient, PublishingClient, Unavailable

ROWS = 5
PAUSE_S = 0.05
ANSWER_S = 5.0
FINISH_S = 90.0
RECORDED = publishing.PUBLICATION_STATE_RECORDED


class Acknowledged(NamedTuple):
    """A publication that a node promised not to lose."""

    economy: str
    publication_id: str
    rows: int


class Load:
    """One thread for each of `members`; `acknowledged` grows."""

    def __init__(self, network: Network, shared: bytes, members: Sequence[str]) -> None:
        self.network = network
        self.shared = shared
        self.members = tuple(members)
        self.acknowledged: list[Acknowledged] = []
        self.failures: list[str] = []
        self._before = records(network, self.members[0]) if self.members else Counter()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._publish, args=(e,)) for e in self.members]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, __: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._give_up = kind is not None
        for thread in self._threads:
            thread.join()

    _give_up = False

    def _publish(self, economy: str) -> None:
        """Publish; stop only when the newest publication is acknowledged."""
        member, began = self.network.member(economy), time.monotonic_ns()
        number = 0
        while not self._stopping.wait(PAUSE_S):
            number += 1
            rows = [
                publishing.Submission.FromString(
                    row(f"{economy}{began // 1000 % 10**8:08}{number:05}{each}").SerializeToString()
                )
                for each in range(ROWS)
            ]
            until = None
            while not self._give_up:
                try:
                    with member.client("officer", ANSWER_S) as connection:
                        client = PublishingClient(connection)
                        answer = client.publish(f"{began}-{number}", rows, [self.shared])
                except ClientError as error:
                    if not isinstance(error, Unavailable):
                        self.failures.append(f"{economy}: {error!r}")
                    if self._stopping.is_set():
                        until = until or time.monotonic() + FINISH_S
                        if time.monotonic() > until:
                            self.failures.append(f"{economy}: never acknowledged: {error!r}")
                            return
                    time.sleep(PAUSE_S)
                    continue
                faulty = [each.code for each in answer.rows if each.code]
                if faulty:
                    self.failures.append(f"{economy}: rows refused: {faulty}")
                made = Acknowledged(economy, answer.publication_id, len(rows))
                self.acknowledged.append(made)
                break

    def goes_on(self, publications: int) -> int:
        """Wait for so many more, and until the newest header after them is sealed; its height."""
        so_far, first = len(self.acknowledged), self.network.member(self.members[0])
        wait_until(lambda: len(self.acknowledged) > so_far + publications, "they go on publishing")
        height = first.height()
        self.network.wait_sealed(height, [first.economy])
        return height

    def check(self, others: Sequence[str] = ()) -> None:
        """Nothing that was acknowledged is lost, nothing is doubled, and all have one ledger."""
        assert not self.failures, self.failures[:5]
        assert self.acknowledged, "nothing was published at all"
        expected: Counter[str] = Counter()
        for each in self.acknowledged:
            expected[each.economy] += each.rows
        for economy in self.members:
            self._recorded(economy)
        members = tuple(dict.fromkeys((*self.members, *others)))
        self.network.agreed(members)
        one_chain(self.network, members)
        for economy in members:
            found = records(self.network, economy)
            found.subtract(self._before)
            assert {each: found[each] for each in self.members} == expected, economy

    def _recorded(self, economy: str) -> None:
        """Each publication of a member is in the ledger whole, and nothing of it was refused."""
        with self.network.member(economy).client("officer", 20.0) as connection:
            client = PublishingClient(connection)
            for each in [one for one in self.acknowledged if one.economy == economy]:
                known = wait_until(
                    lambda identity=each.publication_id: done(client, identity),
                    f"publication {each.publication_id} of {economy} is in the ledger",
                    FINISH_S,
                )
                wanted = (each.rows, each.rows, 0)
                assert (known.records, known.recorded, known.refused) == wanted, known


def done(client: PublishingClient, publication_id: str) -> publishing.Publication | None:
    """The publication, once all of it is recorded."""
    found = client.get(publication_id)
    return found if found.state >= RECORDED else None


def records(network: Network, economy: str) -> Counter[str]:
    """Status records in the log as one member's node has it, by author."""
    found: Counter[str] = Counter()
    for transaction in transactions(network, economy):
        body = parse_transaction(transaction).body
        found[body.author] += len(body.statuses.records)
    return found


def transactions(network: Network, economy: str) -> Iterator[bytes]:
    """The whole log as one member's node has it."""
    with network.member(economy).client("auditor") as connection:
        for message in LedgerClient(connection).blocks(1, stop_at_latest=True):
            yield from message.transactions


def headers(network: Network, economy: str) -> dict[int, bytes]:
    """All headers as one member's node has them."""
    with network.member(economy).client("auditor") as connection:
        ledger = LedgerClient(connection)
        return {
            parse_header(message.header).height: message.header
            for message in ledger.blocks(0, stop_at_latest=True)
        }


def one_chain(network: Network, members: Sequence[str]) -> None:
    """No fork: at each height that two members have, they have the same header."""
    first, *rest = (headers(network, economy) for economy in members)
    for economy, other in zip(members[1:], rest, strict=True):
        for height in sorted(first.keys() & other.keys()):
            assert first[height] == other[height], f"{economy} has another header {height}"

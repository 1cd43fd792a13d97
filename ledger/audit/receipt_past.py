"""What a receipt shows of the past: earlier headers, and what the issuer had said by then.

The state map says only when an author was *last* heard of. What was so at an earlier height follows
from two transactions that follow each other by number: the author's last one by then, and its next.

    time of height h          header h
    height at a time          headers k and k + 1, between whose times it lies
    author seen by height h   header h, whose log size parts the two transactions; the header that
                              brought the first, for its time, and the one before

Every header is proved under the root over earlier headers, every transaction under the log root;
each must have been needed in the end.
"""

from collections.abc import Sequence

from aeo.ledger.v1 import receipt_pb2 as pb
from ledger.chain.anchor import Anchor, check_descends
from ledger.chain.header import Header, header_hash, parse_header
from ledger.chain.transaction import parse_transaction
from ledger.errors import AnchorError, FormatError, ProofError
from ledger.tree.log import leaf_hash
from ledger.tree.log_proof import check_inclusion


class ShownPast:
    """Earlier headers and transactions proved under one header; raises as `ShownFacts`."""

    def __init__(
        self,
        header: Header,
        headers: Sequence[pb.EarlierHeader],
        transactions: Sequence[pb.ShownTransaction],
    ) -> None:
        self._newest = header
        self._headers: dict[int, Header] = {}
        # Log index, author and number of each transaction.
        self._transactions: list[tuple[int, str, int]] = []
        self._needed: set[int] = set()
        for shown in headers:
            earlier = open_earlier(shown, header)
            if self._headers and earlier.height <= max(self._headers):
                raise FormatError("the headers of a receipt ascend")
            self._headers[earlier.height] = earlier
        for entry in transactions:
            if self._transactions and entry.log_index <= self._transactions[-1][0]:
                raise FormatError("the transactions of a receipt ascend")
            check_inclusion(
                leaf_hash(entry.transaction),
                entry.log_index,
                header.log_size,
                entry.proof,
                header.log_root,
            )
            body = parse_transaction(entry.transaction).body
            self._transactions.append((entry.log_index, body.author, body.sequence))
        self._unread = set(range(len(self._transactions)))

    def header(self, height: int) -> Header:
        """The header at a height; `ProofError` where it is not shown."""
        if height == self._newest.height:
            return self._newest
        found = self._headers.get(height)
        if found is None:
            raise ProofError(f"the receipt does not show header {height}")
        self._needed.add(height)
        return found

    def height_at(self, time: int) -> int:
        """The newest height whose header is not later than `time`, which is after genesis."""
        if time >= self._newest.time:
            return self._newest.height
        before = [header for header in self._headers.values() if header.time <= time]
        if not before:
            raise ProofError("the receipt does not show the header of the time asked about")
        height = before[-1].height
        if self.header(height + 1).time <= time:
            raise ProofError("the receipt does not show the header of the time asked about")
        return self.header(height).height

    def author_seen(self, economy: str, height: int) -> int | None:
        """Time of the author's newest transaction at or below `height`; it has a later one."""
        log_size = self.header(height).log_size
        own = [
            (place, index, sequence)
            for place, (index, author, sequence) in enumerate(self._transactions)
            if author == economy
        ]
        coming = next((each for each in own if each[1] >= log_size), None)
        if coming is None:
            raise ProofError(f"the receipt does not show the next transaction of {economy}")
        self._unread.discard(coming[0])
        if coming[2] == 1:
            return None
        for place, index, sequence in own:
            if index < log_size and sequence == coming[2] - 1:
                self._unread.discard(place)
                return self._time_of_entry(index)
        raise ProofError(f"the receipt does not show the last transaction of {economy} by then")

    def check_all_needed(self) -> None:
        """Raise `ProofError` where something is shown that nothing rests on."""
        if self._unread or self._headers.keys() - self._needed:
            raise ProofError("nothing rests on a header or transaction that the receipt shows")

    def _time_of_entry(self, log_index: int) -> int:
        for header in self._headers.values():
            if header.log_size > log_index:
                if self.header(header.height - 1).log_size > log_index:
                    break
                return self.header(header.height).time
        raise ProofError("the receipt does not show when a transaction was recorded")


def open_earlier(shown: pb.EarlierHeader, newest: Header) -> Header:
    """Read an earlier header and check that `newest` descends from it."""
    header = parse_header(shown.header)
    if header.network_id != newest.network_id or header.height >= newest.height:
        raise AnchorError("a header that is not on the past of the receipt's own")
    check_descends(Anchor(header.height, header_hash(shown.header)), newest, shown.proof)
    return header

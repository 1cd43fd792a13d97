"""What a block holds: at most one seal, first; then transactions, each author's in turn.

    0x02 ...   a seal of the round before, only at index 0
    0x01 ...   a transaction
    0x03 ...   a transaction, compressed (`compression`)
    any other  refused with a fixed code, like a malformed transaction

A block has at most `BLOCK_BYTES`, the seal included, whatever the network's parameters allow more;
a transaction counts as what it is, and not as it travels, which is never longer.
CometBFT's own limit is off, so that a proposer is offered everything that waits and can be fair:
authors take turns, the one with the fewest bytes so far before the others, each in the order of its
numbers. What cannot follow (a number is missing, or was used) is left out.

>>> waiting = {"HK": {1: b"h" * 50, 2: b"i" * 50, 4: b"k" * 50}, "NZ": {7: b"n" * 90}}
>>> chosen = choose(waiting, {"HK": 1, "NZ": 7}, room=200, places=9)
>>> [each[:1] for each in chosen]
[b'h', b'n', b'i']
>>> choose(waiting, {"HK": 1, "NZ": 7}, room=89, places=9) == [b"h" * 50]
True
>>> split_block([b"\\x02seal", b"\\x01transaction"])
(b'\\x02seal', [b'\\x01transaction'])
"""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from ledger.chain.seal import MARK
from service.engine.cometbft.compression import transaction_of

BLOCK_BYTES: Final = 1 << 20
# A transaction's tag and length in a block, at most: what CometBFT counts besides its bytes.
OVERHEAD_BYTES: Final = 1 + 3


def split_block(transactions: Sequence[bytes]) -> tuple[bytes | None, list[bytes]]:
    """The seal at index 0, if there is one, and all the others."""
    if transactions and transactions[0][:1] == MARK:
        return transactions[0], list(transactions[1:])
    return None, list(transactions)


def fits(transactions: Sequence[bytes], places: int) -> bool:
    """Whether a block keeps to the limits: its bytes, and `places` transactions besides a seal."""
    seal, others = split_block(transactions)
    if len(others) > places:
        return False
    size = len(seal or b"")
    for each in others:
        size += len(transaction_of(each))
        if size > BLOCK_BYTES:
            return False
    return size <= BLOCK_BYTES


def choose(
    waiting: Mapping[str, Mapping[int, bytes]],
    next_numbers: Mapping[str, int],
    *,
    room: int,
    places: int,
    first: int = 0,
) -> list[bytes]:
    """Choose among transactions by author and number: at most `places`, at most `room` bytes.

    Each is given, and chosen, in the form in which it travels.

    `first` turns the order of authors, so that none is always the first among equals.
    """
    authors = sorted(waiting)
    turn = first % len(authors) if authors else 0
    # (bytes so far, place among equals, author, number), the smallest on top
    heap = [
        (0, place, author, next_numbers[author])
        for place, author in enumerate(authors[turn:] + authors[:turn])
    ]
    heapify(heap)
    chosen: list[bytes] = []
    while heap and len(chosen) < places:
        used, place, author, number = heappop(heap)
        transaction = waiting[author].get(number)
        size = 0 if transaction is None else len(transaction_of(transaction))
        if transaction is None or size > room:
            continue  # nothing of this author can follow any more
        chosen.append(transaction)
        room -= size
        heappush(heap, (used + size, place, author, number + 1))
    return chosen

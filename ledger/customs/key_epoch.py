"""Epochs of an arrangement's lookup key: which commitment a verdict must open.

Epoch 1 is the one of the first text. Any party opens the next, which then waits: each party loads
its traders again under the new key (MIGRATED records are taken for as long) and logs that it has.
With the last of them the epoch takes over, at that height. By *known at* a lower height, the old
key still opens; once it is destroyed, such a question cannot be answered any more.

Who must republish are the parties of the text in force. Those that were no members when the epoch
was opened are named in it and not waited for; who ceases to be one later is amended away first.

>>> waiting = WaitingEpoch(2, b"c" * 32, 5, ("SG",), frozenset({"KR"}))
>>> waiting.missing(("KR", "SG", "TW"))
('TW',)
>>> epochs = (Epoch(1, b"a" * 32, 1, 100), Epoch(2, b"c" * 32, 9, 900))
>>> [epoch_at(epochs, height).number for height in (1, 8, 9)]
[1, 1, 2]
"""

from collections.abc import Sequence
from typing import NamedTuple


class Epoch(NamedTuple):
    """An epoch that has taken over, known from `height`; commitment 32 bytes, time Unix ms."""

    number: int
    commitment: bytes
    height: int
    time: int


class WaitingEpoch(NamedTuple):
    """An epoch that was opened at `height`, not waiting for `without`, and who has republished."""

    number: int
    commitment: bytes
    height: int
    without: tuple[str, ...] = ()
    republished: frozenset[str] = frozenset()

    def missing(self, parties: Sequence[str]) -> tuple[str, ...]:
        """Those of `parties` that it still waits for."""
        return tuple(
            party
            for party in parties
            if party not in self.republished and party not in self.without
        )


def epoch_at(epochs: Sequence[Epoch], known_height: int) -> Epoch:
    """The epoch in force by what was known at a height; the first before any other."""
    for epoch in reversed(epochs):
        if epoch.height <= known_height:
            return epoch
    return epochs[0]

r"""Questions that differ by their TIN alone: read once, and recognised by their bytes.

A declaration system asks thousands of questions of one shape. In `LookupRequest` the TIN stands
first, so the bytes after it are the shape. A shape is learnt from a question that `read_question`
has read in full; the next one of that shape is read by cutting out its TIN. What is out of the
ordinary (another time, declared names) is no shape, nor is what holds another identifier, which
would replace the first. A shape holds no TIN.

>>> from service.node.lookup.question import read_question
>>> asked = LookupRequest(tin="KR123", function="EX", direction=1, transport_mode=1)
>>> shapes, first = Shapes(), asked.SerializeToString()
>>> shapes.learn(first, read_question(asked, "NZ"))
True
>>> other = b"\n\x04KR45" + first[7:]
>>> shapes.read(other) == read_question(LookupRequest.FromString(other), "NZ")
True
>>> shapes.read(b"\n\x04KR45" + first[7:-1]) is None
True
"""

from dataclasses import replace
from typing import Final

from aeo.exchange.v1.status_service_pb2 import LookupRequest
from ledger.customs.case import goods_of
from ledger.customs.verdict import Query

MAX_SHAPES: Final = 4_096
"""Functions, directions, modes, levels and dispatch economies that are asked about together."""
LONGEST_SHAPE: Final = 77
"""Bytes: with a TIN of 17 characters a question of 96, which is long for one of codes alone."""

_TIN_TAG: Final = 0x0A
_ONE_BYTE: Final = 128


class Shapes:
    """The shapes of one member's questions. Any thread may learn and read."""

    __slots__ = ("_queries",)

    def __init__(self) -> None:
        self._queries: dict[bytes, Query] = {}

    def learn(self, question: bytes, query: Query) -> bool:
        """Remember the shape of a question; False where it has none. `query` is what it says."""
        if (
            query.tin is None
            or query.as_of is not None
            or query.known_at_height is not None
            or query.known_at_time is not None
            or query.declared_name
            or query.declared_address
            or goods_of(query) is not None
        ):
            return False
        tin = query.tin.encode()
        first = bytes((_TIN_TAG, len(tin))) + tin if len(tin) < _ONE_BYTE else b""
        shape = question[len(first) :]
        if not first or not question.startswith(first) or len(shape) > LONGEST_SHAPE:
            return False
        if shape not in self._queries:
            if LookupRequest.FromString(shape).WhichOneof("identifier") is not None:
                return False
            if len(self._queries) >= MAX_SHAPES:
                self._queries.clear()
            self._queries[shape] = replace(query, tin=None)
        return True

    def read(self, question: bytes) -> Query | None:
        """What a question of a known shape says; None for any other."""
        if len(question) < 2 or question[0] != _TIN_TAG or question[1] >= _ONE_BYTE:
            return None
        end = 2 + question[1]
        like = self._queries.get(question[end:])
        if like is None:
            return None
        try:
            tin = question[2:end].decode("ascii")
        except UnicodeDecodeError:
            return None
        return about(like, tin)


def about(like: Query, tin: str) -> Query:
    """The question about a trader, of a kind that is known."""
    return Query(
        like.recognising,
        like.function,
        like.direction,
        like.transport_mode,
        tin,
        level=like.level,
        dispatch_economy=like.dispatch_economy,
    )

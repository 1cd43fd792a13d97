"""All leaves of the state map at once, from the facts of a whole ledger.

A node's start and a check of its store need the map of the newest height only; making it from the
facts costs a tenth of following it block by block, and comes to the same root. The leaves come in
batches, each a range of keys, so that they are never all in memory twice.

Of a network that has just begun: its member, its prefix, the signing sets, the parameters.

>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.genesis import Genesis
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.registration import Registration
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> from ledger.state.machine import Machine
>>> from ledger.tree.map import StateMap
>>> founder = Registration(bytes(32), "SG", "Customs", "Asia/Singapore", ("SG",), 1, b"k" * 48,
...                        b"", b"", b"", "", b"", b"its exact bytes")
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, (founder,), DEFAULT_PARAMETERS, b"",
...                   SigningSet((SigningMember("SG", 1, b"k" * 48),)), b"its exact bytes")
>>> state = Machine(genesis, default_backend()).state
>>> leaves = [leaf for batch in leaf_batches(state) for leaf in batch.items()]
>>> len(leaves), StateMap.build(leaves).root == state.header.map_root
(4, True)
"""

from collections.abc import Iterator
from typing import Final

from ledger.chain.economy import parse_economy
from ledger.chain.keys import (
    ARRANGEMENT_ID_BYTES,
    PARAMETERS_KEY,
    SIGNING_SETS_KEY,
    alias_key,
    arrangement_key,
    author_key,
    format_author_object,
    object_value,
    pair_key,
    proposal_key,
    report_key,
    subject_key,
)
from ledger.chain.signing_set import format_signing_sets
from ledger.state.packed import packed_head
from ledger.state.state import State
from ledger.tree.map_proof import KEY_BYTES

# A batch for each value of a key's first four bits.
_RANGE_BITS: Final = 4


def leaf_batches(state: State) -> Iterator[dict[bytes, bytes]]:
    """Every leaf under `state`, the machine's newest, as keys to values, ascending by batch."""
    ranges: list[list[bytes]] = [[] for _ in range(1 << _RANGE_BITS)]
    for key, value in all_leaves(state):
        ranges[key[0] >> 8 - _RANGE_BITS].append(key + value)
    for index, leaves in enumerate(ranges):
        ranges[index] = []
        yield {leaf[:KEY_BYTES]: leaf[KEY_BYTES:] for leaf in leaves}


def all_leaves(state: State) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of every leaf under `state`, which must be the machine's newest."""
    yield from state.membership.leaves()
    yield SIGNING_SETS_KEY, object_value(format_signing_sets(state.signing_sets))
    yield PARAMETERS_KEY, object_value(state.parameter_bytes)
    for arrangement_id, arrangement in state.arrangements.items():
        yield arrangement_key(arrangement_id), arrangement.head
    for proposal_id, proposal in state.proposals.items():
        yield proposal_key(proposal_id), proposal.head
    for economy, author in state.authors.items():
        yield author_key(economy), object_value(format_author_object(author))
    for economies, pair in state.pairs.items():
        yield pair_key(economies[:2], economies[2:]), pair.head
    for name, report in state.reports.items():
        yield report_key(*name), report.head
    for books, key_of in (
        (state.facts.statuses, subject_key),
        (state.facts.aliases, alias_key),
    ):
        for book_key, book in books.items():
            arrangement_id = book_key[:ARRANGEMENT_ID_BYTES]
            issuer = parse_economy(book_key[ARRANGEMENT_ID_BYTES:])
            for key, packed in book.items():
                yield key_of(arrangement_id, issuer, key), packed_head(packed)

"""A block: what executing transactions came to, and the header that says so.

A header (`ledger.chain.header`) follows from three things: the header before it, the transactions,
and the leaves of the state map that they changed. `draft_header` makes it. For a header that is
given, `linked_header` checks what follows from the one before, at once and cheaply, and
`check_entered` what follows from the transactions; the map root is compared where the map is.

>>> from dataclasses import replace
>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.genesis import Genesis
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> from ledger.state.machine import Machine
>>> from ledger.tree.log import leaf_hash
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, (), DEFAULT_PARAMETERS, b"",
...                   SigningSet((SigningMember("SG", 1, b"k" * 48),)), b"its exact bytes")
>>> state = Machine(genesis, default_backend()).state
>>> draft = Draft(state, time=1_000)                  # the engine's clock stands still
>>> draft.leaves.append(leaf_hash(b"a transaction"))
>>> header = draft_header(draft, map_root=bytes(32))
>>> header.height, header.time, header.log_size       # time advances, if only by a millisecond
(1, 1001, 1)
>>> header.log_root == leaf_hash(b"a transaction")
True
>>> header.earlier_root == leaf_hash(state.header_hash)
True
>>> linked_header(state, format_header(replace(header, time=1_000)))
Traceback (most recent call last):
ledger.errors.ChainError: header 1: its time is not after the previous header's
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.chain.header import Header, format_header, header_hash, parse_header
from ledger.errors import ChainError, FormatError
from ledger.state.draft import Draft, Touched
from ledger.state.map_updates import MapVersion
from ledger.state.state import State
from ledger.tree.log import Frontier

# For each transaction given: why it did not enter, or the code of each of its records.
Result = str | tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What executing came to; nothing of it is current before `Machine.advance`.

    `header` and `header_bytes` are None and empty, and there is nothing to advance to, where no
    transaction entered. `transactions` are those that did, from log index `first_index` on.
    `touched` names every (arrangement id, issuer, subject) with a new record, in order.
    """

    header: Header | None
    header_bytes: bytes
    header_hash: bytes
    first_index: int
    transactions: tuple[bytes, ...]
    results: tuple[Result, ...]
    touched: Sequence[Touched]
    draft: Draft
    map_version: MapVersion

    @property
    def changes(self) -> dict[bytes, bytes]:
        """The leaves of the state map that are new or changed."""
        return self.draft.changes


def draft_header(draft: Draft, map_root: bytes) -> Header:
    """The header of a draft whose map has come to `map_root`."""
    state = draft.base
    log = _log_after(draft)
    return Header(
        network_id=state.network_id,
        height=draft.height,
        time=draft.time,
        previous=state.header_hash,
        earlier_root=state.facts.headers.root_at(draft.height),
        log_size=log.size,
        log_root=log.root(),
        map_root=map_root,
        signing_set_hash=draft.signing_sets.current.hash,
    )


def _log_after(draft: Draft) -> Frontier:
    log = draft.facts.log.frontier(draft.base.log_size)
    for leaf in draft.leaves:
        log = log.append(leaf)
    return log


def linked_header(state: State, header_bytes: bytes) -> Header:
    """Read a header that must follow `state`'s, whatever its transactions; or `ChainError`."""
    place = f"header {state.height + 1}"
    try:
        header = parse_header(header_bytes)
    except FormatError as error:
        raise ChainError(place, str(error)) from error
    for wrong, message in (
        (header.network_id != state.network_id, "it is of another network"),
        (header.height != state.height + 1, "its height is not the next"),
        (header.previous != state.header_hash, "the previous header has another hash"),
        (
            header.earlier_root != state.facts.headers.root_at(state.height + 1),
            "the root over all earlier headers is another",
        ),
        (header.time <= state.header_time, "its time is not after the previous header's"),
    ):
        if wrong:
            raise ChainError(place, message)
    return header


def check_entered(draft: Draft, results: Sequence[Result], header: Header) -> None:
    """Check that all transactions entered and make the log and signing set that the header states.

    In the block that logs a hand-over the header names the incoming set already.
    """
    for position, result in enumerate(results):
        if isinstance(result, str):
            place = f"transaction {position} of height {header.height}"
            raise ChainError(place, f"it may not enter the log: {result}")
    log = _log_after(draft)
    if log.size != header.log_size:
        raise ChainError(f"header {header.height}", "its log size does not count its transactions")
    if log.root() != header.log_root:
        raise ChainError(f"header {header.height}", "the log root is not that of the transactions")
    if header.signing_set_hash != draft.signing_sets.current.hash:
        raise ChainError(f"header {header.height}", "the signing set is another")


def finish_block(
    draft: Draft, results: tuple[Result, ...], header: Header, version: MapVersion
) -> Block:
    """Put a block together."""
    header_bytes = format_header(header)
    return Block(
        header=header,
        header_bytes=header_bytes,
        header_hash=header_hash(header_bytes),
        first_index=draft.base.log_size,
        transactions=tuple(draft.entered),
        results=results,
        touched=draft.touched,
        draft=draft,
        map_version=version,
    )

"""Going on from a snapshot that came from elsewhere: verified, stored, then current.

Its header must be trusted already: by an outer engine's light client, or by a seal (`check_offer`).
All the rest is checked against that header (`ledger.state.rebuilding`). Only when machine and store
both have it is it so: a crash in between leaves the store as it was, and the next start too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from ledger.bls.scheme import BlsBackend
from ledger.chain.anchor import Anchor, check_attested_time, check_descends
from ledger.chain.genesis import Genesis
from ledger.chain.header import header_hash, parse_header
from ledger.chain.seal import SealValue, open_seal
from ledger.chain.set_change import SetChange, check_set_changes, format_set_change
from ledger.chain.snapshot import (
    Manifest,
    check_extent,
    checked_chunks,
    format_manifest,
    parse_snapshot,
)
from ledger.errors import AnchorError, ChainError
from ledger.state.machine import Machine
from ledger.state.rebuilding import Base
from ledger.state.rebuilt_chain import snapshot_headers
from ledger.state.state import State
from ledger.tree.log import leaf_hash
from service.client.snapshots import ShownSnapshot
from service.store.ledger.base_rows import NewBase
from service.store.ledger.engine_mark import EngineMark
from service.store.ledger.ledger_store import LedgerStore, SealLevel


def check_offer(
    shown: ShownSnapshot,
    genesis: Genesis,
    backend: BlsBackend,
    *,
    now: int,
    anchor: Anchor | None = None,
) -> SealValue:
    """Check that members sealed a snapshot's header, by whom the founders' trust came to them.

    `now` is in Unix ms. With an `anchor` the snapshot may not be older, and `take_up` compares.
    Raises `FormatError` and `CheckError`.
    """
    manifest = shown.manifest
    place = _place(manifest)
    if anchor is not None and manifest.height < anchor.height:
        raise AnchorError(f"{place}: it is older than the anchor at height {anchor.height}")
    header = parse_header(shown.header)
    if header.network_id != genesis.network_id:
        raise ChainError(place, "it is of another network")
    own = Anchor(manifest.height, header_hash(manifest.header_bytes))
    check_descends(own, header, shown.ancestor_proof)
    sets = check_set_changes(genesis.signing_set, shown.changes, genesis.network_id, backend)
    if header.signing_set_hash != sets[-1].hash:
        raise ChainError(place, "trust does not lead to the signing set of its header")
    seal = open_seal(shown.seal, sets[-1], genesis.network_id, backend)
    if seal.header_hash != header_hash(shown.header) or seal.attested_time < header.time:
        raise ChainError(place, "the seal is not of the header that is shown")
    check_attested_time(seal.attested_time, now)
    check_extent(manifest)
    return seal


def take_up(
    machine: Machine,
    store: LedgerStore,
    manifest: Manifest,
    chunks: Callable[[], Iterable[bytes]],
    backend: BlsBackend,
    *,
    changes: Sequence[SetChange] = (),
    anchor: Anchor | None = None,
    mark: EngineMark | None = None,
) -> None:
    """Make a snapshot whose header is trusted the base of the store and the machine's state.

    `chunks` gives all chunks anew with each call. `changes` lead from the founders' set to the one
    that the header names, and maybe further. Raises `ChainError`, `FormatError`, `AnchorError` and
    the errors of the store; then nothing has changed.
    """
    before = machine.state
    if manifest.height <= before.height:
        raise ChainError(_place(manifest), f"the ledger is at height {before.height} already")

    def checked() -> Iterator[bytes]:
        return checked_chunks(manifest, chunks())

    state = machine.rebuilt(Base(manifest.header_bytes, parse_snapshot(checked())))
    _check_past(before, state, anchor)
    incoming = [each for _, each in state.current_sets[1:]]
    led = changes[: len(incoming)]
    if [change.sets.pending for change in led] != incoming:
        raise ChainError(_place(manifest), "trust did not pass on as its headers say")
    begin = Machine(state.genesis, backend).state
    store.put_base(
        state.genesis.data,
        NewBase(
            state.height,
            state.log_size,
            format_manifest(manifest),
            (
                (data, parse_header(data).log_size)
                for data in snapshot_headers(begin, parse_snapshot(checked()))
            ),
            checked(),
            [(change.height, format_set_change(change)) for change in led],
        ),
        mark,
    )
    machine.take_up(state)


def _check_past(before: State, state: State, anchor: Anchor | None) -> None:
    """Whether a snapshot's state has the past that this ledger, and its anchor, have."""
    place, headers = f"snapshot of height {state.height}", state.facts.headers
    if headers.leaf(before.height) != leaf_hash(before.header_hash):
        raise ChainError(place, f"it has another header {before.height} than this ledger")
    if anchor is not None and (
        anchor.height > state.height or headers.leaf(anchor.height) != leaf_hash(anchor.header_hash)
    ):
        raise AnchorError(f"{place}: it does not pass through the anchor")


def _place(manifest: Manifest) -> str:
    return f"snapshot of height {manifest.height}"


def keep_shown_seal(store: LedgerStore, shown: ShownSnapshot, seal: SealValue) -> None:
    """Keep the seal by which a snapshot was trusted, where it is of the snapshot's own header."""
    if shown.header != shown.manifest.header_bytes:
        return
    level = SealLevel.of(seal.level)
    store.put_seal(
        shown.manifest.height,
        shown.seal,
        level,
        attested_time=seal.attested_time,
        weight=seal.weight,
    )

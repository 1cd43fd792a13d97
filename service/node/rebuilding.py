"""A node's ledger anew from an export, when its own disk is lost.

Anyone's export will do, a partner's or an auditor's: all of it is executed and checked against the
network's id before any of it is believed, and only a whole ledger appears at its place. What the
export leaves out comes back by itself: how trust passed on is derived (`SetChanges`), seals that
came late are fetched or made again.

The guard file is not in the export. Where it survived, it stays as it is, and holds the node to
what it has sealed. Where it was lost, `new_guard` makes one by which the keys have sealed the
newest header of the export. That is for keys that have sealed nothing later; of a key that may
have, nobody can be sure, and it is better replaced.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ledger.audit.replay import Report, verify_export
from ledger.bls.scheme import BlsBackend
from ledger.chain.export import HEADER, SEAL, SIGNING_SETS, Item, parse_export
from ledger.chain.genesis import parse_genesis
from ledger.chain.header import header_hash, parse_header
from ledger.chain.seal import open_seal
from ledger.chain.signing_set import parse_signing_sets, split_set_change
from service.errors import Refused, StoreError
from service.store.guard import SealGuard
from service.store.ledger.ledger_store import LedgerStore, SealLevel

_CHUNK: Final = 1 << 20


class LedgerThere(Refused):
    """A ledger, or a guard where a new one was asked for, is there: nothing is overwritten."""


def rebuild_ledger(
    export: Path,
    ledger: Path,
    *,
    network_id: bytes,
    now: int,
    backend: BlsBackend,
    done: Callable[[int], None] = lambda read: None,
) -> Report:
    """Verify the file `export` and make the store `ledger` of it; what was verified.

    `network_id` is one that was given by hand, `now` in Unix ms; `done` hears how many bytes were
    read, of twice the file. Raises `LedgerThere`, `CheckError` and `StoreError`.
    """
    if ledger.exists():
        raise LedgerThere(f"{ledger} is there already; move it away before another takes its place")
    size = export.stat().st_size
    for report in verify_export(  # noqa: B007 - the last one counts
        _chunks(export, done), now=now, backend=backend, network_id=network_id
    ):
        pass
    ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    begun = ledger.with_name(f"{ledger.name}.part")
    _remove(begun)
    try:
        with LedgerStore(begun) as store:
            _fill(store, _chunks(export, lambda read: done(size + read)), backend)
            newest = store.newest()
        if newest is None or newest.height != report.height:
            raise StoreError(export, "the file changed while it was read")
        begun.rename(ledger)
    finally:
        _remove(begun)
    return report


def renew_guard(guard: Path, ledger: Path, key_ids: Iterable[bytes], network_id: bytes) -> None:
    """Make the guard of keys that have sealed up to the newest header of `ledger`, and no further.

    Raises `LedgerThere` where there is a guard.
    """
    if guard.exists():
        raise LedgerThere(f"{guard} is there: what the keys have sealed is known, keep it")
    with LedgerStore(ledger, read_only=True) as store:
        newest, seal = store.newest(), store.newest_seal()
    assert newest is not None, "just rebuilt"
    attested_time = max(parse_header(newest.header).time, seal.attested_time if seal else 0)
    guard.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with SealGuard.create(guard) as made:
        made.may_sign_all(
            network_id, list(key_ids), newest.height, header_hash(newest.header), attested_time
        )


class _Height(NamedTuple):
    """What an export has of one height."""

    header: bytes
    signing_sets: bytes
    transactions: list[bytes]
    seals: list[bytes]


def _fill(store: LedgerStore, chunks: Iterable[bytes], backend: BlsBackend) -> None:
    """Write the blocks and seals of an export that was verified."""
    items = parse_export(chunks)
    _, data = next(items)
    genesis = parse_genesis(data)
    signing_set = genesis.signing_set
    for height, given in enumerate(_heights(items)):
        if height == 0:
            store.put_genesis(data, given.header)
        else:
            store.append_block(height, given.header, given.transactions)
        if given.signing_sets:
            sets = parse_signing_sets(split_set_change(given.signing_sets)[0])
            signing_set = sets.pending or sets.current
        for seal in given.seals:
            found = open_seal(seal, signing_set, genesis.network_id, backend)
            level = SealLevel.of(found.level)
            store.put_seal(
                height, seal, level, attested_time=found.attested_time, weight=found.weight
            )


def _heights(items: Iterable[Item]) -> Iterator[_Height]:
    current: _Height | None = None
    signing_sets = b""
    for kind, data in items:
        if kind == HEADER:
            if current is not None:
                yield current
            current, signing_sets = _Height(data, signing_sets, [], []), b""
        elif kind == SIGNING_SETS:
            signing_sets = data
        elif current is not None:
            (current.seals if kind == SEAL else current.transactions).append(data)
    if current is not None:
        yield current


def _chunks(path: Path, done: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            done(file.tell())


def _remove(begun: Path) -> None:
    """What an attempt leaves behind; of a whole ledger that was renamed, only the lock file."""
    for end in ("", "-wal", "-shm", ".lock"):
        begun.with_name(begun.name + end).unlink(missing_ok=True)

"""Catching up by a snapshot of another node, where following every block would take too long.

Shown a snapshot far enough ahead, its header is checked first: members sealed it, and trust in them
came from the founders. Then the chunks are fetched, and the whole is rebuilt, compared with that
header, and stored. A node that shows something else is refused by the same errors as for a block
that is wrong. Where it has no snapshot, gives none (a replica), or one that is not worth it,
nothing happens.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from ledger.bls.scheme import BlsBackend
from ledger.chain.anchor import Anchor
from ledger.state.machine import Machine
from service.client.connection import Connection
from service.client.errors import NoSuchThing, NotOffered
from service.client.snapshots import fetch_snapshot, show_snapshot
from service.node.snapshots.taking_up import check_offer, keep_shown_seal, take_up
from service.store.ledger.ledger_store import LedgerStore

# A thousand blocks are followed in less time than a snapshot takes.
FAR_BEHIND: Final = 1_000

_log = structlog.get_logger("aeo.snapshots")


def catch_up(
    connection: Connection,
    machine: Machine,
    store: LedgerStore,
    folder: Path,
    backend: BlsBackend,
    *,
    now_ms: Callable[[], int],
    anchor: Anchor | None = None,
    far: int = FAR_BEHIND,
) -> bool:
    """Go on from the node's newest snapshot if that is `far` heights ahead; say whether.

    The chunks lie in `folder` meanwhile. Raises `ClientError`; `FormatError` and `CheckError` for
    a node that shows what cannot be so; the errors of the store. Then nothing has changed.
    """
    try:
        shown = show_snapshot(connection)
    except (NoSuchThing, NotOffered):
        return False
    if shown.manifest.height < machine.state.height + far:
        return False
    seal = check_offer(shown, machine.state.genesis, backend, now=now_ms(), anchor=anchor)
    try:
        fetched = fetch_snapshot(connection, folder, shown)
    except NoSuchThing:
        return False  # a newer one has taken its place meanwhile
    try:
        take_up(
            machine,
            store,
            shown.manifest,
            fetched.chunks,
            backend,
            changes=shown.changes,
            anchor=anchor,
        )
    finally:
        fetched.remove()
    keep_shown_seal(store, shown, seal)
    _log.info("caught up by a snapshot", height=machine.state.height)
    return True

"""What the crash tests do to each store, one call at a time, and what can be seen of it.

`SCRIPTS` gives for each store how to open it, its calls in order, and a snapshot that two stores
have in common exactly when they hold the same. `run` is what the process does that gets killed.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import StoreFull
from service.store import guard
from service.store.guard import SealGuard
from service.store.home import home_store
from service.store.home.home_store import HomeStore
from service.store.home.outbox import NewPublication, Recorded, Signed
from service.store.home.prepared import Carries, Group
from service.store.ledger import ledger_store
from service.store.ledger.engine_mark import EngineMark
from service.store.ledger.ledger_store import LedgerStore, SealLevel
from service.store.location import Folder, Server, parse_stores

NETWORK = b"\x11" * 32
ARRANGEMENT = b"\x22" * 16
KEYS = (b"\x01" * 8, b"\x02" * 8)


@dataclass(frozen=True)
class Script:
    open: Callable[[Path, Callable[[str], None]], Any]
    calls: tuple[Callable[[Any], object], ...]
    snapshot: Callable[[Any], object]
    steps: tuple[str, ...]


def fill(write: Callable[[int], object], number: int) -> int:
    """Write one after the other until there is no room; return the number that found none."""
    while True:
        try:
            write(number)
        except StoreFull:
            return number
        number += 1


def publication(key: str, *records: bytes, digest: bytes = bytes(32)) -> NewPublication:
    group = Group(11, ARRANGEMENT, tuple(range(len(records))), records)
    return NewPublication(key, digest, 1_000, b"answer to " + key.encode(), (group,))


def open_guard(path: Path, on_step: Callable[[str], None]) -> SealGuard:
    # A node makes its guard once, when its keys are made; the steps that count come after.
    if not path.exists():
        SealGuard.create(path).close()
    return SealGuard.open(path, on_step=on_step)


LEDGER = Script(
    open=lambda path, on_step: LedgerStore(path, on_step=on_step).open(),
    calls=(
        lambda store: store.put_genesis(b"genesis", b"header 0"),
        lambda store: store.append_block(1, b"header 1", [b"transaction 0", b"transaction 1"]),
        lambda store: store.put_seal(1, b"seal", SealLevel.ATTESTED, attested_time=5, weight=4),
        lambda store: store.put_seal(
            1, b"better seal", SealLevel.SEALED, attested_time=5, weight=7
        ),
        lambda store: store.append_block(
            2, b"header 2", [b"transaction 2" * 5_000], EngineMark(7, 6, 1, 5)
        ),
    ),
    snapshot=lambda store: (
        store.genesis(),
        list(store.blocks()),
        list(store.seals()),
        store.engine_mark(),
    ),
    steps=ledger_store.STEPS,
)
HOME = Script(
    open=lambda path, on_step: HomeStore(path, "TW", NETWORK, on_step=on_step).open(),
    calls=(
        lambda home: home.outbox.add_publication(publication("one", b"a", b"b", b"c")),
        lambda home: home.outbox.add_publication(publication("two", b"d" * 50_000)),
        lambda home: home.outbox.store_signed(
            [
                Signed(1, b"signed 1", Carries((1, 2, 1), (2, 0, 0))),
                Signed(2, b"signed 2"),
            ]
        ),
        lambda home: home.outbox.mark_recorded([Recorded(1, 10, 4, 2_000, {1: "ILLEGAL_STEP"})]),
        lambda home: home.outbox.store_signed([Signed(3, b"signed 3", Carries((1,), (1,)))]),
        lambda home: home.outbox.mark_recorded(
            [Recorded(2, 11, 4, 2_000), Recorded(3, 12, 5, 3_000)]
        ),
    ),
    snapshot=lambda home: (
        home.outbox.publications(),
        [home.outbox.answer(number) for number in (1, 2)],
        [home.outbox.record_answers(number) for number in (1, 2)],
        list(home.outbox.waiting()),
        home.outbox.unrecorded(),
        home.outbox.next_sequence(),
    ),
    steps=home_store.STEPS,
)
GUARD = Script(
    open=open_guard,
    calls=tuple(
        lambda guard, height=height: guard.may_sign_all(
            NETWORK, KEYS, height, bytes([height]) * 32, 1_000 * height
        )
        for height in (1, 2)
    ),
    snapshot=lambda guard: [guard.last(NETWORK, key) for key in KEYS],
    steps=guard.STEPS,
)
SCRIPTS = {"ledger": LEDGER, "home": HOME, "guard": GUARD}


def place_of(text: str) -> Path | Server:
    found = parse_stores(text)
    return found.path if isinstance(found, Folder) else found


def run(name: str, path: str, acknowledged: str, kill_at: tuple[str, int] | None) -> None:
    """Do the calls, writing a byte after each; die without warning at the n-th time of a step."""
    script = SCRIPTS[name]
    seen: Counter[str] = Counter()

    def on_step(step: str) -> None:
        seen[step] += 1
        if (step, seen[step]) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    store = script.open(place_of(path), on_step)
    answers = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for call in script.calls:
        call(store)
        os.write(answers, b".")
    store.close()

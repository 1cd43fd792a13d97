"""The access log of one member: who asked about whom, at which height, and what they were told.

Whatever reveals a status is noted: look-ups of every kind, histories, receipts, watchers, aliases,
profiles; and what becomes of steps that take two persons. A trader stands in it as 16 bytes, keyed
with a random key of this administration: who has the file without the key's row learns no number,
and the administration can still ask for all that concerns one.

Of a question that is remembered, the desk keeps beside its answer what stands here: 18 bytes that a
call hands over. Whatever else a call was asked and said is handed over by reference. One thread
makes entries of it and writes them, all that came within `GATHER_S` in one transaction. A crash
loses at most that much. A stop loses nothing.

Staleness never blocks clearance, and neither does this log: where the disk fails, look-ups go on.
Entries wait in memory up to `MAX_WAITING_BYTES`; what comes after is counted and dropped. `failing`
and `lost` are for the metrics, each failure is logged, and the first entry that is written again
says how many calls before it are missing.
"""

import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol, Self

import structlog
from google.protobuf.message import DecodeError

from aeo.exchange.v1.access_log_service_pb2 import LoggedAccess
from aeo.exchange.v1.status_service_pb2 import LookupRequest
from aeo.exchange.v1.verdict_pb2 import Verdict
from service.clock import Clock
from service.errors import ServiceError
from service.store.home.access_log import (
    KEY_BYTES,
    PAGE_BYTES,
    AccessLogStore,
    Head,
    Page,
    format_page,
)
from service.store.home.approvals import Step

SUBJECT_BYTES: Final = 16
GATHER_S: Final = 0.15
"""What comes within it shares one transaction; with the write itself, an entry is on the disk
within 0.2 s."""
RETRY_S: Final = 1.0
"""Between two attempts at a disk that fails."""
MAX_WAITING_CALLS: Final = 1 << 16
"""Calls handed over and not yet made into entries. The thread is never that far behind, unless this
machine has no time for it."""
MAX_WAITING_TRADERS: Final = 1 << 19
"""Of their traders: each holds a question and a verdict of some 500 bytes until it is an entry."""
MAX_WAITING_BYTES: Final = 64 << 20
"""Entries that wait for the disk: three million traders asked about."""
TRADERS_OF_AN_ENTRY: Final = 3_000
"""More, of one call, become several entries."""
PURPOSE_CHARACTERS: Final = 512
"""Of a purpose; the rest is cut. An entry longer than a page would make the log unreadable."""
FLUSH_S: Final = 5.0

_PACKAGE: Final = "/aeo.exchange.v1."

_log = structlog.get_logger("aeo.access_log")


class Who(Protocol):
    """Who calls."""

    @property
    def economy(self) -> str:
        """Two letters."""

    @property
    def access_role(self) -> str:
        """As in the client certificate."""

    @property
    def name(self) -> str:
        """The economy's own name for it."""


class Item(NamedTuple):
    """A trader asked about, by TIN or as given, and the answer; 0 where it was no verdict."""

    tin: str
    outcome: int = 0
    reason: int = 0


class _Noted(NamedTuple):
    """A call as handed over: questions and verdicts in their bytes, with the notes that are ready;
    or items; or all notes, joined."""

    who: Who | None
    method: str
    purpose: str
    time: int
    height: int
    questions: Sequence[bytes] = ()
    verdicts: Sequence[bytes] = ()
    notes: Sequence[bytes | None] = ()
    items: Sequence[Item] = ()
    ready: bytes = b""
    step: tuple[str, str] = ("", "")


class AccessLog:
    """Notes what callers of one member learn. Any thread may call. A context manager."""

    def __init__(self, store: AccessLogStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._key = b""
        self._noted: deque[_Noted] = deque()
        self._traders = 0
        self._lost = 0
        self._failure: Exception | None = None
        self._come = threading.Event()
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._written = threading.Condition()
        self._rounds = 0
        # The thread's own.
        self._head: Head
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._told_lost = 0
        self._thread = threading.Thread(target=self._run, name="aeo-access-log")

    def __enter__(self) -> Self:
        self._key = self._store.key(secrets.token_bytes(KEY_BYTES))
        self._head = self._store.head()
        _log.info("access log", number=self._head.number, head=self._head.hash.hex())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._hurry.set()
        self._come.set()
        self._thread.join()
        if self._waiting:
            _log.error("entries of the access log are lost", entries=len(self._waiting))
        _log.info("access log closed", number=self._head.number, head=self._head.hash.hex())

    @property
    def failing(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._failure is not None

    @property
    def lost(self) -> int:
        """Calls that could not be kept since this process started."""
        return self._lost

    def note_answers(
        self,
        who: Who,
        method: str,
        purpose: str,
        at: int,
        height: int,
        questions: Sequence[bytes],
        verdicts: Sequence[bytes],
        notes: Sequence[bytes | None],
    ) -> None:
        """Note answers to `LookupRequest` bytes by verdict bytes (empty: no verdict).

        `notes`: of each what `LookupDesk.answer` gave, or None. No sequence may be changed after.
        `at`: Unix milliseconds.
        """
        try:
            ready = b"".join(notes)  # type: ignore[arg-type]
        except TypeError:  # one is not ready
            self._note(_Noted(who, method, purpose, at, height, questions, verdicts, notes))
        else:
            self._note(_Noted(who, method, purpose, at, height, ready=ready))

    def note(
        self, who: Who, method: str, purpose: str, height: int, items: Sequence[Item | str]
    ) -> None:
        """Note a call that revealed something of these traders, in canonical form or as given."""
        now = self._clock.now_ms()
        asked = [each if isinstance(each, Item) else Item(each) for each in items]
        for start in range(0, max(1, len(asked)), TRADERS_OF_AN_ENTRY):
            part = asked[start : start + TRADERS_OF_AN_ENTRY]
            self._note(_Noted(who, method, purpose, now, height, items=part))

    def note_step(self, step: Step, event: str, role: str, name: str) -> None:
        """Note what became of a step that takes two persons. Empty `name`: by itself."""
        who = _Person("", role, name)
        now, about = self._clock.now_ms(), (step.step_id, event)
        self._note(_Noted(who, step.method, "", now, 0, step=about))

    def subject(self, tin: str) -> bytes:
        """The 16 bytes under which a trader stands in this log."""
        return hmac.digest(self._key, tin.encode(), "sha256")[:SUBJECT_BYTES]

    def flush(self, seconds: float = FLUSH_S) -> bool:
        """Wait until all that was noted before is on the disk; False if that did not happen."""
        until = time.monotonic() + seconds
        with self._written:
            # The round under way may have begun before the newest note.
            wanted = self._rounds + 2
            while self._rounds < wanted:
                self._hurry.set()
                self._come.set()
                left = until - time.monotonic()
                if left <= 0 or not self._thread.is_alive():
                    return False
                self._written.wait(min(left, RETRY_S))
            return self._failure is None

    def _note(self, noted: _Noted) -> None:
        if len(noted.purpose) > PURPOSE_CHARACTERS:
            noted = noted._replace(purpose=noted.purpose[:PURPOSE_CHARACTERS])
        if self._traders > MAX_WAITING_TRADERS or len(self._noted) > MAX_WAITING_CALLS:
            self._lose()
            return
        # Not exact with many threads; counted anew with each round of the thread.
        self._traders += len(noted.questions)
        self._noted.append(noted)
        if not self._come.is_set():
            self._come.set()

    def _lose(self) -> None:
        with self._written:
            self._lost += 1

    # The thread.

    def _run(self) -> None:
        while True:
            self._come.wait()
            stopping = self._stopping.is_set()
            if not stopping:
                self._hurry.wait(RETRY_S if self._failure is not None else GATHER_S)
                self._hurry.clear()
            self._come.clear()
            self._gather()
            self._write()
            with self._written:
                self._rounds += 1
                self._written.notify_all()
            if stopping and not self._noted and (not self._waiting or self._failure is not None):
                return
            if self._waiting or self._stopping.is_set():
                self._come.set()

    def _gather(self) -> None:
        """Make entries of what was noted."""
        self._traders = 0
        for _ in range(len(self._noted)):
            noted = self._noted.popleft()
            if self._waiting_bytes > MAX_WAITING_BYTES:
                self._lose()
                continue
            try:
                entry = self._entry(noted)
            except Exception:  # noqa: BLE001 - one call's fault must not end the others' log
                _log.exception("a call could not be noted", method=noted.method)
                self._lose()
                continue
            self._waiting.append(entry)
            self._waiting_bytes += len(entry)

    def _write(self) -> None:
        """Write what waits, all or none."""
        if not self._waiting:
            return
        lost = self._lost - self._told_lost
        entries = list(self._waiting)
        if lost:
            gap = LoggedAccess(time=self._clock.now_ms(), lost=lost)
            entries.insert(0, gap.SerializeToString())
        pages = list(self._pages(entries))
        try:
            self._store.append(pages)
        except ServiceError as error:
            if self._failure is None:
                _log.error("the access log cannot be written; look-ups go on", reason=str(error))
            self._failure = error
            return
        if self._failure is not None:
            _log.warning("the access log is written again", lost=self._lost)
        self._failure = None
        self._told_lost += lost
        self._waiting.clear()
        self._waiting_bytes = 0
        self._head = Head(pages[-1].last, pages[-1].hash)

    def _pages(self, entries: Sequence[bytes]) -> Iterator[Page]:
        number, before = self._head
        part: list[bytes] = []
        size = 0
        for entry in entries:
            if part and size + len(entry) > PAGE_BYTES:
                page = format_page(number + 1, before, part)
                number, before = number + len(part), page.hash
                yield page
                part, size = [], 0
            part.append(entry)
            size += len(entry)
        yield format_page(number + 1, before, part)

    def _entry(self, noted: _Noted) -> bytes:
        who, (step_id, step_event) = noted.who, noted.step
        entry = LoggedAccess(
            time=noted.time,
            method=noted.method.removeprefix(_PACKAGE),
            purpose=noted.purpose,
            height=noted.height,
            step_id=step_id,
            step_event=step_event,
        )
        if who is not None:
            entry.caller_economy, entry.name = who.economy, who.name
            entry.access_role = str(who.access_role)
        if noted.ready:
            entry.items = noted.ready
        elif noted.questions:
            answers = zip(noted.questions, noted.verdicts, noted.notes, strict=True)
            entry.items = b"".join(note or self._format(*answer) for *answer, note in answers)
        else:
            entry.items = b"".join(
                self.subject(tin) + bytes((outcome, reason)) for tin, outcome, reason in noted.items
            )
        data: bytes = entry.SerializeToString()
        return data

    def _format(self, question: bytes, verdict: bytes) -> bytes:
        """The item of a question that no desk remembers."""
        said = Verdict.FromString(verdict)
        tin = said.tin or _identifier_of(question)
        return self.subject(tin) + bytes((said.outcome, said.reason))


def alias_name(scheme: str, value: str) -> str:
    """An alias in the place of a number; no number has a line break."""
    return f"{scheme}\n{value}"


class _Person(NamedTuple):
    """Somebody of the own administration."""

    economy: str
    access_role: str
    name: str


def _identifier_of(question: bytes) -> str:
    """The identifier as it was given, where no number in canonical form came of it.

    >>> _identifier_of(LookupRequest(tin="KR-1?", function="EX").SerializeToString())
    'KR-1?'
    """
    try:
        request = LookupRequest.FromString(question)
    except (DecodeError, UnicodeDecodeError):
        return ""
    if request.WhichOneof("identifier") == "alias":
        return alias_name(request.alias.scheme, request.alias.value)
    return request.tin

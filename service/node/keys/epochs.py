"""A change of lookup keys, for one hosted member: open an epoch, name, copy, complete, destroy.

    open       a new key, its commitment on the ledger; the other parties' nodes fetch the key
    name       which TIN and number each certificate has: the ledger has keyed forms only
    keep_up    what is named is copied under the new key (`service.node.keys.mirror`), again and
               again, since meanwhile publishing goes on under the old one
    complete   says on the ledger that all of this member's traders have their copies
    keep_up    with the last party's word the epoch takes over. What was on its way under the old
               key follows; then the old key is destroyed, and which name became which

Names come from calls of `Republish`, from the profiles that are kept here, and from whatever is
published while an epoch waits. A name that fits nothing does no harm.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

import structlog

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.customs.arrangement import ArrangementHistory
from ledger.customs.key_epoch import WaitingEpoch
from ledger.customs.profile import parse_profile
from ledger.customs.status import StatusRecord, format_status
from ledger.customs.transition import check_transition
from ledger.state.alias import AliasRecord, format_alias
from ledger.state.refusals import EPOCH_PENDING, EPOCH_WRONG
from ledger.state.state import State, book_key
from ledger.state.view import StatusEntry
from service.clock import Clock
from service.errors import Refused
from service.node.arrangements.agreements import Agreements, StepRefused
from service.node.keys.delivery import KeyDelivery
from service.node.keys.epoch_names import EpochNames
from service.node.keys.keyring import Keyring
from service.node.keys.mirror import alias_copies, copies_of, names_needed
from service.node.publishing.aliases import ALIASES
from service.node.publishing.publisher import Publisher
from service.node.publishing.submission import STATUSES, PreparedRows
from service.store.home.epochs import EpochStore
from service.store.home.prepared import Group

COPIES_AT_ONCE: Final = 4_000
"""Records of one publication of the mirror: ten transactions, a fifth of a second."""
SETTLED_MS: Final = 5_000
"""After a takeover: longer than a request that was judged under the old key takes to reach the
outbox."""
PUBLICATIONS: Final = "epoch/"
"""How the idempotency keys of the mirror's own publications begin."""

_log = structlog.get_logger("aeo.epochs")


class EpochIncomplete(Refused):
    """Certificates under the key in force are not named yet, or not copied under the next."""

    def __init__(self, counts: "EpochCounts") -> None:
        super().__init__(
            f"of {counts.certificates} certificates {counts.named} are named and {counts.copied} "
            f"copied under the new key; of {counts.aliases} aliases {counts.aliases_copied}"
        )
        self.counts = counts


class EpochCounts(NamedTuple):
    """Certificates of this member under the key in force; how many are named, and copied."""

    certificates: int
    named: int
    copied: int
    aliases: int
    aliases_copied: int

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.copied == self.certificates and self.aliases_copied == self.aliases


class _Change(NamedTuple):
    """A change of keys under way: from the epoch in force to the one that waits, or after."""

    history: ArrangementHistory
    epoch: int
    names: Mapping[bytes, bytes]
    taken_over: bool

    @property
    def arrangement_id(self) -> bytes:
        return self.history.arrangement_id


class Epochs:
    """The changes of lookup keys of one member. Any thread may call."""

    def __init__(
        self,
        publisher: Publisher,
        agreements: Agreements,
        delivery: KeyDelivery,
        store: EpochStore,
        current: Callable[[], State],
        clock: Clock,
        own_profiles: Callable[[], Iterable[tuple[str, bytes]]] = tuple,
    ) -> None:
        self._publisher = publisher
        self._agreements = agreements
        self._delivery = delivery
        self._store = store
        self._current = current
        self._clock = clock
        self._economy = publisher.economy
        self._keyring: Keyring = publisher.keyring
        self._names = EpochNames(publisher.economy, store, publisher.keyring)
        self._own_profiles = own_profiles
        # Epochs for which the profiles kept here have been read, by this process.
        self._read_profiles: set[tuple[bytes, int]] = set()
        self._lock = threading.RLock()
        # Subjects whose records all had copies, and the packed histories of which that was so.
        self._done: dict[tuple[bytes, int], dict[bytes, tuple[bytes | None, bytes | None]]] = {}
        self._stuck: set[bytes] = set()

    # What people ask for.

    def open(self, arrangement: bytes, timeout: float) -> None:
        """Make a new key and commit to it on the ledger. Raises `StepRefused` or `TooLate`."""
        history = self._agreements.history(arrangement)
        if history.waiting_epoch is not None:
            raise StepRefused(EPOCH_PENDING, "an epoch waits already for the parties to republish")
        number = history.epochs[-1].number + 1
        key = self._keyring.make(arrangement, number)
        members = self._current().membership.members
        step = pb.KeyEpoch(
            arrangement_id=arrangement,
            epoch=number,
            lookup_key_commitment=key.commitment,
            without=[party for party in history.text.parties if party not in members],
        )
        try:
            self._agreements.step(pb.ArrangementStep(open_epoch=step), timeout)
        except StepRefused:
            self._keyring.destroy(arrangement, number)
            raise

    def name(
        self,
        arrangement: bytes,
        certificates: Iterable[tuple[str, str]],
        aliases: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Say which (TIN, number) there are, number empty for the TIN alone; durable on return.

        `aliases` are (scheme, value). Raises `StepRefused` where no epoch waits, `FormatError` for
        what is no TIN or number, and as `KeyDelivery.obtain`.
        """
        waiting = self._waiting(self._agreements.history(arrangement))
        self._delivery.obtain(
            self._agreements.history(arrangement), waiting.number, waiting.commitment
        )
        self._names.add(self._current(), arrangement, waiting.number, certificates, aliases)

    def heard(
        self,
        certificates: Callable[[], Iterable[tuple[str, str]]],
        aliases: Callable[[], Iterable[tuple[str, str]]] = tuple,
    ) -> None:
        """Take names from what is being published, as far as they can be read."""
        for arrangement, waiting in self.waiting().items():
            if self._keyring.key(arrangement, waiting.number) is not None:
                self._names.add(
                    self._current(),
                    arrangement,
                    waiting.number,
                    certificates(),
                    aliases(),
                    readable_only=True,
                )

    def waiting(self) -> Mapping[bytes, WaitingEpoch]:
        """The epochs that wait, by arrangement."""
        state = self._current()
        found = {}
        for arrangement in state.own_arrangements(self._economy):
            history = state.arrangement(arrangement)
            if history is not None and history.waiting_epoch is not None:
                found[arrangement] = history.waiting_epoch
        return found

    def counts(self, arrangement: bytes) -> EpochCounts:
        """How far this member's certificates have come; raises `StepRefused` where none waits."""
        history = self._agreements.history(arrangement)
        waiting = self._waiting(history)
        state = self._current()
        with self._lock:
            change = _Change(
                history, waiting.number, self._names.of(arrangement, waiting.number), False
            )
            certificates = named = copied = 0
            for subject in self._names.old_subjects(state, change.arrangement_id, change.epoch):
                entries = state.subject(arrangement, self._economy, subject)
                missing = {
                    entry.record.certificate
                    for entry in entries
                    if any(each not in change.names for each in names_needed(entry.record))
                }
                own = {entry.record.certificate for entry in entries}
                certificates += len(own)
                named += len(own - missing)
                copied += len(own) if self._is_copied(state, change, subject) else 0
            aliases = self._names.old_aliases(state, change.arrangement_id, change.epoch)
            left = [each for each in aliases if self._alias_left(state, change, each) != []]
        return EpochCounts(certificates, named, copied, len(aliases), len(aliases) - len(left))

    def complete(self, arrangement: bytes, timeout: float) -> None:
        """Say on the ledger that this member has republished.

        Raises `EpochIncomplete` while certificates are missing, `StepRefused` or `TooLate`.
        """
        waiting = self._waiting(self._agreements.history(arrangement))
        counts = self.counts(arrangement)
        if counts.named < counts.certificates:
            self._name_from_profiles(arrangement, waiting.number)
        if not counts.complete:
            raise EpochIncomplete(counts)
        step = pb.EpochRepublished(arrangement_id=arrangement, epoch=waiting.number)
        self._agreements.step(pb.ArrangementStep(republished=step), timeout)

    # What the node does by itself.

    def keep_up(self) -> bool:
        """One round: fetch keys, copy, destroy what is over; whether anything was published.

        Raises what the publisher does, or `PeerUnreachable` where a key cannot be fetched now.
        """
        state = self._current()
        changes = list(self._changes(state))
        if not changes:
            return False
        for change in changes:
            waiting = change.history.waiting_epoch
            if not change.taken_over and waiting is not None:
                self._delivery.obtain(change.history, waiting.number, waiting.commitment)
                if (change.arrangement_id, change.epoch) not in self._read_profiles:
                    self._name_from_profiles(change.arrangement_id, change.epoch)
        if self._store.publishing(keys_from=PUBLICATIONS):
            return False  # its copies are not on the ledger yet, and must not be made twice
        state = self._current()  # not from before the outbox was looked at
        published = False
        for change in changes:
            if self._copy(state, change):
                published = True
            elif change.taken_over:
                self._settle(state, change)
        return published

    def _name_from_profiles(self, arrangement: bytes, epoch: int) -> None:
        """Whose profile is kept here need not be named by anybody."""
        self._read_profiles.add((arrangement, epoch))
        named: list[tuple[str, str]] = []
        for tin, data in self._own_profiles():
            numbers = parse_profile(data).certificate_numbers
            named += [(tin, number) for number in numbers] or [(tin, "")]
        self._names.add(self._current(), arrangement, epoch, named, (), readable_only=True)

    def _changes(self, state: State) -> Iterator[_Change]:
        with self._lock:
            for arrangement in state.own_arrangements(self._economy):
                history = state.arrangement(arrangement)
                if history is None:
                    continue
                in_force, waiting = history.epoch_at(state.height).number, history.waiting_epoch
                if waiting is not None:
                    names = self._names.of(arrangement, waiting.number)
                    yield _Change(history, waiting.number, names, taken_over=False)
                if self._keyring.key(arrangement, in_force - 1) is not None:
                    names = self._names.of(arrangement, in_force)
                    yield _Change(history, in_force, names, taken_over=True)

    def _copy(self, state: State, change: _Change) -> bool:
        """Publish the next copies; False where there are none."""
        with self._lock:
            records = self._next_copies(state, change)
            aliases = [
                format_alias(record)
                for alias in self._names.old_aliases(state, change.arrangement_id, change.epoch)
                for record in self._alias_left(state, change, alias) or ()
            ][:COPIES_AT_ONCE]
        made = [
            Group(action, change.arrangement_id, (0,) * len(data), tuple(data))
            for action, data in ((STATUSES, records), (ALIASES, aliases))
            if data
        ]
        if not made:
            return False
        content = b"".join((change.arrangement_id, *records, *aliases))
        key = f"{PUBLICATIONS}{change.epoch}/{sha256(content).hexdigest()[:32]}"
        prepared = PreparedRows(tuple(made), {})
        answer = self._publisher.accept(key, content, 1, lambda _state, _now: prepared)
        if answer.repeated:
            _log.error("copies were refused", arrangement=change.arrangement_id.hex())
        return not answer.repeated

    def _next_copies(self, state: State, change: _Change) -> list[bytes]:
        arrangement, now = change.arrangement_id, self._clock.now_ms()
        until = change.history.migrated_until(self._economy, state.member_since(self._economy))
        records: list[bytes] = []
        for subject in self._names.old_subjects(state, change.arrangement_id, change.epoch):
            if len(records) >= COPIES_AT_ONCE:
                break
            if self._is_copied(state, change, subject) or subject in self._stuck:
                continue
            old = state.subject(arrangement, self._economy, subject)
            renamed = change.names.get(subject, b"")
            new = list(state.subject(arrangement, self._economy, renamed))
            left = copies_of(old, new, change.names, migrated=not change.taken_over).records
            for record in left:
                code = check_transition(record, new, now, until)
                if code is not None:
                    # Looked at once more when the process starts again.
                    _log.error("a record has no copy", arrangement=arrangement.hex(), code=code)
                    self._stuck.add(subject)
                    break
                records.append(format_status(record))
                new.append(_planned(record, state, len(records)))
        return records

    def _is_copied(self, state: State, change: _Change, subject: bytes) -> bool:
        """Whether every record of an old subject has its copy; remembered by the histories."""
        arrangement = change.arrangement_id
        book = state.facts.statuses.get(book_key(arrangement, self._economy), {})
        renamed = change.names.get(subject)
        if renamed is None:
            return False
        packed = book.get(subject), book.get(renamed)
        done = self._done.setdefault((arrangement, change.epoch), {})
        known = done.get(subject)
        if known is not None and known[0] is packed[0] and known[1] is packed[1]:
            return True
        old, whole = state.read_subject(subject, packed[0] or b"")
        new, also = state.read_subject(renamed, packed[1] or b"")
        # The books run ahead of a state: what it does not know yet may have no copy.
        if not (whole and also and copies_of(old, new, change.names, migrated=True).done):
            return False
        done[subject] = packed
        return True

    def _settle(self, state: State, change: _Change) -> None:
        """After a takeover: destroy the old key and its names once nothing waits under it."""
        arrangement, taken_over = change.arrangement_id, change.history.epochs[-1]
        settled = taken_over.time + SETTLED_MS
        if self._clock.now_ms() < settled or self._store.publishing(created_before=settled):
            return
        self._names.retire(state, arrangement, change.epoch, taken_over.height)
        with self._lock:
            self._done.pop((arrangement, change.epoch), None)
        for held, epoch in list(self._keyring.held()):
            if held == arrangement and epoch < change.epoch:
                self._keyring.destroy(arrangement, epoch)
        _log.info("old lookup key destroyed", arrangement=arrangement.hex(), epoch=change.epoch - 1)

    def _alias_left(self, state: State, change: _Change, alias: bytes) -> list[AliasRecord] | None:
        arrangement, renamed = change.arrangement_id, change.names.get(alias, b"")
        old = state.alias(arrangement, self._economy, alias)
        new = state.alias(arrangement, self._economy, renamed)
        return alias_copies(alias, old, new, change.names)

    def _waiting(self, history: ArrangementHistory) -> WaitingEpoch:
        if history.waiting_epoch is None:
            raise StepRefused(EPOCH_WRONG, "no epoch waits for the parties to republish")
        return history.waiting_epoch


def _planned(record: StatusRecord, state: State, number: int) -> StatusEntry:
    """A copy that is about to be published, where the next one is judged."""
    return StatusEntry(state.height + 1, state.header_time + 1, state.log_size, number, record)

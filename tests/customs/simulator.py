"""A ledger in memory: a real, small `StateView`, filled step by step as the state machine would.

Every step takes a recorded time and makes one block. Nothing is checked here but what `check_step`
and `check_transition` refuse, so that tests can also load what the machine would never let in.
"""

from bisect import bisect_right
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from aeo.ledger.v1 import arrangement_pb2 as pb
from aeo.ledger.v1 import status_pb2
from ledger.customs.arrangement import (
    ArrangementEntry,
    ArrangementHistory,
    Step,
    check_step,
    format_arrangement_text,
    parse_arrangement_text,
)
from ledger.customs.identify import epoch_name
from ledger.customs.staged_start import StartFor
from ledger.customs.status import StatusRecord
from ledger.customs.subject import LookupKey
from ledger.customs.transition import check_transition
from ledger.state.view import (
    AliasEntry,
    MemberEntry,
    PairEntry,
    SpeakerEntry,
    StatusEntry,
    SuccessorEntry,
)

NETWORK = sha256(b"network").digest()
HOUR = 3_600_000


@dataclass
class Simulator:
    """Two to many members from genesis on; `at` makes a block and returns its height."""

    genesis_time: int
    pilot: bool = True
    rules_version: int = 1
    default_staleness_limit: int = HOUR
    heartbeat_interval: int = 300_000
    network_id: bytes = NETWORK
    times: list[int] = field(default_factory=list)
    keyring: dict[bytes, LookupKey] = field(default_factory=dict)
    _members: dict[str, MemberEntry] = field(default_factory=dict)
    _speakers: dict[str, list[SpeakerEntry]] = field(default_factory=dict)
    _pairs: dict[tuple[str, ...], list[PairEntry]] = field(default_factory=dict)
    _arrangements: dict[bytes, ArrangementHistory] = field(default_factory=dict)
    _subjects: dict[tuple[bytes, str, bytes], list[StatusEntry]] = field(default_factory=dict)
    _successors: dict[tuple[bytes, str, bytes], list[SuccessorEntry]] = field(default_factory=dict)
    _aliases: dict[tuple[bytes, str, bytes], list[AliasEntry]] = field(default_factory=dict)
    _seen: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.times.append(self.genesis_time)

    # Writing

    def member(self, economy: str, *prefixes: str, time: int | None = None) -> None:
        height, time = (0, self.genesis_time) if time is None else self.at(time)
        self._members[economy] = MemberEntry(economy, height, time, economy, "UTC")
        for prefix in prefixes or (economy,):
            self.speaks(prefix, economy, True, height, time)

    def speaks(self, prefix: str, economy: str, begins: bool, height: int, time: int) -> None:
        history = self._speakers.setdefault(prefix, [])
        history.append(SpeakerEntry(height, time, economy, begins))

    def at(self, time: int, author: str | None = None) -> tuple[int, int]:
        time = max(time, self.times[-1] + 1)
        self.times.append(time)
        if author is not None:
            self._seen.setdefault(author, []).append((self.height, time))
        return self.height, time

    def heartbeat(self, time: int, *authors: str) -> None:
        for author in authors or sorted(self._members):
            self.at(time, author)

    def propose(self, time: int, author: str, text: pb.ArrangementText, name: bytes) -> bytes:
        """Propose `text` under an id made of `name`, with a lookup key of its own."""
        identity = name.ljust(16, b"\0")[:16]
        key = self.keyring[identity] = self.key(identity)
        text.lookup_key_commitment = key.commitment
        parsed = parse_arrangement_text(format_arrangement_text(text))
        step = Step("propose", text=parsed, text_hash=parsed.text_hash)
        refusal = check_step(step, None, author, time, self._members)
        assert refusal is None, refusal
        height, time = self.at(time, author)
        entry = ArrangementEntry(height, time, self.height, author, step)
        self._arrangements[identity] = ArrangementHistory.propose(identity, entry)
        return identity

    def step(
        self, time: int, author: str, kind: str, identity: bytes, effective_from: int = 0
    ) -> str | None:
        history = self._arrangements.get(identity)
        text_hash = b""
        if history and kind == "sign":
            text = history.amendment.text if history.amendment else history.text
            text_hash = text.text_hash
        step = Step(kind, identity, text_hash=text_hash, effective_from=effective_from)
        return self.take(time, author, step)

    def take(self, time: int, author: str, step: Step) -> str | None:
        """Execute a step whole, as the machine does; returns its refusal."""
        identity = step.arrangement_id
        history = self._arrangements.get(identity)
        height, time = self.at(time, author)
        refusal = check_step(step, history, author, time, self._members)
        if refusal is None:
            assert history is not None
            entry = ArrangementEntry(height, time, self.height, author, step)
            newer = self._arrangements[identity] = history.extend(entry)
            if newer.texts != history.texts:
                parties = newer.text.parties
                for number, one in enumerate(parties):
                    for other in parties[number + 1 :]:
                        pairs = self._pairs.setdefault((one, other), [])
                        if all(pair.arrangement_id != identity for pair in pairs):
                            pairs.append(PairEntry(height, time, identity))
            if newer.epochs != history.epochs:
                number = newer.epochs[-1].number
                self.keyring[epoch_name(identity, number - 1)] = self.keyring[identity]
                self.keyring[identity] = self.key(identity, number)
        return refusal

    def amend(
        self,
        time: int,
        author: str,
        identity: bytes,
        text: pb.ArrangementText,
        without: tuple[str, ...] = (),
    ) -> str | None:
        text.lookup_key_commitment = self.key(identity).commitment
        parsed = parse_arrangement_text(format_arrangement_text(text))
        step = Step("amend", identity, parsed, parsed.text_hash, without=without)
        return self.take(time, author, step)

    def start(self, time: int, author: str, identity: bytes, days: dict[str, int]) -> str | None:
        """A notice; `days` by the party in whose zone the day begins then."""
        starts = tuple(StartFor(party, day) for party, day in sorted(days.items()))
        return self.take(time, author, Step("start", identity, starts=starts))

    def open_epoch(
        self, time: int, author: str, identity: bytes, without: tuple[str, ...] = ()
    ) -> str | None:
        history = self._arrangements.get(identity)
        number = history.epochs[-1].number + 1 if history else 2
        commitment = self.key(identity, number).commitment
        step = Step("open_epoch", identity, epoch=number, commitment=commitment, without=without)
        return self.take(time, author, step)

    def republished(self, time: int, author: str, identity: bytes) -> str | None:
        history = self._arrangements.get(identity)
        waiting = history.waiting_epoch if history else None
        number = waiting.number if waiting else 2
        return self.take(time, author, Step("republished", identity, epoch=number))

    def key(self, identity: bytes, epoch: int = 1) -> LookupKey:
        material = identity if epoch == 1 else epoch_name(identity, epoch)
        return LookupKey(sha256(material).digest(), NETWORK, identity, epoch)

    def leave(self, time: int, economy: str) -> None:
        """No member any more."""
        self.at(time)
        del self._members[economy]

    def sign_all(self, time: int, identity: bytes) -> None:
        for party in self._arrangements[identity].text.parties:
            assert self.step(time, party, "sign", identity) is None

    def publish(
        self, time: int, issuer: str, identity: bytes, *records: StatusRecord, force: bool = False
    ) -> list[str | None]:
        """Execute records of one transaction; `force` enters what the table refuses."""
        height, time = self.at(time, issuer)
        until = self._arrangements[identity].migrated_until(issuer, self._members[issuer].time)
        results: list[str | None] = []
        for position, record in enumerate(records):
            key = identity, issuer, record.subject
            entries = self._subjects.setdefault(key, [])
            refusal = check_transition(record, entries, time, until)
            results.append(refusal)
            if refusal is not None and not force:
                continue
            entries.append(StatusEntry(height, time, self.height, position, record))
            before = record.predecessor
            if before and before.kind == status_pb2.PREDECESSOR_KIND_RENUMBERED:
                link = SuccessorEntry(height, self.height, position, record.subject)
                self._successors.setdefault((identity, issuer, before.subject), []).append(link)
        return results

    def publish_alias(
        self,
        time: int,
        issuer: str,
        identity: bytes,
        alias: bytes,
        subject: bytes,
        valid_from: int = 0,
        valid_to: int = 0,
    ) -> None:
        height, time = self.at(time, issuer)
        entry = AliasEntry(height, time, self.height, 0, subject, valid_from, valid_to)
        self._aliases.setdefault((identity, issuer, alias), []).append(entry)

    def with_key(self, identity: bytes, key: LookupKey | None) -> dict[bytes, LookupKey]:
        keyring = {other: kept for other, kept in self.keyring.items() if other != identity}
        return keyring if key is None else {**keyring, identity: key}

    # Reading

    @property
    def height(self) -> int:
        return len(self.times) - 1

    @property
    def header_time(self) -> int:
        return self.times[-1]

    @property
    def header_hash(self) -> bytes:
        return sha256(b"header %d" % self.height).digest()

    def members(self) -> Sequence[MemberEntry]:
        return [self._members[economy] for economy in sorted(self._members)]

    def prefixes(self) -> Container[str]:
        return {prefix for prefix, history in self._speakers.items() if history[-1].begins}

    def speaker_history(self, prefix: str) -> Sequence[SpeakerEntry]:
        return self._speakers.get(prefix, ())

    def pair_history(self, a: str, b: str) -> Sequence[PairEntry]:
        return self._pairs.get((a, b) if a < b else (b, a), ())

    def own_arrangements(self, economy: str) -> Sequence[bytes]:
        return [
            identity
            for identity, history in self._arrangements.items()
            if history.was_party(economy)
        ]

    def arrangement(self, arrangement_id: bytes) -> ArrangementHistory | None:
        return self._arrangements.get(arrangement_id)

    def subject(self, arrangement_id: bytes, issuer: str, subject: bytes) -> Sequence[StatusEntry]:
        return self._subjects.get((arrangement_id, issuer, subject), ())

    def successors(
        self, arrangement_id: bytes, issuer: str, subject: bytes
    ) -> Sequence[SuccessorEntry]:
        return self._successors.get((arrangement_id, issuer, subject), ())

    def alias(self, arrangement_id: bytes, issuer: str, alias: bytes) -> Sequence[AliasEntry]:
        return self._aliases.get((arrangement_id, issuer, alias), ())

    def author_seen(self, economy: str, height: int) -> int | None:
        times = [time for at, time in self._seen.get(economy, ()) if at <= height]
        return times[-1] if times else None

    def time_of(self, height: int) -> int:
        return self.times[height]

    def height_at(self, time: int) -> int:
        return bisect_right(self.times, time) - 1

"""Who is a member, under which key it signs, and for which TIN prefixes it speaks.

Founders are members from height 0 on. For each, the state map has a history of kind 3, whose first
entry is its Registration bytes, and for each prefix one of kind 10, whose first entry is economy ||
0x01; both at log index 0, position 0, authored by the founder (ledger-format, *State map*). Votes
change the rest (`ledger.state.changing`): each change makes a new `Membership` here, with one entry
more in the histories that it concerns.

A member is *active*, *suspended* (a member still, and its prefixes stay its own, but its
transactions do not enter) or *removed*. Nobody is forgotten: keys that were ever in force never
come back, and whoever was removed may be admitted again with new ones.

A member's weight is what it has in the next signing set: as registered, until a vote changes it.
The set that seals now stands elsewhere (`State.signing_sets`).

>>> from ledger.chain.history import history_head
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> founder = Registration(ZERO_HASH, "EU", "Customs", "Europe/Brussels", ("DE", "FR"), 1,
...                        b"k" * 48, b"", b"", b"", "", b"", b"its exact bytes")
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, (founder,), DEFAULT_PARAMETERS, b"",
...                   SigningSet((SigningMember("EU", 1, b"k" * 48),)), b"its exact bytes")
>>> founding = founding_membership(genesis)
>>> founding.speakers["FR"]
(SpeakerEntry(height=0, time=1000, economy='EU', begins=True),)
>>> leaves, begins = dict(founding.leaves()), HistoryEntry(0, 1_000, 0, 0, "EU", b"EU\\x01")
>>> len(leaves), leaves[prefix_key("FR")] == history_head([begins])
(3, True)
>>> gone = founding.remove("EU", HistoryEntry(7, 9_000, 41, 0, "EU", b"the vote"))
>>> sorted(gone.members), sorted(gone.prefixes), gone.all["EU"].standing, len(gone.records("EU"))
([], [], 'removed', 2)
>>> gone.prefix_records("FR")[1].record
b'EU\\x02'
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, TypeAlias

from ledger.chain.genesis import Genesis
from ledger.chain.history import HistoryEntry, history_step
from ledger.chain.keys import member_key, parse_speaker_record, prefix_key, speaker_record
from ledger.chain.registration import Registration
from ledger.hashing import ZERO_HASH
from ledger.state.view import MemberEntry, SpeakerEntry

Standing: TypeAlias = Literal["active", "suspended", "removed"]
ACTIVE: Final[Standing] = "active"
SUSPENDED: Final[Standing] = "suspended"
REMOVED: Final[Standing] = "removed"


class History(NamedTuple):
    """The entries of one key of the state map, and their head (32 bytes)."""

    head: bytes = ZERO_HASH
    entries: tuple[HistoryEntry, ...] = ()

    def add(self, entry: HistoryEntry) -> "History":
        """The history with one more entry."""
        head = history_step(self.head, len(self.entries) + 1, *entry)
        return History(head, (*self.entries, entry))


class Member(NamedTuple):
    """What stands about one economy: its newest registration, in force unless it was removed.

    `height` and `time` (Unix ms) are those from which it is a member without a break.
    """

    registration: Registration
    standing: Standing
    weight: int
    height: int
    time: int
    history: History


@dataclass(frozen=True, slots=True)
class Membership:
    """Everyone who ever was a member, and the history of who speaks for each prefix.

    What follows from `all` and `speaking` ascends: `members` have transactions that enter, by
    economy; `belonging` are those and the suspended; `entries` describe everyone who ever was a
    member; `speakers` and `prefixes` say who spoke for a prefix and which of them have a speaker
    now. `keys` holds every key that ever was in force, as `keys_of` names it.
    """

    all: Mapping[str, Member]
    speaking: Mapping[str, History]
    keys: frozenset[bytes]
    members: Mapping[str, Registration] = field(init=False, repr=False)
    belonging: frozenset[str] = field(init=False, repr=False)
    entries: tuple[MemberEntry, ...] = field(init=False, repr=False)
    speakers: Mapping[str, tuple[SpeakerEntry, ...]] = field(init=False, repr=False)
    prefixes: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ascending = sorted(self.all.items())
        derived: dict[str, object] = {
            "members": {
                economy: each.registration for economy, each in ascending if each.standing == ACTIVE
            },
            "belonging": frozenset(
                economy for economy, each in ascending if each.standing != REMOVED
            ),
            "entries": tuple(
                MemberEntry(
                    economy,
                    each.height,
                    each.time,
                    each.registration.name,
                    each.registration.time_zone,
                )
                for economy, each in ascending
            ),
            "speakers": {
                prefix: tuple(_speaker(entry) for entry in history.entries)
                for prefix, history in sorted(self.speaking.items())
            },
            "prefixes": frozenset(
                prefix
                for prefix, history in self.speaking.items()
                if _speaker(history.entries[-1]).begins
            ),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def speaker(self, prefix: str) -> str:
        """Who speaks for a prefix now; empty when nobody does."""
        entries = self.speakers.get(prefix, ())
        return entries[-1].economy if entries and entries[-1].begins else ""

    def records(self, economy: str) -> tuple[HistoryEntry, ...]:
        """The entries of an economy's history of kind 3."""
        member = self.all.get(economy)
        return () if member is None else member.history.entries

    def prefix_records(self, prefix: str) -> tuple[HistoryEntry, ...]:
        """The entries of a prefix's history of kind 10."""
        history = self.speaking.get(prefix)
        return () if history is None else history.entries

    def leaves(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of every leaf of kinds 3 and 10."""
        for economy, member in self.all.items():
            yield member_key(economy), member.history.head
        for prefix, history in self.speaking.items():
            yield prefix_key(prefix), history.head

    def admit(self, registration: Registration, entry: HistoryEntry) -> "Membership":
        """Make a member active under a registration, whatever it was; its prefixes are these."""
        economy = registration.economy
        before = self.all.get(economy)
        if before is None or before.standing == REMOVED:
            height, time = entry.height, entry.time
        else:
            height, time = before.height, before.time
        history = (History() if before is None else before.history).add(entry)
        member = Member(registration, ACTIVE, registration.weight, height, time, history)
        return Membership(
            {**self.all, economy: member},
            self._speak(economy, registration.prefixes, entry),
            self.keys.union(keys_of(registration)),
        )

    def rotate(self, registration: Registration, entry: HistoryEntry) -> "Membership":
        """Put a member's new registration in force; weight and prefixes stay."""
        member = self.all[registration.economy]
        changed = member._replace(registration=registration, history=member.history.add(entry))
        return replace(
            self,
            all={**self.all, registration.economy: changed},
            keys=self.keys.union(keys_of(registration)),
        )

    def stand(self, economy: str, standing: Standing, entry: HistoryEntry) -> "Membership":
        """Suspend a member, or make it active again under its registration."""
        member = self.all[economy]
        changed = member._replace(standing=standing, history=member.history.add(entry))
        return replace(self, all={**self.all, economy: changed})

    def remove(self, economy: str, entry: HistoryEntry) -> "Membership":
        """Remove a member: it speaks for no prefix any more."""
        removed = self.stand(economy, REMOVED, entry)
        return replace(removed, speaking=self._speak(economy, (), entry))

    def reweigh(self, weights: Iterable[tuple[str, int]]) -> "Membership":
        """Give members new weights. That is no entry of their histories."""
        changed = {
            economy: self.all[economy]._replace(weight=weight) for economy, weight in weights
        }
        return replace(self, all={**self.all, **changed})

    def _speak(
        self, economy: str, prefixes: tuple[str, ...], entry: HistoryEntry
    ) -> dict[str, History]:
        """Let `economy` speak for exactly these prefixes, at the place and of the author given."""
        speaking = dict(self.speaking)
        for prefix in sorted({*self.prefixes, *prefixes}):
            speaks, begins = self.speaker(prefix) == economy, prefix in prefixes
            if speaks != begins:
                record = speaker_record(economy, begins=begins)
                before = speaking.get(prefix, History())
                speaking[prefix] = before.add(entry._replace(position=0, record=record))
        return speaking


def founding_membership(genesis: Genesis) -> Membership:
    """The membership at height 0."""
    time = genesis.created_at
    members: dict[str, Member] = {}
    speaking: dict[str, History] = {}
    for founder in genesis.founders:
        entry = HistoryEntry(0, time, 0, 0, founder.economy, founder.data)
        history = History().add(entry)
        members[founder.economy] = Member(founder, ACTIVE, founder.weight, 0, time, history)
        begins = entry._replace(record=speaker_record(founder.economy, begins=True))
        speaking.update({prefix: History().add(begins) for prefix in founder.prefixes})
    keys = frozenset(key for founder in genesis.founders for key in keys_of(founder))
    return Membership(members, speaking, keys)


def keys_of(registration: Registration) -> tuple[bytes, bytes, bytes, bytes]:
    """What no other registration may bring again: BLS key, its id, Ed25519 key, authority's key.

    Each is told from the others by its first byte.
    """
    return (
        b"B" + registration.bls_public_key,
        b"I" + registration.key_id,
        b"E" + registration.consensus_public_key,
        b"A" + registration.ca_public_key,
    )


def _speaker(entry: HistoryEntry) -> SpeakerEntry:
    economy, begins = parse_speaker_record(entry.record)
    return SpeakerEntry(entry.height, entry.time, economy, begins)

"""Who is a member, under which key it signs, and for which TIN prefixes it speaks.

Founders are members from height 0 on. For each, the state map has a history of kind 3, whose one
entry is its Registration bytes, and for each prefix one of kind 10, whose one entry is economy ||
0x01; both at log index 0, position 0, authored by the founder (ledger-format, *State map*). Changes
of membership need votes, which this version does not have: founders, keys and prefixes stay.

>>> from ledger.chain.history import HistoryEntry, history_head
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> founder = Registration(ZERO_HASH, "EU", "Customs", "Europe/Brussels", ("DE", "FR"), 1,
...                        b"k" * 48, b"", b"", b"", "", b"", b"its exact bytes")
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, (founder,), DEFAULT_PARAMETERS, b"",
...                   SigningSet((SigningMember("EU", 1, b"k" * 48),)), b"its exact bytes")
>>> founding_membership(genesis).speakers["FR"]
(SpeakerEntry(height=0, time=1000, economy='EU', begins=True),)
>>> leaves, begins = dict(founding_leaves(genesis)), HistoryEntry(0, 1_000, 0, 0, "EU", b"EU\x01")
>>> len(leaves), leaves[prefix_key("FR")] == history_head([begins])
(3, True)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.chain.genesis import Genesis
from ledger.chain.history import history_step
from ledger.chain.keys import member_key, prefix_key, speaker_record
from ledger.chain.registration import Registration
from ledger.hashing import ZERO_HASH
from ledger.state.view import MemberEntry, SpeakerEntry


@dataclass(frozen=True, slots=True)
class Membership:
    """All members by economy, ascending, and the history of who speaks for each prefix."""

    members: Mapping[str, Registration]
    entries: tuple[MemberEntry, ...]
    speakers: Mapping[str, tuple[SpeakerEntry, ...]]
    prefixes: frozenset[str]


def founding_membership(genesis: Genesis) -> Membership:
    """The membership at height 0."""
    time = genesis.created_at
    speakers = {
        prefix: (SpeakerEntry(0, time, founder.economy, begins=True),)
        for founder in genesis.founders
        for prefix in founder.prefixes
    }
    return Membership(
        members={founder.economy: founder for founder in genesis.founders},
        entries=tuple(
            MemberEntry(founder.economy, 0, time, founder.name, founder.time_zone)
            for founder in genesis.founders
        ),
        speakers=speakers,
        prefixes=frozenset(speakers),
    )


def founding_leaves(genesis: Genesis) -> Iterator[tuple[bytes, bytes]]:
    """Leaves of kinds 3 and 10 of the map at height 0."""
    for founder in genesis.founders:
        yield member_key(founder.economy), _first(genesis, founder.economy, founder.data)
        begins = speaker_record(founder.economy, begins=True)
        for prefix in founder.prefixes:
            yield prefix_key(prefix), _first(genesis, founder.economy, begins)


def _first(genesis: Genesis, founder: str, record: bytes) -> bytes:
    """The head of a history whose one entry stands at height 0."""
    return history_step(ZERO_HASH, 1, 0, genesis.created_at, 0, 0, founder, record)

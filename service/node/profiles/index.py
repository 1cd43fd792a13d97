"""Who is meant by a name: profiles in memory, found by the rarest words of what is asked.

Every word of a name (`ledger.customs.name_match`: folded, abbreviations written out) leads to the
traders whose names hold it, and so do all its words written together. One word at most may be
misspelt, and none that is short or has digits. So whatever fits a name holds the rarest of its
words; or it holds the next one, and a slip of the rarest. Few are then compared in full.

>>> from ledger.customs.profile import Address, Name
>>> index = ProfileIndex()
>>> names, addresses = (Name("Hangang Trading Co., Ltd."),), (Address("5 Sejong-daero, Seoul"),)
>>> index.add(b"c" * 32, Profile("KR1", names, addresses))
>>> index.find("HANGANG TRADING", ""), index.find("Hangang Tradng Ltd", "5 Sejong-daero")
(['KR1'], ['KR1'])
>>> index.find("Hangang Trading", "6 Sejong-daero, Seoul")
[]
>>> index.match(b"c" * 32, "Hangang Trading Co Ltd", "") == EXACT
True
>>> index.remove(b"c" * 32)
>>> index.find("Hangang Trading", "")
[]
"""

from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from ledger.customs.address_match import match_party
from ledger.customs.name_match import (
    CLOSE,
    EXACT,
    MISSPELT_LETTERS,
    MISSPELT_SIMILARITY,
    essential,
    fold_name,
    has_digit,
)
from ledger.customs.profile import Address, Name, Profile

COMPARED: Final = 500
"""Candidates that are compared in full, at 30 us each, sooner than looking for slips of a word."""
FOUND_LIMIT: Final = 100
"""Traders that one search may find: more than one is ambiguous already."""


class _Entry:
    """One profile, and the commitments that it opens."""

    __slots__ = ("addresses", "commitments", "names", "tin")

    def __init__(self, profile: Profile) -> None:
        self.tin = profile.tin
        self.names = tuple([name.text for name in profile.names])
        self.addresses = tuple([address.text for address in profile.addresses])
        self.commitments: set[bytes] = set()

    def match(self, name: str, address: str) -> int:
        shown = Profile(
            self.tin,
            tuple([Name(text) for text in self.names]),
            tuple([Address(text) for text in self.addresses]),
        )
        return match_party(name, address, shown)


class ProfileIndex:
    """Profiles by commitment and by the words of their names. Any thread may call."""

    def __init__(self) -> None:
        self._of: dict[bytes, _Entry] = {}
        self._by_tin: dict[str, list[_Entry]] = {}
        self._by_word: dict[str, set[_Entry]] = {}
        self._together: dict[str, set[_Entry]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """How many traders."""
        return len(self._by_tin)

    def add(self, commitment: bytes, profile: Profile) -> None:
        """Let a commitment lead to a profile."""
        made = _Entry(profile)
        with self._lock:
            if commitment in self._of:
                return
            entries = self._by_tin.setdefault(profile.tin, [])
            for entry in entries:
                if (entry.names, entry.addresses) == (made.names, made.addresses):
                    break
            else:
                entry = made
                entries.append(entry)
                for held, word in self._places(entry):
                    held.setdefault(word, set()).add(entry)
            entry.commitments.add(commitment)
            self._of[commitment] = entry

    def remove(self, commitment: bytes) -> None:
        """Let a commitment lead nowhere; a profile that none leads to is forgotten."""
        with self._lock:
            entry = self._of.pop(commitment, None)
            if entry is None:
                return
            entry.commitments.discard(commitment)
            if entry.commitments:
                return
            entries = self._by_tin[entry.tin]
            entries.remove(entry)
            if not entries:
                del self._by_tin[entry.tin]
            for held, word in self._places(entry):
                held[word].discard(entry)
                if not held[word]:
                    del held[word]

    def match(self, commitment: bytes, name: str, address: str) -> int | None:
        """How a name and address fit the profile of a commitment; None where there is none."""
        entry = self._of.get(commitment)
        return None if entry is None else entry.match(name, address)

    def find(self, name: str, address: str) -> list[str]:
        """The traders whom a name and address fit, ascending; those it fits exactly, if any."""
        exact, close = set(), set()
        for entry in self._candidates(name):
            match = entry.match(name, address)
            if match == EXACT:
                exact.add(entry.tin)
            elif match == CLOSE:
                close.add(entry.tin)
        return sorted(exact or close)[:FOUND_LIMIT]

    def _candidates(self, name: str) -> Iterable[_Entry]:
        words = essential(fold_name(name).words)
        if not words:
            return ()
        with self._lock:
            held = self._by_word
            rarest = sorted(set(words), key=lambda word: (len(held.get(word, ())), word))
            together = self._together.get("".join(words), set())
            exact = [word for word in rarest if len(word) < MISSPELT_LETTERS or has_digit(word)]
            if exact:
                return held.get(exact[0], set()) | together
            first, found = rarest[0], held.get(rarest[0], set()) | together
            if len(rarest) == 1:
                return found.union(*map(held.__getitem__, self._alike(first)))
            beside = held.get(rarest[1], set())
            if len(beside) > COMPARED:
                beside = beside.intersection(
                    set().union(*map(held.__getitem__, self._alike(first)))
                )
            return found | beside

    def _alike(self, word: str) -> list[str]:
        """The words known here that may be slips of a word."""
        found = process.extract(
            word,
            list(self._by_word),
            scorer=OSA.normalized_similarity,
            score_cutoff=MISSPELT_SIMILARITY,
            limit=None,
        )
        return [alike for alike, _, _ in found]

    def _places(self, entry: _Entry) -> Iterator[tuple[dict[str, set[_Entry]], str]]:
        """Each word that leads to an entry, with where it stands."""
        folded = [essential(fold_name(name).words) for name in entry.names]
        for word in {word for words in folded for word in words}:
            yield self._by_word, word
        for word in {"".join(words) for words in folded if words}:
            yield self._together, word

"""Who is meant by a name: profiles in memory, found by the rarest word of what is asked.

Every word of a name (`ledger.customs.name_match`: folded, abbreviations written out) leads to the
traders whose names hold it. Whatever fits a name that is asked about holds its rarest word, or one
that may be a slip of it, or is written together as it is: so few are compared in full.

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

from collections.abc import Iterable
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
)
from ledger.customs.profile import Address, Name, Profile

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
                for word in _words_of(entry.names):
                    self._by_word.setdefault(word, set()).add(entry)
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
            for word in _words_of(entry.names):
                held = self._by_word[word]
                held.discard(entry)
                if not held:
                    del self._by_word[word]

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
            by_word = self._by_word
            rarest = min(words, key=lambda word: (len(by_word.get(word, ())), word))
            found = set(by_word.get(rarest, ())) | by_word.get("".join(words), set())
            if len(rarest) >= MISSPELT_LETTERS:
                alike = process.extract(
                    rarest,
                    list(by_word),
                    scorer=OSA.normalized_similarity,
                    score_cutoff=MISSPELT_SIMILARITY,
                    limit=None,
                )
                for word, _, _ in alike:
                    found |= by_word[word]
        return found


def _words_of(names: Iterable[str]) -> set[str]:
    """What leads to a name: its words, and all of them written together."""
    words: set[str] = set()
    for name in names:
        held = essential(fold_name(name).words)
        words.update(held)
        words.add("".join(held))
    words.discard("")
    return words

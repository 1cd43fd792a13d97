"""Which identifier becomes which under the next lookup key, and which are of the key before.

The ledger has keyed forms only, so a member says for each certificate its TIN and number, once, and
both keyed forms are kept. All identifiers of one arrangement stand side by side in the state, under
whatever key: those of the key in force are those that are no new name, and of no destroyed key.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from ledger.customs.subject import LookupKey
from ledger.customs.tin import parse_tin
from ledger.errors import FormatError, TinError
from ledger.state.state import State, book_key
from service.node.keys.keyring import Keyring, epoch_in_force
from service.store.home.epochs import EpochStore

_NONE: Final[frozenset[bytes]] = frozenset()


class EpochNames:
    """The names of one member's epochs. Any thread may call."""

    def __init__(self, economy: str, store: EpochStore, keyring: Keyring) -> None:
        self._economy = economy
        self._store = store
        self._keyring = keyring
        self._lock = threading.Lock()
        # Read when first needed: the store opens after this is made.
        self._known: dict[tuple[bytes, int], dict[bytes, bytes]] | None = None
        self._retired: dict[bytes, set[bytes]] = {}

    def of(self, arrangement: bytes, epoch: int) -> Mapping[bytes, bytes]:
        """Old identifier to new, as known now; the value may grow."""
        with self._lock:
            return self._of(arrangement, epoch)

    def add(
        self,
        state: State,
        arrangement: bytes,
        epoch: int,
        certificates: Iterable[tuple[str, str]],
        aliases: Iterable[tuple[str, str]],
        *,
        readable_only: bool = False,
    ) -> None:
        """Take (TIN, number) and (scheme, value); durable on return. `FormatError` names the first
        that is neither, unless only the readable ones are wanted."""
        in_force = epoch_in_force(state, arrangement)
        old, new = self._keyring.key(arrangement, in_force), self._keyring.key(arrangement, epoch)
        if old is None or new is None or in_force >= epoch:
            return
        added: dict[bytes, bytes] = {}
        for number, certificate in enumerate(certificates):
            try:
                added |= _name_certificate(certificate, old, new, state)
            except (TinError, FormatError) as error:
                if not readable_only:
                    raise FormatError(f"certificates[{number}]: {error}") from None
        for number, alias in enumerate(aliases):
            try:
                added[old.alias(*alias)] = new.alias(*alias)
            except FormatError as error:
                if not readable_only:
                    raise FormatError(f"aliases[{number}]: {error}") from None
        with self._lock:
            known = self._of(arrangement, epoch)
            fresh = {each: name for each, name in added.items() if each not in known}
            self._store.put_names(arrangement, epoch, fresh.items())
            # A new one: readers go on with theirs.
            assert self._known is not None, "read just now"
            self._known[arrangement, epoch] = {**known, **fresh}

    def old_subjects(self, state: State, arrangement: bytes, epoch: int) -> list[bytes]:
        """This member's subjects under the key before that of `epoch`.

        Once `epoch` is in force, new traders come under it, and only what is named is known to be
        old.
        """
        book = state.facts.statuses.get(book_key(arrangement, self._economy), {})
        return self._old(list(book), state, arrangement, epoch)

    def old_aliases(self, state: State, arrangement: bytes, epoch: int) -> list[bytes]:
        """The same of aliases."""
        book = state.facts.aliases.get(book_key(arrangement, self._economy), {})
        return self._old(list(book), state, arrangement, epoch)

    def retire(self, state: State, arrangement: bytes, epoch: int, height: int) -> None:
        """Erase the names of an epoch that took over at `height`, and note what was old."""
        own, facts = book_key(arrangement, self._economy), state.facts
        with self._lock:
            names = self._of(arrangement, epoch)
            new = set(names.values())
            gone = self._retired.get(arrangement, _NONE)
            old = [
                each
                for book, read in (
                    (facts.statuses, state.subject_records),
                    (facts.aliases, state.alias_records),
                )
                for each in list(book.get(own, {}))
                if each not in new
                and each not in gone
                and (each in names or _first(state, read(arrangement, self._economy, each), height))
            ]
            self._store.retire(arrangement, epoch, old)
            self._retired.setdefault(arrangement, set()).update(old)
            assert self._known is not None, "read just now"
            self._known.pop((arrangement, epoch), None)

    def _of(self, arrangement: bytes, epoch: int) -> dict[bytes, bytes]:
        if self._known is None:
            self._known = self._store.names()
            self._retired = self._store.retired()
        return self._known.setdefault((arrangement, epoch), {})

    def _old(self, found: list[bytes], state: State, arrangement: bytes, epoch: int) -> list[bytes]:
        with self._lock:
            names = self._of(arrangement, epoch)
            if epoch_in_force(state, arrangement) >= epoch:
                return [each for each in found if each in names]
            new, retired = set(names.values()), self._retired.get(arrangement, _NONE)
            return [each for each in found if each not in new and each not in retired]


def _first(state: State, records: "Iterable[tuple[int, int, bytes]]", height: int) -> bool:
    """Whether the first of these records was on the ledger at `height`."""
    return any(state.place_of(log_index)[0] <= height for log_index, _, _ in records)


def _name_certificate(
    certificate: tuple[str, str], old: LookupKey, new: LookupKey, state: State
) -> dict[bytes, bytes]:
    tin, number = certificate
    canonical = parse_tin(tin, state.prefixes()).canonical
    names = {old.subject(canonical): new.subject(canonical)}
    if number:
        names[old.certificate(number)] = new.certificate(number)
    return names

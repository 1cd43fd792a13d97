"""The profiles of one member: its own traders', and those that partners' records commit to.

    put       a profile in force; what is published of the trader from now on commits to it
    view      how what a question declares fits the profiles kept here (`ledger.customs.profiles`)
    open_for, erase_for    what partners' nodes ask for (`service.node.profiles.exchange`)
    erase     at home at once; the partners are told until they acknowledge it

Erasing takes away who it was, never the status: the records stay, and their commitments lead to
nothing.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from secrets import token_hex
from typing import Final, NamedTuple

from ledger.customs.address_match import match_party
from ledger.customs.name_match import fold_name
from ledger.customs.profile import Profile, format_profile, parse_profile
from ledger.customs.tin import parse_tin
from ledger.customs.verdict import Query
from ledger.errors import FormatError, TinError
from ledger.state.state import State
from service.clock import Clock
from service.errors import Refused
from service.node.profiles.index import ProfileIndex
from service.node.profiles.joined import join_register
from service.store.home.erasures import Erasure
from service.store.home.profiles import Opened, ProfileStore

PROFILE_CODES: Final = {
    "PROFILE_MALFORMED": "not a profile",
    "TIN_NOT_OURS": "another member, or none, speaks for the number's prefix",
}
ERASURE_ID_BYTES: Final = 8


class ProfileFault(NamedTuple):
    """Why a profile was not taken: its place in the call, a code of `PROFILE_CODES`, words."""

    place: int
    code: str
    message: str


class NoProfile(Refused):
    """There is nothing to erase."""

    def __init__(self) -> None:
        super().__init__("no profile of that trader is kept, or was shared, here")


class ProfileDesk:
    """Profiles for one hosted member. Any thread may call."""

    def __init__(
        self,
        economy: str,
        store: ProfileStore,
        current: Callable[[], State],
        clock: Clock,
    ) -> None:
        self._economy = economy
        self._store = store
        self._current = current
        self._clock = clock
        self._index = ProfileIndex()
        self._loading = threading.Lock()
        self._putting = threading.Lock()
        self._loaded = False
        self._when_erased: list[Callable[[], None]] = []

    # One's own.

    def put(
        self, profiles: Sequence[Profile], *, from_register: bool = False
    ) -> list[ProfileFault]:
        """Put profiles in force, all that have the form; faults of the others.

        `from_register`: beside what is in force (`service.node.profiles.joined`).
        """
        with self._putting:
            if from_register:
                profiles = [self._beside(each) for each in profiles]
            return self._put(profiles)

    def _beside(self, said: Profile) -> Profile:
        """A register's row beside the profile in force."""
        own = self._store.own(said.tin)
        return said if own is None else join_register(parse_profile(own), said)

    def _put(self, profiles: Sequence[Profile]) -> list[ProfileFault]:
        faults: list[ProfileFault] = []
        good: list[tuple[str, bytes]] = []
        shown: list[Profile] = []
        for index, profile in enumerate(profiles):
            try:
                data = format_profile(profile)
            except FormatError as error:
                faults.append(ProfileFault(index, "PROFILE_MALFORMED", str(error)))
                continue
            if not self._speaks_for(profile.tin[:2]):
                text = PROFILE_CODES["TIN_NOT_OURS"]
                faults.append(ProfileFault(index, "TIN_NOT_OURS", text))
                continue
            good.append((profile.tin, data))
            shown.append(profile)
        if good:
            self._store.put(good)
            if self._loaded:
                for profile in shown:
                    self._index.remove(_own_place(profile.tin))
                    self._index.add(_own_place(profile.tin), profile)
        return faults

    def get(self, tin: str) -> tuple[Profile | None, list[bytes]]:
        """The profile of a trader, and of a partner's trader the commitments that it opens.

        Of several that a partner has shown, the one that came last. Raises `TinError`.
        """
        canonical = self.canonical(tin)
        own = self._store.own(canonical)
        if own is not None:
            return parse_profile(own), []
        kept = self._store.partners_of(canonical)
        if not kept:
            return None, []
        newest = kept[-1][1]
        return parse_profile(newest), [commitment for commitment, data in kept if data == newest]

    def canonical(self, tin: str) -> str:
        """A TIN in its one form. Raises `TinError`."""
        return parse_tin(tin, self._current().prefixes()).canonical

    # What the rules ask.

    def view(self, query: Query) -> "ProfileView":
        """How what a question declares fits. Who is named as identifier is declared so."""
        name, address = query.declared_name, query.declared_address
        if query.party is not None and not name and not address:
            name, address = query.party
        return ProfileView(self, name, address)

    def match(self, commitment: bytes, name: str, address: str) -> int | None:
        """How a name and address fit the profile of a commitment; None where none is kept."""
        found = self._index.match(commitment, name, address)
        if found is not None:
            return found
        data = None if self._loaded else self._store.partner(commitment)
        data = data or self._store.own_by_commitment(commitment)
        return None if data is None else match_party(name, address, parse_profile(data))

    def find(self, name: str, address: str) -> Sequence[str]:
        """The traders whom a name and address lead to."""
        self.load()
        return self._index.find(name, address)

    def load(self) -> None:
        """Read every profile into memory, once; the first search waits for it."""
        with self._loading:
            if self._loaded:
                return
            for commitment, data in self._store.partner_profiles():
                self._index.add(commitment, parse_profile(data))
            for tin, data in self._store.own_profiles():
                self._index.remove(_own_place(tin))
                self._index.add(_own_place(tin), parse_profile(data))
            self._loaded = True

    def keep(self, commitment: bytes, profile: Profile) -> None:
        """A partner's profile came, and is stored."""
        with self._loading:
            if self._loaded:
                self._index.add(commitment, profile)

    # What partners' nodes ask for.

    def open_for(self, arrangement_id: bytes, commitments: Sequence[bytes]) -> list[Opened]:
        """What opens those of the commitments that were made under an arrangement."""
        return self._store.opened(arrangement_id, commitments)

    def erase_for(
        self, arrangement_id: bytes, issuer: str, commitments: Sequence[bytes]
    ) -> tuple[Sequence[bytes], int]:
        """Erase what an issuer's notice names; what is gone, whether it was here or not, and when.

        Another's profile, or one of another arrangement, stays and is not in the answer.
        """
        now = self._clock.now_ms()
        held, gone = self._store.erase_partners(arrangement_id, issuer, commitments, now)
        self._forget(held)
        return gone, now

    # Erasing.

    def erase(self, tin: str, arrangement_ids: Collection[bytes] = ()) -> str:
        """Erase a trader's profile, at home and at every partner; the erasure's id.

        With `arrangement_ids` only what was shared under those; the profile stays in force for the
        others. Raises `NoProfile` or `TinError`.
        """
        canonical = self.canonical(tin)
        state = self._current()
        concerned = tuple(arrangement_ids) or tuple(state.own_arrangements(self._economy))
        partners = {each: self._partners(state, each) for each in concerned}
        erasure_id = token_hex(ERASURE_ID_BYTES)
        now = self._clock.now_ms()
        if not self._store.erase_own(erasure_id, canonical, arrangement_ids, partners, now):
            raise NoProfile
        self._forget(() if arrangement_ids else [_own_place(canonical)])
        return erasure_id

    def erase_shared(self, tin: str, arrangement_ids: Collection[bytes]) -> None:
        """Erase what was shared of a trader under arrangements, if it has a profile at all."""
        with suppress(NoProfile):
            self.erase(tin, arrangement_ids)

    def erasures(self) -> list[Erasure]:
        """Every erasure, newest first, with each partner's acknowledgement."""
        return self._store.erasures()

    def when_erased(self, then: Callable[[], None]) -> None:
        """Call `then` after each erasure: whatever else remembers TINs forgets them."""
        self._when_erased.append(then)

    def _forget(self, commitments: Iterable[bytes]) -> None:
        for commitment in commitments:
            self._index.remove(commitment)
        fold_name.cache_clear()
        for then in self._when_erased:
            then()

    def _partners(self, state: State, arrangement_id: bytes) -> list[str]:
        """Whoever may have fetched: parties of any text, those that left included."""
        history = state.arrangement(arrangement_id)
        texts = history.texts if history is not None else ()
        parties = {party for signed in texts for party in signed.text.parties}
        return sorted((parties & state.membership.belonging) - {self._economy})

    def _speaks_for(self, prefix: str) -> bool:
        history = self._current().speaker_history(prefix)
        return bool(history) and history[-1].begins and history[-1].economy == self._economy


class ProfileView:
    """The profiles of one member, asked about by one question (`ledger.customs.profiles`)."""

    __slots__ = ("_address", "_desk", "_name")

    def __init__(self, desk: ProfileDesk, name: str, address: str) -> None:
        self._desk = desk
        self._name = name
        self._address = address

    def get(self, commitment: bytes, /) -> int | None:
        """How what is declared fits."""
        return self._desk.match(commitment, self._name, self._address)

    def find(self, name: str, address: str, /) -> Sequence[str]:
        """The traders whom a name and address lead to."""
        return self._desk.find(name, address)


def _own_place(tin: str) -> bytes:
    """Where a profile of one's own stands in the index: no commitment has that form."""
    return tin.encode()


__all__ = ["PROFILE_CODES", "NoProfile", "ProfileDesk", "ProfileFault", "ProfileView", "TinError"]

"""The BLS keys of a hosted member: the one in force, older ones that still seal, one to come.

A key that was rotated out signs no transaction any more, but it seals until the hand-over that
brings the new one; a key that was just made waits to be registered. So a member holds several, and
whoever signs asks for the one that the ledger names.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.bls.scheme import BlsBackend
from ledger.bls.scheme import key_id as key_id_of
from ledger.state.state import State
from service.keys.key_folder import KeyFolder


@dataclass(frozen=True, slots=True)
class MemberKey:
    """One BLS key of one economy. The secret never shows in a log."""

    economy: str
    secret: int = field(repr=False)
    public_key: bytes
    key_id: bytes

    @classmethod
    def of(cls, economy: str, secret: int, backend: BlsBackend) -> "MemberKey":
        """The key of `economy` with its public half."""
        public_key = backend.public_key(secret)
        return cls(economy, secret, public_key, key_id_of(public_key))


class HeldKeys:
    """Every BLS key of one economy that lies here. Any thread may call.

    `folder` is where they are kept, and where further ones go; None: in memory alone, as they were
    given.
    """

    def __init__(
        self,
        economy: str,
        secrets: Iterable[int],
        backend: BlsBackend,
        folder: KeyFolder | None = None,
    ) -> None:
        self.economy = economy
        self.folder = folder
        self._backend = backend
        # Replaced as a whole: readers see it before or after.
        self._keys = tuple(MemberKey.of(economy, secret, backend) for secret in secrets)

    @classmethod
    def given(cls, economy: str, given: "int | KeyFolder", backend: BlsBackend) -> "HeldKeys":
        """From what the settings of a node have: a secret, or a folder of them."""
        if isinstance(given, KeyFolder):
            return cls(economy, given.secrets, backend, given)
        return cls(economy, (given,), backend)

    @property
    def all(self) -> tuple[MemberKey, ...]:
        """All of them, the oldest first."""
        return self._keys

    def of_public_key(self, public_key: bytes) -> MemberKey | None:
        """The key with this public half, if it lies here."""
        return next((key for key in self._keys if key.public_key == public_key), None)

    def in_force(self, state: State) -> MemberKey | None:
        """The key that signs transactions now; None for a member that may not, or a missing key."""
        member = state.membership.members.get(self.economy)
        return None if member is None else self.of_public_key(member.bls_public_key)

    def add(self, secret: int) -> MemberKey:
        """Take up a key that the folder has by now."""
        key = MemberKey.of(self.economy, secret, self._backend)
        self._keys = (*self._keys, key)
        return key

    def destroy(self, key: MemberKey) -> None:
        """Forget a key, here and in the folder. KeyFileError where its file cannot be removed."""
        self._keys = tuple(each for each in self._keys if each != key)
        if self.folder is not None:
            self.folder.destroy(key.secret)


def known_public_key(state: State, key_id: bytes) -> bytes | None:
    """The BLS key that an id names, if it ever was in force in this network."""
    # No id and no key enters a network twice.
    for known in state.membership.keys:
        if known[:1] == b"B" and key_id_of(known[1:]) == key_id:
            return known[1:]
    return None


def is_registered(state: State, public_key: bytes) -> bool:
    """Whether a BLS key is or ever was in force in this network."""
    return b"B" + public_key in state.membership.keys

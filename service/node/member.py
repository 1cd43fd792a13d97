"""A member that this process hosts: its keys, its own store, and what works for it."""

from dataclasses import dataclass, field

from ledger.bls.scheme import BlsBackend, key_id
from service.node.keyring import Keyring
from service.node.publisher import Publisher
from service.store.home_store import HomeStore


@dataclass(frozen=True, slots=True)
class MemberKey:
    """The BLS secret key of one economy. The secret never shows in a log."""

    economy: str
    secret: int = field(repr=False)
    public_key: bytes
    key_id: bytes

    @classmethod
    def of(cls, economy: str, secret: int, backend: BlsBackend) -> "MemberKey":
        """The key of `economy` with its public half."""
        public_key = backend.public_key(secret)
        return cls(economy, secret, public_key, key_id(public_key))


@dataclass(frozen=True, slots=True)
class HostedMember:
    """One member of the network whose keys lie here."""

    key: MemberKey
    home: HomeStore
    keyring: Keyring
    publisher: Publisher

    @property
    def economy(self) -> str:
        """Two letters."""
        return self.key.economy

"""The signing key of a hosted member."""

from dataclasses import dataclass, field

from ledger.bls.scheme import BlsBackend, key_id


@dataclass(frozen=True, slots=True)
class MemberKey:
    """The BLS key of one economy. The secret never shows in a log."""

    economy: str
    secret: int = field(repr=False)
    public_key: bytes
    key_id: bytes

    @classmethod
    def of(cls, economy: str, secret: int, backend: BlsBackend) -> "MemberKey":
        """The key of `economy` with its public half."""
        public_key = backend.public_key(secret)
        return cls(economy, secret, public_key, key_id(public_key))

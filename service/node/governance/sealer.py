"""Seals headers with the keys of all members that this process hosts.

A member seals with the key that the signing set names, which after a rotation is the older one
until the hand-over.

Before a member's key signs, the guard file has on the disk what it will sign: one hash for a
height, and never a lower time. So no crash, no restored backup and no second process makes two
seals of one member that contradict each other.
"""

from collections.abc import Callable, Mapping

from ledger.bls.scheme import BlsBackend
from ledger.chain.seal import aggregate_seal, level_of, sign_share
from ledger.state.state import State
from service.engine.protocol import Sealed
from service.node.governance.member_key import HeldKeys
from service.store.guard import SealGuard


class HostedSealer:
    """A `service.engine.protocol.Sealer` with the keys held of `members`, by economy."""

    def __init__(
        self,
        members: Mapping[str, HeldKeys],
        guard: SealGuard,
        backend: BlsBackend,
    ) -> None:
        self._members = members
        self._guard = guard
        self._backend = backend

    def seal(self, state: State, attested_time: int) -> Sealed | None:
        """Make a seal of the newest header, not before `attested_time` (Unix ms).

        Returns None when the keys held are too few for one. Raises `GuardRefused`.
        """
        signing_set = state.signing_sets.current
        signers = [
            (key, member.weight)
            for member in signing_set.members
            if member.economy in self._members
            and (key := self._members[member.economy].of_public_key(member.key)) is not None
        ]
        weight = sum(weight for _, weight in signers)
        level = level_of(weight, signing_set.total)
        if level is None:
            return None
        key_ids = [member.key_id for member, _ in signers]
        # A clock that went back a little must not make a member contradict what it has attested.
        attested_time = max(attested_time, *map(self._attested_by(state), key_ids))
        self._guard.may_sign_all(
            state.network_id, key_ids, state.height, state.header_hash, attested_time
        )
        shares = {
            member.economy: sign_share(
                member.secret, self._backend, state.network_id, state.header_hash, attested_time
            )
            for member, _ in signers
        }
        data = aggregate_seal(signing_set, state.header_hash, attested_time, shares, self._backend)
        return Sealed(data, attested_time, weight, level)

    def _attested_by(self, state: State) -> "Callable[[bytes], int]":
        def latest(key_id: bytes) -> int:
            mark = self._guard.last(state.network_id, key_id)
            return mark.attested_time if mark else 0

        return latest

"""CometBFT's validators and our signing set: the same members, under their two kinds of keys.

A member seals with a BLS key and votes with an Ed25519 key. Both stand in one registration, so the
BLS keys of a signing set name the Ed25519 keys of its validators, the weights being their powers.
CometBFT calls a validator by its address, the first 20 bytes of SHA-256 of its Ed25519 key.

A set changes for CometBFT in the block that logs a hand-over, and is in force two heights later. In
between the old set votes on headers that the new one seals; whoever is in both sends its share.

>>> powers_before, powers_after = {b"a" * 32: 1, b"b" * 32: 1}, {b"b" * 32: 3, b"c" * 32: 1}
>>> [(update.pub_key.ed25519[:1], update.power)
...  for update in updates_between(powers_before, powers_after)]
[(b'a', 0), (b'b', 3), (b'c', 1)]
"""

from collections.abc import Iterator, Mapping

from aeo.abci.v1 import abci_pb2 as abci
from ledger.chain.governance import Admission, Rotation, parse_governance_step
from ledger.chain.registration import Registration, parse_registration
from ledger.chain.signing_set import SigningSet
from ledger.errors import FormatError
from ledger.state.membership import Membership
from ledger.state.proposals import ACCEPTED
from ledger.state.state import State
from service.engine.cometbft.home import address_of


class Validators:
    """Who is who, read from a state when its members change."""

    def __init__(self) -> None:
        self._membership: Membership | None = None
        self._consensus_keys: dict[bytes, bytes] = {}
        self._economies: dict[bytes, str] = {}

    def economy_of(self, state: State, address: bytes) -> str | None:
        """The member whose validator has, or had, this address."""
        self._read(state)
        return self._economies.get(address)

    def powers(self, state: State, signing_set: SigningSet) -> dict[bytes, int]:
        """The validators of a set of this network: power by Ed25519 key."""
        self._read(state)
        return {self._consensus_keys[each.key]: each.weight for each in signing_set.members}

    def _read(self, state: State) -> None:
        if state.membership is self._membership:
            return
        for registration in _registrations(state):
            self._consensus_keys[registration.bls_public_key] = registration.consensus_public_key
            self._economies[address_of(registration.consensus_public_key)] = registration.economy
        self._membership = state.membership


def updates_between(
    before: Mapping[bytes, int], after: Mapping[bytes, int]
) -> list[abci.ValidatorUpdate]:
    """What CometBFT must be told, ascending by key: each once, and power 0 only for a known key."""
    return [
        abci.ValidatorUpdate(pub_key=abci.PublicKey(ed25519=key), power=after.get(key, 0))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _registrations(state: State) -> Iterator[Registration]:
    """Every registration that was ever in force; no key is in two of different members."""
    yield from state.genesis.founders
    for economy in state.membership.all:
        for entry in state.member_records(economy):
            try:
                step = parse_governance_step(entry.record)
            except FormatError:
                continue  # a founder's registration
            if isinstance(step, Rotation):
                yield parse_registration(step.registration)
    for proposal in state.proposals.values():
        change = proposal.proposal.change
        if proposal.result == ACCEPTED and isinstance(change, Admission):
            yield parse_registration(change.registration)

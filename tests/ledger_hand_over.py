"""A chain that hands over several times, made by hand: its sets, headers, maps and set changes.

No transaction stands behind it: it is what a checker sees who has only headers, seals and proofs.
Every member's keys follow from its economy's code and the number of the key.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from ledger.bls.keygen import keygen
from ledger.chain.header import Header, format_header, header_hash
from ledger.chain.keys import SIGNING_SETS_KEY, object_value
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.chain.set_change import SetChange
from ledger.chain.signing_set import (
    SigningMember,
    SigningSet,
    SigningSets,
    format_signing_sets,
)
from ledger.tree.map import StateMap
from ledger_world import BACKEND, bls_secret, material


@cache
def secret(economy: str, number: int = 0) -> int:
    """A member's key; number 0 is the one that `ledger_world` founds with."""
    return bls_secret(economy) if not number else keygen(material("bls", economy, str(number)))


def signing_set(*members: str | tuple[str, int]) -> SigningSet:
    """Members of weight 1, by economy or by (economy, number of its key)."""
    return SigningSet(
        tuple(
            SigningMember(economy, 1, BACKEND.public_key(secret(economy, number)))
            for economy, number in sorted(_pairs(members))
        )
    )


def seal(
    header: Header, members: SigningSet, *signers: str | tuple[str, int], time: int = 0
) -> bytes:
    """A seal of a header by some of a set."""
    hashed, at = header_hash(format_header(header)), time or header.time
    shares = {
        economy: sign_share(secret(economy, number), BACKEND, header.network_id, hashed, at)
        for economy, number in _pairs(signers)
    }
    return aggregate_seal(members, hashed, at, shares, BACKEND)


def hand_over(
    header: Header,
    sets: SigningSets,
    *signers: str | tuple[str, int],
    time: int = 0,
) -> tuple[Header, SetChange]:
    """The header with a map that holds `sets`, and the change that its seal by `signers` makes."""
    data = format_signing_sets(sets)
    other = {material("leaf", str(header.height), str(n)): material(str(n)) for n in range(8)}
    held = StateMap.build({SIGNING_SETS_KEY: object_value(data)} | other)
    header = replace(header, map_root=held.root, signing_set_hash=sets.current.hash)
    sealed = seal(header, sets.current, *signers, time=time)
    return header, SetChange(format_header(header), sealed, data, held.prove(SIGNING_SETS_KEY))


def _pairs(members: Sequence[str | tuple[str, int]]) -> list[tuple[str, int]]:
    return [(each, 0) if isinstance(each, str) else each for each in members]

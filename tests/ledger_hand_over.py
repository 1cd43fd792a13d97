"""A chain that hands over several times, made by hand: its sets, headers, maps and set changes.

No transaction stands behind it: it is what a checker sees who has only headers, seals and proofs.
Every member's keys follow from its economy's code and the number of the key, as in `ledger_world`.
`set_changes` takes the set changes out of a world that has handed over by its own transactions.
"""

from collections.abc import Sequence
from dataclasses import replace

from ledger.chain.header import Header, format_header, header_hash, parse_header
from ledger.chain.keys import SIGNING_SETS_KEY, object_value
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.chain.set_change import SetChange
from ledger.chain.signing_set import (
    SigningMember,
    SigningSet,
    SigningSets,
    format_signing_sets,
    split_set_change,
)
from ledger.tree.map import StateMap
from ledger_world import BACKEND, World, bls_secret, material


def signing_set(*members: str | tuple[str, int]) -> SigningSet:
    """Members of weight 1, by economy or by (economy, number of its key)."""
    return SigningSet(
        tuple(
            SigningMember(economy, 1, BACKEND.public_key(bls_secret(economy, number)))
            for economy, number in sorted(_pairs(members))
        )
    )


def seal(
    header: Header, members: SigningSet, *signers: str | tuple[str, int], time: int = 0
) -> bytes:
    """A seal of a header by some of a set."""
    hashed, at = header_hash(format_header(header)), time or header.time
    shares = {
        economy: sign_share(bls_secret(economy, number), BACKEND, header.network_id, hashed, at)
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


def set_changes(world: World) -> list[SetChange]:
    """How trust passed on in a world that has handed over, from the founders' set on."""
    found = []
    for height in range(1, len(world.headers)):
        before, after = (parse_header(world.headers[at]) for at in (height - 1, height))
        if before.signing_set_hash != after.signing_set_hash:
            at = max(each for each in world.signing_sets if each < height)
            sets, proof = split_set_change(world.signing_sets[at])
            found.append(SetChange(world.headers[at], world.seals[at], sets, proof))
    return found

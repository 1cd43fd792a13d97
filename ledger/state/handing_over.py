"""The hand-over: the pending signing set becomes current.

Any member may log it, as it needs no vote but a seal: of a header on this chain whose map holds the
pending set (any since the block that logged the deciding vote), by more than two thirds of the
current set, attested while that header was the newest. So whoever trusts the current set learns of
the next one by one seal and one map proof, and a replaced set can hand over to nobody.

In the block that logs it the set is current already: that block's header names it, and votes that
stand after the hand-over count by it. Another set may become pending in the same block.
"""

from ledger.bls.scheme import BlsBackend
from ledger.chain.governance import HandOver
from ledger.chain.header import header_hash, parse_header
from ledger.chain.seal import SEALED, open_seal
from ledger.chain.signing_set import SigningSets
from ledger.errors import FormatError, SignatureError
from ledger.state.draft import Draft
from ledger.state.governance_refusals import (
    HEADER_TOO_EARLY,
    HEADER_UNKNOWN,
    NO_PENDING_SET,
    SEAL_INVALID,
    SEAL_NOT_SEALED,
)
from ledger.state.refusals import EXECUTED
from ledger.tree.log import leaf_hash


def execute_hand_over(draft: Draft, step: HandOver, backend: BlsBackend) -> str:
    """Make the pending set current; return the code."""
    state, (current, pending) = draft.base, draft.signing_sets
    if pending is None:
        return NO_PENDING_SET
    try:
        header = parse_header(step.header)
    except FormatError:
        return HEADER_UNKNOWN
    hashed = header_hash(step.header)
    height = header.height
    if height > state.height or state.facts.headers.leaf(height) != leaf_hash(hashed):
        return HEADER_UNKNOWN
    if height < draft.pending_since:
        return HEADER_TOO_EARLY
    try:
        seal = open_seal(step.seal, current, state.network_id, backend)
    except (FormatError, SignatureError):
        return SEAL_INVALID
    until = draft.time if height == state.height else state.time_of(height + 1)
    if seal.header_hash != hashed or not header.time <= seal.attested_time <= until:
        return SEAL_INVALID
    if seal.level != SEALED:
        return SEAL_NOT_SEALED
    draft.change_signing_sets(SigningSets(pending, None))
    return EXECUTED

"""Entering the log: which transactions may, whatever their records then do.

A transaction enters when its frame and form are right, its author is an active member, its key the
author's, its number the author's next, the header it verified on this chain, and its signature
valid (ledger-format, *Entering the log*). The checks stand in that order, the dearest last, and the
first that fails names the code. Whoever waits in a queue may be some numbers ahead.

Who is a member, and under which key, may change within a block: what stands after a rotation must
be signed with the new key, and what stands after a suspension no longer enters.

Signatures of a block are checked together, those of one author in one batch, which takes a third of
the time. A batch that fails is checked one by one; so the answer never depends on the company.

>>> raise refusal(SEQUENCE_USED, "3, the last was 3")
Traceback (most recent call last):
ledger.errors.NotEntered: SEQUENCE_USED: the author has already used this number (3, the last was 3)
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ledger.bls.scheme import BlsBackend
from ledger.chain.registration import Registration
from ledger.chain.transaction import (
    MAX_TRANSACTION_BYTES,
    TransactionParts,
    parse_transaction,
)
from ledger.errors import FormatError, NotEntered
from ledger.state.membership import SUSPENDED, Membership
from ledger.state.refusals import (
    AUTHOR_SUSPENDED,
    AUTHOR_UNKNOWN,
    KEY_UNKNOWN,
    MALFORMED,
    NOT_ENTERED,
    OVERSIZED,
    SEQUENCE_AHEAD,
    SEQUENCE_USED,
    SIGNATURE_INVALID,
    VERIFIED_HEADER_UNKNOWN,
)
from ledger.state.state import State
from ledger.state.verified import VerifiedSignatures
from ledger.tree.log import leaf_hash

# How far ahead of the log a waiting transaction may be; CometBFT's mempool allows the same.
SEQUENCE_REACH: Final = 16


class Candidate(NamedTuple):
    """A transaction whose form, author and key are right: its bytes, parts and author."""

    data: bytes
    parts: TransactionParts
    author: Registration
    message: bytes


def read_candidate(state: State, data: bytes, membership: Membership | None = None) -> Candidate:
    """Check form, author and key, under `membership` or else the state's; raises `NotEntered`."""
    if len(data) > MAX_TRANSACTION_BYTES:
        raise refusal(OVERSIZED, f"{len(data)} bytes")
    try:
        parts = parse_transaction(data)
    except FormatError as error:
        raise refusal(MALFORMED, str(error)) from error
    who = state.membership if membership is None else membership
    author = who.members.get(parts.body.author)
    if author is None:
        member = who.all.get(parts.body.author)
        suspended = member is not None and member.standing == SUSPENDED
        raise refusal(AUTHOR_SUSPENDED if suspended else AUTHOR_UNKNOWN, parts.body.author)
    if parts.body.key_id != author.key_id:
        raise refusal(KEY_UNKNOWN, parts.body.key_id.hex())
    return Candidate(data, parts, author, parts.message_hash(state.network_id))


def check_number(candidate: Candidate, last: int, reach: int) -> None:
    """Check that the number follows `last` within `reach`; raises `NotEntered`."""
    sequence = candidate.parts.body.sequence
    if sequence <= last:
        raise refusal(SEQUENCE_USED, f"{sequence}, the last was {last}")
    if sequence > last + reach:
        raise refusal(SEQUENCE_AHEAD, f"{sequence}, the last was {last}")


def check_verified_header(state: State, candidate: Candidate) -> None:
    """Check that the header that the author verified is on this chain; raises `NotEntered`."""
    body = candidate.parts.body
    if body.verified_height > state.height or (
        state.facts.headers.leaf(body.verified_height) != leaf_hash(body.verified_header_hash)
    ):
        raise refusal(VERIFIED_HEADER_UNKNOWN, f"height {body.verified_height}")


def check_signature(
    candidate: Candidate, verified: VerifiedSignatures, backend: BlsBackend
) -> None:
    """Check the author's signature, unless that was done before; raises `NotEntered`."""
    key, message, signature = _claim(candidate)
    if verified.has(key, message, signature):
        return
    if not backend.verify(key, message, signature):
        raise refusal(SIGNATURE_INVALID, f"by {candidate.author.economy}")
    verified.add(key, message, signature)


def verify_together(
    candidates: Iterable[Candidate], verified: VerifiedSignatures, backend: BlsBackend
) -> None:
    """Verify what was not verified before, each author's in one batch; remember successes.

    Says nothing about failures: `check_signature` asks again, one by one.
    """
    waiting: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for candidate in candidates:
        key, message, signature = _claim(candidate)
        if not verified.has(key, message, signature):
            waiting.setdefault(key, []).append((message, signature))
    for key, pairs in waiting.items():
        if len(pairs) > 1 and backend.verify_one_key(key, pairs):
            for message, signature in pairs:
                verified.add(key, message, signature)


def plausible(state: State, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that would enter in this order if every signature were valid.

    Only their signatures are worth a batch: what cannot enter must not cost a check.
    """
    lasts: dict[str, int] = {}
    found = []
    for candidate in candidates:
        economy = candidate.author.economy
        last = lasts.get(economy, state.next_sequence(economy) - 1)
        try:
            check_number(candidate, last, 1)
            check_verified_header(state, candidate)
        except NotEntered:
            continue
        lasts[economy] = last + 1
        found.append(candidate)
    return found


def refusal(code: str, detail: str) -> NotEntered:
    """The error for a code of `NOT_ENTERED`."""
    return NotEntered(code, f"{NOT_ENTERED[code]} ({detail})")


def _claim(candidate: Candidate) -> tuple[bytes, bytes, bytes]:
    return candidate.author.bls_public_key, candidate.message, candidate.parts.signature

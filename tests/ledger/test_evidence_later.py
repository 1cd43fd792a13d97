"""Evidence under later signing sets, and of one number used twice; what convicts nobody."""

from dataclasses import replace

import pytest

from aeo.ledger.v1 import transaction_pb2
from ledger.audit.evidence import (
    DOUBLE_NUMBER,
    FORK,
    Judged,
    check_evidence,
    format_double_number,
    format_fork,
    judge_evidence,
)
from ledger.bls.scheme import key_id
from ledger.chain.header import Header, format_header, parse_header
from ledger.chain.set_change import SetChange
from ledger.chain.signing_set import SigningSet, SigningSets
from ledger.chain.transaction import format_body, sign_transaction
from ledger.errors import CheckError, LedgerError, SignatureError
from ledger_hand_over import hand_over, seal, signing_set
from ledger_world import BACKEND, START, bls_secret, genesis_of

GENESIS = genesis_of(("HK", "NZ", "SG"))
NETWORK = GENESIS.network_id
ROOT = b"r" * 32
FIRST = GENESIS.signing_set
# NZ rotates its key; KR comes.
SECOND = signing_set("HK", "KR", ("NZ", 1), "SG")
THIRD = signing_set("HK", "KR")


def header(height: int, members: SigningSet, root: bytes = ROOT) -> Header:
    return Header(NETWORK, height, START + height, ROOT, ROOT, height, ROOT, root, members.hash)


ONE = hand_over(header(3, FIRST), SigningSets(FIRST, SECOND), "HK", "NZ", "SG")[1]
TWO = hand_over(header(8, SECOND), SigningSets(SECOND, THIRD), "HK", "KR", "SG")[1]
BACK = hand_over(header(7, SECOND), SigningSets(SECOND, FIRST), "HK", "KR", "SG")[1]

Sealed = tuple[bytes, bytes]


def sealed(one: Header, members: SigningSet, *signers: str | tuple[str, int]) -> Sealed:
    return format_header(one), seal(one, members, *signers)


def fork(one: Sealed, other: Sealed, *changes: SetChange) -> bytes:
    return format_fork(GENESIS.data, *one, *other, changes)


def judge(data: bytes) -> Judged:
    return judge_evidence(data, NETWORK, BACKEND)


def transaction(
    author: str, number: int, key: int = 0, sequence: int = 4, author_key: int | None = None
) -> bytes:
    named = BACKEND.public_key(bls_secret(author, key if author_key is None else author_key))
    body = transaction_pb2.Transaction(
        author=author,
        key_id=key_id(named),
        sequence=sequence,
        verified_height=number,
        verified_header_hash=ROOT,
        heartbeat=transaction_pb2.Heartbeat(),
    )
    return sign_transaction(bls_secret(author, key), BACKEND, NETWORK, format_body(body))


def double(one: bytes, other: bytes, *changes: SetChange) -> bytes:
    return format_double_number(GENESIS.data, one, other, changes)


# Forks.


def test_a_fork_within_a_later_set():
    a = sealed(header(10, SECOND), SECOND, "HK", "KR", "SG")
    b = sealed(header(10, SECOND, b"x" * 32), SECOND, "KR", ("NZ", 1))
    assert judge(fork(a, b, ONE)) == Judged(FORK, ("KR",), 10)
    with pytest.raises(CheckError, match="another signing set"):
        judge(fork(a, b))


def test_a_fork_of_two_sets_is_judged_by_keys():
    """Both signed by HK and NZ, but NZ with another key: that may be somebody who stole the old."""
    a = sealed(header(10, FIRST), FIRST, "HK", "NZ")
    b = sealed(header(10, SECOND), SECOND, "HK", ("NZ", 1))
    assert judge(fork(a, b, ONE)) == Judged(FORK, ("HK",), 10)
    assert check_evidence(fork(b, a, ONE), NETWORK, BACKEND) == ("HK",)
    alone = sealed(header(10, SECOND), SECOND, "KR", ("NZ", 1))
    with pytest.raises(CheckError, match="no member signed both"):
        judge(fork(a, alone, ONE))


def test_a_chain_of_trust_is_as_long_as_it_must_be():
    a = sealed(header(10, FIRST), FIRST, "HK", "NZ")
    b = sealed(header(10, FIRST, b"x" * 32), FIRST, "HK", "NZ")
    assert judge(fork(a, b)).economies == ("HK", "NZ")
    for changes in ((ONE,), (ONE, TWO), (ONE, BACK)):
        with pytest.raises(CheckError, match="more set changes than it needs"):
            judge(fork(a, b, *changes))


def test_a_chain_of_trust_that_does_not_hold():
    a = sealed(header(10, THIRD), THIRD, "HK", "KR")
    b = sealed(header(10, THIRD, b"x" * 32), THIRD, "HK", "KR")
    assert judge(fork(a, b, ONE, TWO)).economies == ("HK", "KR")
    few = hand_over(header(3, FIRST), SigningSets(FIRST, SECOND), "HK", "NZ")[1]
    for changes in ((TWO,), (TWO, ONE), (ONE,), (few, TWO), (ONE, TWO, TWO)):
        with pytest.raises(LedgerError):
            judge(fork(a, b, *changes))


def test_a_seal_by_another_set_than_the_header_names():
    a = sealed(header(10, SECOND), SECOND, "HK", "KR", "SG")
    one = header(10, FIRST, b"x" * 32)
    b = format_header(one), seal(one, SECOND, "HK", "KR", "SG")
    with pytest.raises(LedgerError):
        judge(fork(a, b, ONE))


# One number twice.


def test_a_founder_that_used_a_number_twice():
    data = double(transaction("NZ", 1), transaction("NZ", 2))
    assert judge(data) == Judged(DOUBLE_NUMBER, ("NZ",), 4)
    assert check_evidence(data, NETWORK, BACKEND) == ("NZ",)


def test_a_key_of_a_later_set():
    data = double(transaction("NZ", 1, key=1), transaction("NZ", 2, key=1), ONE)
    assert judge(data) == Judged(DOUBLE_NUMBER, ("NZ",), 4)
    newcomer = double(transaction("KR", 1), transaction("KR", 2), ONE)
    assert judge(newcomer).economies == ("KR",)
    for wrong in ((), (ONE, TWO), (TWO,)):
        with pytest.raises(CheckError):
            judge(double(transaction("NZ", 1, key=1), transaction("NZ", 2, key=1), *wrong))


def test_a_key_that_nothing_shows_to_be_the_authors():
    one, other = transaction("NZ", 1, key=2), transaction("NZ", 2, key=2)
    for changes in ((), (ONE,), (ONE, TWO)):
        with pytest.raises(CheckError, match=r"does not show that key .* is NZ's"):
            judge(double(one, other, *changes))
    # Another member's key is not the author's.
    with pytest.raises(CheckError):
        judge(double(transaction("TH", 1), transaction("TH", 2)))


def test_what_does_not_exclude_each_other():
    one = transaction("NZ", 1)
    for other in (
        one,
        transaction("NZ", 2, sequence=5),
        transaction("HK", 2),
        transaction("NZ", 2, key=1),
    ):
        with pytest.raises(CheckError, match="do not exclude each other"):
            judge(double(one, other))


def test_a_signature_that_is_not_the_authors():
    one, other = transaction("NZ", 1), transaction("NZ", 2, key=1, author_key=0)
    for pair in ((one, other), (other, one), (one, one[:1] + other[1:97] + one[97:])):
        with pytest.raises(CheckError):
            judge(double(*pair))
    with pytest.raises(SignatureError):
        judge(double(one, other))


def test_of_another_network():
    elsewhere = genesis_of(("HK", "NZ", "SG"), START + 1)
    data = double(transaction("NZ", 1), transaction("NZ", 2))
    with pytest.raises(CheckError, match="another network"):
        judge_evidence(data, elsewhere.network_id, BACKEND)
    moved = format_double_number(elsewhere.data, transaction("NZ", 1), transaction("NZ", 2))
    with pytest.raises(SignatureError):
        judge_evidence(moved, elsewhere.network_id, BACKEND)


def test_any_bit_turned():
    a = sealed(header(10, SECOND), SECOND, "HK", "KR", "SG")
    b = sealed(replace(parse_header(a[0]), map_root=bytes(32)), SECOND, "KR", ("NZ", 1))
    for data in (
        fork(a, b, ONE),
        double(transaction("NZ", 1, key=1), transaction("NZ", 2, key=1), ONE),
    ):
        judge(data)
        for bit in range(0, 8 * len(data), 149):
            turned = bytearray(data)
            turned[bit // 8] ^= 0x80 >> bit % 8
            with pytest.raises(LedgerError):
                judge(bytes(turned))
        for end in range(0, len(data), 97):
            with pytest.raises(LedgerError):
                judge(data[:end])

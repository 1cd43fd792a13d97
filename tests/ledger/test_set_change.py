"""Trust passes from set to set only as the outgoing one sealed it; anything else is refused."""

from dataclasses import replace
from itertools import permutations

import pytest

from ledger.chain.header import Header, format_header, parse_header
from ledger.chain.set_change import (
    SET_CHANGE_LIMIT,
    SetChange,
    changes_from,
    check_set_changes,
    format_set_change,
    parse_set_change,
)
from ledger.chain.signing_set import SigningSets
from ledger.errors import ChainError, FormatError, LedgerError
from ledger_hand_over import hand_over, seal, signing_set
from ledger_world import BACKEND, START

NETWORK = b"n" * 32
ROOT = b"r" * 32
FIRST = signing_set("HK", "NZ", "SG")
SECOND = signing_set("HK", "KR", "NZ", "SG")
THIRD = signing_set(("HK", 1), "KR", "NZ")


def header(height: int, network_id: bytes = NETWORK) -> Header:
    return Header(network_id, height, START + height, ROOT, ROOT, height, ROOT, ROOT, ROOT)


ONE = hand_over(header(3), SigningSets(FIRST, SECOND), "HK", "NZ", "SG")[1]
TWO = hand_over(header(8), SigningSets(SECOND, THIRD), "HK", "KR", "NZ")[1]
BACK = hand_over(header(12), SigningSets(THIRD, FIRST), ("HK", 1), "KR", "NZ")[1]
AGAIN = hand_over(header(15), SigningSets(FIRST, THIRD), "HK", "NZ", "SG")[1]


def check(*changes: SetChange, network_id: bytes = NETWORK) -> list[object]:
    return check_set_changes(FIRST, changes, network_id, BACKEND)


def test_trust_passes_through_several_sets():
    assert check() == [FIRST]
    assert check(ONE) == [FIRST, SECOND]
    assert check(ONE, TWO) == [FIRST, SECOND, THIRD]
    # A set may come back, and go again.
    assert check(ONE, TWO, BACK, AGAIN) == [FIRST, SECOND, THIRD, FIRST, THIRD]


def test_trust_starts_from_the_last_place_of_a_set():
    every = [ONE, TWO, BACK, AGAIN]
    assert changes_from(FIRST.hash, every) == [AGAIN]
    assert changes_from(SECOND.hash, every) == [TWO, BACK, AGAIN]
    assert changes_from(THIRD.hash, every) == []
    assert changes_from(FIRST.hash, [ONE, TWO]) == [ONE, TWO]
    assert changes_from(bytes(32), every) is None
    assert check(AGAIN) == [FIRST, THIRD]


def test_what_is_written_is_read_again():
    for change in (ONE, TWO):
        data = format_set_change(change)
        assert parse_set_change(data) == change
        assert len(data) <= SET_CHANGE_LIMIT
        for size in range(0, len(data), 31):
            with pytest.raises(LedgerError):
                check(parse_set_change(data[:size]))
    with pytest.raises(FormatError):
        parse_set_change(bytes(SET_CHANGE_LIMIT + 1))


@pytest.mark.parametrize("name", SetChange._fields)
def test_every_part_exchanged_for_that_of_another(name: str):
    others = [TWO, hand_over(header(4), SigningSets(FIRST, THIRD), "HK", "NZ", "SG")[1]]
    for other in others:
        part = getattr(other, name)
        with pytest.raises(LedgerError):
            check(ONE._replace(**{name: part}))
        with pytest.raises(LedgerError):
            check(ONE._replace(**{name: b""}))


def test_any_bit_turned():
    data = format_set_change(ONE)
    for bit in range(0, 8 * len(data), 101):
        turned = bytearray(data)
        turned[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises(LedgerError):
            check(parse_set_change(bytes(turned)))


def test_out_of_order_or_missing():
    every = [ONE, TWO, BACK]
    for order in permutations(every):
        if list(order) != every:
            with pytest.raises(ChainError):
                check(*order)
    with pytest.raises(ChainError, match=r"set change 0: .* another set than the outgoing"):
        check(TWO)
    with pytest.raises(ChainError, match="set change 1"):
        check(ONE, BACK)
    with pytest.raises(ChainError, match="set change 1"):
        check(ONE, ONE)
    earlier = hand_over(header(2), SigningSets(SECOND, THIRD), "HK", "KR", "NZ")[1]
    with pytest.raises(ChainError, match="height 2 does not come after 3"):
        check(ONE, earlier)


def test_of_another_network():
    with pytest.raises(ChainError, match="of another network"):
        check(ONE, network_id=bytes(32))
    other = hand_over(header(3, bytes(32)), SigningSets(FIRST, SECOND), "HK", "NZ", "SG")[1]
    with pytest.raises(ChainError, match="of another network"):
        check(other)
    # Its header named this network, its seal still would not.
    renamed = ONE._replace(seal=other.seal)
    with pytest.raises(ChainError):
        check(renamed)


def test_a_seal_that_is_only_attested():
    few = hand_over(header(3), SigningSets(FIRST, SECOND), "HK", "NZ")[1]
    with pytest.raises(ChainError, match="2 of 3 are not more than two thirds"):
        check(few)
    with pytest.raises(ChainError, match="at most a third"):
        check(hand_over(header(3), SigningSets(FIRST, SECOND), "HK")[1])


def test_a_seal_by_the_incoming_set_or_before_its_time():
    at = parse_header(ONE.header)
    with pytest.raises(ChainError):
        check(ONE._replace(seal=seal(at, SECOND, "HK", "KR", "NZ", "SG")))
    early = hand_over(header(3), SigningSets(FIRST, SECOND), "HK", "NZ", "SG", time=START)[1]
    with pytest.raises(ChainError, match="before its time"):
        check(early)


def test_sets_that_the_map_does_not_hold():
    at, change = hand_over(header(3), SigningSets(FIRST, None), "HK", "NZ", "SG")
    with pytest.raises(ChainError, match="no incoming set is pending"):
        check(change)
    with pytest.raises(ChainError):
        check(change._replace(signing_sets=ONE.signing_sets))
    # The outgoing set of the map is another than the one that the header names and sealed.
    strange = hand_over(at, SigningSets(SECOND, THIRD), "HK", "KR", "NZ")[1]
    other = replace(parse_header(strange.header), signing_set_hash=FIRST.hash)
    with pytest.raises(ChainError, match="the current set is not the outgoing one"):
        check(
            strange._replace(header=format_header(other), seal=seal(other, FIRST, "HK", "NZ", "SG"))
        )

"""What may wait, and what a proposer takes: no member starves the others, whatever it sends."""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeo.ledger.v1.transaction_pb2 import StatusBatch
from cometbft.driver import Network
from ledger.chain.governance import MemberSuspension
from ledger.chain.parameters import DEFAULT_PARAMETERS
from ledger.chain.transaction import format_body, parse_transaction
from ledger.state.entering import SEQUENCE_REACH
from ledger.state.verified import VerifiedSignatures
from ledger_world import BACKEND, World
from service.engine.cometbft import compression
from service.engine.cometbft import mempool as module
from service.engine.cometbft.compression import compress_transaction, transaction_of
from service.engine.cometbft.mempool import AUTHOR_BYTES, Mempool
from service.engine.cometbft.proposal import BLOCK_BYTES, choose, fits

MEMBERS = ("AU", "HK", "NZ")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Network(tmp_path, MEMBERS) as network:
        yield network


def large(world: World, author: str, size: int = 59_000, **of: int) -> bytes:
    """A transaction of some size: a batch of one record that will be refused."""
    batch = StatusBatch(arrangement_id=bytes(16), records=[bytes(size)])
    return world.sign(author, format_body(world.body(author, statuses=batch, **of)))


def beat(world: World, author: str, sequence: int) -> bytes:
    return world.sign(author, format_body(world.body(author, sequence=sequence)))


# CheckTx.


def test_the_next_sixteen_numbers_may_wait_and_no_more(network: Network) -> None:
    world = network.world
    sent = [world.transaction("HK") for _ in range(SEQUENCE_REACH + 2)]
    assert network.send(*sent) == [""] * SEQUENCE_REACH + ["SEQUENCE_AHEAD"] * 2
    assert network["AU"].application.mempool.refused == {"SEQUENCE_AHEAD": 2}
    network.decide()
    assert network.send(*sent[SEQUENCE_REACH:]) == ["", ""]


def test_of_a_flood_one_transaction_of_each_number_is_verified_ahead(network: Network) -> None:
    """All votes wait while signatures are checked together: who floods must not lengthen that."""
    world = network.world
    flood = [
        large(world, "HK", size=60 + variant, sequence=1 + variant % 3) for variant in range(30)
    ]
    waiting = large(world, "NZ", size=60, sequence=1)
    other = large(world, "NZ", size=61, sequence=1)
    checked: list[int] = []

    class Counting(type(BACKEND)):  # type: ignore[misc]
        def verify_one_key(self, public_key: bytes, pairs: Sequence[tuple[bytes, bytes]]) -> bool:
            checked.append(len(pairs))
            return super().verify_one_key(public_key, pairs)

    network["AU"].machine.verified = VerifiedSignatures()
    mempool = Mempool(network["AU"].machine, Counting())
    assert mempool.check(waiting) == ""
    mempool.verify_ahead([*flood, other, other])
    assert checked == [3]
    # None of the flood is let in for it that its number's first is not.
    assert [mempool.check(each) for each in flood[:4]] == ["", "", "", "NUMBER_WAITS"]


def test_an_author_has_only_so_many_bytes(network: Network) -> None:
    world = network.world
    sent = [large(world, "HK") for _ in range(SEQUENCE_REACH)]
    codes = network.send(*sent)
    taken = AUTHOR_BYTES // len(sent[0])
    assert codes == [""] * taken + ["AUTHOR_WAITS"] * (SEQUENCE_REACH - taken)
    assert network.send(world.transaction("NZ")) == [""], "the others are not touched"
    network.decide()
    assert network.send(*sent[taken:]) == [""] * (SEQUENCE_REACH - taken)


def test_one_transaction_of_a_number_waits(network: Network) -> None:
    world = network.world
    first, second = beat(world, "HK", 1), large(world, "HK", 10, sequence=1)
    assert network.send(first, second, first) == ["", "NUMBER_WAITS", ""]


def test_a_number_used_twice_is_told_once_it_is_on_the_log(network: Network) -> None:
    world = network.world
    first, second, third = (
        beat(world, "HK", 1),
        large(world, "HK", 10, sequence=1),
        large(world, "HK", 20, sequence=1),
    )
    network.send(first, second, third)
    assert network["AU"].refused == []
    network.decide()
    assert network["AU"].refused == [(second, "SEQUENCE_USED")]
    network.send(second, third)
    network.decide()
    assert network["AU"].refused == [(second, "SEQUENCE_USED")], "one proof is enough"


def test_a_number_used_again_after_it_is_on_the_log_is_told(network: Network) -> None:
    world = network.world
    first, second = beat(world, "HK", 1), large(world, "HK", 10, sequence=1)
    network.send(first)
    network.decide()
    assert network.send(first, second) == ["SEQUENCE_USED", "SEQUENCE_USED"]
    network.decide()
    assert network["AU"].refused == [(second, "SEQUENCE_USED")]


def test_the_one_that_waited_is_told_where_the_other_entered(network: Network) -> None:
    world = network.world
    first, second = beat(world, "HK", 1), large(world, "HK", 10, sequence=1)
    network["AU"].check(first)
    network["NZ"].check(second)
    network.decide(proposer="NZ")
    assert network["AU"].refused == [(first, "SEQUENCE_USED")]
    assert network["NZ"].refused == []


def test_a_transaction_waits_in_one_form(network: Network) -> None:
    """Or one transaction in many forms would fill what CometBFT keeps for all."""
    world = network.world
    plain = large(world, "HK", 2_000)
    forms = [compress_transaction(plain), b"\x03" + zlib.compress(plain, 9), plain]
    assert len(set(forms)) == 3
    assert network.send(*forms, forms[0]) == ["", "NUMBER_WAITS", "NUMBER_WAITS", ""]
    assert len(network["AU"].application.mempool) == 1
    block = network.decide()
    assert network["AU"].blocks[-1].transactions == [forms[0]], "as it came"
    assert list(block.transactions) == [plain]
    assert network.send(*forms) == ["SEQUENCE_USED"] * 3
    network.decide()
    assert network["AU"].refused == [], "its author is not convicted by its own transaction"


def test_the_form_that_entered_need_not_be_the_one_that_waited(network: Network) -> None:
    plain = large(network.world, "HK", 2_000)
    network["AU"].check(plain)
    network["NZ"].check(compress_transaction(plain))
    network.decide(proposer="NZ")
    assert network["AU"].refused == []
    assert len(network["AU"].application.mempool) == 0


def test_nobody_contradicts_an_author_without_its_key(network: Network) -> None:
    world = network.world
    network.send(beat(world, "HK", 1))
    forged = bytearray(large(world, "HK", 10, sequence=1))
    forged[1:97] = large(world, "HK", 11, sequence=1)[1:97]
    assert network.send(bytes(forged)) == ["SIGNATURE_INVALID"]
    network.decide()
    assert network["AU"].refused == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "MALFORMED"),
        (b"\x02" + bytes(137), "MALFORMED"),
        (b"\x01" + bytes(97), "MALFORMED"),
        (b"\x01" * 60_001, "OVERSIZED"),
        (b"\xff" * 500, "MALFORMED"),
        (b"\x03", "MALFORMED"),
        (b"\x03" + bytes(300), "MALFORMED"),
        (b"\x03" + zlib.compress(b"\x01" * 60_001), "MALFORMED"),
        (b"\x03" + zlib.compress(b"\x01" * (50 << 20)), "MALFORMED"),
        (b"\x03" + zlib.compress(b"\x02" + bytes(500)), "MALFORMED"),
        (compress_transaction(b"\x03" + zlib.compress(b"\x01" * 60_000) * 20), "MALFORMED"),
    ],
)
def test_what_is_no_transaction_is_refused(network: Network, data: bytes, code: str) -> None:
    assert network.send(data) == [code]
    assert len(network["AU"].application.mempool) == 0


def test_a_form_is_one_stream_and_nothing_else(network: Network) -> None:
    form = compress_transaction(large(network.world, "HK", 2_000))
    other = bytes([form[-1] ^ 1])
    for wrong in (form + b"\0", form + form[1:], form[:-1], form[:-1] + other, b"\x03" + form):
        assert network.send(wrong) == ["MALFORMED"]
    assert network.send(form) == [""]


def test_a_form_is_declared_with_the_window_that_every_reader_has(network: Network) -> None:
    plain = large(network.world, "HK", 2_000)
    small = zlib.compressobj(1, zlib.DEFLATED, 9)
    form = b"\x03" + small.compress(plain) + small.flush()
    assert zlib.decompress(form[1:]) == plain
    assert network.send(form) == ["MALFORMED"]


def test_what_is_too_long_for_a_form_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression.zlib, "decompressobj", None)
    for size in (60_000, 50 << 20):
        junk = b"\x03\x78\x01".ljust(size, b"\0")
        assert transaction_of(junk) is junk


def test_a_flood_of_forms_is_not_all_read_ahead(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    original = module.transaction_of
    monkeypatch.setattr(module, "transaction_of", lambda form: read.append(form) or original(form))
    bombs = [b"\x03" + zlib.compress(b"\x01" * (50_000 + size)) for size in range(2_000)]
    network["AU"].application.mempool.verify_ahead(bombs)
    assert 0 < len(read) <= 256


def test_a_form_that_is_no_shorter_is_none(network: Network) -> None:
    plain = network.world.transaction("HK")
    longer = b"\x03" + zlib.compress(plain, 0)
    assert zlib.decompress(longer[1:]) == plain
    assert network.send(longer) == ["MALFORMED"]


def test_what_is_decompressed_counts(network: Network) -> None:
    """For an author's share and for the block: both bound the work, not what travels."""
    world = network.world
    sent = [compress_transaction(large(world, "HK")) for _ in range(SEQUENCE_REACH)]
    assert all(len(each) < 1_000 for each in sent)
    taken = AUTHOR_BYTES // 59_000
    assert network.send(*sent) == [""] * taken + ["AUTHOR_WAITS"] * (SEQUENCE_REACH - taken)
    network.send(*[compress_transaction(large(world, "NZ")) for _ in range(taken)])
    block = network.decide()
    assert BLOCK_BYTES - 60_000 < sum(map(len, block.transactions)) <= BLOCK_BYTES


def test_a_signature_is_checked_once(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    transaction = network.world.transaction("HK")
    checked = []
    original = module.check_signature
    monkeypatch.setattr(
        module, "check_signature", lambda *given: checked.append(1) or original(*given)
    )
    network["AU"].check(transaction)
    network["AU"].application.mempool.check_again(transaction)
    network["AU"].prepare(1, network.time, [])
    assert checked == [1]


def test_checking_again_compares_numbers_only(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = network.world
    network.send(*[world.transaction("HK") for _ in range(5)])
    monkeypatch.setattr(module, "read_candidate", None)
    mempool = network["AU"].application.mempool
    for transaction in network["AU"].mempool:
        assert mempool.check_again(transaction) == ""


def test_what_waits_of_a_member_that_is_suspended_goes(tmp_path: Path) -> None:
    with Network(tmp_path, (*MEMBERS, "SG")) as network:
        world = network.world
        network.send(*[world.transaction("NZ") for _ in range(3)])
        assert len(network["AU"].application.mempool) == 3
        key_id = world.view.membership.all["NZ"].registration.key_id
        identity, proposing = world.proposing(MemberSuspension("NZ", key_id), "HK")
        network.decide([proposing])
        for voter in ("AU", "HK", "SG"):
            network.decide(world.votes(identity, voter))
        assert "NZ" not in world.view.membership.members
        assert len(network["AU"].application.mempool) == 0
        assert network["AU"].mempool == []


def test_what_cometbft_has_dropped_is_not_counted_for_ever(network: Network) -> None:
    world = network.world
    sent = [large(world, "HK") for _ in range(13)]
    network.send(*sent)
    for validator in network.alive:
        validator.mempool = []  # flushed by an operator
    network.decide([])
    network.decide([])
    assert len(network["AU"].application.mempool) == 0
    other = World(MEMBERS)
    assert network.send(*[large(other, "HK") for _ in range(13)]) == [""] * 13


# Proposals.


def test_a_flood_of_far_numbers_does_not_keep_others_out(network: Network) -> None:
    """Number 1 of HK is never sent: what follows waits in front for ever, and nobody minds."""
    world = network.world
    world.transaction("HK")
    flood = [large(world, "HK", 40_000) for _ in range(SEQUENCE_REACH - 1)]
    network.send(*flood)
    for number in range(3):
        network.send(world.transaction("NZ"), world.transaction("AU"))
        block = network.decide()
        assert len(block.transactions) == 2, number
    assert world.view.next_sequence("HK") == 1


def test_each_author_gets_a_fair_share_of_a_full_block(network: Network) -> None:
    world = network.world
    for _ in range(13):
        network.send(large(world, "HK"), large(world, "NZ"))
    network.send(*[large(world, "AU", 1_000) for _ in range(4)])
    block = network.decide()
    sizes = dict.fromkeys(MEMBERS, 0)
    for transaction in block.transactions:
        sizes[parse_transaction(transaction).body.author] += len(transaction)
    assert sum(sizes.values()) <= BLOCK_BYTES
    assert sizes["HK"] >= 8 * 59_000
    assert sizes["NZ"] >= 8 * 59_000
    assert sizes["AU"] > 4_000, "all of it"
    assert fits(network["AU"].blocks[-1].transactions, 1_000)
    for _ in range(2):
        network.decide()
    assert world.view.next_sequence("HK") == 14


def test_the_networks_own_limits_hold_too(tmp_path: Path) -> None:
    parameters = DEFAULT_PARAMETERS._replace(max_block_transactions=3, max_block_bytes=60_000)
    with Network(tmp_path, MEMBERS, parameters) as network:
        world = network.world
        network.send(*[world.transaction("HK") for _ in range(4)], large(world, "NZ"))
        block = network.decide()
        assert len(block.transactions) == 3
        assert "BLOCK_FULL" not in block.results
        block = network.decide()
        assert 0 < sum(map(len, block.transactions)) <= 60_000
        while network["AU"].mempool:
            assert network.decide().transactions


def test_numbers_enter_in_order_however_they_came(network: Network) -> None:
    world = network.world
    sent = [world.transaction("HK") for _ in range(6)]
    for each in (sent[4], sent[1], sent[5], sent[0], sent[3], sent[2]):
        network.send(each)
    assert network.decide().transactions == tuple(sent)


def test_what_cannot_follow_is_left_out(network: Network) -> None:
    world = network.world
    sent = [world.transaction("HK") for _ in range(4)]
    network.send(sent[0], sent[1], sent[3])
    assert network.decide().transactions == tuple(sent[:2])
    network.send(sent[2])
    assert network.decide().transactions == tuple(sent[2:])


@given(
    st.dictionaries(
        st.sampled_from(MEMBERS),
        st.dictionaries(st.integers(1, 20), st.integers(1, 60)),
    ),
    st.integers(0, 300),
    st.integers(0, 12),
    st.integers(0, 9),
)
def test_a_choice_is_fair_and_in_order(
    sizes: dict[str, dict[int, int]], room: int, places: int, first: int
) -> None:
    waiting = {
        author: {
            number: f"{author}{number:02}".encode().ljust(size, b".")
            for number, size in each.items()
        }
        for author, each in sizes.items()
    }
    chosen = choose(waiting, dict.fromkeys(waiting, 1), room=room, places=places, first=first)
    assert len(chosen) <= places
    used, count = dict.fromkeys(waiting, 0), dict.fromkeys(waiting, 0)

    def stuck(author: str) -> bool:
        following = waiting[author].get(count[author] + 1)
        return following is None or len(following) > room - sum(used.values())

    for each in chosen:
        author, number = each[:2].decode(), int(each[2:4])
        assert number == count[author] + 1, "its next number, none left out"
        assert all(used[other] >= used[author] or stuck(other) for other in waiting)
        used[author] += len(each)
        count[author] += 1
    assert sum(used.values()) <= room
    assert len(chosen) == places or all(map(stuck, waiting)), "what can follow is not left out"


def test_an_empty_mempool_has_nothing() -> None:
    world = World(MEMBERS)
    mempool = Mempool(world.machine, world.machine._backend)
    assert mempool.by_author([]) == {}
    assert choose({}, {}, room=10, places=10) == []
    assert mempool.by_author([b"junk", b"\x02seal"]) == {}

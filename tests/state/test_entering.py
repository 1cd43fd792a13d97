"""What may not enter the log, each with its code; and what enters next to it."""

from hashlib import sha256
from itertools import permutations

import pytest

from aeo.ledger.v1 import transaction_pb2
from ledger.chain.parameters import DEFAULT_PARAMETERS
from ledger.chain.transaction import MAX_TRANSACTION_BYTES, format_body, sign_transaction
from ledger.errors import NotEntered
from ledger.state import refusals
from ledger.state.verified import VerifiedSignatures
from ledger.wire import format_strict
from ledger_world import BACKEND, World, bls_secret


def code_of(world: World, data: bytes) -> str:
    """The code that `check` and `execute` agree on; the machine stays as it is."""
    before = world.view
    with pytest.raises(NotEntered) as caught:
        world.machine.check(data)
    block = world.machine.execute([data], world.time + 1)
    assert block.header is None
    assert block.results == (caught.value.code,)
    assert world.view is before
    return caught.value.code


def signed(world: World, body: bytes, author: str = "HK") -> bytes:
    return sign_transaction(bls_secret(author), BACKEND, world.view.network_id, body)


@pytest.fixture
def world() -> World:
    return World()


def test_every_truncation_and_an_added_byte_are_malformed(world: World) -> None:
    data = world.transaction("HK")
    for size in range(len(data)):
        assert code_of(world, data[:size]) in {refusals.MALFORMED, refusals.SIGNATURE_INVALID}
    assert code_of(world, data[:97]) == refusals.MALFORMED
    assert code_of(world, data + b"\x00") == refusals.MALFORMED


def test_a_wrong_frame_is_malformed(world: World) -> None:
    assert code_of(world, b"\x02" + world.transaction("HK")[1:]) == refusals.MALFORMED


def test_oversized(world: World) -> None:
    assert code_of(world, b"\x01" * (MAX_TRANSACTION_BYTES + 1)) == refusals.OVERSIZED


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("an unknown field", lambda body: body + b"\xf8\x01\x01"),
        ("an overlong tag", lambda body: b"\x8a\x00" + body[1:]),
        ("a field twice", lambda body: body[:4] + body),
        ("two members of the oneof", lambda body: body + b"\x6a\x00"),
        ("invalid UTF-8", lambda body: b"\x0a\x02\xff\xff" + body[4:]),
        ("an author in lower case", lambda body: b"\x0a\x02hk" + body[4:]),
    ],
)
def test_not_in_its_one_encoding(world: World, name: str, change: object) -> None:
    body = change(format_body(world.body("HK")))  # type: ignore[operator]
    assert code_of(world, signed(world, body)) == refusals.MALFORMED, name


def test_form_beyond_the_encoding(world: World) -> None:
    batch = transaction_pb2.StatusBatch(arrangement_id=bytes(16), records=[b"r"] * 1001)
    for change in (
        {"key_id": b"short"},
        {"sequence": 0},
        {"verified_header_hash": b"short"},
        {"heartbeat": None},
        {"statuses": batch},
        {"statuses": transaction_pb2.StatusBatch(arrangement_id=bytes(16))},
    ):
        body = world.body("HK", sequence=1)
        for field, value in change.items():
            if value is None:
                body.ClearField(field)
            elif field == "statuses":
                body.statuses.CopyFrom(value)
            else:
                setattr(body, field, value)
        assert code_of(world, signed(world, format_strict(body))) == refusals.MALFORMED, change


def test_unknown_author(world: World) -> None:
    body = world.body("HK")
    body.author = "SG"
    assert code_of(world, signed(world, format_body(body))) == refusals.AUTHOR_UNKNOWN


def test_another_members_key(world: World) -> None:
    body = world.body("HK")
    body.author = "NZ"
    assert code_of(world, signed(world, format_body(body))) == refusals.KEY_UNKNOWN


def test_wrongly_signed(world: World) -> None:
    body = format_body(world.body("HK"))
    by_another = sign_transaction(bls_secret("NZ"), BACKEND, world.view.network_id, body)
    assert code_of(world, by_another) == refusals.SIGNATURE_INVALID


def test_foreign_network(world: World) -> None:
    body = world.body("HK")
    foreign = sign_transaction(
        bls_secret("HK"), BACKEND, sha256(b"other").digest(), format_body(body)
    )
    assert code_of(world, foreign) == refusals.SIGNATURE_INVALID
    other = World(name="another")
    assert code_of(world, other.transaction("HK")) == refusals.VERIFIED_HEADER_UNKNOWN


def test_verified_header_must_be_on_this_chain(world: World) -> None:
    world.commit(world.transaction("NZ"))
    body = world.body("HK")
    body.verified_header_hash = sha256(b"fork").digest()
    assert code_of(world, signed(world, format_body(body))) == refusals.VERIFIED_HEADER_UNKNOWN
    body = world.body("HK", sequence=1)
    body.verified_height = 2
    assert code_of(world, signed(world, format_body(body))) == refusals.VERIFIED_HEADER_UNKNOWN


def test_replayed_and_out_of_sequence(world: World) -> None:
    first, second, third = (world.transaction("HK") for _ in range(3))
    world.commit(first)
    assert code_of(world, first) == refusals.SEQUENCE_USED
    assert world.machine.execute([third], world.time).results == (refusals.SEQUENCE_AHEAD,)
    world.machine.check(third)
    far = world.sign("HK", format_body(world.body("HK", sequence=18)))
    with pytest.raises(NotEntered, match=refusals.SEQUENCE_AHEAD):
        world.machine.check(far)
    world.machine.check(far, reach=17)
    assert world.commit(second, second, third).results == ((), refusals.SEQUENCE_USED, ())


def test_every_order_of_three_transactions(world: World) -> None:
    three = [world.transaction("HK") for _ in range(3)]
    for order in permutations(range(3)):
        block = world.machine.execute([three[number] for number in order], world.time + 1)
        last = 0
        for number, result in zip(order, block.results, strict=True):
            if number == last:
                assert result == ()
                last += 1
            else:
                assert result == refusals.SEQUENCE_AHEAD
        assert block.transactions == tuple(three[:last])


def test_a_forgery_does_not_take_the_place_of_the_real_one(world: World) -> None:
    body = format_body(world.body("HK"))
    forged = sign_transaction(bls_secret("NZ"), BACKEND, world.view.network_id, body)
    real = sign_transaction(bls_secret("HK"), BACKEND, world.view.network_id, body)
    after = world.transaction("HK")
    block = world.machine.execute([forged, real, after], world.time + 1)
    assert block.results == (refusals.SIGNATURE_INVALID, (), ())


def test_one_forgery_in_a_batch_is_found(world: World) -> None:
    several = [world.transaction("HK") for _ in range(5)]
    bad = several[3][:50] + bytes([several[3][50] ^ 1]) + several[3][51:]
    results = world.machine.execute([*several[:3], bad, several[4]], world.time + 1).results
    assert results[:3] == ((),) * 3
    assert results[3:] == (refusals.SIGNATURE_INVALID, refusals.SEQUENCE_AHEAD)


def test_the_block_is_full() -> None:
    small = World(parameters=DEFAULT_PARAMETERS._replace(max_block_transactions=2))
    three = [small.transaction(author) for author in ("HK", "NZ", "HK")]
    assert small.machine.execute(three, small.time).results[2] == refusals.BLOCK_FULL
    small = World(parameters=DEFAULT_PARAMETERS._replace(max_block_bytes=60_000))
    shared = small.agree("HK", "NZ")
    two = [small.statuses(author, shared, [b"r" * 40] * 900) for author in ("HK", "NZ")]
    assert small.machine.execute(two, small.time).results[1] == refusals.BLOCK_FULL


def test_a_remembered_signature_is_not_checked_again(world: World) -> None:
    body = format_body(world.body("HK"))
    bad = b"\x01" + bytes(96) + body
    own = VerifiedSignatures()
    key = world.view.membership.members["HK"].bls_public_key
    from ledger.chain.transaction import transaction_message

    assert code_of(world, bad) == refusals.SIGNATURE_INVALID
    own.add(key, transaction_message(world.view.network_id, body), bytes(96))
    world.machine.verified = own
    world.machine.check(bad)


def test_every_code_has_a_text() -> None:
    from ledger.state.refusal_texts import describe

    for name in dir(refusals):
        value = getattr(refusals, name)
        if name.isupper() and isinstance(value, str) and value:
            assert describe(value)

"""Formats of the chain: every rule has a case that breaks it, every bit counts."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeo.ledger.v1.genesis_pb2 import Parameters as ParametersMessage
from aeo.ledger.v1.transaction_pb2 import AliasBatch, Heartbeat, StatusBatch, Transaction
from ledger.bls.scheme import default_backend
from ledger.chain import keys
from ledger.chain.anchor import Anchor, check_attested_time, check_descends, too_old
from ledger.chain.economy import CODES, economy_bytes, parse_economy
from ledger.chain.header import Header, format_header, header_hash, parse_header
from ledger.chain.history import HistoryEntry, history_head, history_step
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters, parse_parameters
from ledger.chain.seal import (
    aggregate_seal,
    check_share,
    format_seal,
    level_of,
    open_seal,
    parse_seal,
    sign_share,
)
from ledger.chain.signing_set import (
    SigningMember,
    SigningSet,
    SigningSets,
    check_set_change,
    format_signing_sets,
    parse_signing_set,
    parse_signing_sets,
    split_set_change,
)
from ledger.chain.transaction import (
    MAX_RECORDS,
    MAX_TRANSACTION_BYTES,
    check_transaction,
    format_body,
    parse_transaction,
    sign_transaction,
)
from ledger.errors import (
    AnchorError,
    ChainError,
    CheckError,
    FormatError,
    LedgerError,
    ProofError,
    SignatureError,
)
from ledger.hashing import ZERO_HASH
from ledger.tree.log import Log, leaf_hash
from ledger.tree.map import StateMap
from tests.vectors import sample

BACKEND = default_backend()
NETWORK = sample.genesis().network_id


def flipped(data: bytes) -> Iterator[bytes]:
    """Every single-bit change."""
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 0x80 >> bit % 8
        yield bytes(changed)


# --- header ---


def test_each_bit_of_a_header_is_refused_or_hashed() -> None:
    data = format_header(sample.first_header())
    hashes = {header_hash(data)}
    for changed in flipped(data):
        hashes.add(header_hash(changed))
        try:
            header = parse_header(changed)
        except FormatError:
            continue
        assert format_header(header) == changed
    assert len(hashes) == 1 + 8 * len(data)


@settings(derandomize=True, deadline=None)
@given(data=st.binary(max_size=300))
def test_parsers_of_fixed_formats_raise_only_their_error(data: bytes) -> None:
    for parse in (
        parse_header,
        parse_seal,
        parse_signing_set,
        parse_signing_sets,
        split_set_change,
        parse_transaction,
        parse_parameters,
        keys.parse_author_object,
        keys.parse_speaker_record,
        parse_economy,
    ):
        try:
            parse(data)
        except FormatError:
            continue


def test_numbers_and_hashes_of_a_header_are_checked_when_written() -> None:
    header = sample.first_header()
    for wrong in (
        replace(header, time=-1),
        replace(header, time=1 << 64),
        replace(header, map_root=bytes(31)),
        replace(header, height=1),
    ):
        with pytest.raises(FormatError):
            format_header(wrong)


# --- keys, histories, economies ---


def test_no_two_keys_of_the_map_are_equal() -> None:
    arrangement, other = b"\xa0" * 16, b"\x5b" * 32
    made = [
        keys.subject_key(arrangement, "SG", other),
        keys.alias_key(arrangement, "SG", other),
        keys.arrangement_key(arrangement),
        keys.proposal_key(arrangement),
        keys.member_key("SG"),
        keys.author_key("SG"),
        keys.prefix_key("SG"),
        keys.pair_key("SG", "AU"),
        keys.report_key(arrangement, "SG", 0, 1),
        keys.SIGNING_SETS_KEY,
        keys.PARAMETERS_KEY,
    ]
    assert len(set(made)) == len(made)
    assert made[0] == keys.map_key(keys.SUBJECT, arrangement, b"SG", other)
    assert keys.map_key(1, b"ab", b"c") != keys.map_key(1, b"a", b"bc")


def test_speaker_records() -> None:
    for begins in (True, False):
        data = keys.speaker_record("EU", begins=begins)
        assert keys.parse_speaker_record(data) == ("EU", begins)
    for wrong in (b"EU", b"EU\x00", b"EU\x03", b"eu\x01", b"EU\x01\x00"):
        with pytest.raises(FormatError):
            keys.parse_speaker_record(wrong)


def test_a_history_continues_from_its_head_and_every_field_counts() -> None:
    entry = HistoryEntry(7, 1_700_000_000_000, 41, 3, "SG", b"record")
    entries = [entry._replace(height=height) for height in range(7, 12)]
    head = history_head(entries)
    for cut in range(len(entries)):
        assert history_head(entries[cut:], history_head(entries[:cut]), cut) == head
    changed = [
        entry._replace(height=8),
        entry._replace(time=0),
        entry._replace(log_index=40),
        entry._replace(position=4),
        entry._replace(author="AU"),
        entry._replace(record=b"recorD"),
    ]
    heads = {history_step(ZERO_HASH, 1, *each) for each in [entry, *changed]}
    heads.add(history_step(ZERO_HASH, 2, *entry))
    heads.add(history_step(b"\x01" * 32, 1, *entry))
    assert len(heads) == 9


def test_all_codes_and_no_others() -> None:
    assert len(CODES) == 676
    assert all(parse_economy(code) == text for text, code in CODES.items())
    for wrong in ("", "S", "SGP", "sG", "S1", "ÄU", "S "):
        with pytest.raises(FormatError):
            economy_bytes(wrong)


# --- transaction ---


def test_each_bit_of_a_transaction_is_refused() -> None:
    data = sample.transaction(
        "SG", 1, statuses=StatusBatch(arrangement_id=bytes(16), records=[b"record"])
    )
    key = sample.keys("SG").bls_public_key
    check_transaction(parse_transaction(data), NETWORK, key, BACKEND)
    for changed in flipped(data):
        with pytest.raises(LedgerError):
            check_transaction(parse_transaction(changed), NETWORK, key, BACKEND)


def test_a_transaction_counts_for_one_network_and_one_key() -> None:
    parts = parse_transaction(sample.transaction("SG", 1, heartbeat=Heartbeat()))
    with pytest.raises(SignatureError):
        check_transaction(parts, ZERO_HASH, sample.keys("SG").bls_public_key, BACKEND)
    with pytest.raises(SignatureError):
        check_transaction(parts, NETWORK, sample.keys("AU").bls_public_key, BACKEND)


def body(**changes: object) -> Transaction:
    fields: dict[str, object] = {
        "author": "SG",
        "key_id": bytes(8),
        "sequence": 1,
        "verified_header_hash": bytes(32),
    }
    return Transaction(**{**fields, **changes})  # type: ignore[arg-type]


def batch(records: int, size: int = 1) -> StatusBatch:
    return StatusBatch(arrangement_id=bytes(16), records=[bytes(size)] * records)


@pytest.mark.parametrize(
    "wrong",
    [
        body(),
        body(heartbeat=Heartbeat(), author="Sg"),
        body(heartbeat=Heartbeat(), author=""),
        body(heartbeat=Heartbeat(), key_id=bytes(9)),
        body(heartbeat=Heartbeat(), sequence=0),
        body(heartbeat=Heartbeat(), verified_header_hash=b""),
        body(statuses=batch(0)),
        body(statuses=batch(MAX_RECORDS + 1)),
        body(statuses=StatusBatch(arrangement_id=bytes(15), records=[b"record"])),
        body(aliases=AliasBatch(arrangement_id=bytes(16))),
        body(statuses=batch(MAX_RECORDS, 60)),
    ],
)
def test_bodies_that_may_not_enter(wrong: Transaction) -> None:
    with pytest.raises(FormatError):
        format_body(wrong)
    raw = wrong.SerializeToString(deterministic=True)
    with pytest.raises(FormatError):
        parse_transaction(b"\x01" + bytes(96) + raw)


def test_a_batch_may_be_as_large_as_it_may() -> None:
    written = format_body(body(statuses=batch(MAX_RECORDS, 50)))
    assert len(parse_transaction(b"\x01" + bytes(96) + written).body.statuses.records) == 1000
    overhead = len(format_body(body(arrangement=bytes(1 << 15)))) - (1 << 15)
    full = body(arrangement=bytes(MAX_TRANSACTION_BYTES - 97 - overhead))
    assert len(sign_transaction(7, BACKEND, NETWORK, format_body(full))) == MAX_TRANSACTION_BYTES
    full.arrangement += b"\x00"
    with pytest.raises(FormatError):
        format_body(full)
    with pytest.raises(FormatError):
        sign_transaction(7, BACKEND, NETWORK, full.SerializeToString())
    with pytest.raises(FormatError):
        sign_transaction(7, BACKEND, NETWORK, b"")


# --- signing sets ---


def test_sets_that_are_none() -> None:
    key = [bytes([n]) * 48 for n in range(3)]
    good = SigningMember("AU", 1, key[0])
    for wrong in (
        (),
        (good, good),
        (SigningMember("SG", 1, key[1]), good),
        (good, SigningMember("SG", 1, key[0])),
        (good._replace(weight=0),),
        (good._replace(weight=1 << 31),),
        (good, SigningMember("SG", (1 << 31) - 1, key[1])),
        (good._replace(key=bytes(47)),),
        (good._replace(economy="au"),),
    ):
        with pytest.raises(FormatError):
            SigningSet(wrong)
    assert SigningSet((good, SigningMember("SG", (1 << 31) - 2, key[1]))).total == (1 << 31) - 1


def test_the_largest_set() -> None:
    members = tuple(
        SigningMember(economy, n + 1, n.to_bytes(48)) for n, economy in enumerate(sorted(CODES))
    )
    sets = SigningSets(SigningSet(members), SigningSet(members[:1]))
    assert parse_signing_sets(format_signing_sets(sets)) == sets


def test_a_hand_over_needs_the_outgoing_sets_own_header() -> None:
    old, new = sample.signing_set(), sample.signing_set(("AU", "NZ"))
    data = format_signing_sets(SigningSets(old, new))
    state = StateMap.build([(keys.SIGNING_SETS_KEY, keys.object_value(data))])
    proof = state.prove(keys.SIGNING_SETS_KEY)
    header = sample.first_header(state.root)
    assert split_set_change(data + proof) == (data, proof)
    assert check_set_change(data, proof, header, old.hash, new.hash) == new

    other = format_signing_sets(SigningSets(old, sample.signing_set(("AU", "JP"))))
    with pytest.raises(ProofError):
        check_set_change(other, proof, header, old.hash, new.hash)
    with pytest.raises(ProofError):
        check_set_change(data, proof, sample.first_header(), old.hash, new.hash)
    for old_hash, new_hash in ((new.hash, new.hash), (old.hash, old.hash), (ZERO_HASH, new.hash)):
        with pytest.raises(ChainError):
            check_set_change(data, proof, header, old_hash, new_hash)
    foreign = replace(header, signing_set_hash=new.hash)
    with pytest.raises(ChainError):  # sealed by a set that is not the outgoing one
        check_set_change(data, proof, foreign, old.hash, new.hash)

    alone = format_signing_sets(SigningSets(old, None))
    state = StateMap.build([(keys.SIGNING_SETS_KEY, keys.object_value(alone))])
    with pytest.raises(ChainError):
        check_set_change(
            alone,
            state.prove(keys.SIGNING_SETS_KEY),
            sample.first_header(state.root),
            old.hash,
            new.hash,
        )


# --- seal ---


def test_each_bit_of_a_seal_is_refused() -> None:
    data = sample.seal(sample.first_header(), ("AU", "SG"))
    open_seal(data, sample.signing_set(), NETWORK, BACKEND)
    for changed in flipped(data):
        with pytest.raises((FormatError, SignatureError)):
            open_seal(changed, sample.signing_set(), NETWORK, BACKEND)


def test_levels_at_their_bounds() -> None:
    assert [level_of(weight, 3) for weight in range(4)] == [None, None, "attested", "sealed"]
    assert [level_of(weight, 4) for weight in range(5)] == [
        None,
        None,
        "attested",
        "sealed",
        "sealed",
    ]
    assert level_of(2, 2) == "sealed"
    assert level_of(1, 2) == "attested"


def test_half_the_members_and_another_set() -> None:
    header = sample.first_header()
    with pytest.raises(SignatureError, match="at most a third"):
        open_seal(sample.seal(header, ("SG",)), sample.signing_set(), NETWORK, BACKEND)
    data = sample.seal(header, ("AU", "SG"))
    with pytest.raises(SignatureError, match="verify"):  # the bits now mean AU and NZ
        open_seal(data, sample.signing_set(("AU", "JP", "NZ")), NETWORK, BACKEND)
    with pytest.raises(SignatureError):
        open_seal(data, sample.signing_set(("AU", "JP", "NZ", "SG")), NETWORK, BACKEND)


def test_a_bitmap_of_two_bytes() -> None:
    secrets = range(1, 11)
    members = SigningSet(
        tuple(
            SigningMember(economy, 1, BACKEND.public_key(secret))
            for economy, secret in zip(sorted(CODES), secrets, strict=False)
        )
    )
    hashed, time = b"\x05" * 32, 77
    chosen = [0, 1, 2, 7, 8, 9]
    shares = {
        members.members[i].economy: sign_share(i + 1, BACKEND, NETWORK, hashed, time)
        for i in chosen
    }
    data = aggregate_seal(members, hashed, time, shares, BACKEND)
    assert parse_seal(data).bitmap == bytes([0b11100001, 0b11000000])
    value = open_seal(data, members, NETWORK, BACKEND)
    assert value.signers == tuple(shares)
    assert (value.weight, value.level) == (6, "attested")
    assert format_seal(parse_seal(data)) == data


def test_shares() -> None:
    key = BACKEND.public_key(7)
    share = sign_share(7, BACKEND, NETWORK, ZERO_HASH, 5)
    check_share(share, key, NETWORK, ZERO_HASH, 5, BACKEND)
    with pytest.raises(SignatureError):
        check_share(share, key, NETWORK, ZERO_HASH, 6, BACKEND)
    with pytest.raises(FormatError):
        aggregate_seal(sample.signing_set(), ZERO_HASH, 5, {"ZZ": share}, BACKEND)
    with pytest.raises(FormatError):
        aggregate_seal(sample.signing_set(), ZERO_HASH, 5, {}, BACKEND)


# --- anchor ---


def test_every_anchor_of_every_header() -> None:
    hashes: list[bytes] = []
    headers: list[Header] = []
    for height in range(20):
        header = replace(
            sample.first_header(),
            height=height,
            previous=hashes[-1] if hashes else ZERO_HASH,
            earlier_root=Log(map(leaf_hash, hashes)).root(),
            log_size=height,
            log_root=ZERO_HASH if height else sample.first_header().log_root,
        )
        headers.append(header)
        hashes.append(header_hash(format_header(header)))
    earlier = Log(map(leaf_hash, hashes))
    for header in headers:
        for height in range(header.height):
            proof = earlier.prove_inclusion(height, header.height)
            check_descends(Anchor(height, hashes[height]), header, proof)
            for wrong in (Anchor(height, ZERO_HASH), Anchor(height + 1, hashes[height])):
                with pytest.raises(AnchorError):
                    check_descends(wrong, header, proof)
        check_descends(Anchor(header.height, hashes[header.height]), header, [])
        with pytest.raises(AnchorError):
            check_descends(Anchor(header.height, ZERO_HASH), header, [])
    with pytest.raises(AnchorError):
        check_descends(Anchor(19, hashes[19]), headers[3], [])


def test_ages() -> None:
    assert not too_old(1_000, 3_000, 2_000)
    assert too_old(1_000, 3_001, 2_000)
    check_attested_time(60_000, 0)
    with pytest.raises(CheckError):
        check_attested_time(60_001, 0)


# --- parameters ---


def test_parameters_out_of_range() -> None:
    for name in DEFAULT_PARAMETERS._fields:
        for wrong in (0, (1 << 32) - 1):
            if name == "rules_version" and wrong:
                continue
            if wrong and name.endswith(("interval", "limit", "period")):
                wrong = 101 * 366 * 24 * 3_600_000  # noqa: PLW2901  more than a century
            with pytest.raises(FormatError, match=name):
                format_parameters(DEFAULT_PARAMETERS._replace(**{name: wrong}))
    for message in (ParametersMessage(), ParametersMessage(heartbeat_interval=1)):
        with pytest.raises(FormatError):
            parse_parameters(message.SerializeToString())

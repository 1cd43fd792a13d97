"""Keyed identifiers against the formulas written out again; TINs as people write them."""

import hmac
from hashlib import sha256
from string import ascii_letters, digits, punctuation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.subject import LookupKey, lookup_key_commitment, subject_from_mac
from ledger.customs.tin import TIN_FORM, parse_tin
from ledger.errors import FormatError, TinError

BYTES32 = st.binary(min_size=32, max_size=32)
TINS = st.from_regex(r"[A-Z]{2}[A-Z0-9]{1,15}", fullmatch=True)


def tagged(tag: str, data: bytes) -> bytes:
    prefix = sha256(tag.encode()).digest()
    return sha256(prefix + prefix + data).digest()


@given(BYTES32, BYTES32, st.binary(min_size=16, max_size=16), st.integers(1, 2**32 - 1), TINS)
def test_the_formulas(key: bytes, network: bytes, identity: bytes, epoch: int, tin: str) -> None:
    context = identity + epoch.to_bytes(4, "big")
    made = LookupKey(key, network, identity, epoch)
    mac = hmac.digest(key, b"aeo/v1/tin" + context + tin.encode(), "sha256")
    subject = tagged("aeo/v1/subject", context + mac + tin.encode())
    assert made.tin_mac(tin) == mac
    assert made.subject(tin) == made.subject_of(tin, mac) == subject
    assert subject_from_mac(context, tin, mac) == subject
    alias = hmac.digest(key, b"aeo/v1/alias" + context + b"US-MID\x00" + tin.encode(), "sha256")
    assert made.alias("US-MID", f" {tin} ") == alias
    number = hmac.digest(key, b"aeo/v1/certificate" + context + tin.encode(), "sha256")
    assert made.certificate(tin) == number[:16]
    commitment = tagged("aeo/v1/lookup-key", network + identity + epoch.to_bytes(4, "big") + key)
    assert made.commitment == lookup_key_commitment(network, identity, epoch, key) == commitment


def test_numbers_are_trimmed_and_normalised_and_otherwise_left_alone() -> None:
    key = LookupKey(bytes(32), bytes(32), bytes(16))
    assert key.certificate("  e\u0301-1 ") == key.certificate("\u00e9-1")
    assert key.certificate("a1") != key.certificate("A1")
    assert key.certificate("A 1") != key.certificate("A1")
    assert key.alias("A", "BC") != key.alias("AB", "C")


@pytest.mark.parametrize("number", ["", "   ", "x" * 257, "\ud800"])
def test_numbers_that_are_refused(number: str) -> None:
    with pytest.raises(FormatError):
        LookupKey(bytes(32), bytes(32), bytes(16)).certificate(number)


def test_shapes_are_checked() -> None:
    with pytest.raises(FormatError):
        LookupKey(bytes(31), bytes(32), bytes(16))
    with pytest.raises(FormatError):
        LookupKey(bytes(32), bytes(32), bytes(15))
    with pytest.raises(FormatError):
        LookupKey(bytes(32), bytes(32), bytes(16), epoch=0)
    with pytest.raises(FormatError):
        LookupKey(bytes(32), bytes(32), bytes(16)).subject("KRé")
    assert bytes(32).hex() not in repr(LookupKey(bytes(32), bytes(32), bytes(16)))


TRIMMED, UPPER, DROPPED, AEO = (
    pb.TIN_CHANGE_TRIMMED,
    pb.TIN_CHANGE_UPPER_CASED,
    pb.TIN_CHANGE_SEPARATORS_DROPPED,
    pb.TIN_CHANGE_AEO_DROPPED,
)


@pytest.mark.parametrize(
    ("text", "members", "canonical", "changes"),
    [
        ("KR1", "KR", "KR1", ()),
        ("KR123456789012345", "KR", "KR123456789012345", ()),
        ("\tkr1\r\n", "KR", "KR1", (TRIMMED, UPPER)),
        ("K R-1 2", "KR", "KR12", (DROPPED,)),
        ("AEOKR12", "KR", "KR12", (AEO,)),
        ("aeo kr-12", "KR", "KR12", (UPPER, DROPPED, AEO)),
        ("AEO12345678", "AE", "AEO12345678", ()),
        ("AEO12345678", "KR", "AEO12345678", ()),
        ("AEOKR12", "AE", "AEOKR12", ()),
        ("AEOKR12", "", "AEOKR12", ()),
        ("AEOKR123456789012345", "AE,KR", "KR123456789012345", (AEO,)),
        ("AEO", "KR", "AEO", ()),
        ("AEOAEO1", "AE", None, pb.REASON_ALIAS_AMBIGUOUS),
        ("AEOKR12", "AE,KR", None, pb.REASON_ALIAS_AMBIGUOUS),
        ("AEOAEOKR1", "KR", "AEOAEOKR1", ()),
    ],
)
def test_tins(text: str, members: str, canonical: str | None, changes: object) -> None:
    prefixes = set(members.split(","))
    if canonical is None:
        with pytest.raises(TinError) as caught:
            parse_tin(text, prefixes)
        assert caught.value.reason == changes
    else:
        tin = parse_tin(text, prefixes)
        assert (tin.canonical, tin.changes) == (canonical, changes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "KR",
        "1KR23",
        "K1",
        "KR1234567890123456",
        "KR1\t2",
        "KR1_2",
        "KR1\u00a02",
        "ＫＲ1",
        "KR\u20101",
        "ıR1",
        "KRß",
        "KR1" + " " * 62,
        "KR1\n2",
        "AEOKR1234567890123456",
    ],
)
def test_tins_that_are_malformed(text: str) -> None:
    with pytest.raises(TinError) as caught:
        parse_tin(text, {"KR"})
    assert caught.value.reason == pb.REASON_TIN_MALFORMED


@given(st.text(ascii_letters + digits + punctuation + " \t\u00e9", max_size=24))
def test_what_comes_out_is_canonical_and_stays_so(text: str) -> None:
    try:
        tin = parse_tin(text, {"KR"})
    except TinError:
        return
    assert TIN_FORM.fullmatch(tin.canonical)
    again = parse_tin(tin.canonical, ())
    assert (again.canonical, again.changes) == (tin.canonical, ())


@pytest.mark.parametrize(
    ("tin", "warned"),
    [
        ("FR73282932000074", False),
        ("FR73282932000075", True),
        ("FR7328293200007", False),
        ("BE0403019261", False),
        ("BE0403019262", True),
        ("DK13585628", False),
        ("DK13585627", True),
        ("RO18547290", False),
        ("RO18547291", True),
        ("DE1234567", False),
        ("KR1234567890", False),
    ],
)
def test_check_digits_warn_only_where_a_tin_is_such_a_number(tin: str, warned: bool) -> None:
    warnings = parse_tin(tin, ()).warnings
    assert warnings == ((pb.TIN_WARNING_CHECK_DIGIT,) if warned else ())

"""Names and addresses: a table of pairs, the limits on each side, and what the two come to."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from aeo.exchange.v1 import verdict_pb2 as pb
from aeo.ledger.v1 import profile_pb2
from ledger.customs.address_match import match_address, match_party
from ledger.customs.name_match import MISSPELT_LETTERS, MISSPELT_SIMILARITY, is_misspelt, match_name
from ledger.customs.profile import (
    Address,
    Name,
    Profile,
    Validation,
    format_profile,
    open_profile,
    parse_profile,
    profile_commitment,
)
from ledger.errors import FormatError

TABLE = tomllib.loads((Path(__file__).parent / "names.toml").read_text())
ACME = Profile("HK1", (Name("Acme Trading Ltd", "en"),), (Address("1 Main Street", "en", "HK"),))


def said(match: int) -> str:
    return pb.NameMatch.Name(match).removeprefix("NAME_MATCH_")  # type: ignore[arg-type]


@pytest.mark.parametrize("row", TABLE["name"], ids=lambda row: f"{row['declared']}-{row['why']}")
def test_names(row: dict[str, Any]) -> None:
    assert said(match_name(row["declared"], row["file"])) == row["match"], row["why"]
    if len(row["file"]) == 1:  # neither side is better than the other
        assert said(match_name(row["file"][0], [row["declared"]])) == row["match"]


@pytest.mark.parametrize("row", TABLE["address"], ids=lambda row: f"{row['declared']}-{row['why']}")
def test_addresses(row: dict[str, Any]) -> None:
    assert said(match_address(row["declared"], row["file"])) == row["match"], row["why"]


def test_the_table_is_large_enough_and_has_every_answer() -> None:
    assert len(TABLE["name"]) >= 60
    answers = {"EXACT", "CLOSE", "DIFFERENT", "NOT_COMPARABLE"}
    assert {row["match"] for row in TABLE["name"]} == answers
    assert {row["match"] for row in TABLE["address"]} == answers


def test_a_misspelt_word_at_its_limits() -> None:
    assert is_misspelt("fischer", "fisher")
    assert OSA.normalized_similarity("fischer", "fisher") == pytest.approx(6 / 7)
    assert OSA.normalized_similarity("barges", "bargee") < MISSPELT_SIMILARITY
    assert not is_misspelt("barges", "bargee")
    assert not is_misspelt("a" * (MISSPELT_LETTERS - 1), "a" * 20)
    assert not is_misspelt("factory10", "factory11")


@pytest.mark.parametrize(
    ("name", "address", "expected"),
    [
        ("Acme Trading Ltd", "", "EXACT"),
        ("Acme Trading Ltd", "1 Main St", "EXACT"),
        ("Acme Trading", "1 Main St", "CLOSE"),
        ("Acme Trading Ltd", "1 Main St, Kowloon", "CLOSE"),
        ("Acme Trading Ltd", "2 Main St", "DIFFERENT"),
        ("Zenith", "1 Main Street", "DIFFERENT"),
        ("Acme Trading Ltd", "中環皇后大道1號", "NOT_COMPARABLE"),
        ("珠江貿易", "2 Main Street", "DIFFERENT"),
        ("", "1 Main Street", "EXACT"),
        ("", "", "NOT_CHECKED"),
        (" ", "\t", "NOT_CHECKED"),
    ],
)
def test_the_worse_of_name_and_address_counts(name: str, address: str, expected: str) -> None:
    assert said(match_party(name, address, ACME)) == expected


def test_without_an_address_on_file_the_name_alone_counts() -> None:
    bare = ACME._replace(addresses=())
    assert said(match_party("Acme Trading Ltd", "9 Elsewhere", bare)) == "EXACT"
    assert said(match_party("", "9 Elsewhere", bare)) == "NOT_CHECKED"


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_are_compared_alike_from_both_sides(one: str, other: str) -> None:
    assert match_name(one, [other]) == match_name(other, [one])
    assert match_address(one, [other]) == match_address(other, [one])


# ---------------------------------------------------------------- the form of a profile

FULL = Profile(
    "HK12345678",
    (Name("Pearl River Trading Ltd", "en"), Name("珠江貿易有限公司", "zh-Hant")),
    (Address("1 Queen's Road Central", "en", "HK"),),
    ("trade@example.org",),
    ("HK-AEO-0001",),
    (Validation("2025-03-31", "premises"), Validation("2026-02-28")),
)


def test_a_profile_is_written_and_read() -> None:
    data = format_profile(FULL)
    assert parse_profile(data) == FULL
    assert open_profile(profile_commitment(b"n" * 32, data), b"n" * 32, data) == FULL


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tin": "hk1"}, "tin"),
        ({"tin": ""}, "tin"),
        ({"names": ()}, "names"),
        ({"names": (Name("x"),) * 17}, "names"),
        ({"names": (Name("x" * 513),)}, "names.text"),
        ({"names": (Name(" Acme"),)}, "names.text"),
        ({"names": (Name("Ac\nme"),)}, "names.text"),
        ({"names": (Name("e\u0301"),)}, "NFC"),
        ({"names": (Name("Acme", "english"),)}, "names.language"),
        ({"addresses": (Address("1 Main", "en", "hk"),)}, "addresses.country"),
        ({"addresses": (Address("", "en", "HK"),)}, "addresses.text"),
        ({"addresses": (Address("x"),) * 17}, "addresses"),
        ({"contacts": ("x" * 257,)}, "contacts"),
        ({"certificate_numbers": ("",)}, "certificate_numbers"),
        ({"validations": (Validation("2026-02-29"),)}, "no such day"),
        ({"validations": (Validation("26-02-01"),)}, "YYYY-MM-DD"),
        ({"validations": (Validation("2025-13-01"),)}, "no such day"),
        ({"validations": (Validation("0000-01-01"),)}, "no such day"),
        ({"validations": (Validation("2100-02-29"),)}, "no such day"),
        ({"names": (Name("x" * 512),) * 16, "addresses": (Address("y" * 1000),) * 16}, "16384"),
    ],
)
def test_what_is_no_profile(change: dict[str, Any], field: str) -> None:
    with pytest.raises(FormatError, match=field):
        format_profile(FULL._replace(**change))


def test_bytes_that_are_no_profile() -> None:
    data = format_profile(FULL)
    for wrong in (
        data + b"\x38\x01",  # a field that is not known
        b"\x0a\x03HK1" + data,  # tin twice
        data[:-1],
        bytes(16_385),
        profile_pb2.Profile(tin="hk1").SerializeToString(),
    ):
        with pytest.raises(FormatError):
            parse_profile(wrong)


def test_only_nonce_and_bytes_together_open_a_commitment() -> None:
    data, other = format_profile(FULL), format_profile(FULL._replace(contacts=()))
    commitment = profile_commitment(b"n" * 32, data)
    for nonce, shown in ((b"m" * 32, data), (b"n" * 32, other), (b"n" * 31, data)):
        with pytest.raises(FormatError):
            open_profile(commitment, nonce, shown)
    assert profile_commitment(b"m" * 32, data) != commitment

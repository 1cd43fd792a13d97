"""The search finds what a comparison with every profile finds, and nothing else."""

import random
import tomllib
from pathlib import Path

import pytest

from ledger.customs.address_match import match_party
from ledger.customs.name_match import CLOSE, EXACT
from ledger.customs.profile import Name, Profile
from service.node.profiles import index as profile_index
from service.node.profiles.index import ProfileIndex

TABLE = tomllib.loads((Path(__file__).parents[1] / "customs" / "names.toml").read_text())
ON_FILE = [
    Profile(f"KR{number}", tuple(Name(text) for text in row["file"]))
    for number, row in enumerate(TABLE["name"])
]
DECLARED = sorted({row["declared"] for row in TABLE["name"]} | {p.names[0].text for p in ON_FILE})


def index_of(profiles: list[Profile]) -> ProfileIndex:
    index = ProfileIndex()
    for number, profile in enumerate(profiles):
        index.add(number.to_bytes(32, "big"), profile)
    return index


def compared_with_all(profiles: list[Profile], name: str) -> list[str]:
    matches = {profile.tin: match_party(name, "", profile) for profile in profiles}
    exact = sorted(tin for tin, match in matches.items() if match == EXACT)
    return exact or sorted(tin for tin, match in matches.items() if match == CLOSE)


@pytest.mark.parametrize("limit", [0, 500])
def test_every_name_of_the_table(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_index, "COMPARED", limit)
    index = index_of(ON_FILE)
    for name in DECLARED:
        assert index.find(name, "") == compared_with_all(ON_FILE, name), name


@pytest.mark.parametrize("limit", [0, 500])
def test_names_with_slips(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_index, "COMPARED", limit)
    made = random.Random(7)
    words = ["pearl", "river", "trading", "shanghai", "logistics", "acme", "no1", "harbour"]
    profiles = [
        Profile(f"HK{number}", (Name(" ".join(made.choices(words, k=made.randint(1, 3)))),))
        for number in range(60)
    ]
    index = index_of(profiles)
    for profile in profiles:
        letters = list(profile.names[0].text)
        at = made.randrange(len(letters))
        letters[at : at + 1] = made.choice([[], ["x"], [letters[at], "q"], [" "]])
        name = "".join(letters)
        assert index.find(name, "") == compared_with_all(profiles, name), name


def test_what_is_removed_is_not_found() -> None:
    index = index_of(ON_FILE)
    for number in range(len(ON_FILE)):
        index.remove(number.to_bytes(32, "big"))
    index.remove(b"x" * 32)
    assert len(index) == 0
    assert not index._by_word
    assert not index._together
    assert [index.find(name, "") for name in DECLARED] == [[]] * len(DECLARED)


def test_one_profile_under_several_commitments() -> None:
    index = ProfileIndex()
    for commitment in (b"a" * 32, b"b" * 32):
        index.add(commitment, ON_FILE[0])
    index.remove(b"a" * 32)
    assert index.find(ON_FILE[0].names[0].text, "") == [ON_FILE[0].tin]
    assert index.match(b"a" * 32, "anything", "") is None

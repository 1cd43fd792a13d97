"""The profile store: what is committed to, kept, refused, erased; what a restart still knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.customs.profile import Name, Profile, format_profile, open_profile
from service.store.home.home_store import HomeStore
from service.store.home.profiles import PartnerProfile, ProfileStore, Wanted
from service.store.location import Location, Memory
from store.places import PLACES, bytes_of
from store.scripts import NETWORK

ONE, OTHER = b"a" * 16, b"b" * 16
ACME = Profile("TW1", (Name("Acme Trading"),))
DATA = format_profile(ACME)
RENAMED = format_profile(ACME._replace(names=(Name("Zenith Trading"),)))
WANTED = Wanted(b"c" * 32, ONE, "HK")
CAME = PartnerProfile(WANTED, "HK1", b"n" * 32, DATA)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    return PLACES[request.param](tmp_path / "home.db")


@pytest.fixture
def home(place: Location) -> Iterator[HomeStore]:
    with HomeStore(place, "TW", NETWORK) as home:
        yield home


@pytest.fixture
def profiles(home: HomeStore) -> ProfileStore:
    return home.profiles


def test_each_commitment_opens_the_profile_that_was_in_force(profiles: ProfileStore) -> None:
    profiles.put([("TW1", DATA)])
    assert ("TW1" in profiles.tins, "TW2" in profiles.tins) == (True, False)
    first, nothing, second = profiles.commit([("TW1", ONE), ("TW2", ONE), ("TW1", ONE)])
    assert nothing == b""
    profiles.put([("TW1", RENAMED)])
    (third,) = profiles.commit([("TW1", ONE)])
    opened = profiles.opened(ONE, [third, b"x" * 32, first, second])
    assert [each.commitment for each in opened] == [third, first, second]
    assert [each.data for each in opened] == [RENAMED, DATA, DATA]
    assert len({each.nonce for each in opened}) == 3
    for each in opened:
        open_profile(*each)
    assert profiles.opened(OTHER, [first]) == []
    assert profiles.own_by_commitment(first) == DATA


def test_a_profile_that_nothing_commits_to_is_replaced(profiles: ProfileStore) -> None:
    profiles.put([("TW1", DATA)])
    profiles.put([("TW1", DATA)])
    profiles.put([("TW1", RENAMED)])
    assert list(profiles.own_profiles()) == [("TW1", RENAMED)]


def test_what_is_wanted_is_kept_once_and_counted_when_it_fails(profiles: ProfileStore) -> None:
    profiles.want([WANTED, WANTED], 7)
    assert (profiles.scanned(), profiles.wanted(9, 9)) == (7, [WANTED])
    assert profiles.keep([], [WANTED], 2) == 0
    assert profiles.wanted(9, 1) == []
    assert profiles.refused() == 2
    assert profiles.keep([CAME], [], 0) == 1
    assert profiles.wanted(9, 9) == []
    profiles.want([WANTED], 8)
    assert profiles.wanted(9, 9) == []
    assert profiles.partners_of("HK1") == [(WANTED.commitment, DATA)]


def test_what_a_partner_erased_is_never_kept_again(profiles: ProfileStore) -> None:
    profiles.want([WANTED], 1)
    profiles.keep([CAME], [], 0)
    assert profiles.erase_partners(ONE, "KR", [WANTED.commitment], 5) == ([], [])
    assert profiles.erase_partners(OTHER, "HK", [WANTED.commitment], 5) == ([], [])
    gone = [WANTED.commitment]
    assert profiles.erase_partners(ONE, "HK", gone, 5) == (gone, gone)
    assert profiles.erase_partners(ONE, "HK", gone, 6) == ([], gone)
    profiles.want([WANTED], 2)
    assert profiles.wanted(9, 9) == []
    assert profiles.keep([CAME], [], 0) == 0
    assert profiles.partner(WANTED.commitment) is None


def test_a_stranger_cannot_forbid_what_has_not_come_yet(profiles: ProfileStore) -> None:
    profiles.erase_partners(ONE, "KR", [WANTED.commitment], 5)
    profiles.want([WANTED], 1)
    assert profiles.wanted(9, 9) == [WANTED]
    assert profiles.keep([CAME], [], 0) == 1


def test_an_erasure_outlives_a_restart_until_it_is_acknowledged(place: Location) -> None:
    with HomeStore(place, "TW", NETWORK) as home:
        profiles = home.profiles
        profiles.put([("TW1", DATA)])
        made = profiles.commit([("TW1", ONE), ("TW1", OTHER), ("TW1", ONE)])
        partners = {ONE: ["HK", "KR"], OTHER: ["HK"]}
        assert not profiles.erase_own("none", "TW9", (), partners, 5)
        assert profiles.erase_own("id", "TW1", (), partners, 5)
        assert "TW1" not in profiles.tins
        assert profiles.commit([("TW1", ONE)]) == [b""]
    with HomeStore(place, "TW", NETWORK) as home:
        profiles = home.profiles
        assert profiles.scrub_due()
        notices = profiles.notices(10)
        assert [(each.partner, each.arrangement_id) for each in notices] == [
            ("HK", ONE),
            ("KR", ONE),
            ("HK", OTHER),
        ]
        assert set(notices[0].commitments) == {made[0], made[2]}
        profiles.acknowledge(notices[0].notice_id, 9)
        (erasure,) = profiles.erasures()
        assert (erasure.erasure_id, erasure.erased_at) == ("id", 5)
        assert [each.acknowledged_at for each in erasure.notices] == [9, 0, 0]
        assert len(profiles.notices(10)) == 2


def test_of_one_arrangement_the_rest_stays(profiles: ProfileStore) -> None:
    profiles.put([("TW1", DATA)])
    first, other = profiles.commit([("TW1", ONE), ("TW1", OTHER)])
    profiles.erase_own("id", "TW1", [ONE], {ONE: ["HK"]}, 5)
    assert profiles.opened(ONE, [first]) == []
    assert len(profiles.opened(OTHER, [other])) == 1
    assert profiles.own("TW1") == DATA
    assert "TW1" in profiles.tins


@pytest.mark.parametrize("reading", [False, True])
def test_a_scrub_waits_for_readers_and_leaves_nothing(place: Location, *, reading: bool) -> None:
    with HomeStore(place, "TW", NETWORK) as home:
        profiles = home.profiles
        profiles.put([(f"TW{n}", DATA) for n in range(200)])
        secret = format_profile(ACME._replace(contacts=("+886 2 5550 4711",)))
        profiles.put([("TW77", secret)])
        profiles.erase_own("id", "TW77", (), {}, 5)
        if reading and not isinstance(place, Memory):
            kept = profiles.own_profiles()
            next(kept)
            assert not profiles.scrub()
            assert profiles.scrub_due()
            kept.close()
        assert profiles.scrub()
        assert not profiles.scrub_due()
        files = bytes_of(place)
        assert b"+886 2 5550 4711" not in files
        assert b"TW77" not in files
        assert profiles.own("TW76") is not None

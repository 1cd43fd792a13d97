"""Steps that wait for a second person: claimed once, kept without their requests once decided."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from service.store.home.approvals import NewStep, StepState
from service.store.home.home_store import HomeStore
from service.store.location import Location
from store.places import PLACES, bytes_of

REQUEST = b"revoke KR1234567890"
NEW = NewStep("s1", "X/Publish", "officer", "Wang", 1_000, 5_000, True, b"d1", REQUEST)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    return PLACES[request.param](tmp_path / "home.db")


@pytest.fixture
def home(place: Location) -> Iterator[HomeStore]:
    with HomeStore(place, "NZ", bytes(32)) as home:
        yield home


def files(home: HomeStore) -> bytes:
    return bytes_of(home.path)


def test_a_step_is_stored_once(home: HomeStore) -> None:
    step, new = home.approvals.add(NEW)
    assert (step.state, new, home.approvals.count_open()) == (StepState.WAITING, True, 1)
    again, new = home.approvals.add(replace(NEW, step_id="s2", prepared_at=2_000))
    assert (again, new) == (step, False)
    assert home.approvals.request("s1") == REQUEST
    assert home.approvals.find("s2") is None


def test_one_of_many_claims_succeeds(home: HomeStore) -> None:
    home.approvals.add(NEW)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: home.approvals.claim("s1", f"a{n}", 2_000), range(16)))
    (claimed,) = [each for each in claims if each is not None]
    assert claimed.state is StepState.RUNNING
    assert home.approvals.find("s1").decided_by == claimed.decided_by


def test_what_was_released_waits_again(home: HomeStore) -> None:
    step, _ = home.approvals.add(NEW)
    home.approvals.claim("s1", "Li", 2_000)
    home.approvals.release("s1")
    assert home.approvals.find("s1") == step
    assert home.approvals.claim("s1", "Kim", 2_000) is not None


@pytest.mark.parametrize("end", ["take", "reject", "expire"])
def test_a_decided_step_keeps_no_request(home: HomeStore, end: str) -> None:
    home.approvals.add(NEW)
    assert REQUEST in files(home)
    match end:
        case "take":
            home.approvals.claim("s1", "Li", 2_000)
            home.approvals.take("s1")
        case "reject":
            assert home.approvals.reject("s1", "Li", 2_000, "not now").reason == "not now"
        case "expire":
            assert home.approvals.expire(4_999) == []
            assert [each.step_id for each in home.approvals.expire(5_000)] == ["s1"]
    step = home.approvals.find("s1")
    assert step.state in {StepState.TAKEN, StepState.REJECTED, StepState.EXPIRED}
    assert (step.method, step.prepared_by) == ("X/Publish", "Wang")
    assert home.approvals.request("s1") is None
    assert REQUEST not in files(home)
    assert b"KR1234567890" not in files(home)
    # It stays decided, and the same may be prepared anew.
    assert home.approvals.claim("s1", "Li", 2_000) is None
    assert home.approvals.reject("s1", "Li", 2_000, "") is None
    assert home.approvals.decided(10) == [step]
    assert home.approvals.add(replace(NEW, step_id="s2"))[1]


def test_what_runs_is_neither_rejected_nor_expired(home: HomeStore) -> None:
    home.approvals.add(NEW)
    home.approvals.claim("s1", "Li", 2_000)
    assert home.approvals.reject("s1", "Kim", 2_000, "") is None
    assert home.approvals.expire(9_000) == []
    home.approvals.take("s1")
    assert home.approvals.find("s1").state is StepState.TAKEN


def test_what_has_expired_is_not_claimed(home: HomeStore) -> None:
    home.approvals.add(NEW)
    assert home.approvals.claim("s1", "Li", 5_000) is None


@pytest.mark.parametrize(
    ("repeatable", "state"), [(True, StepState.WAITING), (False, StepState.TAKEN)]
)
def test_an_end_in_the_midst(place: Location, repeatable: bool, state: StepState) -> None:
    with HomeStore(place, "NZ", bytes(32)) as home:
        home.approvals.add(replace(NEW, repeatable=repeatable))
        home.approvals.add(replace(NEW, step_id="s2", digest=b"d2"))
        home.approvals.claim("s1", "Li", 2_000)
    with HomeStore(place, "NZ", bytes(32)) as home:
        assert [each.step_id for each in home.approvals.recover()] == ["s1"]
        assert home.approvals.find("s1").state is state
        assert (home.approvals.request("s1") is None) is not repeatable
        assert home.approvals.find("s2").state is StepState.WAITING
        assert home.approvals.recover() == []

"""What every home store must do, wherever it lies."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from service.errors import KeyReused, SequenceTaken, StoreError, WrongStore
from service.store.home.home_store import HomeStore
from service.store.home.outbox import Outbox, RecordAnswer, Recorded, Signed, Waiting
from service.store.home.prepared import (
    Carries,
    Group,
    format_carries,
    format_groups,
    format_refusals,
    parse_carries,
    parse_groups,
    parse_refusals,
)
from service.store.home.publication import NewPublication, PublicationState
from store.places import PLACES, bytes_of
from store.scripts import ARRANGEMENT, NETWORK, publication


@pytest.fixture(params=PLACES)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., HomeStore]:
    place = PLACES[request.param](tmp_path / "home.db")
    return lambda economy="TW", network=NETWORK, **settings: HomeStore(
        place, economy, network, **settings
    ).open()


@pytest.fixture
def home(reopen: Callable[..., HomeStore]) -> Iterator[HomeStore]:
    home = reopen()
    yield home
    home.close()


@pytest.fixture
def outbox(home: HomeStore) -> Outbox:
    return home.outbox


def test_a_publication_is_kept_with_its_answer(outbox: Outbox) -> None:
    stored, repeated = outbox.add_publication(publication("key", b"a", b"b"))
    assert not repeated
    assert (stored.records, stored.signed, stored.recorded, stored.refused) == (2, 0, 0, 0)
    assert stored.state is PublicationState.PREPARED
    assert outbox.publication(stored.publication_id) == stored
    assert outbox.find("key") == stored
    assert outbox.answer(stored.publication_id) == b"answer to key"
    assert outbox.find("another") is None
    assert outbox.publication(99) is None
    assert outbox.answer(99) is None


def test_the_same_key_and_content_give_the_same_publication(outbox: Outbox) -> None:
    first, _ = outbox.add_publication(publication("key", b"a"))
    assert outbox.add_publication(publication("key", b"a")) == (first, True)
    assert outbox.publications() == [first]


def test_the_same_key_with_other_content_is_refused(outbox: Outbox) -> None:
    first, _ = outbox.add_publication(publication("key", b"a"))
    with pytest.raises(KeyReused) as caught:
        outbox.add_publication(publication("key", b"a", digest=b"\x01" * 32))
    assert caught.value.key == "key"
    assert outbox.publications() == [first]
    assert [waiting.records for waiting in outbox.waiting()] == [(b"a",)]


def test_pages_run_from_the_newest(outbox: Outbox) -> None:
    ids = [outbox.add_publication(publication(str(n)))[0].publication_id for n in range(5)]
    first = outbox.publications(2)
    second = outbox.publications(2, before=first[-1].publication_id)
    third = outbox.publications(2, before=second[-1].publication_id)
    assert [page.publication_id for page in first + second + third] == ids[::-1]


def test_a_publication_without_records_is_through(outbox: Outbox) -> None:
    stored, _ = outbox.add_publication(publication("all rows were faulty"))
    assert stored.state is PublicationState.RECORDED
    assert list(outbox.waiting()) == []


def test_from_prepared_to_recorded(outbox: Outbox) -> None:
    other = bytes(16)
    groups = (Group(11, ARRANGEMENT, (0, 2), (b"a", b"c")), Group(11, other, (0,), (b"A",)))
    new = NewPublication("key", bytes(32), 1, b"", groups)
    one = outbox.add_publication(new)[0].publication_id
    two = outbox.add_publication(publication("two", b"x"))[0].publication_id
    assert list(outbox.waiting()) == [
        Waiting(one, 11, ARRANGEMENT, (0, 1), (b"a", b"c")),
        Waiting(one, 11, other, (2,), (b"A",)),
        Waiting(two, 11, ARRANGEMENT, (0,), (b"x",)),
    ]

    assert outbox.next_sequence() == 1
    signed = [Signed(1, b"tx 1", Carries((two, one), (0, 1))), Signed(2, b"tx 2")]
    outbox.store_signed(signed)
    assert outbox.next_sequence() == 3
    assert outbox.unrecorded() == signed
    assert list(outbox.waiting()) == [
        Waiting(one, 11, ARRANGEMENT, (0,), (b"a",)),
        Waiting(one, 11, other, (2,), (b"A",)),
    ]
    assert state(outbox, one) is PublicationState.PREPARED
    assert state(outbox, two) is PublicationState.SIGNED

    outbox.store_signed([Signed(3, b"tx 3", Carries((one, one), (2, 0)))])
    assert list(outbox.waiting()) == []
    assert state(outbox, one) is PublicationState.SIGNED

    outbox.mark_recorded([Recorded(1, 70, 7, 700, {1: "NO_SUCH_CERTIFICATE"})])
    assert state(outbox, two) is PublicationState.RECORDED
    assert state(outbox, one) is PublicationState.SIGNED
    assert outbox.record_answers(one) == [
        RecordAnswer(2, ARRANGEMENT, 70, 0 + 1, "NO_SUCH_CERTIFICATE")
    ]
    outbox.mark_recorded([Recorded(2, 80, 8, 800), Recorded(3, 90, 9, 900)])
    assert outbox.unrecorded() == []
    assert outbox.record_answers(one) == [
        RecordAnswer(0, other, 90, 0, ""),
        RecordAnswer(0, ARRANGEMENT, 90, 1, ""),
        RecordAnswer(2, ARRANGEMENT, 70, 1, "NO_SUCH_CERTIFICATE"),
    ]
    through = outbox.publication(one)
    assert through is not None
    assert (through.recorded, through.refused) == (3, 1)
    assert (through.height, through.recorded_time) == (9, 900)


def state(outbox: Outbox, publication_id: int) -> PublicationState:
    found = outbox.publication(publication_id)
    assert found is not None
    return found.state


def test_a_number_is_signed_once(outbox: Outbox) -> None:
    outbox.store_signed([Signed(1, b"tx 1"), Signed(2, b"tx 2")])
    for again in ([Signed(2, b"other")], [Signed(3, b"new"), Signed(1, b"tx 1")]):
        with pytest.raises(SequenceTaken):
            outbox.store_signed(again)
    with pytest.raises(StoreError, match="sign a number twice"):
        outbox.store_signed([Signed(4, b"one"), Signed(4, b"two")])
    assert outbox.unrecorded() == [Signed(1, b"tx 1"), Signed(2, b"tx 2")]


def test_a_record_is_signed_once(outbox: Outbox) -> None:
    one = outbox.add_publication(publication("key", b"a"))[0].publication_id
    outbox.store_signed([Signed(1, b"tx 1", Carries((one,), (0,)))])
    with pytest.raises(StoreError, match="is signed or does not exist"):
        outbox.store_signed([Signed(2, b"tx 2", Carries((one,), (0,)))])
    with pytest.raises(StoreError, match="is signed or does not exist"):
        outbox.store_signed([Signed(2, b"tx 2", Carries((99,), (0,)))])
    assert outbox.next_sequence() == 2


def test_marking_again_changes_nothing(outbox: Outbox) -> None:
    one = outbox.add_publication(publication("key", b"a"))[0].publication_id
    outbox.store_signed([Signed(1, b"tx", Carries((one,), (0,)))])
    outbox.mark_recorded([Recorded(1, 5, 2, 20, {0: "ILLEGAL_STEP"})])
    before = outbox.publication(one)
    outbox.mark_recorded([Recorded(1, 5, 2, 20, {0: "ILLEGAL_STEP"})])
    assert outbox.publication(one) == before
    with pytest.raises(StoreError, match="was signed here"):
        outbox.mark_recorded([Recorded(9, 5, 2, 20)])


def test_callers_share_a_commit(reopen: Callable[..., HomeStore]) -> None:
    """While one commit is under way, all who come are stored together by the next."""
    callers = 20
    holding, go_on = Event(), Event()

    def hold_the_first(step: str) -> None:
        if step == "publication:records" and not holding.is_set():
            holding.set()
            assert go_on.wait(30)

    with reopen(on_step=hold_the_first) as home:
        before = home.commits
        first = Thread(target=lambda: home.outbox.add_publication(publication("first", b"a")))
        first.start()
        assert holding.wait(30)
        ready = Barrier(callers + 1)
        outcomes: dict[str, object] = {}

        def call(key: str, digest: bytes) -> None:
            ready.wait(30)
            try:
                new = publication(key, b"a", digest=digest)
                outcomes[key] = home.outbox.add_publication(new)[1]
            except KeyReused as refused:
                outcomes[key] = refused

        # One of them is wrong: it alone hears of it.
        keys = {f"key {n}": bytes(32) for n in range(callers - 1)} | {"first": b"\x01" * 32}
        threads = [Thread(target=call, args=item) for item in keys.items()]
        for thread in threads:
            thread.start()
        ready.wait(30)
        go_on.set()
        for thread in [first, *threads]:
            thread.join(30)
        assert isinstance(outcomes.pop("first"), KeyReused)
        assert list(outcomes.values()) == [False] * (callers - 1)
        assert len(home.outbox.publications()) == callers
        assert home.commits - before <= callers


def test_well_meant_callers_need_few_commits(reopen: Callable[..., HomeStore]) -> None:
    callers = 16
    start = Barrier(callers)
    with reopen() as home:
        before = home.commits

        def call(caller: int) -> None:
            start.wait(30)
            for n in range(10):
                home.outbox.add_publication(publication(f"{caller} {n}", b"a"))

        threads = [Thread(target=call, args=(caller,)) for caller in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(home.outbox.publications(500)) == 10 * callers
        assert home.commits - before < 10 * callers


def test_lookup_keys(home: HomeStore) -> None:
    home.put_lookup_key(ARRANGEMENT, 1, b"k" * 32)
    home.put_lookup_key(ARRANGEMENT, 1, b"k" * 32)
    home.put_lookup_key(ARRANGEMENT, 2, b"l" * 32)
    with pytest.raises(StoreError, match="another lookup key"):
        home.put_lookup_key(ARRANGEMENT, 1, b"m" * 32)
    assert home.lookup_keys() == {(ARRANGEMENT, 1): b"k" * 32, (ARRANGEMENT, 2): b"l" * 32}


def test_a_destroyed_key_leaves_no_trace(home: HomeStore) -> None:
    secret = b"not to be found anywhere again!!"
    home.put_lookup_key(ARRANGEMENT, 1, secret)
    home.destroy_lookup_key(ARRANGEMENT, 1)
    assert home.lookup_keys() == {}
    assert secret not in bytes_of(home.path)


def test_instructions_and_counters(home: HomeStore) -> None:
    home.put_instruction(3, "lane 1")
    home.put_instruction(3, "lane 2")
    home.put_instruction(4, "call the officer")
    home.put_instruction(4, "")
    assert home.instructions() == {3: "lane 2"}
    assert (home.count("look-ups"), home.count("look-ups", 10)) == (1, 11)
    assert home.counters() == {"look-ups": 11}


def test_the_file_belongs_to_one_member_of_one_network(
    home: HomeStore, reopen: Callable[..., HomeStore]
) -> None:
    home.close()
    with pytest.raises(WrongStore, match="belongs to TW"):
        reopen("JP")
    with pytest.raises(WrongStore):
        reopen("TW", bytes(32))
    with reopen() as again:
        assert again.outbox.next_sequence() == 1


def test_only_its_owner_may_read_it(home: HomeStore) -> None:
    if not isinstance(home.path, Path):
        return  # a server's files are its own
    home.count("something")
    for file in home.path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name


records = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=300)), max_size=20)
groups = st.builds(
    lambda action, arrangement_id, pairs: Group(
        action, arrangement_id, tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
    ),
    st.integers(0, 255),
    st.binary(min_size=16, max_size=16),
    records,
)
columns = st.lists(st.tuples(st.integers(0, 2**63), st.integers(0, 2**32 - 1)), max_size=50)


@given(
    st.lists(groups, max_size=4), columns, st.dictionaries(st.integers(0, 65_535), st.text("ABC_"))
)
def test_compact_bytes_come_back(
    some: list[Group], pairs: list[tuple[int, int]], refusals: dict[int, str]
) -> None:
    assert parse_groups(format_groups(some)) == tuple(some)
    carries = Carries(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))
    assert parse_carries(format_carries(carries)) == carries
    assert parse_refusals(format_refusals(refusals)) == refusals


@pytest.mark.parametrize("parse", [parse_groups, parse_carries, parse_refusals])
@given(data=st.binary(max_size=80))
def test_other_bytes_are_a_format_error(parse: Callable[[bytes], object], data: bytes) -> None:
    with suppress(FormatError):
        parse(data)

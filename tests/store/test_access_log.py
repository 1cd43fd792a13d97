"""The access log's chain: every byte of it counts, and a gap, a swap or a cut tail shows."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from ledger.hashing import ZERO_HASH, tagged
from service.errors import StoreCorrupt
from service.store.home.access_log import (
    START,
    BrokenLog,
    Head,
    Page,
    chain,
    check_file,
    check_pages,
    format_page,
    parse_entries,
)
from service.store.home.home_store import HomeStore
from store.places import DURABLE, PLACES

ENTRIES = [b"first", b"", b"third entry", b"4"]


def pages() -> list[Page]:
    one = format_page(1, ZERO_HASH, ENTRIES[:3])
    two = format_page(4, one.hash, ENTRIES[3:])
    return [one, two, format_page(5, two.hash, [os.urandom(40)])]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[HomeStore]:
    with HomeStore(tmp_path / "home.db", "NZ", bytes(32)) as home:
        home.access_log.append(pages())
        yield home


def tamper(path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(path) as connection:
        for change in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS access_page_no_{change}")
        connection.execute(statement, values)
    connection.close()


def test_the_chain_as_it_is_written_down() -> None:
    hash_1 = tagged("aeo/v1/access-log")(bytes(32) + (1).to_bytes(8) + b"first")
    assert chain(ZERO_HASH, 1, b"first") == hash_1
    assert format_page(1, ZERO_HASH, [b"first"]).hash == hash_1
    assert check_pages([]) == START


def test_every_changed_byte_of_a_page() -> None:
    whole = pages()
    assert check_pages(whole).number == 5
    for at, page in enumerate(whole):
        for field in ("hash", "entries"):
            data = getattr(page, field)
            for place in range(len(data)):
                changed = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
                other = [*whole[:at], page._replace(**{field: changed}), *whole[at + 1 :]]
                with pytest.raises(BrokenLog):
                    check_pages(other)
        for field in ("first", "size"):
            for by in (-1, 1):
                changed = page._replace(**{field: getattr(page, field) + by})
                with pytest.raises(BrokenLog):
                    check_pages([*whole[:at], changed, *whole[at + 1 :]])


def test_pages_left_out_repeated_or_swapped() -> None:
    one, two, three = pages()
    for wrong in ([two, three], [one, three], [one, one, two], [one, three, two], [two, one]):
        with pytest.raises(BrokenLog):
            check_pages(wrong)


def test_a_tail_that_was_cut_off_shows_against_a_head() -> None:
    whole = pages()
    head = check_pages(whole)
    assert check_pages(whole[:2]).number == 4
    assert check_pages(whole, head) == check_pages(whole, START) == head
    inner = Head(2, chain(chain(ZERO_HASH, 1, b"first"), 2, b""))
    assert check_pages(whole, inner) == head
    for cut in ([], whole[:1], whole[:2]):
        with pytest.raises(BrokenLog, match="cut off"):
            check_pages(cut, head)
    with pytest.raises(BrokenLog, match="not the one given"):
        check_pages(whole, Head(2, bytes(32)))


def test_a_log_written_anew_shows_against_a_head() -> None:
    head = check_pages(pages())
    forged = format_page(1, ZERO_HASH, [*ENTRIES[:2], b"another", *ENTRIES[3:], b"5"])
    assert check_pages([forged]).number == head.number
    with pytest.raises(BrokenLog):
        check_pages([forged], head)


@pytest.mark.parametrize("kind", DURABLE)
def test_appending_and_reading(kind: str, tmp_path: Path) -> None:
    with HomeStore(PLACES[kind](tmp_path / "log.db"), "NZ", bytes(32)) as home:
        home.access_log.append(pages())
        append_and_read(home)


def append_and_read(home: HomeStore) -> None:
    log = home.access_log
    assert log.head() == check_pages(log.pages()) == check_file(home.path)
    assert [entry for _, entry, _ in log.entries()][:4] == ENTRIES
    for number in range(1, 6):
        found = list(log.entries(number))
        assert [each for each, _, _ in found] == list(range(number, 6))
        assert found[-1][2] == log.head().hash
    assert list(log.entries(6)) == []
    with pytest.raises(IntegrityError):
        log.append([format_page(5, ZERO_HASH, [b"again"])])


def test_many_pages(tmp_path: Path) -> None:
    with HomeStore(tmp_path / "home.db", "NZ", bytes(32)) as home:
        head = START
        for _ in range(150):
            page = format_page(head.number + 1, head.hash, [b"a", b"b"])
            home.access_log.append([page])
            head = Head(page.last, page.hash)
        assert check_file(home.path, head) == head
        assert [each for each, _, _ in home.access_log.entries(130)] == list(range(130, 301))


def test_the_file_refuses_what_changes_it(home: HomeStore) -> None:
    with sqlite3.connect(home.path) as connection:
        for statement in ("UPDATE access_page SET count = 1", "DELETE FROM access_page"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_page SET entries = x'0000000166' WHERE first = 4",
        "UPDATE access_page SET hash = zeroblob(32) WHERE first = 4",
        "UPDATE access_page SET first = 7 WHERE first = 5",
        "DELETE FROM access_page WHERE first = 4",
        "DELETE FROM access_page WHERE first = 1",
    ],
)
def test_a_file_that_was_tampered_with(home: HomeStore, statement: str) -> None:
    tamper(home.path, statement)
    with pytest.raises(BrokenLog):
        check_file(home.path)


def test_a_tampered_page_is_not_read_out(home: HomeStore) -> None:
    tamper(home.path, "UPDATE access_page SET entries = x'0000000166' WHERE first = 4")
    with pytest.raises(StoreCorrupt, match="access log page 4"):
        list(home.access_log.entries())


def test_a_file_that_was_cut(home: HomeStore) -> None:
    head = home.access_log.head()
    tamper(home.path, "DELETE FROM access_page WHERE first = 5")
    assert check_file(home.path).number == 4
    with pytest.raises(BrokenLog, match="cut off"):
        check_file(home.path, head)


def test_a_malformed_page() -> None:
    page = pages()[0]
    assert parse_entries(page) == ENTRIES[:3]
    for data in (b"", b"\x00", page.entries[:-1], page.entries + b"\x00", b"\xff" * 8):
        with pytest.raises(BrokenLog):
            check_pages([page._replace(entries=data)])


def test_the_key_is_made_once(home: HomeStore) -> None:
    assert home.access_log.key(b"k" * 32) == b"k" * 32
    assert home.access_log.key(b"x" * 32) == b"k" * 32

"""Set changes and evidence are kept once, in order, and stay."""

from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from service.errors import StoreError
from service.store.ledger import trust_rows
from service.store.ledger.ledger_store import LedgerStore
from service.store.location import Location
from store.places import PLACES


def header(set_hash: bytes) -> bytes:
    return bytes(192) + set_hash


A, B = b"a" * 32, b"b" * 32


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    place = PLACES[request.param](tmp_path / "ledger.db")
    with LedgerStore(place) as store:
        store.put_genesis(b"genesis", header(A))
        for height, set_hash in enumerate((A, A, B, B, A), 1):
            store.append_block(height, header(set_hash), [bytes([height])])
    return place


def test_set_changes_are_kept_in_order_of_their_heights(place: Location):
    with LedgerStore(place) as store:
        assert store.set_changes() == []
        assert store.put_set_change(4, b"two")
        assert store.put_set_change(2, b"one")
        assert not store.put_set_change(2, b"another")
        with pytest.raises(StoreError, match="no header 9"):
            store.put_set_change(9, b"of no header")
    with LedgerStore(place) as store:
        assert store.set_changes() == [(2, b"one"), (4, b"two")]


def test_the_heights_at_which_another_set_is_named(place: Location):
    with LedgerStore(place) as store:
        assert store.hand_overs() == [3, 5]
        assert store.hand_overs(3) == [3, 5]
        assert store.hand_overs(4) == [5]
        assert store.hand_overs(6) == []


def test_evidence_is_kept_once(place: Location, monkeypatch: pytest.MonkeyPatch):
    with LedgerStore(place) as store:
        assert store.put_evidence(b"one")
        assert store.put_evidence(b"two")
        assert not store.put_evidence(b"one")
        assert store.evidence() == [b"one", b"two"]
        monkeypatch.setattr(trust_rows, "EVIDENCE_KEPT", 2)
        assert not store.put_evidence(b"three")
    with LedgerStore(place) as store:
        assert store.evidence() == [b"one", b"two"]


@pytest.mark.parametrize("table", ["set_change", "evidence"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET data = data", "DELETE FROM {}"])
def test_nothing_is_changed_or_taken_away(place: Location, table: str, statement: str):
    with LedgerStore(place) as store:
        store.put_set_change(1, b"one")
        store.put_evidence(b"one")
        with (
            pytest.raises(DatabaseError, match="append-only"),
            store._database.writing() as connection,
        ):
            connection.exec_driver_sql(statement.format(table))

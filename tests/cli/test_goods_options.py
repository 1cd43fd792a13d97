"""The days of the goods on the command line and in a file of questions."""

from datetime import UTC, datetime
from pathlib import Path

from service.cli.asking.goods_options import goods_events
from service.cli.asking.lookup import _rows, _Usual
from service.client import Question
from service.client.goods import GoodsEvents

MOMENTS = GoodsEvents(*(datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)))


def test_dates_begin_in_the_asker_s_zone() -> None:
    said = goods_events("Pacific/Auckland", "2026-01-01", None, "2026-01-01T12:00+00:00", None)
    assert said.dispatched_at == datetime(2025, 12, 31, 11, tzinfo=UTC)
    assert said.arrived_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert (said.accepted_at, said.released_at) == (None, None)


def test_a_row_of_a_file_says_them(tmp_path: Path) -> None:
    file = tmp_path / "declared.csv"
    file.write_text("tin,dispatched_at,released_at\nHK1,2026-02-01,\nHK2,,June\n")
    usual = _Usual(Question("", "EX", mode=1, goods=MOMENTS), "UTC")
    first, second = _rows(file, usual)
    assert first.question is not None
    expected = MOMENTS._replace(dispatched_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert first.question.goods == expected
    assert "June" in second.problem

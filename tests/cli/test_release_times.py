"""`aeo report release-times`: every row of the published tables, and files that are faulty."""

from pathlib import Path
from typing import Any

import pytest

from commands import Aeo
from service.cli.errors import InputRefused
from service.cli.monitoring import release_times_file
from service.cli.monitoring.release_times_file import COLUMNS, published_tables, read_tables

HEAD = ",".join(COLUMNS)
GOOD = "1,NZ,HK,HK-NZ,1,1,2018-01-01,2018-12-31,200,2019-01-01,2019-12-31,150.5,-24.75"
OTHER = "1,NZ,HK,HK-NZ,2,1,2018-01-01,2018-12-31,0,2019-01-01,2019-12-31,no records,"

# What the tables say and what their times give: table, stage, mode, both means in seconds, the
# change, the change as printed, and how the two compare.
EXPECTED = [
    (2, 1, "sea", "44246.3", "29966.9", "-32.27", "-32.27", "AGREES"),
    (2, 1, "air", "2872.5", "2041.4", "-28.93", "-28.93", "AGREES"),
    (2, 2, "sea", "552441.8", "282113.8", "-48.93", "-48.63", "DIFFERS"),
    (2, 2, "air", "109602.1", "136123.9", "24.20", "24.20", "AGREES"),
    (3, 1, "sea", "64493", "NO_RECORDS", None, None, "NEITHER"),
    (3, 1, "air", "2730", "1639.7", "-39.94", "-39.94", "AGREES"),
    (3, 2, "sea", "514104", "NO_RECORDS", None, None, "NEITHER"),
    (3, 2, "air", "217653", "165603", "-23.91", "-23.91", "AGREES"),
    (4, 1, "sea", "233668.5", "86374.5", "-63.04", "-63.04", "AGREES"),
    (4, 1, "air", "17548.4", "NO_RECORDS", None, None, "NEITHER"),
    (4, 2, "sea", "480543.3", "1910880", "297.65", "297.65", "AGREES"),
    (4, 2, "air", "87356.9", "NO_RECORDS", None, None, "NEITHER"),
    (5, 1, "sea", "1365", "NO_RECORDS", None, None, "NEITHER"),
    (5, 1, "air", "627", "0", "-100.00", "-100", "AGREES"),
    (6, 1, "sea", "24444", "3996", "-83.65", "-83.6", "DIFFERS"),
    (6, 1, "air", "29088", "1404", "-95.17", "-95.1", "DIFFERS"),
    (7, 1, "sea", "25", "1", "-96.00", "-96", "AGREES"),
    (7, 1, "air", "NOT_AVAILABLE", "NOT_AVAILABLE", None, None, "NEITHER"),
]
PAIRS = {
    2: ("TW", "JP", "JP-TW", "2018-10-12 to 2019-05-21", "2019-05-22 to 2019-12-31"),
    3: ("TW", "KR", "KR-TW", "2016-01-01 to 2016-09-30", "2016-10-01 to 2019-12-31"),
    4: ("TW", "AU", "AU-TW", "2018-11-01 to 2019-05-31", "2019-06-01 to 2019-12-31"),
    5: ("JP", "TW", "JP-TW", "2018-12-22 to 2019-05-21", "2019-05-22 to 2019-10-21"),
    6: ("KR", "TW", "KR-TW", "2015-10-01 to 2016-09-30", "2016-10-01 to 2017-09-30"),
    7: ("NZ", "HK", "HK-NZ", "2018-09-05 to 2019-02-19", "2019-03-08 to 2019-09-24"),
}


def side(mean: dict[str, Any]) -> str:
    if mean["state"] == "TIME":
        return str(mean["mean_seconds"])
    assert mean["mean_seconds"] is None
    return str(mean["state"])


def with_cell(column: str, cell: str) -> str:
    cells = GOOD.split(",")
    cells[COLUMNS.index(column)] = cell
    return ",".join(cells)


def refused(*lines: str) -> str:
    with pytest.raises(InputRefused) as error:
        read_tables("\n".join(lines))
    return str(error.value)


def test_every_row_of_the_published_tables(aeo: Aeo) -> None:
    said = aeo("report", "release-times", "--json")
    assert (said.code, said.err) == (0, "")
    rows = [
        (
            *(table["table"], row["stage"], row["mode_name"]),
            *(side(row["before"]), side(row["after"])),
            *(row["change_percent"], row["published_change_percent"], row["comparison"]),
        )
        for table in said.json["tables"]
        for row in table["rows"]
    ]
    assert rows == EXPECTED
    assert said.json["disagreements"] == 3
    assert said.json["rounding"] == "half away from zero, to 2 decimals"


def test_every_published_table_names_its_pair_and_periods() -> None:
    found = {
        table.number: (
            *(table.importing_economy, table.exporting_economy, table.arrangement),
            *(str(table.before), str(table.after)),
        )
        for table in published_tables()
    }
    assert found == PAIRS


def test_the_names_in_the_json_do_not_change(aeo: Aeo) -> None:
    report = aeo("report", "release-times", "--json").json
    assert list(report) == ["source", "rounding", "disagreements", "tables"]
    table = report["tables"][0]
    assert list(table) == [
        *("table", "importing_economy", "exporting_economy", "arrangement"),
        *("before", "after", "rows"),
    ]
    assert table["before"] == {"from": "2018-10-12", "to": "2019-05-21"}
    assert table["rows"][0] == {
        "stage": 1,
        "stage_name": "lodgement to release",
        "transport_mode": 1,
        "mode_name": "sea",
        "before": {"state": "TIME", "mean_seconds": "44246.3"},
        "after": {"state": "TIME", "mean_seconds": "29966.9"},
        "change_percent": "-32.27",
        "published_change_percent": "-32.27",
        "comparison": "AGREES",
    }


def test_people_see_tables_and_the_disagreements(aeo: Aeo) -> None:
    said = aeo("report", "release-times")
    assert said.code == 0
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    for number, (importing, exporting, arrangement, before, after) in PAIRS.items():
        pair = f"{importing} imports from {exporting}"
        at = lines.index(f"Table {number}: {pair}, arrangement {arrangement}")
        assert lines[at + 1] == f"before: {before}; after: {after}"
    for line in (
        "arrival to delivery sea 6d 9h 27m 21.8s 3d 6h 21m 53.8s -48.63 % -48.93 % differs",
        "lodgement to release air 10m 27s 0s -100 % -100.00 %",
        "lodgement to release sea 22m 45s no records none none",
        "lodgement to release air not available not available none none",
        "Disagreements with the source: 3",
        (
            "table 2, arrival to delivery, sea: "
            "-48.63 % is printed, -48.93 % is what its own times give"
        ),
        (
            "table 6, lodgement to release, sea: "
            "-83.6 % is printed, -83.65 % is what its own times give"
        ),
        (
            "table 6, lodgement to release, air: "
            "-95.1 % is printed, -95.17 % is what its own times give"
        ),
        "0s is a time: release before arrival counts as zero",
    ):
        assert line in lines
    assert "half away from zero" in said.out


def test_a_file_of_ones_own(aeo: Aeo, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text(f"\ufeff{HEAD}\n{GOOD}\n{OTHER}\n", encoding="utf-8")
    said = aeo("report", "release-times", path, "--json")
    assert said.code == 0
    assert said.json["source"] == str(path)
    [table] = said.json["tables"]
    first, second = table["rows"]
    assert (first["change_percent"], first["comparison"]) == ("-24.75", "AGREES")
    assert second["before"] == {"state": "TIME", "mean_seconds": "0"}
    assert second["after"] == {"state": "NO_RECORDS", "mean_seconds": None}
    assert "No disagreement with the source." in aeo("report", "release-times", path).out


def test_a_printed_change_without_times_is_a_disagreement(aeo: Aeo, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text(f"{HEAD}\n{with_cell('after_mean_seconds', 'not available')}\n")
    assert aeo("report", "release-times", path, "--json").json["disagreements"] == 1
    assert "table 1, lodgement to release, sea: -24.75 % is printed, no change is what" in (
        aeo("report", "release-times", path).out
    )


def test_a_change_from_zero_is_none(aeo: Aeo, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text(f"{HEAD}\n{OTHER.replace('no records', '5')}\n")
    [row] = aeo("report", "release-times", path, "--json").json["tables"][0]["rows"]
    assert (row["change_percent"], row["comparison"]) == (None, "NEITHER")


def test_columns_in_any_order() -> None:
    names, cells = list(COLUMNS), GOOD.split(",")
    turned = f"{','.join(reversed(names))}\n{','.join(reversed(cells))}"
    assert read_tables(turned) == read_tables(f"{HEAD}\n{GOOD}")


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("table", "0", "0 is no number of a table"),
        ("table", "two", "two is no number of a table"),
        ("importing_economy", "nz", "nz is no economy like NZ"),
        ("importing_economy", "", "an empty cell is no economy like NZ"),
        ("exporting_economy", "HKG", "HKG is no economy like NZ"),
        ("exporting_economy", "NZ", "NZ is the importing economy too"),
        ("arrangement", " ", "an empty cell is no name on one line"),
        ("arrangement", "x" * 65, "has more than 64 characters"),
        ("stage", "3", "3 is no stage: 1 or 2"),
        ("transport_mode", "9", "9 is no mode of transport from 1 to 8"),
        ("transport_mode", "sea", "sea is no mode of transport from 1 to 8"),
        ("before_from", "2018-02-30", "2018-02-30 is no date like 2019-12-31"),
        ("before_from", "20180101", "20180101 is no date like 2019-12-31"),
        ("before_to", "", "an empty cell is no date like 2019-12-31"),
        ("before_to", "2017-12-31", "2017-12-31 is before 2018-01-01"),
        ("after_from", "2018-12-31", "2018-12-31 is not after 2018-12-31"),
        ("after_to", "2018-06-30", "2018-06-30 is before 2019-01-01"),
        (
            "before_mean_seconds",
            "",
            "is empty: write a time in seconds, no records or not available",
        ),
        (
            "before_mean_seconds",
            "-5",
            "-5 is negative: a release before arrival counts as zero",
        ),
        (
            "after_mean_seconds",
            "none",
            "none is no time in seconds like 44246.3, no records or not available",
        ),
        ("published_change_percent", "-24.75%", "-24.75% is no percentage like -32.27"),
    ],
)
def test_a_faulty_cell_is_told_with_its_line_and_column(column: str, cell: str, why: str) -> None:
    assert refused(HEAD, OTHER, with_cell(column, cell)) == f"line 3, {column}: {why}"


@pytest.mark.parametrize(
    ("column", "cell", "there"),
    [
        ("importing_economy", "AU", "NZ"),
        ("exporting_economy", "AU", "HK"),
        ("arrangement", "AU-NZ", "HK-NZ"),
        ("before_from", "2018-01-02", "2018-01-01"),
        ("before_to", "2018-12-30", "2018-12-31"),
        ("after_from", "2019-01-02", "2019-01-01"),
        ("after_to", "2019-12-30", "2019-12-31"),
    ],
)
def test_a_row_of_another_table(column: str, cell: str, there: str) -> None:
    why = f"{cell}, but table 1 has {there} further up"
    assert refused(HEAD, OTHER, with_cell(column, cell)) == f"line 3, {column}: {why}"


def test_a_row_twice() -> None:
    again = "line 3, transport_mode: table 1 has stage 1, mode 1 already"
    assert refused(HEAD, GOOD, GOOD) == again


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([""], "line 1: there is no column table, importing_economy"),
        ([HEAD.replace(",stage", "")], "line 1: there is no column stage"),
        ([f"{HEAD},note", f"{GOOD},x"], "line 1: columns that mean nothing here: note"),
        ([f"{HEAD},stage", f"{GOOD},1"], "line 1: there is a column twice"),
        ([HEAD], "there is no row under the heading"),
        ([HEAD, f"{GOOD},1"], "line 2, row: has more cells than the heading"),
        ([HEAD, "1,NZ"], "line 2, row: has fewer cells than the heading"),
        ([HEAD, '"1"x' + GOOD[1:]], "line 2: not CSV: "),
    ],
)
def test_a_file_that_is_no_table(lines: list[str], why: str) -> None:
    assert refused(*lines).startswith(why)


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_times_file, "FILE_LIMIT", 100)
    assert refused(HEAD, GOOD) == "release times may have at most 100 characters"


def test_every_faulty_row_is_told_and_nothing_is_computed(aeo: Aeo, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text("\n".join([HEAD, with_cell("stage", "0"), GOOD, with_cell("table", "x")]))
    said = aeo("report", "release-times", path)
    assert (said.code, said.out) == (2, "")
    assert f"{path}: line 2, stage: 0 is no stage: 1 or 2\n" in said.err
    assert f"{path}: line 4, table: x is no number of a table\n" in said.err


def test_very_many_faults_are_counted() -> None:
    lines = refused(HEAD, *[with_cell("stage", "0")] * 25).splitlines()
    assert (len(lines), lines[-1]) == (21, "and 5 more faulty rows")


def test_a_file_that_is_no_text(aeo: Aeo, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_bytes(b"\xff\xfe")
    said = aeo("report", "release-times", path)
    assert (said.code, said.out) == (2, "")
    assert "not UTF-8" in said.err

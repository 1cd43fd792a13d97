"""Stores of an older version are brought up at the start; those of a newer one are refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

import service.store.home.home_store  # noqa: F401 - declares every table of home.db
from operations.conftest import TRADERS
from operations.drills import Drill
from service.store.migrate import current_version, migrate, versions_of


def oldest(branch: str) -> str:
    return [script.revision for script in versions_of(branch).walk_revisions()][-1]


def take_back(path: Path, branch: str) -> None:
    """Make a store anew as the first version would have, with what it had tables for."""
    old = path.with_suffix(".old")
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        migrate(connection, branch, oldest(branch))
    engine.dispose()
    with closing(sqlite3.connect(old)) as database:
        database.execute("ATTACH ? AS newer", (str(path),))
        tables = database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            if table != "alembic_version" and not table.startswith("sqlite_"):
                columns = database.execute(f"PRAGMA main.table_info({table})").fetchall()
                names = ", ".join(each[1] for each in columns)
                database.execute(
                    f"INSERT INTO main.{table} ({names}) SELECT {names} FROM newer.{table}"
                )
        database.commit()
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    old.rename(path)


def version(path: Path) -> str:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = current_version(connection)
    engine.dispose()
    return str(found)


def test_stores_of_the_first_version_are_brought_up(
    stopped: Drill, chain: Path, tmp_path: Path
) -> None:
    drill = stopped
    before = drill.aeo("verify", "ledger", chain, "--network-id", drill.network_id).json
    stores = {"ledger": drill.folder / "data" / "ledger.db"}
    stores["home"] = drill.folder / "data" / "home-HK.db"
    for branch, path in stores.items():
        take_back(path, branch)
        assert version(path) == oldest(branch)
    drill.start()
    for branch, path in stores.items():
        assert version(path) == versions_of(branch).get_current_head()
    for tin in TRADERS:
        assert drill.verdict(tin) == "RECOGNISED"
    after = drill.export(tmp_path / "after.aeo")
    assert after["header_hash"] == before["header_hash"]
    assert drill.publish(tmp_path, ["HK44444444"]).code == 0
    drill.stop()
    drill.aeo("fsck", drill.folder)


@pytest.mark.parametrize("name", ["ledger.db", "home-HK.db"])
def test_a_store_of_a_newer_program_is_refused(stopped: Drill, name: str) -> None:
    path = stopped.folder / "data" / name
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'later'")
    said = stopped.refused()
    assert "newer than this program" in said
    assert "Traceback" not in said

"""The tables as migrated are the tables as declared, and every step can be taken back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.exc import IntegrityError

import service.store.home.home_store  # noqa: F401 - declares every table of home.db
from service.errors import StoreError
from service.store.home.home_tables import HomeTable
from service.store.ledger.ledger_tables import LedgerTable
from service.store.migrate import current_version, migrate, versions_of
from service.store.opening import database_at
from store import postgres

METADATA = {"ledger": LedgerTable.metadata, "home": HomeTable.metadata}


def sqlite_engine(file: Path) -> Engine:
    return create_engine(f"sqlite:///{file}")


def server_engine(file: Path) -> Engine:
    server = postgres.shared()
    place = server.place(file.stem)
    server.sql(f"CREATE SCHEMA {place.schema}")
    return create_engine(
        place.address.replace("postgresql://", "postgresql+psycopg://"),
        connect_args={"options": f"-c search_path={place.schema}"},
    )


ENGINES = {"sqlite": sqlite_engine, "postgresql": server_engine}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = ENGINES[request.param](tmp_path / "store.db")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("branch", METADATA)
def test_models_and_migrations_agree(branch: str, engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        migrate(connection, branch)
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, METADATA[branch]) == []
        # What the comparison leaves out: checks and indexes with a condition, as SQL.
        declared = ENGINES[engine.dialect.name](tmp_path / "declared.db")
        METADATA[branch].create_all(declared)
        with declared.connect() as other:
            assert details(connection) == details(other)
        declared.dispose()


def details(connection: Connection) -> tuple[set[str], dict[str, set[str]]]:
    if connection.dialect.name == "sqlite":
        wanted = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        wanted = (
            "SELECT replace(indexdef, schemaname || '.', '') FROM pg_indexes"
            " WHERE schemaname = current_schema() AND tablename <> 'alembic_version'"
        )
    indexes = connection.exec_driver_sql(wanted)
    inspector = inspect(connection)
    checks = {
        table: {str(check["sqltext"]) for check in inspector.get_check_constraints(table)}
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }
    return set(indexes.scalars()), checks


@pytest.mark.parametrize("branch", METADATA)
def test_each_version_can_be_taken_back(branch: str, engine: Engine) -> None:
    versions = [script.revision for script in versions_of(branch).walk_revisions()][::-1]
    shapes = []
    with engine.begin() as connection:
        for version in versions:
            migrate(connection, branch, version)
            assert current_version(connection) == version
            shapes.append(shape(connection))
        migrate(connection, branch, "base")
        assert current_version(connection) is None
        assert shape(connection) == {("table", "alembic_version")}
        for version, expected in zip(versions, shapes, strict=True):
            migrate(connection, branch, version)
            assert shape(connection) >= expected
        # And back one at a time: each leaves what the version before it had.
        for version, expected in list(zip(versions, shapes, strict=True))[-2::-1]:
            migrate_back(connection, branch, version)
            assert shape(connection) == expected


def shape(connection: Connection) -> set[tuple[str, str]]:
    if connection.dialect.name == "sqlite":
        wanted = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    else:
        wanted = (
            "SELECT 'table', relname FROM pg_class WHERE relkind = 'r' AND relnamespace = {here}"
            " UNION SELECT 'trigger', tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
            " WHERE NOT tgisinternal AND c.relnamespace = {here}"
            " UNION SELECT 'function', proname FROM pg_proc WHERE pronamespace = {here}"
            " UNION SELECT 'index', indexname FROM pg_indexes WHERE schemaname = current_schema()"
            " AND indexname <> 'alembic_version_pkc'"
        ).replace("{here}", "current_schema()::regnamespace")
    rows = connection.exec_driver_sql(wanted)
    return {(kind, name) for kind, name in rows}


def migrate_back(connection: Connection, branch: str, version: str) -> None:
    versions = versions_of(branch)
    with EnvironmentContext(
        Config(), versions, fn=lambda revision, _: versions._downgrade_revs(version, revision)
    ) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


def test_a_migration_is_all_or_nothing(tmp_path: Path) -> None:
    database = database_at(tmp_path / "s.db", "home", max_page_count=4, read_only=False)
    with pytest.raises(StoreError):
        database.open()
    # The room for the first pages was there, and none of them stayed.
    database = database_at(tmp_path / "s.db", "home", max_page_count=None, read_only=False)
    database.open()
    database.close()


def test_a_store_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    database = database_at(tmp_path / "s.db", "home", max_page_count=None, read_only=False)
    database.open()
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'home_9999'")
    database.close()
    with pytest.raises(StoreError, match="newer than this program"):
        database.open()


def test_constraint_errors_undo_the_whole_write(tmp_path: Path) -> None:
    database = database_at(tmp_path / "s.db", "ledger", max_page_count=None, read_only=False)
    database.open()

    def write_twice() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO genesis VALUES (0, x'00')")
            connection.exec_driver_sql("INSERT INTO genesis VALUES (0, x'00')")

    with pytest.raises(IntegrityError):
        write_twice()
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM genesis").scalar_one() == 0
    database.close()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1)],
)
def test_settings(tmp_path: Path, setting: str, value: object) -> None:
    database = database_at(tmp_path / "s.db", "home", max_page_count=None, read_only=False)
    database.open()
    for which in (database.reading, database.writing):
        with which() as connection:
            assert connection.exec_driver_sql(f"PRAGMA {setting}").scalar_one() == value
    database.close()

"""Brings a database's tables to the newest version: Alembic, one folder of versions per database.

Alembic usually runs an `env.py`; here the environment is this function, because the connection,
with its lock and its settings, is already open. A migration is one transaction: a crash in the
midst of it leaves the version before.
"""

from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

FOLDER: Final = Path(__file__).parent / "migrations"


def versions_of(branch: str) -> ScriptDirectory:
    """Return the versions of a database: `branch` is ``ledger`` or ``home``."""
    return ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER / branch)])


def current_version(connection: Connection) -> str | None:
    """Return the version that a database is at, None when it has no tables yet."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection, branch: str, target: str = "head") -> None:
    """Bring the tables to `target`: ``head``, ``base`` (nothing left) or a version's name.

    Runs within the transaction that the caller has open, and leaves it to the caller to commit.
    """
    versions = versions_of(branch)

    def steps(revision: str, context: MigrationContext) -> object:
        if target == "base":
            return versions._downgrade_revs(target, revision)
        return versions._upgrade_revs(target, revision)

    with EnvironmentContext(Config(), versions, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()

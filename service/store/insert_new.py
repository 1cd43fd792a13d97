"""INSERT of rows of which some may be there already: those stay as they are.

SQLite and PostgreSQL write it alike, but SQLAlchemy has a construct of its own for each; a store
does not know which of them it speaks to.

>>> from service.store.home.home_tables import OwnerRow
>>> print(insert_new(OwnerRow).values(number=0, economy="NZ"))
INSERT INTO owner (number, economy) VALUES (:number, :economy) ON CONFLICT DO NOTHING
"""

from typing import Any

from sqlalchemy import Insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class InsertNew(Insert):
    """An INSERT that leaves out the rows whose key is taken. For tables that number nothing."""

    inherit_cache = True


def insert_new(table: Any) -> InsertNew:
    """INSERT into a table or its class, passing over the rows whose key is taken."""
    return InsertNew(table)


@compiles(InsertNew)
def _compile(statement: InsertNew, compiler: SQLCompiler, **options: Any) -> str:
    plain: str = compiler.visit_insert(statement, **options)  # type: ignore[no-untyped-call]
    return f"{plain} ON CONFLICT DO NOTHING"

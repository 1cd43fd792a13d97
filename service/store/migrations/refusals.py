"""Triggers by which a table refuses what must not happen to it, on SQLite and on PostgreSQL.

    refuse("header", "UPDATE", "header is append-only")
    refuse("seal", "UPDATE", "...", when="NEW.level < OLD.level", name="seal_only_better")

`when` is SQL that both understand, on NEW and OLD (``IS DISTINCT FROM`` rather than ``IS NOT``).
What is refused is an integrity error to whoever tried. Where nothing may be deleted, PostgreSQL
refuses TRUNCATE too. There a trigger needs a function; it has the trigger's name.
"""

from typing import Final, Literal

import sqlalchemy as sa
from alembic import op

Change = Literal["INSERT", "UPDATE", "DELETE"]

_FUNCTION: Final = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF {when} THEN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = '{message}';
  END IF;
  RETURN {row};
END $$
"""


def refuse(
    table: str, change: Change, message: str, *, when: str | None = None, name: str | None = None
) -> None:
    """Make `table` refuse a change to a row, always or `when` a condition holds."""
    name = name or f"{table}_no_{change.lower()}"
    if not _on_postgresql():
        condition = f"WHEN {when} " if when else ""
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
            f"{condition}BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        return
    row = "OLD" if change == "DELETE" else "NEW"
    op.execute(_FUNCTION.format(name=name, when=when or "true", message=message, row=row))
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    )
    if change == "DELETE" and when is None:
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"EXECUTE FUNCTION {name}()"
        )


def allow(table: str, name: str) -> None:
    """Take back one refusal that was made with a condition."""
    if _on_postgresql():
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    else:
        op.execute(f"DROP TRIGGER {name}")


def drop_table(table: str) -> None:
    """Drop a table with all that it refuses."""
    functions: list[str] = []
    if _on_postgresql():
        rows = op.get_bind().execute(
            sa.text(
                "SELECT DISTINCT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
                "WHERE t.tgrelid = to_regclass(:table) AND NOT t.tgisinternal"
            ),
            {"table": table},
        )
        functions = list(rows.scalars())
    op.drop_table(table)
    for function in functions:
        op.execute(f"DROP FUNCTION {function}()")


def _on_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"

"""Changing what is stored behind the store's back, as somebody with the file would."""

import sqlite3
from contextlib import closing
from pathlib import Path


def flip_byte(
    path: Path, table: str, number: int, *, column: str = "data", at: int = 0, mask: int = 1
) -> None:
    """Flip bits of byte `at` in the row whose number (height, log index) is `number`."""
    with closing(sqlite3.connect(path)) as connection:
        drop_triggers(connection, table)
        (data,) = connection.execute(
            f"SELECT {column} FROM {table} WHERE rowid = ?", (number,)
        ).fetchone()
        changed = bytearray(data)
        changed[at] ^= mask
        connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (bytes(changed), number)
        )
        connection.commit()


def delete_row(path: Path, table: str, number: int) -> None:
    """Take a row out of the middle."""
    with closing(sqlite3.connect(path)) as connection:
        drop_triggers(connection, table)
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))
        connection.commit()


def drop_triggers(connection: sqlite3.Connection, table: str) -> None:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
    ).fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")

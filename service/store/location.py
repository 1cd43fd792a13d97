"""Where a store lies: in a file, on a PostgreSQL server, or in this process.

    /var/lib/aeo/ledger.db                          one SQLite file
    postgresql://aeo@db.example/aeo#home_nz         the schema home_nz of the database aeo
    Memory()                                        nowhere else; gone with the process

The address of a server is libpq's, with `#` and the schema of one store after it: a database holds
the ledger of one node in the schema ``ledger`` and its members' own stores in ``home_nz`` and so
on. It never holds a password: those come from the file that `passfile` in the address names, from
``~/.pgpass``, from ``PGPASSWORD``, or are not needed with a client certificate. So it may be shown.

>>> str(parse_stores("postgresql://aeo@db.example/aeo?sslmode=verify-full").store("home", "NZ"))
'postgresql://aeo@db.example/aeo?sslmode=verify-full#home_nz'
>>> str(parse_stores("var/nz").store("home", "NZ"))
'var/nz/home-NZ.db'
>>> parse_stores("postgresql://aeo:secret@db.example/aeo")
Traceback (most recent call last):
service.store.location.BadLocation: a database's address holds no password: name a file by ...
"""

import re
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Final

from service.config import check_server_address, shown_address
from service.errors import Refused

_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class BadLocation(Refused):
    """What was given is no place for a store; the message never repeats it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A schema of a database on a PostgreSQL server; `schema` is empty for the whole database."""

    address: str
    schema: str = ""

    def __str__(self) -> str:
        shown = shown_address(self.address)
        return f"{shown}#{self.schema}" if self.schema else shown

    def store(self, branch: str, owner: str = "") -> "Server":
        """Where the ledger lies, or the own store of a member."""
        if self.schema:
            raise BadLocation(f"{self}: names one store; give the database alone")
        return replace(self, schema=f"{branch}_{owner.lower()}" if owner else branch)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in which each store is a SQLite file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def store(self, branch: str, owner: str = "") -> Path:
        """Where the ledger lies, or the own store of a member."""
        return self.path / (f"{branch}-{owner}.db" if owner else f"{branch}.db")


class Memory:
    """A store that lies in this object: opened again it holds what it held."""

    __slots__ = ("connection", "lock", "open")

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.lock = Lock()
        self.open = False

    def __str__(self) -> str:
        return "memory"

    def __del__(self) -> None:
        self.connection.close()


Location = Path | Server | Memory
"""Where one store lies."""
Stores = Folder | Server
"""Where several lie together."""


def parse_stores(text: str) -> Stores:
    """Read where stores lie together: a folder, or the address of a database. `BadLocation`."""
    if "://" not in text:
        return Folder(Path(text))
    try:
        check_server_address(text)
    except ValueError as error:
        raise BadLocation(str(error)) from None
    address, _, schema = text.partition("#")
    if schema and _SCHEMA.fullmatch(schema) is None:
        raise BadLocation("the schema after # has small letters, digits and _, 63 at most")
    return Server(address, schema)

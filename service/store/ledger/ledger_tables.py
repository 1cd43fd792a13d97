"""The tables of ledger.db: what every node of a network has, and nothing derived from it.

Times, heights and indexes are 64 bits. Bytes are stored as they were signed or hashed. Triggers
(see the migration) refuse every UPDATE and DELETE of genesis, header and entry, and every number
but the next; a seal gives way only to a better one of its header. A set change and a piece of
evidence, once kept, stay too. The mark of an outer engine is a row that only moves forward.
"""

from typing import ClassVar, Final

from sqlalchemy import BigInteger, Integer, MetaData
from sqlmodel import Field, SQLModel

# 64 bits everywhere; in SQLite only a column called INTEGER is the row's own number.
INT64: Final = BigInteger().with_variant(Integer(), "sqlite")


class LedgerTable(SQLModel):
    """What the tables of ledger.db share: their own metadata, apart from home.db's."""

    metadata: ClassVar[MetaData] = MetaData()


class GenesisRow(LedgerTable, table=True):
    """The one genesis: its number is always 0."""

    __tablename__ = "genesis"
    number: int = Field(primary_key=True, sa_type=INT64)
    data: bytes


class HeaderRow(LedgerTable, table=True):
    """A header, and how many entries the log had after its block."""

    __tablename__ = "header"
    height: int = Field(primary_key=True, sa_type=INT64)
    data: bytes
    log_size: int = Field(sa_type=INT64)


class EntryRow(LedgerTable, table=True):
    """A transaction at its place in the log."""

    __tablename__ = "entry"
    log_index: int = Field(primary_key=True, sa_type=INT64)
    data: bytes


class SealRow(LedgerTable, table=True):
    """The best seal seen of a header; level, attested time and weight say how good it is."""

    __tablename__ = "seal"
    height: int = Field(primary_key=True, foreign_key="header.height", sa_type=INT64)
    data: bytes
    level: int
    attested_time: int = Field(sa_type=INT64)
    weight: int = Field(sa_type=INT64)


class SetChangeRow(LedgerTable, table=True):
    """How trust passed on from the set that sealed the header at `height`."""

    __tablename__ = "set_change"
    height: int = Field(primary_key=True, foreign_key="header.height", sa_type=INT64)
    data: bytes


class EvidenceRow(LedgerTable, table=True):
    """Two signed statements that exclude each other; `digest`: SHA-256 of them, so each once."""

    __tablename__ = "evidence"
    number: int = Field(primary_key=True, sa_type=INT64)
    digest: bytes = Field(unique=True)
    data: bytes


class BaseRow(LedgerTable, table=True):
    """A snapshot that the ledger went on from: up to `log_size` its log may lack transactions."""

    __tablename__ = "base"
    height: int = Field(primary_key=True, foreign_key="header.height", sa_type=INT64)
    log_size: int = Field(sa_type=INT64)
    manifest: bytes


class BaseChunkRow(LedgerTable, table=True):
    """A chunk of the newest base."""

    __tablename__ = "base_chunk"
    height: int = Field(primary_key=True, foreign_key="base.height", sa_type=INT64)
    number: int = Field(primary_key=True, sa_type=INT64)
    data: bytes


class EngineMarkRow(LedgerTable, table=True):
    """How far an outer engine has come: its newest block, also one that changed nothing here.

    Its number is always 0. `attested_height` and `attested_time` are of the header that the votes
    on that block attested.
    """

    __tablename__ = "engine_mark"
    number: int = Field(primary_key=True, sa_type=INT64)
    height: int = Field(sa_type=INT64)
    time: int = Field(sa_type=INT64)
    attested_height: int = Field(sa_type=INT64)
    attested_time: int = Field(sa_type=INT64)

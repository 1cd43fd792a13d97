"""The tables of home.db: what one member keeps to itself.

What is large never shares a row with what changes: SQLite writes a changed row whole. Per record
there is no row at all, only its place in a publication's or a transaction's compact bytes (see
`service.store.home.prepared`).
"""

from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, MetaData, text
from sqlmodel import Field, SQLModel

from service.store.ledger.ledger_tables import INT64


class HomeTable(SQLModel):
    """What the tables of home.db share: their own metadata, apart from ledger.db's."""

    metadata: ClassVar[MetaData] = MetaData()


class OwnerRow(HomeTable, table=True):
    """Whose file this is: one row, number 0."""

    __tablename__ = "owner"
    number: int = Field(primary_key=True, sa_type=INT64)
    network_id: bytes
    economy: str


class PublicationRow(HomeTable, table=True):
    """One accepted request to publish, and how many of its records came how far."""

    __tablename__ = "publication"
    __table_args__ = (
        CheckConstraint("signed <= records AND recorded <= signed", name="counts"),
        Index(
            "publication_waiting",
            "publication_id",
            sqlite_where=text("signed < records"),
            postgresql_where=text("signed < records"),
        ),
        {"sqlite_autoincrement": True},
    )
    publication_id: int = Field(primary_key=True, sa_type=INT64)
    idempotency_key: str = Field(unique=True)
    digest: bytes
    created_at: int = Field(sa_type=INT64)
    records: int
    signed: int
    recorded: int
    refused: int
    height: int | None = Field(sa_type=INT64)
    recorded_time: int | None = Field(sa_type=INT64)


class PreparedRow(HomeTable, table=True):
    """The records of a publication as prepared, and the answer that its caller got."""

    __tablename__ = "prepared"
    publication_id: int = Field(
        primary_key=True, foreign_key="publication.publication_id", sa_type=INT64
    )
    records: bytes
    answer: bytes


class SignedRow(HomeTable, table=True):
    """A signed transaction, and which record of which publication stands where in it."""

    __tablename__ = "signed"
    sequence: int = Field(primary_key=True, sa_type=INT64)
    carries: bytes
    data: bytes


class CarriedRow(HomeTable, table=True):
    """That a transaction carries so many records of a publication."""

    __tablename__ = "carried"
    publication_id: int = Field(
        primary_key=True, foreign_key="publication.publication_id", sa_type=INT64
    )
    sequence: int = Field(primary_key=True, foreign_key="signed.sequence", sa_type=INT64)
    records: int


class RecordedRow(HomeTable, table=True):
    """Where a signed transaction entered the log, and which of its records were refused."""

    __tablename__ = "recorded"
    sequence: int = Field(primary_key=True, foreign_key="signed.sequence", sa_type=INT64)
    log_index: int = Field(sa_type=INT64)
    height: int = Field(sa_type=INT64)
    time: int = Field(sa_type=INT64)
    refusals: bytes


class LookupKeyRow(HomeTable, table=True):
    """The secret of an arrangement's epoch, 32 bytes."""

    __tablename__ = "lookup_key"
    arrangement_id: bytes = Field(primary_key=True)
    epoch: int = Field(primary_key=True, sa_type=INT64)
    key: bytes


class InstructionRow(HomeTable, table=True):
    """What this administration tells its officers to do for a benefit code."""

    __tablename__ = "instruction"
    benefit_code: int = Field(primary_key=True, sa_type=INT64)
    instruction: str


class CounterRow(HomeTable, table=True):
    """A named number that only grows."""

    __tablename__ = "counter"
    name: str = Field(primary_key=True)
    value: int = Field(sa_type=INT64)

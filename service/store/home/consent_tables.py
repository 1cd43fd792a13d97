"""The tables of consents: whose status may be shared under which arrangement, and since when.

A trader is its keyed number under a secret of this file alone. Nothing here is ever changed or
deleted but an ending that is done: what a trader agreed to, and when it took that back, must be
shown years later.
"""

from sqlmodel import Field

from service.store.home.home_tables import HomeTable
from service.store.ledger.ledger_tables import INT64


class HomeSecretRow(HomeTable, table=True):
    """A secret of this member alone, 32 bytes, by what it keys."""

    __tablename__ = "home_secret"
    use: str = Field(primary_key=True)
    secret: bytes


class ConsentRow(HomeTable, table=True):
    """That a trader gave its consent, or took it back: when it said so and when that was noted."""

    __tablename__ = "consent"
    __table_args__ = ({"sqlite_autoincrement": True},)
    consent_id: int = Field(primary_key=True, sa_type=INT64)
    trader: bytes = Field(index=True)
    arrangement_id: bytes
    given: bool
    stated_at: int = Field(sa_type=INT64)
    recorded_at: int = Field(sa_type=INT64)
    recorded_by: str


class ConsentEndingRow(HomeTable, table=True):
    """A consent that ended, until nothing is shared any more: neither status nor profile."""

    __tablename__ = "consent_ending"
    consent_id: int = Field(primary_key=True, foreign_key="consent.consent_id", sa_type=INT64)
    subject: bytes

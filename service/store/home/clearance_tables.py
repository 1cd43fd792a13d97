"""The tables of monitoring: declarations as they were cleared, and figures that none of them shows.

A declaration and its operator are keyed numbers under a secret of this file alone
(`service.store.home.consent_tables`); what is left says how long something took, and for what kind.
"""

from sqlmodel import Field

from service.store.home.home_tables import HomeTable
from service.store.ledger.ledger_tables import INT64


class ClearanceRow(HomeTable, table=True):
    """One declaration. Times are milliseconds; null is not known."""

    __tablename__ = "clearance"
    declaration: bytes = Field(primary_key=True)
    operator: bytes
    partner: str
    released_at: int = Field(sa_type=INT64, index=True)
    stage_1: int = Field(sa_type=INT64)
    stage_2: int | None = Field(sa_type=INT64)
    before_arrival: bool | None
    transport_mode: int
    clearance_mode: int
    recognised_under: bytes
    certified: bool
    benefits: str
    value: int = Field(sa_type=INT64)
    direct_trade: bool
    small_or_medium: bool
    parties: int = Field(sa_type=INT64)
    certified_parties: int = Field(sa_type=INT64)
    customs: int | None = Field(sa_type=INT64)
    agency: int | None = Field(sa_type=INT64)
    trader: int | None = Field(sa_type=INT64)
    port: int | None = Field(sa_type=INT64)


class ClearanceCallRow(HomeTable, table=True):
    """That a caller handed in clearances under a key, and what it was answered."""

    __tablename__ = "clearance_call"
    idempotency_key: str = Field(primary_key=True)
    digest: bytes
    answer: bytes


class ReportedFigureRow(HomeTable, table=True):
    """A figure of a period, as the administration reports it."""

    __tablename__ = "reported_figure"
    arrangement_id: bytes = Field(primary_key=True)
    begin: int = Field(primary_key=True, sa_type=INT64)
    end: int = Field(primary_key=True, sa_type=INT64)
    code: int = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    count: int = Field(sa_type=INT64)

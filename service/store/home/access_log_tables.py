"""The tables of the access log: pages of entries, hash-chained, and the key of their subjects."""

from sqlmodel import Field

from service.store.home.home_tables import HomeTable
from service.store.ledger.ledger_tables import INT64


class AccessPageRow(HomeTable, table=True):
    """Entries written together; `hash` is the chain's after the last of them."""

    __tablename__ = "access_page"
    first: int = Field(primary_key=True, sa_type=INT64)
    count: int = Field(sa_type=INT64)
    hash: bytes
    entries: bytes


class AccessKeyRow(HomeTable, table=True):
    """The key under which traders stand in the log: one row, number 0, 32 random bytes."""

    __tablename__ = "access_key"
    number: int = Field(primary_key=True, sa_type=INT64)
    key: bytes

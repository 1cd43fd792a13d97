"""The tables of a change of lookup keys. All identifiers are keyed ones; no name stands here."""

from sqlmodel import Field

from service.store.home.home_tables import HomeTable
from service.store.ledger.ledger_tables import INT64


class EpochNameRow(HomeTable, table=True):
    """A subject, certificate or alias under the key in force, and under that of a later epoch."""

    __tablename__ = "epoch_name"
    arrangement_id: bytes = Field(primary_key=True)
    epoch: int = Field(primary_key=True, sa_type=INT64)
    old: bytes = Field(primary_key=True)
    new: bytes


class RetiredNameRow(HomeTable, table=True):
    """A subject or alias under a key that was destroyed: nobody can name it any more."""

    __tablename__ = "retired_name"
    arrangement_id: bytes = Field(primary_key=True)
    old: bytes = Field(primary_key=True)

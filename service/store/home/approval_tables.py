"""The tables of steps that wait for a second person.

What a step asks for may name traders. It lies apart, and is deleted (and overwritten) as soon as
the step is decided; what stays says who prepared and who decided which method, and when.
"""

from sqlalchemy import Index
from sqlmodel import Field

from service.store.home.home_tables import HomeTable
from service.store.ledger.ledger_tables import INT64


class ApprovalRow(HomeTable, table=True):
    """One step: who prepared it, until when it may be approved, what became of it."""

    __tablename__ = "approval"
    __table_args__ = (Index("approval_state", "state", "expires_at"),)
    step_id: str = Field(primary_key=True)
    method: str
    prepared_role: str
    prepared_by: str
    prepared_at: int = Field(sa_type=INT64)
    expires_at: int = Field(sa_type=INT64)
    repeatable: bool
    state: int
    decided_by: str
    decided_at: int = Field(sa_type=INT64)
    reason: str


class ApprovalRequestRow(HomeTable, table=True):
    """What a step asks for: the request's bytes, and by which hash the same one is found again."""

    __tablename__ = "approval_request"
    step_id: str = Field(primary_key=True, foreign_key="approval.step_id")
    digest: bytes = Field(unique=True)
    request: bytes

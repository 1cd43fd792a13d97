"""The statements of the outbox that are more than one line long."""

from typing import Final

from sqlalchemy import Case, Select, bindparam, case, select, update
from sqlmodel import col

from service.store.home.home_tables import PublicationRow

PublicationSelect = Select[int, str, bytes, int, int, int, int, int, int | None, int | None]


def select_publications() -> PublicationSelect:
    """Select what a `Publication` is made of, in its order."""
    return select(
        col(PublicationRow.publication_id),
        col(PublicationRow.idempotency_key),
        col(PublicationRow.digest),
        col(PublicationRow.created_at),
        col(PublicationRow.records),
        col(PublicationRow.signed),
        col(PublicationRow.recorded),
        col(PublicationRow.refused),
        col(PublicationRow.height),
        col(PublicationRow.recorded_time),
    )


def _later(column: int | None, name: str) -> Case[int]:
    """Return the greater of a column, which may be empty, and the value bound to `name`."""
    return case((col(column) > bindparam(name), col(column)), else_=bindparam(name))


# Both run once for each publication that a list of transactions touches.
COUNT_SIGNED: Final = (
    update(PublicationRow)
    .where(col(PublicationRow.publication_id) == bindparam("of"))
    .values(signed=col(PublicationRow.signed) + bindparam("more"))
)
COUNT_RECORDED: Final = (
    update(PublicationRow)
    .where(col(PublicationRow.publication_id) == bindparam("of"))
    .values(
        recorded=col(PublicationRow.recorded) + bindparam("more"),
        refused=col(PublicationRow.refused) + bindparam("bad"),
        height=_later(PublicationRow.height, "at_height"),
        recorded_time=_later(PublicationRow.recorded_time, "at_time"),
    )
)

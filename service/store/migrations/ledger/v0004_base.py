"""A ledger may begin with a snapshot: what it was, and the log goes on behind it."""

import sqlalchemy as sa
from alembic import op

from service.store.migrations.refusals import allow, drop_table, refuse

revision = "ledger_0004"
down_revision = "ledger_0003"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_WITHOUT_GAPS = "entry is numbered without gaps"


def upgrade() -> None:
    op.create_table(
        "base",
        sa.Column(
            "height", INT64, sa.ForeignKey("header.height"), primary_key=True, nullable=False
        ),
        sa.Column("log_size", INT64, nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "base_chunk",
        sa.Column("height", INT64, sa.ForeignKey("base.height"), primary_key=True, nullable=False),
        sa.Column("number", INT64, primary_key=True, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    for change in ("UPDATE", "DELETE"):
        refuse("base", change, "a base is kept")
    refuse("base_chunk", "UPDATE", "a base is kept")
    refuse(
        "base_chunk",
        "DELETE",
        "the chunks of the newest base are kept",
        when="OLD.height = (SELECT max(height) FROM base)",
    )
    allow("entry", "entry_in_order")
    _number_entries(
        "(SELECT max(following) FROM ("
        "SELECT coalesce(max(log_index) + 1, 0) AS following FROM entry "
        "UNION ALL SELECT coalesce(max(log_size), 0) FROM base) AS either)"
    )


def downgrade() -> None:
    allow("entry", "entry_in_order")
    _number_entries("(SELECT coalesce(max(log_index) + 1, 0) FROM entry)")
    drop_table("base_chunk")
    drop_table("base")


def _number_entries(following: str) -> None:
    refuse(
        "entry",
        "INSERT",
        _WITHOUT_GAPS,
        when=f"NEW.log_index IS DISTINCT FROM {following}",
        name="entry_in_order",
    )

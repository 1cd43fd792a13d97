"""The access log, hash-chained."""

import sqlalchemy as sa
from alembic import op

from service.store.migrations.refusals import drop_table, refuse

revision = "home_0003"
down_revision = "home_0002"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "access_page",
        sa.Column("first", INT64, primary_key=True, nullable=False),
        sa.Column("count", INT64, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "access_key",
        sa.Column("number", INT64, primary_key=True, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
    )
    for table in ("access_page", "access_key"):
        refuse(table, "UPDATE", f"{table} is append-only")
        refuse(table, "DELETE", f"{table} is append-only")


def downgrade() -> None:
    drop_table("access_key")
    drop_table("access_page")

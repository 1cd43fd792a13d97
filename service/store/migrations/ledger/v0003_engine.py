"""How far an outer engine has come: one row, replaced with each of its blocks."""

import sqlalchemy as sa
from alembic import op

revision = "ledger_0003"
down_revision = "ledger_0002"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "engine_mark",
        sa.Column("number", INT64, primary_key=True, nullable=False),
        sa.Column("height", INT64, nullable=False),
        sa.Column("time", INT64, nullable=False),
        sa.Column("attested_height", INT64, nullable=False),
        sa.Column("attested_time", INT64, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("engine_mark")

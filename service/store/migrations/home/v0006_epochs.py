"""What is republished under a new lookup key."""

import sqlalchemy as sa
from alembic import op

revision = "home_0006"
down_revision = "home_0005"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "epoch_name",
        sa.Column("arrangement_id", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("epoch", INT64, primary_key=True, nullable=False),
        sa.Column("old", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("new", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "retired_name",
        sa.Column("arrangement_id", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("old", sa.LargeBinary(), primary_key=True, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("retired_name")
    op.drop_table("epoch_name")

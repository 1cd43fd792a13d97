"""Declarations as they were cleared, and reported figures."""

import sqlalchemy as sa
from alembic import op

revision = "home_0007"
down_revision = "home_0006"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "clearance",
        sa.Column("declaration", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("operator", sa.LargeBinary(), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("released_at", INT64, nullable=False),
        sa.Column("stage_1", INT64, nullable=False),
        sa.Column("stage_2", INT64, nullable=True),
        sa.Column("before_arrival", sa.Boolean(), nullable=True),
        sa.Column("transport_mode", sa.Integer(), nullable=False),
        sa.Column("clearance_mode", sa.Integer(), nullable=False),
        sa.Column("recognised_under", sa.LargeBinary(), nullable=False),
        sa.Column("certified", sa.Boolean(), nullable=False),
        sa.Column("benefits", sa.String(), nullable=False),
        sa.Column("value", INT64, nullable=False),
        sa.Column("direct_trade", sa.Boolean(), nullable=False),
        sa.Column("small_or_medium", sa.Boolean(), nullable=False),
        sa.Column("parties", INT64, nullable=False),
        sa.Column("certified_parties", INT64, nullable=False),
        sa.Column("customs", INT64, nullable=True),
        sa.Column("agency", INT64, nullable=True),
        sa.Column("trader", INT64, nullable=True),
        sa.Column("port", INT64, nullable=True),
    )
    op.create_index("ix_clearance_released_at", "clearance", ["released_at"])
    op.create_table(
        "clearance_call",
        sa.Column("idempotency_key", sa.String(), primary_key=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "reported_figure",
        sa.Column("arrangement_id", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("begin", INT64, primary_key=True, nullable=False),
        sa.Column("end", INT64, primary_key=True, nullable=False),
        sa.Column("code", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("reason", sa.String(), primary_key=True, nullable=False),
        sa.Column("count", INT64, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("reported_figure")
    op.drop_table("clearance_call")
    op.drop_index("ix_clearance_released_at", "clearance")
    op.drop_table("clearance")

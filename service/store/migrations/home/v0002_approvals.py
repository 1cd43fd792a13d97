"""Steps that wait for a second person."""

import sqlalchemy as sa
from alembic import op

revision = "home_0002"
down_revision = "home_0001"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("step_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("prepared_role", sa.String(), nullable=False),
        sa.Column("prepared_by", sa.String(), nullable=False),
        sa.Column("prepared_at", INT64, nullable=False),
        sa.Column("expires_at", INT64, nullable=False),
        sa.Column("repeatable", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", INT64, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_index("approval_state", "approval", ["state", "expires_at"])
    op.create_table(
        "approval_request",
        sa.Column(
            "step_id",
            sa.String(),
            sa.ForeignKey("approval.step_id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("request", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("approval_request")
    op.drop_index("approval_state", "approval")
    op.drop_table("approval")

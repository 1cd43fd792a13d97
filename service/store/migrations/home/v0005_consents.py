"""Consents, with their history."""

import sqlalchemy as sa
from alembic import op

revision = "home_0005"
down_revision = "home_0004"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "home_secret",
        sa.Column("use", sa.String(), primary_key=True, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "consent",
        sa.Column("consent_id", INT64, primary_key=True, nullable=False),
        sa.Column("trader", sa.LargeBinary(), nullable=False),
        sa.Column("arrangement_id", sa.LargeBinary(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("stated_at", INT64, nullable=False),
        sa.Column("recorded_at", INT64, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_trader", "consent", ["trader"])
    op.create_table(
        "consent_ending",
        sa.Column(
            "consent_id",
            INT64,
            sa.ForeignKey("consent.consent_id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("consent_ending")
    op.drop_index("ix_consent_trader", "consent")
    op.drop_table("consent")
    op.drop_table("home_secret")

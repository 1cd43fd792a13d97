"""Profiles of one's own and of partners' traders, and erasures."""

import sqlalchemy as sa
from alembic import op

revision = "home_0004"
down_revision = "home_0003"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "profile",
        sa.Column("profile_id", INT64, primary_key=True, nullable=False),
        sa.Column("tin", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_profile_tin", "profile", ["tin"])
    op.create_table(
        "profile_nonce",
        sa.Column("commitment", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("profile_id", INT64, sa.ForeignKey("profile.profile_id"), nullable=False),
        sa.Column("arrangement_id", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_profile_nonce_profile_id", "profile_nonce", ["profile_id"])
    op.create_table(
        "partner_profile",
        sa.Column("commitment", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("arrangement_id", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("tin", sa.String(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_partner_profile_tin", "partner_profile", ["tin"])
    op.create_table(
        "wanted_profile",
        sa.Column("commitment", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("arrangement_id", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.String(), primary_key=True, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    op.create_table(
        "erased_profile",
        sa.Column("commitment", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("issuer", sa.String(), primary_key=True, nullable=False),
        sa.Column("erased_at", INT64, nullable=False),
    )
    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("erased_at", INT64, nullable=False),
    )
    op.create_table(
        "erasure_notice",
        sa.Column("notice_id", INT64, primary_key=True, nullable=False),
        sa.Column("erasure_id", sa.String(), sa.ForeignKey("erasure.erasure_id"), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("arrangement_id", sa.LargeBinary(), nullable=False),
        sa.Column("commitments", sa.LargeBinary(), nullable=False),
        sa.Column("acknowledged_at", INT64, nullable=False),
    )
    op.create_index("ix_erasure_notice_erasure_id", "erasure_notice", ["erasure_id"])
    op.create_index("ix_erasure_notice_acknowledged_at", "erasure_notice", ["acknowledged_at"])


def downgrade() -> None:
    for index, table in (
        ("ix_erasure_notice_acknowledged_at", "erasure_notice"),
        ("ix_erasure_notice_erasure_id", "erasure_notice"),
        ("ix_partner_profile_tin", "partner_profile"),
        ("ix_profile_nonce_profile_id", "profile_nonce"),
        ("ix_profile_tin", "profile"),
    ):
        op.drop_index(index, table)
    for table in (
        "erasure_notice",
        "erasure",
        "erased_profile",
        "wanted_profile",
        "partner_profile",
        "profile_nonce",
        "profile",
    ):
        op.drop_table(table)

"""Clearances, from which reports are computed."""

revision = "home_0007"
down_revision = "home_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

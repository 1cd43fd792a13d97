"""Profiles of one's own and of partners' traders, and erasures."""

revision = "home_0004"
down_revision = "home_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

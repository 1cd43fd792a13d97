"""The access log, hash-chained."""

revision = "home_0003"
down_revision = "home_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

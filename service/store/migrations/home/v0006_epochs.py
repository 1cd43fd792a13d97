"""What is republished under a new lookup key."""

revision = "home_0006"
down_revision = "home_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

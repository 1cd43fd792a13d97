"""Steps that wait for a second person."""

revision = "home_0002"
down_revision = "home_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

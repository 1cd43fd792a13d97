"""Consents, with their history."""

revision = "home_0005"
down_revision = "home_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

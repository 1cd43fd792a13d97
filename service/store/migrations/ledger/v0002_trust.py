"""Set changes, by which trust passes from one signing set to the next; and evidence."""

import sqlalchemy as sa
from alembic import op

from service.store.migrations.refusals import drop_table, refuse

revision = "ledger_0002"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "set_change",
        sa.Column(
            "height", INT64, sa.ForeignKey("header.height"), primary_key=True, nullable=False
        ),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("number", INT64, primary_key=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    for table in ("set_change", "evidence"):
        refuse(table, "UPDATE", f"{table} is append-only")
        refuse(table, "DELETE", f"{table} is append-only")


def downgrade() -> None:
    for table in ("evidence", "set_change"):
        drop_table(table)

"""Genesis, headers, transactions and seals, with the triggers that keep them append-only."""

import sqlalchemy as sa
from alembic import op

from service.store.migrations.refusals import drop_table, refuse

revision = "ledger_0001"
down_revision = None
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# table, its number, the number that may come next
APPEND_ONLY = (
    ("genesis", "number", "(CASE WHEN EXISTS (SELECT 1 FROM genesis) THEN NULL ELSE 0 END)"),
    ("header", "height", "(SELECT coalesce(max(height) + 1, 0) FROM header)"),
    ("entry", "log_index", "(SELECT coalesce(max(log_index) + 1, 0) FROM entry)"),
)


def upgrade() -> None:
    op.create_table(
        "genesis",
        sa.Column("number", INT64, primary_key=True, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "header",
        sa.Column("height", INT64, primary_key=True, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("log_size", INT64, nullable=False),
    )
    op.create_table(
        "entry",
        sa.Column("log_index", INT64, primary_key=True, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "seal",
        sa.Column(
            "height", INT64, sa.ForeignKey("header.height"), primary_key=True, nullable=False
        ),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("attested_time", INT64, nullable=False),
        sa.Column("weight", INT64, nullable=False),
    )
    for table, number, following in APPEND_ONLY:
        refuse(table, "UPDATE", f"{table} is append-only")
        refuse(table, "DELETE", f"{table} is append-only")
        refuse(
            table,
            "INSERT",
            f"{table} is numbered without gaps",
            when=f"NEW.{number} IS DISTINCT FROM {following}",
            name=f"{table}_in_order",
        )
    refuse("seal", "DELETE", "a seal is kept")
    refuse(
        "seal",
        "UPDATE",
        "a seal gives way only to a better one",
        when="NEW.height IS DISTINCT FROM OLD.height OR (NEW.level, NEW.attested_time, NEW.weight) "
        "<= (OLD.level, OLD.attested_time, OLD.weight)",
        name="seal_only_better",
    )


def downgrade() -> None:
    for table in ("seal", "entry", "header", "genesis"):
        drop_table(table)

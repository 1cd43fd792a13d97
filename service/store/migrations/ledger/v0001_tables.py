"""Genesis, headers, transactions and seals, with the triggers that keep them append-only."""

import sqlalchemy as sa
from alembic import op

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
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        op.execute(
            f"CREATE TRIGGER {table}_in_order BEFORE INSERT ON {table} "
            f"WHEN NEW.{number} IS NOT {following} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is numbered without gaps'); END"
        )
    op.execute(
        "CREATE TRIGGER seal_no_delete BEFORE DELETE ON seal "
        "BEGIN SELECT RAISE(ABORT, 'a seal is kept'); END"
    )
    op.execute(
        "CREATE TRIGGER seal_only_better BEFORE UPDATE ON seal "
        "WHEN NEW.height IS NOT OLD.height OR (NEW.level, NEW.attested_time, NEW.weight) "
        "<= (OLD.level, OLD.attested_time, OLD.weight) "
        "BEGIN SELECT RAISE(ABORT, 'a seal gives way only to a better one'); END"
    )


def downgrade() -> None:
    for table in ("seal", "entry", "header", "genesis"):
        op.drop_table(table)

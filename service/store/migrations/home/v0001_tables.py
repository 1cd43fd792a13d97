"""Publications, signed transactions, lookup keys, instructions and counters of one member."""

import sqlalchemy as sa
from alembic import op

revision = "home_0001"
down_revision = None
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "owner",
        sa.Column("number", INT64, primary_key=True, nullable=False),
        sa.Column("network_id", sa.LargeBinary(), nullable=False),
        sa.Column("economy", sa.String(), nullable=False),
    )
    op.create_table(
        "publication",
        sa.Column("publication_id", INT64, primary_key=True, nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False, unique=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INT64, nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("signed", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("height", INT64),
        sa.Column("recorded_time", INT64),
        sa.CheckConstraint("signed <= records AND recorded <= signed", name="counts"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "publication_waiting",
        "publication",
        ["publication_id"],
        sqlite_where=sa.text("signed < records"),
        postgresql_where=sa.text("signed < records"),
    )
    op.create_table(
        "prepared",
        sa.Column(
            "publication_id",
            INT64,
            sa.ForeignKey("publication.publication_id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("records", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "signed",
        sa.Column("sequence", INT64, primary_key=True, nullable=False),
        sa.Column("carries", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "carried",
        sa.Column(
            "publication_id",
            INT64,
            sa.ForeignKey("publication.publication_id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column(
            "sequence", INT64, sa.ForeignKey("signed.sequence"), primary_key=True, nullable=False
        ),
        sa.Column("records", sa.Integer(), nullable=False),
    )
    op.create_table(
        "recorded",
        sa.Column(
            "sequence", INT64, sa.ForeignKey("signed.sequence"), primary_key=True, nullable=False
        ),
        sa.Column("log_index", INT64, nullable=False),
        sa.Column("height", INT64, nullable=False),
        sa.Column("time", INT64, nullable=False),
        sa.Column("refusals", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "lookup_key",
        sa.Column("arrangement_id", sa.LargeBinary(), primary_key=True, nullable=False),
        sa.Column("epoch", INT64, primary_key=True, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "instruction",
        sa.Column("benefit_code", INT64, primary_key=True, nullable=False),
        sa.Column("instruction", sa.String(), nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("value", INT64, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "counter",
        "instruction",
        "lookup_key",
        "recorded",
        "carried",
        "signed",
        "prepared",
        "publication",
        "owner",
    ):
        op.drop_table(table)

"""What the journal beside the database has yet to hear.

Knows: the tables as they were on this day; they never change again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal_notes",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_journal_notes"),
    )
    op.create_index("ix_journal_notes_number", "journal_notes", ["number"])
    op.create_table(
        "journal_count",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_journal_count"),
    )

"""How it stands with witnesses about the directory, and their cosignatures under its checkpoints.

Knows: the tables as they were on this day; they never change again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directory_witnesses",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.String(40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["name"], ["witnesses.name"], name="fk_directory_witnesses_name", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("name", name="pk_directory_witnesses"),
    )
    op.create_table(
        "directory_cosignatures",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["directory_checkpoints.size"], name="fk_directory_cosignatures_size"
        ),
        sa.PrimaryKeyConstraint("size", "vkey", name="pk_directory_cosignatures"),
    )

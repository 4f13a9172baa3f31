"""Witnesses, and their cosignatures under checkpoints.

Knows: the tables as they were on this day; they never change again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "witnesses",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.String(40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_witnesses"),
        sa.UniqueConstraint("vkey", name="uq_witnesses_vkey"),
    )
    op.create_table(
        "cosignatures",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["checkpoints.size"], name="fk_cosignatures_size"),
        sa.PrimaryKeyConstraint("size", "vkey", name="pk_cosignatures"),
    )

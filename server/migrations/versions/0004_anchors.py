"""Tokens over checkpoints.

Knows: the table as it was on this day; it never changes again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "anchors",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(64 * 1024), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("fetched", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["checkpoints.size"], name="fk_anchors_size"),
        sa.PrimaryKeyConstraint("size", name="pk_anchors"),
    )

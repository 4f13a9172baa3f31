"""Recoveries that wait.

Knows: the table as it was on this day; it never changes again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "waiting_recoveries",
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.account"], name="fk_waiting_recoveries_account", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account", name="pk_waiting_recoveries"),
    )
    op.create_index("ix_waiting_recoveries_due", "waiting_recoveries", ["due"])

"""Accounts that were erased, until nothing of theirs is left.

Knows: the table as it was on this day; it never changes again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "departed",
        sa.Column("owner", sa.LargeBinary(16), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_departed"),
    )

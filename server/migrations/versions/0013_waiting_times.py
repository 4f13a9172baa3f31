"""Each person's own waiting time of recovery.

Knows: the table as it was on this day; it never changes again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("wait", "next_wait", "next_since"):
        op.add_column("recoveries", sa.Column(name, sa.BigInteger(), nullable=True))

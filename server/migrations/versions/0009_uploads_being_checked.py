"""An upload says that it is being checked.

Knows: the table as it was on this day; it never changes again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("uploads", sa.Column("checking", sa.BigInteger(), nullable=True))

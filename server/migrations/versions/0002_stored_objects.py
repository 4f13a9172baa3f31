"""The objects of the s3 store.

Knows: the table as it was on this day; it never changes again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stored_objects",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(16), nullable=False),
        sa.Column("blob", sa.LargeBinary(16), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("stop", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_stored_objects"),
    )
    op.create_index("ix_stored_objects_blob", "stored_objects", ["blob"])
    op.create_index("ix_stored_objects_state", "stored_objects", ["state"])

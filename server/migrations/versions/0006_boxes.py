"""Deposit boxes: who has entered, what waits in them, what it names.

Knows: the tables as they were on this day; they never change again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "boxes",
        sa.Column("box", sa.LargeBinary(16), nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.LargeBinary(16), nullable=False),
        sa.Column("body", sa.LargeBinary(32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("deposits", sa.Integer(), nullable=False),
        sa.Column("room", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("cap_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(16), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name="fk_boxes_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("box", name="pk_boxes"),
        sa.UniqueConstraint("holder", name="uq_boxes_holder"),
    )
    op.create_index("ix_boxes_account", "boxes", ["account"])
    op.create_index("ix_boxes_expires", "boxes", ["expires"])
    op.create_table(
        "box_visits",
        sa.Column("token", sa.LargeBinary(32), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["box"], ["boxes.box"], name="fk_box_visits_box", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token", name="pk_box_visits"),
    )
    op.create_index("ix_box_visits_box", "box_visits", ["box"])
    op.create_index("ix_box_visits_expires", "box_visits", ["expires"])
    op.create_table(
        "box_deposits",
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.Column("deposit", sa.LargeBinary(16), nullable=False),
        sa.Column("body", sa.LargeBinary(32), nullable=False),
        sa.Column("deposited", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("erase_at", sa.BigInteger(), nullable=True),
        sa.Column("became", sa.String(16), nullable=True),
        sa.ForeignKeyConstraint(["box"], ["boxes.box"], name="fk_box_deposits_box", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("box", "deposit", name="pk_box_deposits"),
    )
    op.create_index("ix_box_deposits_erase_at", "box_deposits", ["erase_at"])
    op.create_table(
        "deposit_blobs",
        sa.Column("box", sa.LargeBinary(16), nullable=False),
        sa.Column("deposit", sa.LargeBinary(16), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("blob", sa.LargeBinary(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["box", "deposit"], ["box_deposits.box", "box_deposits.deposit"], name="fk_deposit_blobs_box",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("box", "deposit", "place", name="pk_deposit_blobs"),
    )
    op.create_index("ix_deposit_blobs_blob", "deposit_blobs", ["blob"])

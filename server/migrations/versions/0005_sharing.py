"""The directory of professionals, bundles and the codes of links.

Knows: the tables as they were on this day; they never change again. Refuses to know: the models of today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directory_entries",
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_directory_entries"),
    )
    op.create_table(
        "directory_checkpoints",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_directory_checkpoints"),
    )
    op.create_table(
        "professionals",
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=True),
        sa.Column("asked", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("was_revoked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.account"], name="fk_professionals_account", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["entry"], ["directory_entries.index"], name="fk_professionals_entry"),
        sa.PrimaryKeyConstraint("account", name="pk_professionals"),
        sa.UniqueConstraint("entry", name="uq_professionals_entry"),
    )
    op.create_table(
        "bundles",
        sa.Column("bundle", sa.LargeBinary(16), nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=True),
        sa.Column("reader", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("cap_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("wrap", sa.LargeBinary(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(16), nullable=True),
        sa.Column("replaced_by", sa.LargeBinary(16), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name="fk_bundles_account", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reader"], ["accounts.account"], name="fk_bundles_reader", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("bundle", name="pk_bundles"),
    )
    op.create_index("ix_bundles_account", "bundles", ["account"])
    op.create_index("ix_bundles_expires", "bundles", ["expires"])
    op.create_index("ix_bundles_reader", "bundles", ["reader"])
    op.create_table(
        "bundle_records",
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("item", sa.LargeBinary(16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["bundle"], ["bundles.bundle"], name="fk_bundle_records_bundle", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bundle", "item", "revision", name="pk_bundle_records"),
    )
    op.create_index("ix_bundle_records_item", "bundle_records", ["item"])
    op.create_table(
        "bundle_blobs",
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["bundle"], ["bundles.bundle"], name="fk_bundle_blobs_bundle", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["blob"], ["blobs.blob"], name="fk_bundle_blobs_blob", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bundle", "blob", name="pk_bundle_blobs"),
    )
    op.create_index("ix_bundle_blobs_blob", "bundle_blobs", ["blob"])
    op.create_table(
        "bundle_openings",
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("opening", sa.LargeBinary(16), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(32), nullable=True),
        sa.ForeignKeyConstraint(["bundle"], ["bundles.bundle"], name="fk_bundle_openings_bundle", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bundle", "opening", name="pk_bundle_openings"),
        sa.UniqueConstraint("token", name="uq_bundle_openings_token"),
    )
    op.create_table(
        "link_codes",
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("pepper", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("verifier", sa.LargeBinary(32), nullable=True),
        sa.Column("share", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["bundle"], ["bundles.bundle"], name="fk_link_codes_bundle", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bundle", name="pk_link_codes"),
    )

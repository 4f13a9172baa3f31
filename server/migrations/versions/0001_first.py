"""The first tables: accounts, guesses, items, blobs, uploads, the ledger, tries per network.

Knows: the tables as they were on this day; it never changes again. Refuses to know: the models of today.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _column(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    """A column that is never null unless it says so."""
    return sa.Column(name, kind, **{"nullable": False, **more})


def upgrade() -> None:
    op.create_table(
        "accounts",
        _column("account", sa.LargeBinary(16)),
        _column("lookup", sa.LargeBinary(32)),
        _column("pepper", sa.Integer()),
        _column("k_id", sa.LargeBinary()),
        _column("login_pk", sa.LargeBinary()),
        _column("epoch", sa.BigInteger()),
        _column("pin_epoch", sa.BigInteger()),
        _column("verifier_l", sa.LargeBinary(32)),
        _column("verifier_s", sa.LargeBinary(32)),
        _column("share_n", sa.LargeBinary()),
        _column("share_s", sa.LargeBinary()),
        _column("w_n", sa.LargeBinary()),
        _column("w_s", sa.LargeBinary()),
        _column("n", sa.BigInteger()),
        _column("account_record", sa.LargeBinary()),
        _column("identity_sign", sa.LargeBinary()),
        _column("identity_box", sa.LargeBinary()),
        _column("drop_box", sa.LargeBinary()),
        _column("used", sa.BigInteger()),
        _column("created", sa.BigInteger()),
        _column("body", sa.LargeBinary(32)),
        _column("last_opened", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", name="pk_accounts"),
        sa.UniqueConstraint("lookup", name="uq_accounts_lookup"),
    )

    op.create_table(
        "blobs",
        _column("blob", sa.LargeBinary(16)),
        _column("account", sa.LargeBinary(16)),
        _column("size", sa.BigInteger()),
        _column("sha256", sa.LargeBinary(32)),
        _column("deposit", sa.BigInteger()),
        _column("created", sa.BigInteger()),
        _column("data", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("blob", name="pk_blobs"),
        sa.UniqueConstraint("deposit", name="uq_blobs_deposit"),
    )
    op.create_index("ix_blobs_account", "blobs", ["account"])
    op.create_index("ix_blobs_created", "blobs", ["created"])

    op.create_table(
        "challenges",
        _column("digest", sa.LargeBinary(32)),
        _column("lookup", sa.LargeBinary(32)),
        _column("expires", sa.BigInteger()),
        sa.PrimaryKeyConstraint("digest", name="pk_challenges"),
    )
    op.create_index("ix_challenges_expires", "challenges", ["expires"])

    op.create_table(
        "checkpoints",
        _column("size", sa.BigInteger(), autoincrement=False),
        _column("time", sa.BigInteger()),
        _column("note", sa.Text()),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoints"),
    )
    op.create_index("ix_checkpoints_time", "checkpoints", ["time"])

    op.create_table(
        "items",
        _column("item", sa.LargeBinary(16)),
        _column("account", sa.LargeBinary(16)),
        _column("revision", sa.BigInteger()),
        _column("erase_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("item", name="pk_items"),
    )
    op.create_index("ix_items_erase_at", "items", ["erase_at"])

    op.create_table(
        "ledger_entries",
        _column("index", sa.BigInteger(), autoincrement=False),
        _column("entry", sa.LargeBinary(40)),
        sa.PrimaryKeyConstraint("index", name="pk_ledger_entries"),
    )

    op.create_table(
        "ledger_nodes",
        _column("level", sa.Integer(), autoincrement=False),
        _column("index", sa.BigInteger(), autoincrement=False),
        _column("hash", sa.LargeBinary(32)),
        sa.PrimaryKeyConstraint("level", "index", name="pk_ledger_nodes"),
    )

    op.create_table(
        "leftovers",
        _column("blob", sa.LargeBinary(16)),
        sa.PrimaryKeyConstraint("blob", name="pk_leftovers"),
    )

    op.create_table(
        "limiter_counts",
        _column("key", sa.String()),
        _column("count", sa.BigInteger()),
        _column("expires", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name="pk_limiter_counts"),
    )
    op.create_index("ix_limiter_counts_expires", "limiter_counts", ["expires"])

    op.create_table(
        "uploads",
        _column("blob", sa.LargeBinary(16)),
        _column("account", sa.LargeBinary(16)),
        _column("size", sa.BigInteger()),
        _column("started", sa.BigInteger()),
        sa.PrimaryKeyConstraint("blob", name="pk_uploads"),
    )
    op.create_index("ix_uploads_account", "uploads", ["account"])
    op.create_index("ix_uploads_started", "uploads", ["started"])

    op.create_table(
        "deposits",
        _column("index", sa.BigInteger(), autoincrement=False),
        _column("nonce", sa.LargeBinary(32)),
        _column("time", sa.BigInteger()),
        _column("size", sa.BigInteger()),
        _column("sha256", sa.LargeBinary(32)),
        sa.ForeignKeyConstraint(["index"], ["ledger_entries.index"], name="fk_deposits_index"),
        sa.PrimaryKeyConstraint("index", name="pk_deposits"),
    )

    op.create_table(
        "guesses",
        _column("account", sa.LargeBinary(16)),
        _column("attempts", sa.BigInteger()),
        _column("not_before", sa.BigInteger()),
        _column("wrong_total", sa.BigInteger()),
        _column("lowered", sa.BigInteger()),
        _column("wrong_since", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name="fk_guesses_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", name="pk_guesses"),
    )

    op.create_table(
        "recoveries",
        _column("account", sa.LargeBinary(16)),
        _column("lookup", sa.LargeBinary(32)),
        _column("pepper", sa.Integer()),
        _column("epoch", sa.BigInteger()),
        _column("login_pk", sa.LargeBinary()),
        _column("share_r", sa.LargeBinary()),
        _column("w_rn", sa.LargeBinary()),
        _column("w_rs", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name="fk_recoveries_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", name="pk_recoveries"),
        sa.UniqueConstraint("lookup", name="uq_recoveries_lookup"),
    )

    op.create_table(
        "revisions",
        _column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        _column("account", sa.LargeBinary(16)),
        _column("item", sa.LargeBinary(16)),
        _column("revision", sa.BigInteger()),
        _column("deposited", sa.BigInteger()),
        _column("size", sa.BigInteger()),
        _column("sha256", sa.LargeBinary(32), nullable=True),
        _column("deposit", sa.BigInteger(), nullable=True),
        _column("erases", sa.LargeBinary(), nullable=True),
        _column("link", sa.LargeBinary()),
        _column("wrap", sa.LargeBinary(), nullable=True),
        _column("record", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name="fk_revisions_item"),
        sa.PrimaryKeyConstraint("seq", name="pk_revisions"),
        sa.UniqueConstraint("deposit", name="uq_revisions_deposit"),
        sa.UniqueConstraint("item", "revision", name="uq_revisions_item"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_revisions_sync", "revisions", ["account", "seq"])

    op.create_table(
        "sessions",
        _column("digest", sa.LargeBinary(32)),
        _column("account", sa.LargeBinary(16)),
        _column("stage", sa.String(16)),
        _column("root", sa.LargeBinary(32)),
        _column("opened", sa.BigInteger()),
        _column("last_used", sa.BigInteger()),
        _column("expires", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name="fk_sessions_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    op.create_index("ix_sessions_root", "sessions", ["root"])

    op.create_table(
        "upload_units",
        _column("blob", sa.LargeBinary(16)),
        _column("unit", sa.Integer(), autoincrement=False),
        _column("sha256", sa.LargeBinary(32)),
        sa.ForeignKeyConstraint(["blob"], ["uploads.blob"], name="fk_upload_units_blob", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("blob", "unit", name="pk_upload_units"),
    )

    op.create_table(
        "revision_blobs",
        _column("item", sa.LargeBinary(16)),
        _column("revision", sa.BigInteger(), autoincrement=False),
        _column("place", sa.Integer(), autoincrement=False),
        _column("blob", sa.LargeBinary(16)),
        sa.ForeignKeyConstraint(["blob"], ["blobs.blob"], name="fk_revision_blobs_blob"),
        sa.ForeignKeyConstraint(
            ["item", "revision"], ["revisions.item", "revisions.revision"], name="fk_revision_blobs_item"
        ),
        sa.PrimaryKeyConstraint("item", "revision", "place", name="pk_revision_blobs"),
    )
    op.create_index("ix_revision_blobs_blob", "revision_blobs", ["blob"])

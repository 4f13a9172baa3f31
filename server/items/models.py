"""The tables of items.

Knows: whose an item is, its revisions in the order in which they were kept, which blobs each names.
Refuses to know: what a record says, or even of which kind it is; only that a tombstone is one.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crypto_core.encoding import HASH_SIZE, ID_SIZE
from server.database import Base


class Item(Base):
    """An item as it stands now."""

    __tablename__ = "items"

    item: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    account: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE))
    revision: Mapped[int] = mapped_column(BigInteger)
    """The newest."""
    erase_at: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """Set while the newest revision is a tombstone that has not been carried out: when it will be."""


class Revision(Base):
    """One revision. Once erased it has no wrap, record, hash, size or deposit any more; its link stays."""

    __tablename__ = "revisions"
    __table_args__ = (
        UniqueConstraint("item", "revision"),
        Index("ix_revisions_sync", "account", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    """The order of commits, in all accounts: what a cursor counts. An erasure is one, too: it gives a new place."""
    account: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE))
    item: Mapped[bytes] = mapped_column(ForeignKey("items.item"))
    revision: Mapped[int] = mapped_column(BigInteger)
    deposited: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    """Of the record; 0 once erased."""
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary(HASH_SIZE))
    deposit: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    """Its index in the ledger."""
    erases: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Not null in a tombstone: the ids of the blobs that go with it, one after the other."""
    link: Mapped[bytes] = mapped_column(LargeBinary)
    wrap: Mapped[bytes | None] = mapped_column(LargeBinary)
    record: Mapped[bytes | None] = mapped_column(LargeBinary)


class NamedBlob(Base):
    """A blob that a revision names; gone when the revision is erased."""

    __tablename__ = "revision_blobs"
    __table_args__ = (ForeignKeyConstraint(["item", "revision"], ["revisions.item", "revisions.revision"]),)

    item: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    blob: Mapped[bytes] = mapped_column(ForeignKey("blobs.blob"), index=True)

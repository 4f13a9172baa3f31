"""The tables of bundles.

Knows: whose a bundle is, what its reader may fetch, until when and how often it opens, each opening's time.
Refuses to know: what is shared and who a link was given to; `seal`, `note` and `wrap` were sealed by clients.
Once a bundle has ended nothing that opens it is left: neither keys nor the names of what was shared.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from crypto_core.encoding import HASH_SIZE, ID_SIZE
from server.database import Base


class Bundle(Base):
    """One bundle. It is alive while `ended` is null and `expires` lies ahead."""

    __tablename__ = "bundles"

    bundle: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    account: Mapped[bytes] = mapped_column(ForeignKey("accounts.account", ondelete="CASCADE"), index=True)
    body: Mapped[bytes] = mapped_column(LargeBinary(HASH_SIZE))
    """SHA-256 of the request that made it: a lost answer is given again."""
    created: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)
    openings: Mapped[int]
    """How often it may be opened in all."""
    opened: Mapped[int]
    """How often it was, the openings that were carried over included."""
    entry: Mapped[int | None] = mapped_column(BigInteger)
    """Of the directory; null for a link."""
    reader: Mapped[bytes | None] = mapped_column(ForeignKey("accounts.account", ondelete="SET NULL"), index=True)
    """The professional's account, as long as there is one."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes counted as the account's: of seal and note, of the note alone once it has ended."""
    note: Mapped[bytes] = mapped_column(LargeBinary)
    cap_hash: Mapped[bytes | None] = mapped_column(LargeBinary(HASH_SIZE))
    wrap: Mapped[bytes | None] = mapped_column(LargeBinary)
    seal: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    ended: Mapped[int | None] = mapped_column(BigInteger)
    why: Mapped[str | None] = mapped_column(String(16))
    """As schemas.shares.Bundle names it."""
    replaced_by: Mapped[bytes | None] = mapped_column(LargeBinary(ID_SIZE))


class BundleRecord(Base):
    """A record that the reader of a bundle may fetch."""

    __tablename__ = "bundle_records"
    __table_args__ = (Index("ix_bundle_records_item", "item"),)

    bundle: Mapped[bytes] = mapped_column(ForeignKey("bundles.bundle", ondelete="CASCADE"), primary_key=True)
    item: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class BundleBlob(Base):
    """A blob that the reader of a bundle may fetch; gone with the blob."""

    __tablename__ = "bundle_blobs"

    bundle: Mapped[bytes] = mapped_column(ForeignKey("bundles.bundle", ondelete="CASCADE"), primary_key=True)
    blob: Mapped[bytes] = mapped_column(ForeignKey("blobs.blob", ondelete="CASCADE"), primary_key=True, index=True)


class Opening(Base):
    """One opening: when it was, and the token that it gave, as SHA-256."""

    __tablename__ = "bundle_openings"

    bundle: Mapped[bytes] = mapped_column(ForeignKey("bundles.bundle", ondelete="CASCADE"), primary_key=True)
    opening: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    time: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger)
    token: Mapped[bytes | None] = mapped_column(LargeBinary(HASH_SIZE), unique=True)
    """Null once the bundle has ended, or the opening was carried over to another."""

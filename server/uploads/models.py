"""The tables of blobs, kept and on their way.

Knows: whose a blob is, its size, its hash, its place in the ledger, which units of an upload are there.
Refuses to know: what a blob is, and which item names it (server.items.models).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from crypto_core.encoding import HASH_SIZE, ID_SIZE
from server.database import Base


class Blob(Base):
    """A blob that is kept: whole, checked, and with a receipt."""

    __tablename__ = "blobs"

    blob: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    account: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), index=True)
    """Or the holder of a box (server.boxes.models), until a deposit names it."""
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(HASH_SIZE))
    deposit: Mapped[int] = mapped_column(BigInteger, unique=True)
    """Its index in the ledger."""
    created: Mapped[int] = mapped_column(BigInteger, index=True)
    """When it was kept, or accepted with a deposit: since then it may have gone unnamed."""
    data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """The bytes, if it came in one request; else they are in the store."""


class Upload(Base):
    """A blob that was announced and is not whole yet. Its size is counted as used from here on."""

    __tablename__ = "uploads"

    blob: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    account: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), index=True)
    """Or the holder of a box."""
    size: Mapped[int] = mapped_column(BigInteger)
    started: Mapped[int] = mapped_column(BigInteger, index=True)
    checking: Mapped[int | None] = mapped_column(BigInteger)
    """When a process last said that it is checking the whole; None while none has to say so."""


class UploadUnit(Base):
    """A unit that is staged and synced. A unit without a row is not there, whatever the disk holds."""

    __tablename__ = "upload_units"

    blob: Mapped[bytes] = mapped_column(ForeignKey("uploads.blob", ondelete="CASCADE"), primary_key=True)
    unit: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(HASH_SIZE))


class Leftover(Base):
    """A blob whose bytes are still in the store, and whose rows are gone: nobody may use its id until they are, too."""

    __tablename__ = "leftovers"

    blob: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)

"""The directory's tables.

Knows: how entries, checkpoints and the requests of professionals are kept. Refuses to know: what an entry says; to the
tree it is bytes. Entries and checkpoints are only ever added.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base
from server.ledger.models import Asked, CosignatureLine


class DirectoryEntry(Base):
    """One public entry, by its place in the tree. No nodes are kept: thousands of leaves are hashed in milliseconds."""

    __tablename__ = "directory_entries"

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry: Mapped[bytes] = mapped_column(LargeBinary)


class DirectoryCheckpoint(Base):
    """The one note that was signed for a tree of this size."""

    __tablename__ = "directory_checkpoints"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    time: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(Text)


class DirectoryWitness(Asked):
    """How it stands with one of the vault's witnesses about the directory; there once it was asked."""

    __tablename__ = "directory_witnesses"

    name: Mapped[str] = mapped_column(
        String(64), ForeignKey("witnesses.name", ondelete="CASCADE"), primary_key=True
    )


class DirectoryCosignature(CosignatureLine):
    """Under a checkpoint of the directory."""

    __tablename__ = "directory_cosignatures"

    size: Mapped[int] = mapped_column(ForeignKey("directory_checkpoints.size"), primary_key=True, autoincrement=False)


class Professional(Base):
    """An account that asked to be listed. `entry` is its newest in the directory, while it is listed.

    The account can't go before this row has: an entry that stays without anybody behind it would be a name that people
    trust and nobody can end.
    """

    __tablename__ = "professionals"

    account: Mapped[bytes] = mapped_column(ForeignKey("accounts.account"), primary_key=True)
    entry: Mapped[int | None] = mapped_column(ForeignKey("directory_entries.index"), unique=True)
    asked: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What waits for the operator, as schemas.directory.Listing spells it in JSON."""
    asked_at: Mapped[int | None] = mapped_column(BigInteger)
    was_revoked: Mapped[bool]
    """Whether the operator has ended an entry or turned a request down, with nothing asked for since."""

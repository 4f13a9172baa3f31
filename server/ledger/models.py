"""The ledger's tables.

Knows: how entries, tree nodes, checkpoints and the deposits behind the entries are kept.
Refuses to know: which blob or record a deposit was; those tables point here, never the other way round.
Entries, nodes and checkpoints are only ever added. A row of `deposits` is all that ties an entry to bytes:
erasing deletes it, and the tree stays as it is.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from crypto_core.encoding import HASH_SIZE
from crypto_core.receipts.leaf import ENTRY_SIZE, NONCE_SIZE
from server.database import Base


class LedgerEntry(Base):
    """One public entry, by its place in the tree."""

    __tablename__ = "ledger_entries"

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry: Mapped[bytes] = mapped_column(LargeBinary(ENTRY_SIZE))


class LedgerNode(Base):
    """The hash of a complete subtree over the 2^level entries from index · 2^level on; leaves are level 0."""

    __tablename__ = "ledger_nodes"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(HASH_SIZE))


class SignedCheckpoint(Base):
    """The one note that was signed for a tree of this size; `time` is the operator's, and never falls as sizes grow."""

    __tablename__ = "checkpoints"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    time: Mapped[int] = mapped_column(BigInteger, index=True)
    note: Mapped[str] = mapped_column(Text)


class Deposit(Base):
    """What the entry at `index` commits to: the commitment of docs/spec/receipt.md."""

    __tablename__ = "deposits"

    index: Mapped[int] = mapped_column(ForeignKey("ledger_entries.index"), primary_key=True, autoincrement=False)
    nonce: Mapped[bytes] = mapped_column(LargeBinary(NONCE_SIZE))
    time: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(HASH_SIZE))

"""The ledger's tables.

Knows: how entries, tree nodes, checkpoints, witnesses and the deposits behind the entries are kept.
Refuses to know: which blob or record a deposit was; those tables point here, never the other way round.
Entries, nodes, checkpoints and cosignatures are only ever added. A row of `deposits` is all that ties an entry to
bytes: erasing deletes it, and the tree stays as it is.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text
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


class Asked(Base):
    """How it stands with a witness about one tree, and how the last try ended."""

    __abstract__ = True

    size: Mapped[int] = mapped_column(BigInteger, default=0)
    """How many entries it had seen when it last said so."""
    trouble: Mapped[str] = mapped_column(String(40), default="")
    """Why the last try failed, a code of server.ledger.submitting; empty if it did not."""
    failures: Mapped[int] = mapped_column(default=0)
    """Tries in a row that failed."""
    not_before: Mapped[int] = mapped_column(BigInteger, default=0)
    """Unix seconds: it is not asked again earlier."""


class LedgerWitness(Asked):
    """Somebody apart whom the operator asks for cosignatures; and how it stands with the ledger."""

    __tablename__ = "witnesses"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The operator's own word for it."""
    vkey: Mapped[str] = mapped_column(Text, unique=True)
    url: Mapped[str] = mapped_column(Text)
    """What stands before `/add-checkpoint`."""


class CosignatureLine(Base):
    """What a witness signed under a checkpoint of one size; it verified before it was kept. Rows outlive witnesses."""

    __abstract__ = True

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    vkey: Mapped[str] = mapped_column(Text, primary_key=True)
    time: Mapped[int] = mapped_column(BigInteger)
    """The witness's own, Unix seconds."""
    line: Mapped[str] = mapped_column(Text)
    """The signature line, newline included."""


class Cosignature(CosignatureLine):
    """Under a checkpoint of the ledger."""

    __tablename__ = "cosignatures"

    size: Mapped[int] = mapped_column(ForeignKey("checkpoints.size"), primary_key=True, autoincrement=False)

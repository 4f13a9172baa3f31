"""The tables that say in the database what the journal beside it has yet to hear.

Knows: which rows were changed, and how many changes there ever were. Refuses to know: what they say.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Note(Base):
    """Something was changed that must not come back with an old copy, and the journal has not heard of it yet."""

    __tablename__ = "journal_notes"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, index=True)
    """Of the newest such change."""


class Count(Base):
    """How many there were, in the one row: a database that has fewer than its journal is an old copy."""

    __tablename__ = "journal_count"

    only: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)

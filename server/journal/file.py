"""The journal: a small database of its own beside the vault's, which no copy of that one brings back.

Knows: one line for each thing that was changed for good, the newest; and how many changes it has heard of. Refuses to
know: what a line says (server.journal.lines). A line that was replaced is overwritten, as everything erased is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import BigInteger, LargeBinary, String, Text, delete, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from server.database import Database

VERSION = 1


class JournalBase(DeclarativeBase):
    """Mother of the journal's two tables. They have no migrations: a line is made anew from the vault's own rows."""


class Line(JournalBase):
    """What the vault's rows about one thing came to."""

    __tablename__ = "lines"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    """Whose it is; the line goes with the account."""
    value: Mapped[str] = mapped_column(Text)
    """JSON."""


class Heard(JournalBase):
    """The one row about the journal itself."""

    __tablename__ = "heard"

    only: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    vault_id: Mapped[bytes] = mapped_column(LargeBinary(16))
    begun: Mapped[int] = mapped_column(BigInteger)
    """How many changes there had been when it began: of a copy that has fewer it can't tell what is missing."""
    number: Mapped[int] = mapped_column(BigInteger)
    """The newest change that it has heard of."""


class Journal:
    """The journal at `path`, which may not have begun."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = Database(f"sqlite:///{path}")

    def heard(self) -> Heard | None:
        """What it says of itself; None if it has not begun. Raises Refusal `unavailable`."""
        if not self._path.is_file():
            return None
        with self.read() as session:
            return session.get(Heard, 0) if inspect(session.connection()).has_table(Heard.__tablename__) else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """As Database.read."""
        with self._database.read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """As Database.write."""
        with self._database.write() as session:
            yield session

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """The same for the first lines of a journal: its tables are there, and empty."""
        with self.write() as session:
            JournalBase.metadata.create_all(session.connection())
            for model in (Line, Heard):
                session.execute(delete(model))
            yield session

    def empty_log(self) -> None:
        """As Database.empty_log."""
        self._database.empty_log()

    def close(self) -> None:
        self._database.close()

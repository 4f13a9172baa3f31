"""Which objects of a bucket belong to which blob: the s3 store's own records, in the vault's database.

Knows: a row for each object, written before its first byte leaves. Refuses to know: the bucket.

No object is ever found by listing, and no name is used twice: what no row needs any more is removed by its name.

    coming → staged → gone          bytes that arrived for an upload
    coming → kept → gone            bytes of a finished blob
    coming → late                   nobody waits for it any more; it may be there, or still arrive: gone after a day
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

from sqlalchemy import BigInteger, Integer, LargeBinary, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from crypto_core.encoding import ID_SIZE
from crypto_core.randomness import make_id
from server.config import DAY
from server.database import Base, Database, rows_changed
from server.ports import Clock
from server.problems import Refusal

LATEST = DAY
"""Seconds after which an object that was announced can't arrive any more."""


class State(IntEnum):
    """What is known of an object. Only COMING, STAGED and KEPT are anybody's."""

    COMING = 0
    STAGED = 1
    KEPT = 2
    GONE = 3
    LATE = 4


class StoredObject(Base):
    """One object: the bytes [start, stop) of a blob."""

    __tablename__ = "stored_objects"

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    """Grows with time; of two that have the same bytes of a blob the later one holds."""
    name: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE))
    """Random, and never used again."""
    blob: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), index=True)
    start: Mapped[int] = mapped_column(BigInteger)
    stop: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[int] = mapped_column(Integer, index=True)
    created: Mapped[int] = mapped_column(BigInteger)

    @property
    def size(self) -> int:
        return self.stop - self.start


class ObjectRecords:
    """The table, one transaction a call; called within a write of its own thread, each is a part of that write."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def announce(self, blob: bytes, spans: Iterable[tuple[int, int]]) -> list[StoredObject]:
        """New objects, under fresh names, for these bytes [start, stop) of the blob."""
        now = self._clock.now()
        with self._database.write() as session:
            made = [
                StoredObject(name=make_id(), blob=blob, start=start, stop=stop, state=State.COMING, created=now)
                for start, stop in spans
            ]
            session.add_all(made)
        return made

    def arrived(self, one: StoredObject) -> None:
        """It is whole in the bucket, and staged from now on.

        Raises Refusal `upload_complete` if the blob was kept meanwhile, `not_found` if it was discarded.
        """
        with self._database.write() as session:
            if _turn(session, [one], State.COMING, State.STAGED):
                return
            _turn(session, [one], State.LATE, State.GONE)
            is_kept = bool(_find(session, one.blob, State.KEPT))
        raise Refusal("upload_complete" if is_kept else "not_found")

    def failed(self, some: Sequence[StoredObject]) -> None:
        """They won't be waited for; whether they are in the bucket nobody knows."""
        with self._database.write() as session:
            _turn(session, some, State.COMING, State.LATE)

    def keep(self, blob: bytes, volumes: Sequence[StoredObject]) -> bool:
        """These, which are whole in the bucket, are the blob from now on, and everything staged for it is gone.

        False, and these are gone, if others are the blob already or it was discarded meanwhile.
        """
        with self._database.write() as session:
            is_free = not _find(session, blob, State.KEPT)
            if is_free and _turn(session, volumes, State.COMING, State.KEPT) == len(volumes):
                _drop_staged(session, blob)
                return True
            for state in (State.COMING, State.KEPT, State.LATE):
                _turn(session, volumes, state, State.GONE)
            return False

    def staged(self, blob: bytes) -> Sequence[StoredObject]:
        with self._database.read() as session:
            return _find(session, blob, State.STAGED)

    def staging(self) -> Sequence[bytes]:
        """The blobs of which objects are staged or on their way."""
        is_somebodys = StoredObject.state.in_([State.COMING, State.STAGED])
        with self._database.read() as session:
            return session.scalars(select(StoredObject.blob).where(is_somebodys).distinct()).all()

    def kept(self, blob: bytes) -> Sequence[StoredObject]:
        with self._database.read() as session:
            return _find(session, blob, State.KEPT)

    def discard(self, blob: bytes) -> None:
        """What is staged, or on its way, is nobody's any more."""
        with self._database.write() as session:
            _drop_staged(session, blob)

    def delete(self, blob: bytes) -> None:
        """What is kept is nobody's any more."""
        with self._database.write() as session:
            _turn_all(session, blob, State.KEPT, State.GONE)

    def gone(self, after: int, limit: int) -> Sequence[StoredObject]:
        """Those to be removed from the bucket, with a number above `after`, in order."""
        is_over = (StoredObject.state == State.LATE) & (StoredObject.created <= self._clock.now() - LATEST)
        query = select(StoredObject).where((StoredObject.state == State.GONE) | is_over, StoredObject.number > after)
        with self._database.read() as session:
            return session.scalars(query.order_by(StoredObject.number).limit(limit)).all()

    def forget(self, some: Sequence[StoredObject]) -> None:
        """They are out of the bucket."""
        with self._database.write() as session:
            session.execute(delete(StoredObject).where(StoredObject.number.in_([one.number for one in some])))


def _find(session: Session, blob: bytes, state: State) -> Sequence[StoredObject]:
    query = select(StoredObject).where(StoredObject.blob == blob, StoredObject.state == state)
    return session.scalars(query.order_by(StoredObject.start, StoredObject.number)).all()


def _turn(session: Session, some: Sequence[StoredObject], before: State, after: State) -> int:
    """Those of them that are in the one state go to the other; how many."""
    chosen = StoredObject.number.in_([one.number for one in some])
    return rows_changed(session, update(StoredObject).where(chosen, StoredObject.state == before).values(state=after))


def _turn_all(session: Session, blob: bytes, before: State, after: State) -> None:
    chosen = (StoredObject.blob == blob) & (StoredObject.state == before)
    session.execute(update(StoredObject).where(chosen).values(state=after))


def _drop_staged(session: Session, blob: bytes) -> None:
    _turn_all(session, blob, State.STAGED, State.GONE)
    _turn_all(session, blob, State.COMING, State.LATE)

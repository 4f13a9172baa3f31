"""The tables of deposit boxes.

Knows: whose a box is, how much it takes and has taken, who has entered, what waits to be decided on.
Refuses to know: who has the address, what is put in, and what the box is for; `seal`, `note` and `key` were sealed by
clients. What is sent into a box belongs to its holder until a deposit names it, to the account from then on.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, ForeignKeyConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from crypto_core.encoding import HASH_SIZE, ID_SIZE
from server.database import Base


class Box(Base):
    """One box. It is open while `ended` is null and `expires` lies ahead."""

    __tablename__ = "boxes"

    box: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    account: Mapped[bytes] = mapped_column(ForeignKey("accounts.account", ondelete="CASCADE"), index=True)
    holder: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), unique=True)
    """Stands in the place of an account for what is on its way in. Drawn here and told to nobody: no account can be
    made under it."""
    body: Mapped[bytes] = mapped_column(LargeBinary(HASH_SIZE))
    """SHA-256 of the request that made it: a lost answer is given again."""
    created: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)
    deposits: Mapped[int]
    """How many deposits it takes in all."""
    room: Mapped[int] = mapped_column(BigInteger)
    """How many bytes it takes in all."""
    made: Mapped[int]
    """Deposits so far, whatever became of them."""
    used: Mapped[int] = mapped_column(BigInteger)
    """Bytes announced and sent so far; what was given up, or never became a deposit, is not among them any more."""
    pieces: Mapped[int]
    """Blobs, counted likewise."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes counted as the account's: of seal and note."""
    seal: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[bytes] = mapped_column(LargeBinary)
    cap_hash: Mapped[bytes | None] = mapped_column(LargeBinary(HASH_SIZE))
    ended: Mapped[int | None] = mapped_column(BigInteger)
    why: Mapped[str | None] = mapped_column(String(16))
    """As schemas.boxes.Box names it."""


class Visit(Base):
    """Somebody has entered: their token, as SHA-256. Gone with the box's end."""

    __tablename__ = "box_visits"

    token: Mapped[bytes] = mapped_column(LargeBinary(HASH_SIZE), primary_key=True)
    box: Mapped[bytes] = mapped_column(ForeignKey("boxes.box", ondelete="CASCADE"), index=True)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)


class BoxDeposit(Base):
    """One deposit. It waits until it has become something."""

    __tablename__ = "box_deposits"

    box: Mapped[bytes] = mapped_column(ForeignKey("boxes.box", ondelete="CASCADE"), primary_key=True)
    deposit: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary(HASH_SIZE))
    """SHA-256 of the request that made it: a lost answer is given again."""
    deposited: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    """Of all its blobs as they came, in bytes."""
    key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Null once it has become something."""
    erase_at: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """Set while a refusal waits to be carried out: when it will be."""
    became: Mapped[str | None] = mapped_column(String(16))
    """`accepted` or `refused`, the latter once its blobs are erased."""


class DepositBlob(Base):
    """A blob that a deposit names: the words (place 0), then the files. The name outlives the blob, and nobody may use
    it again: whoever sent it could learn so that it was refused."""

    __tablename__ = "deposit_blobs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["box", "deposit"], ["box_deposits.box", "box_deposits.deposit"], ondelete="CASCADE"
        ),
    )

    box: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    deposit: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    blob: Mapped[bytes] = mapped_column(LargeBinary(ID_SIZE), index=True)


def is_open(now: int) -> ColumnElement[bool]:
    """What a box has to be for anybody to enter it, or put something in."""
    return Box.ended.is_(None) & (Box.expires > now)

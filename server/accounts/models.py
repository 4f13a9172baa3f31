"""The tables of accounts, recoveries, the departed, challenges and sessions.

Knows: which columns there are and how many bytes each holds. Refuses to know: what opens them.
"Sealed" means XChaCha20-Poly1305 under the pepper (server.pepper); everything else opaque was sealed by the client.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Account(Base):
    """One person's account, found by a keyed hash of user name and password together."""

    __tablename__ = "accounts"

    account: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    lookup: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    pepper: Mapped[int]
    """The pepper's version, for every sealed column and verifier of this row."""
    k_id: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: `confirm` signs over it, and the client doesn't send it there."""
    login_pk: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    epoch: Mapped[int] = mapped_column(BigInteger)
    pin_epoch: Mapped[int] = mapped_column(BigInteger)
    verifier_l: Mapped[bytes] = mapped_column(LargeBinary(32))
    verifier_s: Mapped[bytes] = mapped_column(LargeBinary(32))
    share_n: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    share_s: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    w_n: Mapped[bytes] = mapped_column(LargeBinary)
    w_s: Mapped[bytes] = mapped_column(LargeBinary)
    n: Mapped[int] = mapped_column(BigInteger)
    account_record: Mapped[bytes] = mapped_column(LargeBinary)
    identity_sign: Mapped[bytes] = mapped_column(LargeBinary)
    identity_box: Mapped[bytes] = mapped_column(LargeBinary)
    drop_box: Mapped[bytes] = mapped_column(LargeBinary)
    used: Mapped[int] = mapped_column(BigInteger)
    """Bytes of records and blobs that are kept for this account."""
    created: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the sign-up body, or of the newest change of credentials: a lost answer is given again."""
    last_opened: Mapped[int | None] = mapped_column(BigInteger)


class Recovery(Base):
    """What a recovery code opens, and when. A change of credentials leaves it alone, so it names the epoch it was made
    in."""

    __tablename__ = "recoveries"

    account: Mapped[bytes] = mapped_column(ForeignKey("accounts.account", ondelete="CASCADE"), primary_key=True)
    lookup: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    pepper: Mapped[int]
    """The pepper's version, for the sealed columns of this row."""
    epoch: Mapped[int] = mapped_column(BigInteger)
    login_pk: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    share_r: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    w_rn: Mapped[bytes] = mapped_column(LargeBinary)
    w_rs: Mapped[bytes] = mapped_column(LargeBinary)
    wait: Mapped[int | None] = mapped_column(BigInteger)
    """Seconds between the code's first showing and what it opens; None: as this vault has it."""
    next_wait: Mapped[int | None] = mapped_column(BigInteger)
    next_since: Mapped[int | None] = mapped_column(BigInteger)
    """A shorter one that was chosen, and since when it holds."""


class Departed(Base):
    """An account that was erased, or the holder of a box that it had, while something is left that was kept for it."""

    __tablename__ = "departed"

    owner: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)


class Challenge(Base):
    """A challenge that was used, for as long as it could be shown again."""

    __tablename__ = "challenges"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    lookup: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires: Mapped[int] = mapped_column(BigInteger, index=True)


class Token(Base):
    """One session's token, as SHA-256. A `confirmed` one names the `open` one that it came from."""

    __tablename__ = "sessions"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account: Mapped[bytes] = mapped_column(ForeignKey("accounts.account", ondelete="CASCADE"), index=True)
    stage: Mapped[str] = mapped_column(String(16))
    root: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    """The digest of the first token of this session: its own, but for `confirmed`."""
    opened: Mapped[int] = mapped_column(BigInteger)
    last_used: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)

"""The tables of guesses: one row for each account, shared by both purposes of the PIN, and one for each link's code.

Knows: counters, times, what is compared. Refuses to know: PINs, codes and tags.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Guesses(Base):
    """Tries at one account's PIN. A try counts as wrong from the moment it is counted until it is found right."""

    __tablename__ = "guesses"

    account: Mapped[bytes] = mapped_column(ForeignKey("accounts.account", ondelete="CASCADE"), primary_key=True)
    attempts: Mapped[int] = mapped_column(BigInteger)
    """In a row; a right one clears it."""
    not_before: Mapped[int] = mapped_column(BigInteger)
    """No try is compared before this time."""
    wrong_total: Mapped[int] = mapped_column(BigInteger)
    """Never cleared; one less for each week."""
    lowered: Mapped[int] = mapped_column(BigInteger)
    """When `wrong_total` last fell."""
    wrong_since: Mapped[int] = mapped_column(BigInteger)
    """Since the last opening."""


class LinkCode(Base):
    """Tries at the code of one link; gone with its bundle's end."""

    __tablename__ = "link_codes"

    bundle: Mapped[bytes] = mapped_column(ForeignKey("bundles.bundle", ondelete="CASCADE"), primary_key=True)
    pepper: Mapped[int]
    """The pepper's version, for verifier and share."""
    attempts: Mapped[int]
    """In a row; a right one clears it."""
    verifier: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    share: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed. Both are null while the last try is compared, and stay so if it was wrong."""

"""The table of guesses: one row for each account, shared by both purposes of the PIN.

Knows: counters and times. Refuses to know: PINs and tags.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
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

"""The table of recoveries that wait. What a code opens is in server.accounts.models.

Knows: since when somebody waits, and until when. Refuses to know: who.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Waiting(Base):
    """Somebody has shown the recovery code of this account, and gets what it opens from `due` on. Gone when it was
    used, stopped, or left for too long."""

    __tablename__ = "waiting_recoveries"

    account: Mapped[bytes] = mapped_column(ForeignKey("accounts.account", ondelete="CASCADE"), primary_key=True)
    begun: Mapped[int] = mapped_column(BigInteger)
    due: Mapped[int] = mapped_column(BigInteger, index=True)

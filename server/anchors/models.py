"""The anchors' table.

Knows: how a token is kept beside the checkpoint that it is over. Refuses to know: what is in it, and who gave it.
Rows are only ever added.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.limits import TIMESTAMP
from server.database import Base


class Anchor(Base):
    """The one token over the checkpoint of a tree of `size` entries, as it came; `fetched` is the operator's time."""

    __tablename__ = "anchors"

    size: Mapped[int] = mapped_column(ForeignKey("checkpoints.size"), primary_key=True, autoincrement=False)
    token: Mapped[bytes] = mapped_column(LargeBinary(TIMESTAMP))
    """TimeStampResp in DER, with every certificate that it brought."""
    chain: Mapped[str] = mapped_column(Text)
    """In PEM, from the signer's certificate to the one that the root signed."""
    fetched: Mapped[int] = mapped_column(BigInteger)

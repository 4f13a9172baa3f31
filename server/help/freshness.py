"""Lists the facts that grow old, before they do harm.

Knows: the dates on every row. Refuses to know: what the rows say, and what day it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from server.help.shelf import Shelf

SOON = 30
"""Days before the end at which a row is listed."""
TOO_OLD = 30
"""Days past the end at which `temoin-server help check` fails."""


@dataclass(frozen=True)
class Ageing:
    """A row near or past its date. `days` is negative while it is still good."""

    row: str
    expires_on: date
    days: int

    @property
    def too_old(self) -> bool:
        return self.days >= TOO_OLD


def list_ageing(shelf: Shelf, today: date) -> list[Ageing]:
    """What has to be looked at again by now or within 30 days, the oldest first."""
    found = [Ageing(row, expires, (today - expires).days) for row, expires in _dated(shelf) if expires is not None]
    return sorted((each for each in found if each.days > -SOON), key=lambda each: -each.days)


def _dated(shelf: Shelf) -> Iterator[tuple[str, date | None]]:
    for country in shelf.countries:
        for contact in country.contacts:
            yield f"contact {country.code}/{contact.id}", contact.expires_on
    for kind, texts in (("article", shelf.articles), ("text", shelf.texts)):
        for (number, language, easy), text in texts.items():
            yield f"{kind} {number:02}.{language}{'.easy' if easy else ''}", text.expires_on

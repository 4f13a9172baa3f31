"""What is said of a pack once it is written: how it is checked, and what is not in it, or not proven in it, and why.

Knows: the words, and how a person can look for what is missing. Refuses to know: where a pack came from, and what it
holds (client_sdk.packs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from client_sdk.cli.failures import failure_of
from client_sdk.cli.output import note, visible
from client_sdk.errors import Refused
from client_sdk.items import Item
from client_sdk.packs.pack import VERIFIER, LackingFile, Written
from crypto_core.errors import TemoinError

_NOT_GIVEN = "The vault doesn't give it now. Try again later, or ask the people who run it."


class ItemsLeft(TemoinError):
    """Items that can't be opened, and what the vault doesn't give as it was kept, are not in it."""

    code = "items_left"
    sentence = (
        "The rest is written, but not what is named above: it needs a newer version of this program, or the vault "
        "doesn't give it, or its receipt, as it was kept. Nothing was deleted. Try again later."
    )


@dataclass(frozen=True)
class Lacking:
    """What is not in packs that were written, and why."""

    closed: Sequence[Item]
    """Items that can't be opened here."""
    written: Sequence[Written]

    @property
    def unwritten(self) -> int:
        """How many items were opened and left out all the same."""
        return sum(len(one.refused) for one in self.written)

    def facts(self) -> dict[str, list[str]]:
        """As `outputs.Dossier` and `outputs.Backup` have it."""
        return {
            "left": [*map(named, self.closed), *(named(one.item) for each in self.written for one in each.refused)],
            "files": [named_file(one) for each in self.written for one in each.lost if not one.is_there],
            "unproven": [named_file(one) for each in self.written for one in each.lost if one.is_there],
        }

    def tell(self) -> None:
        """In the terminal."""
        tell_verifier(all(one.verifier for one in self.written))
        for item in self.closed:
            note(f"{named(item)}: not in it.")
        for each in self.written:
            for one in each.refused:
                assert one.lacking is not None
                note(f"{named(one.item)}: not in it. {why(one.lacking)}")
            for lost in each.lost:
                tell_file(lost)

    def require_nothing(self) -> None:
        """Raises ItemsLeft where anything is missing."""
        missing = sum(map(len, self.facts().values()))
        if missing:
            raise ItemsLeft(f"{missing} left")


def tell_check(place: Path) -> None:
    """How the pack there is checked."""
    note(f"`temoin verify-pack {place}` checks all of it, offline, on any device.")


def tell_verifier(is_there: bool) -> None:
    """That the page which checks a pack in a browser is not in it, where it isn't."""
    if not is_there:
        note(f"{VERIFIER}, which checks it in a browser, is not part of this installation and so not of the pack.")


def named(item: Item) -> str:
    """Which it is, as a person can look for it."""
    return f"{item.id.hex()} revision {item.revision}"


def named_file(lost: LackingFile) -> str:
    """Which file it is, as a person can look for it."""
    return f"{named(lost.item)} file {lost.number}"


def tell_file(lost: LackingFile) -> None:
    """Which file, or of which file the receipt, isn't in the pack, and why."""
    how = "in it without a receipt" if lost.is_there else "not in it"
    note(f"{named_file(lost)}, {visible(lost.item.contents[lost.number - 1].name)}: {how}. {why(lost.error)}")


def why(error: TemoinError) -> str:
    """Why the vault gives one thing not, or not as it was kept: of a refusal it says more than it knows."""
    return _NOT_GIVEN if isinstance(error, Refused) else failure_of(error).sentence

"""Somebody who has been writing for two months, in French or in English: what a full vault looks like.

Knows: what they wrote, which parts of it are sensitive, were changed, or deleted, and who may be shown it.
Refuses to know: pages.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from client_sdk.client import Draft, VaultClient
from client_sdk.errors import Refused
from client_sdk.happened import parse_happened
from client_sdk.sharing import Link, MadeBundle, Sharing
from crypto_core.encoding import format_b64url
from tests.fakes.film import make_film, make_sound
from tests.fakes.listed import become_listed
from tests.fakes.processes import RealVault
from tests.fakes.visitor import PASSWORD, PIN
from tests.fakes.wrongly import add_differing, begin_recording

PHOTOGRAPH = Path(__file__).resolve().parents[2] / "docs" / "demo" / "photograph.jpg"


@dataclass(frozen=True)
class Words:
    """What is written in one language. `entries`: days ago, text, place, people, tags, danger, mood."""

    entries: tuple[tuple[float, str, str, tuple[str, ...], tuple[str, ...], int | None, str], ...]
    edited: str
    sensitive: str
    deleted: str
    document: tuple[str, str]
    long_ago: tuple[str, str]
    """When, in words, and what."""
    assessment: str
    media: tuple[str, str]
    """The titles of a film and of a sound."""
    unsound: tuple[str, str]
    """The titles of a file that isn't the one that its entry names, and of a recording of which nothing is there."""
    message: str
    """What stands beside what is shared."""
    professional: tuple[str, str, str]
    """Whom it may be shared with: name, organisation, town."""


STORIES = {
    "fr": Words(
        (
            (61.4, "Il a lu mes messages pendant que je dormais, puis m’a demandé qui était Karim.",
             "À la maison", (), ("messages", "contrôle"), 3, "inquiète"),
            (47.2, "Il a crié parce que le repas n’était pas prêt. Les enfants ont tout entendu.",
             "Cuisine", ("Lina", "Sami"), ("cris", "enfants"), 5, ""),
            (33.8, "Bonne journée. Marché avec Lina, il n’a rien dit.", "", ("Lina",), (), 1, "calme"),
            (19.1, "Il a pris mes clefs et a dit que je ne sortirais pas. Je les ai reprises quand il dormait.",
             "Entrée de l’appartement", (), ("clefs", "enfermée"), 7, "peur"),
            (6.9, "Il m’a serré le bras. On voit encore ses doigts. J’ai pris une photographie le lendemain.",
             "Couloir", (), ("coups",), 8, "fatiguée"),
            (1.3, "Appel de ma sœur. Elle sait, maintenant. Elle garde un sac chez elle.", "", ("Nadia",), ("aide",),
             None, "soulagée"),
        ),
        "Il m’a serré le bras, devant Sami. On voit encore ses doigts. J’ai pris une photographie le lendemain.",
        "Ce qu’il a dit cette nuit-là, mot pour mot.",
        "Commencé pour rien.",
        ("Bras gauche, le lendemain", "Prise à la lumière du jour, sans flash."),
        ("au printemps 2019", "La première fois. Je ne l’avais jamais écrit."),
        "Où j’en suis",
        ("La porte de la cuisine", "Son message vocal de dimanche"),
        ("Notre conversation de lundi", "Son, mardi soir"),
        "Merci de lire avant jeudi. Le plus important est la photographie du bras.",
        ("Maître Inès Carrel-Dumont", "Barreau de Grenoble", "Saint-Martin-d’Hères"),
    ),
    "en": Words(
        (
            (61.4, "He read my messages while I slept, then asked me who Karim was. He is somebody from work.",
             "At home", (), ("messages", "control"), 3, "worried"),
            (47.2, "He shouted because dinner wasn’t ready. The children heard everything.",
             "Kitchen", ("Lina", "Sami"), ("shouting", "children"), 5, ""),
            (33.8, "A good day. Market with Lina, he said nothing.", "", ("Lina",), (), 1, "calm"),
            (19.1, "He took my keys and said that I would not go out. I waited until he slept to take them back.",
             "Hall of the flat", (), ("keys", "locked in"), 7, "afraid"),
            (6.9, "He held my arm hard. His fingers can still be seen. I took a photograph the day after.",
             "Corridor", (), ("blows",), 8, "tired"),
            (1.3, "My sister called. She knows, now. She keeps a bag at her place.", "", ("Nadia",), ("help",), None,
             "relieved"),
        ),
        "He held my arm hard, in front of Sami. His fingers can still be seen. I took a photograph the day after.",
        "What he said that night, word for word.",
        "Begun for nothing.",
        ("Left arm, the day after", "Taken in daylight, without flash."),
        ("in spring 2019", "The first time. I had never written it down."),
        "Where I stand",
        ("The kitchen door", "His voice message of Sunday"),
        ("Our conversation of Monday", "Sound, Tuesday evening"),
        "Please read this before Thursday. The photograph of the arm matters most.",
        ("Ruth Adler", "Eastside Law Centre", "Bristol"),
    ),
}  # fmt: skip
EDITED = 4
"""The entry that has two versions and a photograph."""


@dataclass
class Told:
    """An account with a story in it, and the device on which it was told."""

    username: str
    words: Words
    laptop: VaultClient = field(repr=False)
    reader: VaultClient = field(repr=False)
    """Where the professional reads."""
    changeable: bytes = field(repr=False)
    """The id of an entry that a second device may change meanwhile."""
    address: str = field(default="", repr=False)
    """Of a box, once one was made in a page."""

    @property
    def texts(self) -> list[str]:
        return [entry[1] for entry in self.words.entries]

    @property
    def professional(self) -> str:
        """The username of whoever reads."""
        return professional_of(self.username)

    def share(self) -> Link:
        """All that isn't sensitive, for an hour, with whoever has the link and the code."""
        made = self._share(None)
        assert made.link is not None
        return made.link

    def send(self, *, opened: bool) -> bytes:
        """The same with the professional, who opens it or not. Gives the bundle's id."""
        digits = self.reader.office.standing().fingerprint
        (entry,) = [
            one.entry for one in self.laptop.professionals.read().professionals if one.listing.fingerprint == digits
        ]
        made = self._share(entry)
        if opened:
            self.reader.office.open(made.bundle)
        return made.bundle

    def read(self, fragment: str, code: str) -> None:
        """What a page of this account shared: the professional opens all that they were sent, then the link, and tries
        a wrong code on it."""
        for sent in self.reader.office.inbox():
            self.reader.office.open(sent["bundle"])
        self.reader.open_link(fragment, code)
        with suppress(Refused):
            self.reader.open_link(fragment, "1111 1112" if code == "1111 1111" else "1111 1111")

    def _share(self, entry: int | None) -> MadeBundle:
        items = [(item.id, item.revision) for item in self.laptop.items() if not item.sensitive]
        made = self.laptop.shares.make(Sharing(items, entry, int(time.time()) + 3600, 10, self.words.message))
        self.laptop.shares.send(made, self.laptop.account.confirm(PASSWORD, PIN))
        return made

    def receipt_of(self, text: str) -> str:
        """The path of the receipt of what was written, within that of who asks."""
        written = next(item for item in self.laptop.items() if item.text == text)
        return f"/items/{format_b64url(written.id)}/revisions/{written.revision}/receipt"

    def lost_paths(self, bundle: bytes | None = None) -> set[str]:
        """Paths of a file, of what was put into a box, and of the receipts of an entry and of another file; `bundle`:
        as whoever opened that asks for them."""
        within = "/v1" if bundle is None else f"/v1/bundles/{format_b64url(bundle)}"
        self.laptop.lock()
        self.laptop.log_in(self.username, PASSWORD, PIN)  # it learns what a page has written
        paths = {within + self.receipt_of(self.texts[3])}
        for item in self.laptop.items():
            if item.sent is not None:
                paths.add(f"{within}/blobs/{format_b64url(item.sent.deposit)}")
            if item.title == self.words.document[0]:
                paths.add(f"{within}/blobs/{format_b64url(item.contents[0].blob)}")
            if item.title == self.words.media[0]:
                paths.add(f"{within}/blobs/{format_b64url(item.contents[0].blob)}/receipt")
        return paths

    def add_unsound(self) -> None:
        """A file whose entry names another one, and a recording whose segments never came."""
        differing, gone = self.words.unsound
        add_differing(self.laptop, PHOTOGRAPH, differing)
        begin_recording(self.laptop, gone)

    def change_elsewhere(self) -> None:
        """The laptop writes another version of the entry that a page may have open."""
        words = self.words
        self.laptop.edit_entry(self.changeable, {"text": f"{words.entries[1][1]} {words.entries[2][1]}"})


def professional_of(username: str) -> str:
    """The username of whoever may read what somebody shares."""
    return f"{username} ✉"


@contextmanager
def telling(vault: RealVault, folder: Path, username: str, lang: str) -> Iterator[Told]:
    """A new account at a vault, with the story told, and somebody listed; laptop and reader stay open meanwhile."""
    words = STORIES[lang]
    now = datetime.now().replace(second=0, microsecond=0)
    with VaultClient.connect(vault.url, folder) as laptop, VaultClient.connect(vault.url, folder / "office") as reader:
        name, org, town = words.professional
        become_listed(vault, reader, professional_of(username), name=name, org=org, town=town)
        laptop.register(laptop.make_account(username, PASSWORD, PIN))
        laptop.log_in(username, PASSWORD, PIN)
        kept = laptop.write_entries([_draft(now, *entry) for entry in words.entries])
        when, what = words.long_ago
        laptop.write_entry(Draft(text=what, happened=parse_happened(when)))
        laptop.edit_entry(kept[EDITED].id, {"text": words.edited}, attachments=[PHOTOGRAPH])
        laptop.write_entry(Draft(text=words.sensitive), sensitive=True)
        laptop.delete_item(laptop.write_entry(Draft(text=words.deleted)).id)
        title, note = words.document
        taken = parse_happened((now - timedelta(days=6)).strftime("%Y-%m-%d"))
        laptop.add_document(
            PHOTOGRAPH, draft=Draft(title=title, text=note, category="injury", happened=taken, danger=8)
        )
        make_film(folder / "film.mp4", 20, 2_000_000)
        make_sound(folder / "sound.wav", 2_000_000)
        for name, called in zip(("film.mp4", "sound.wav"), words.media, strict=True):
            laptop.add_document(folder / name, draft=Draft(title=called))
        for days, danger, answers in ((40, 4, ("belittle", "words")), (3, 9, ("belittle", "words", "kill"))):
            written = int((now - timedelta(days=days)).timestamp())
            draft = Draft(title=words.assessment, text="–", danger=danger, written=written)
            laptop.write_assessment(draft, dict.fromkeys(answers, True))
        yield Told(username, words, laptop, reader, kept[1].id)


def _draft(
    now: datetime, days: float, text: str, place: str, people: tuple[str, ...], tags: tuple[str, ...],
    danger: int | None, mood: str,
) -> Draft:
    """An entry of so many days ago; the time of the facts is exact where the day is not whole."""
    when = now - timedelta(days=days)
    return Draft(
        text=text, happened=parse_happened(when.strftime("%Y-%m-%dT%H:%M")), written=int(when.timestamp()) + 3600,
        place=place or None, people=people, tags=tags, danger=danger, mood=mood or None,
    )

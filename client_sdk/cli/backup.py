"""`temoin backup`: what `temoin dossier` writes, sealed for 24 words of its own; and such a file opened again.

Knows: the words, that they are on paper before a file counts as made, and that nothing half-written stays. Refuses to
know: how a file is sealed (client_sdk.packs.sink), and the vault when it opens one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from client_sdk.cli.dossier import open_items, packs_of, places_for
from client_sdk.cli.failures import FileExists, WordsDiffer
from client_sdk.cli.options import Shared, a_place, asking, existing_file, item_id, output_path, shared, user_argument
from client_sdk.cli.output import count, note, print_json, screen
from client_sdk.cli.saving import save, saving
from client_sdk.cli.secrets import ask, require_somebody
from client_sdk.cli.session import opened
from client_sdk.cli.written_pack import Lacking, tell_check
from client_sdk.packs.pack import Written, write_pack
from client_sdk.packs.sink import SealedSink
from crypto_core.errors import SecretRefused
from crypto_core.sealing.backup import make_backup_key, open_backup
from crypto_core.sealing.recovery import Language, format_words, parse_words
from schemas import outputs

_TRIES = 3
_IN_A_ROW = 6
_BLOCK = 1 << 18
_NOBODY_ANSWERS = (
    "Nobody is there to type the words back, so nothing was made. Use a terminal, or let --words-out FILE write them "
    "to a file."
)


@click.group()
def backup() -> None:
    """Keep everything in one sealed file, which words of its own open without the vault."""


@backup.command()
@user_argument
@click.argument("chosen", metavar="[ID]…", nargs=-1, type=item_id)
@click.option(
    "-o", "--output", "target", type=output_path, required=True, metavar="FILE", callback=a_place,
    help="A new file, of any name.",
)
@click.option("--history", is_flag=True, help="Earlier revisions as well, as long as they are not erased.")
@click.option(
    "--words-out", type=click.Path(path_type=Path), metavar="FILE", callback=a_place,
    help="Write the words to this new file instead of showing them.",
)
@click.option(
    "--words", "language", type=click.Choice(["english", "french"]), default="english", show_default=True,
    help="The language of the words.",
)
@shared
def make(
    common: Shared, user: str, chosen: tuple[bytes, ...], target: Path, history: bool, words_out: Path | None,
    language: Language,
) -> None:
    """Write everything you keep into one sealed file.

    With IDs only these items. A sensitive one asks for the PIN again. The file shows nothing, not even what it is. It
    opens with 24 words that are made for it alone and kept nowhere: they are shown once, and asked back before the file
    is written. Nobody can find them again. More than 500 items become several files, with the same words.
    """
    for path in (target, *([] if words_out is None else [words_out])):
        _require_free(path)
    with opened(common, user) as client:
        items, left = open_items(client, common, chosen, history)
        places = places_for(target, items)
        for place in places:
            _require_free(place)
        if words_out is None:
            require_somebody(_NOBODY_ANSWERS)
        packs, key = packs_of(client, items), make_backup_key()
        words = format_words(key, language)
        written = list[Written]()
        with _all_or_nothing(common) as made:
            if words_out is None:
                _show_and_ask(words, key, err=common.as_json)
            else:
                save((f"{words}\n".encode(),), words_out, overwrite=False)
                made.append(words_out)
            for place, pack in zip(places, packs, strict=True):
                with saving(place, overwrite=False) as file, SealedSink(file, key) as sink:
                    written.append(write_pack(pack, client.policy, sink))
                made.append(place)
    lacking = Lacking(left, written)
    if common.as_json:
        print_json(outputs.Backup(), {
            "places": list(map(str, places)), "items": len(items) - lacking.unwritten, **lacking.facts(),
            "words": words if words_out is None else None,
        })
    else:
        for place in places:
            screen().print(str(place))
        kept = count(len(items) - lacking.unwritten, "item")
        note(f"{kept}, sealed. Keep the words apart from it: who has both can read it.")
        note(f"`temoin backup open {places[0]} -o NAME.zip` opens it, without the vault.")
        if words_out is not None:
            note("The words are in the file you named. Copy them onto paper, then delete the file.")
        lacking.tell()
    lacking.require_nothing()


@backup.command("open")
@click.argument("sealed", metavar="FILE", type=existing_file)
@click.option(
    "-o", "--output", "target", type=output_path, required=True, metavar="NAME.zip", callback=a_place,
    help="A new ZIP file; readable from then on.",
)
@asking("the 24 words, on one line,", offline=True)
def open_(common: Shared, sealed: Path, target: Path) -> None:
    """Open a sealed file with its 24 words. Asks no vault.

    What was in it becomes a ZIP file, once all of it is found unchanged: whoever has that can read it.
    """
    _require_free(target)
    save(open_backup(parse_words(common.secrets.backup_words()), _blocks_of(sealed)), target, overwrite=False)
    if common.as_json:
        print_json(outputs.OpenedBackup(), {"place": str(target)})
        return
    screen().print(str(target))
    note("Readable by whoever has it. Delete it where it shouldn't lie; the sealed file stays as it is.")
    tell_check(target)


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExists


@contextmanager
def _all_or_nothing(common: Shared) -> Iterator[list[Path]]:
    """What is put into the list goes again if not all of it was finished: words for nothing, or a part of the files."""
    made = list[Path]()
    try:
        yield made
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        if not common.as_json:
            note("No backup was made: these words open nothing.")
        raise


def _show_and_ask(words: str, key: bytes, *, err: bool) -> None:
    click.echo("The words of this backup. Copy them onto paper, in this order; keep it apart from the file:\n", err=err)
    numbered = [f"{number:>4} {word:<10}" for number, word in enumerate(words.split(), 1)]
    for first in range(0, len(numbered), _IN_A_ROW):
        click.echo("".join(numbered[first : first + _IN_A_ROW]).rstrip(), err=err)
    click.echo("\nNothing else opens it. To be sure that they are on the paper, type all of them from there.", err=err)
    for _ in range(_TRIES):
        answer = ask("Words", _NOBODY_ANSWERS, err=err)
        try:
            if parse_words(answer) == key:
                return
            click.echo("These are other words. Look at the paper again.", err=err)
        except SecretRefused as refusal:
            click.echo(f"Not yet: {refusal.detail}. Look at the paper again.", err=err)
    raise WordsDiffer


def _blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block

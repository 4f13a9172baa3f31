"""`temoin box`: let somebody who has no account put things in, look at what waits, take it over or refuse it.

Knows: words, dates, folders. Refuses to know: seals and keys. What follows the # of an address is a secret and never an
argument; what a stranger wrote or sent is shown to nobody who did not ask for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from client_sdk.box_visit import Deposited, Given, Visit
from client_sdk.boxes import KeptBox, NewBox, OpenedDeposit
from client_sdk.cli.failures import FileExists
from client_sdk.cli.items import tell_kept
from client_sdk.cli.options import (
    Shared, a_place, asking, fields_option, item_id, regular_file, sensitive_option, shared,
    until_option, user_argument, words_options,
)
from client_sdk.cli.output import (
    NONE, facts, note, one_line, print_json, print_rows, screen, spell_size, spell_time, visible,
)
from client_sdk.cli.saving import handed, local_name, save
from client_sdk.cli.session import confirmed, connected, judging_until, opened, reaching
from client_sdk.client import VaultClient
from client_sdk.dossier import POLICY
from client_sdk.errors import ContentDiffers, FileChanged, FileUnreadable
from client_sdk.items import Draft
from crypto_core.errors import TemoinError
from crypto_core.receipts.policy import Policy, format_policy
from schemas import limits, outputs

_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3}
_TOO_MUCH = (
    f"One deposit takes a name of {limits.PERSON} characters, words of {limits.MESSAGE} characters, and "
    f"{limits.DEPOSIT_BLOBS} files. Nothing was sent; what is longer goes as a file, or in two deposits."
)
_WHY = {"closed": "closed by you", "expired": "its time is over"}

box_argument = click.argument("box_id", type=item_id, metavar="BOX")
deposit_argument = click.argument("deposit_id", type=item_id, metavar="DEPOSIT")


def size(text: str) -> int:
    """For click: a number of bytes, or of k, M, G of them (powers of a thousand)."""
    found = re.fullmatch(r"([0-9]{1,12})([kMG]?)B?", text, re.ASCII)
    count = int(found[1]) * _UNITS[found[2]] if found else 0
    if not limits.BOX_BYTES_LEAST <= count <= limits.BLOB:
        raise click.BadParameter("this has to be a size such as 300k, 50M or 2G, from 263k to 64G.")
    return count


@click.group()
def box() -> None:
    """Let a relative or a witness put files and words in, without an account and without reading anything."""


@box.command()
@user_argument
@click.option("--name", required=True, metavar="T", help="What it is for; only you see it.")
@fields_option(name=str)
@until_option
@click.option(
    "--deposits", type=click.IntRange(1, limits.BOX_DEPOSITS), default=10, show_default=True, metavar="N",
    help="How many deposits it takes.",
)
@click.option(
    "--bytes", "room", type=size, default="1G", show_default=True, metavar="SIZE",
    help="How much it takes in all, such as 300k, 50M or 2G.",
)
@shared
def create(common: Shared, user: str, name: str, expires: int, deposits: int, room: int) -> None:
    """Make a box, and print its address once.

    Asks for password and PIN. Give each address to one person alone: whoever has it can put things in, up to what the
    box takes, and learns by trying how much room is left.
    """
    with judging_until(), opened(common, user) as client:
        made = client.boxes.make(NewBox(name, expires, deposits, room))
        client.boxes.send(made, confirmed(common, client))
    address = f"{common.require_server().rstrip('/')}/app{made.fragment}"
    if common.as_json:
        print_json(outputs.MadeBox(), {"box": made.box, "address": address})
        return
    screen().print(facts({
        "Box": made.box.hex(), "Until": spell_time(expires), "Takes": f"{deposits} deposits, {spell_size(room)} in all",
        "Address": address,
    }))
    note("The address is not shown again. Give it to one person, by a way that nobody else reads.")


@box.command("list")
@user_argument
@shared
def list_(common: Shared, user: str) -> None:
    """List the boxes, ended ones too."""
    with opened(common, user) as client:
        found = client.boxes.list()
    if common.as_json:
        print_json(outputs.BoxRow(many=True), [{**one.facts, "name": one.name} for one in found])
        return
    print_rows(("BOX", "NAME", "UNTIL", "WAITING", "TAKEN", "STATE"), [
        (
            one.facts["box"].hex(), one_line(one.name or NONE), spell_time(one.facts["expires"]),
            str(one.facts["waiting"]),
            f"{one.facts['made']} of {one.facts['deposits']}, {spell_size(one.facts['used'])}", _state(one),
        )
        for one in found
    ], "There are no boxes.")


@box.command()
@user_argument
@box_argument
@click.argument("deposit_id", type=item_id, metavar="[DEPOSIT]", required=False)
@click.option(
    "-o", "--output", "directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", callback=a_place,
    help="A new or empty folder for the files of this deposit, readable from then on. They are a stranger's.",
)
@shared
def show(common: Shared, user: str, box_id: bytes, deposit_id: bytes | None, directory: Path | None) -> None:
    """Show what waits in a box: times and sizes. With DEPOSIT, what somebody wrote; with -o, their files too."""
    if directory is not None and deposit_id is None:
        raise click.UsageError("Say which deposit.")
    if directory is not None:
        _require_new(directory)
    with opened(common, user) as client:
        if deposit_id is None:
            _print_waiting(common, client.boxes.waiting(box_id))
            return
        deposit = client.boxes.open(box_id, deposit_id)
        differing = dict[str, ContentDiffers]()
        files = [] if directory is None else _write_files(client, deposit, directory, differing)
    if common.as_json:
        print_json(outputs.ShownDeposit(), {
            **vars(deposit), "files": files, "receipt": deposit.receipt.receipt,
        })
    else:
        _print_deposit(deposit, files)
        for path in differing:
            note(f"{path}: whole, but not the file that was named.")
    if differing:
        raise next(iter(differing.values()))


@box.command()
@user_argument
@box_argument
@deposit_argument
@click.option("--title", default="", metavar="T", help="A heading of your own.")
@fields_option(title=str)
@words_options("text", "What you say of it", limits.TEXT, f"A text has at most {limits.TEXT} characters.")
@sensitive_option
@shared
def accept(
    common: Shared, user: str, box_id: bytes, deposit_id: bytes, title: str, words: str, sensitive: bool
) -> None:
    """Take a deposit over: an item of yours that names their files unchanged and says whose they are.

    Every file is read whole and proven first.
    """
    with opened(common, user) as client:
        deposit = client.boxes.open(box_id, deposit_id)
        kept = client.boxes.accept(deposit, Draft(title=title, text=words), sensitive=sensitive)
    tell_kept(common, kept)


@box.command()
@user_argument
@box_argument
@deposit_argument
@click.option("--now", is_flag=True, help="Erase it at once; asks for password and PIN. It can't be brought back.")
@shared
def refuse(common: Shared, user: str, box_id: bytes, deposit_id: bytes, now: bool) -> None:
    """Refuse a deposit: it is erased seven days later. Until then `accept` still takes it over.

    Whoever sent it isn't told.
    """
    with opened(common, user) as client:
        if now:
            client.boxes.refuse(box_id, deposit_id, confirmed(common, client))
        else:
            client.boxes.refuse(box_id, deposit_id)
    if not common.as_json:
        screen().print("Erased." if now else "Refused. It is erased after seven days; until then you can accept it.")


@box.command()
@user_argument
@box_argument
@shared
def close(common: Shared, user: str, box_id: bytes) -> None:
    """Close a box: nothing more is taken. What waits in it stays."""
    with opened(common, user) as client:
        client.boxes.close(box_id)
    if not common.as_json:
        screen().print("Closed. What waits in it stays until you accept or refuse it.")


@box.command()
@click.argument("files", type=regular_file, nargs=-1, metavar="[FILE]…")
@click.option("--from", "name", default="", metavar="NAME", help="Who you are, as the person knows you.")
@fields_option(name=str)
@words_options("message", "Your words", limits.MESSAGE, _TOO_MUCH)
@click.option(
    "-o", "--output", "directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", callback=a_place,
    help="A new or empty folder for the receipts: they prove when what you sent arrived, as it was sealed.",
)
@asking("the address")
def deposit(common: Shared, files: tuple[Path, ...], name: str, words: str, directory: Path | None) -> None:
    """Put files and words into somebody's box. It takes no account.

    Asks for the address that you were given; or reads it from --secrets-fd, or takes it from TEMOIN_LINK. What follows
    its # is a secret and never an argument. You can read nothing there, and aren't told what becomes of it.
    """
    if not files and not words:
        raise click.UsageError("Say what to send: files, --message or --message-file.")
    if len(name) > limits.PERSON or len(files) > limits.DEPOSIT_BLOBS:
        raise click.UsageError(_TOO_MUCH)  # before the first file is sent
    if directory is not None:
        _require_new(directory)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # what can't be made is told before anything is sent
    before, sign, after = common.secrets.address().strip().rpartition("#")
    base = (before or common.server or "").removesuffix("/app")
    with connected(replace(common, server=base or None)) as client:
        with reaching():
            visit = client.enter_box(sign + after)
        given = [_give(visit, path) for path in files]
        done = visit.send(visit.make(name, words, given))
    try:  # whoever has no room for the receipts is not to send it all again
        if common.as_json:
            print_json(outputs.Deposited(), _proven(done, given))
        else:
            screen().print(facts({"Deposited": spell_time(done.deposited), "Files": str(len(given))}))
            note("It is sealed for the person alone; the receipts are verified. What you sent can't be called back.")
    finally:  # nor whoever can't be told
        if directory is not None:
            _keep_receipts(common, done, given, visit.policy, directory)


def _give(visit: Visit, path: Path) -> Given:
    """As `Visit.give`; of several files the one at fault is named."""
    try:
        return visit.give(path)
    except (FileUnreadable, FileChanged) as error:
        raise type(error)(": ".join(filter(None, (one_line(path.name), error.detail)))) from None


def _require_new(directory: Path) -> None:
    """Raises FileExists before anything is fetched or sent."""
    if directory.exists() and any(directory.iterdir()):
        raise FileExists()


def _state(one: KeptBox) -> str:
    return "open" if one.facts["ended"] is None else _WHY[one.facts["why"]]


def _print_deposit(deposit: OpenedDeposit, files: Sequence[str]) -> None:
    screen().print(facts({
        "From": visible(deposit.sent.name) or "nobody said", "Written": spell_time(deposit.sent.written),
        "Deposited": spell_time(deposit.deposited),
        **{f"File {number}": f"{one_line(one.name)}  {spell_size(one.size)}"
           for number, one in enumerate(deposit.contents, 1)},
        "Files written": "\n".join(files) or None,
    }))
    if deposit.sent.message:
        screen().print(visible(deposit.sent.message))
    note("Whoever has the address can write any name. `temoin box accept` takes it over, `temoin box refuse` doesn't.")


def _print_waiting(common: Shared, waiting: Sequence[dict[str, Any]]) -> None:
    told = [
        {**one, "files": len(one["blobs"]), "bytes": one["size"] + sum(blob["size"] for blob in one["blobs"])}
        for one in waiting
    ]
    if common.as_json:
        print_json(outputs.WaitingDeposit(many=True), told)
        return
    print_rows(("DEPOSIT", "DEPOSITED", "FILES", "SIZE", "STATE"), [
        (
            one["deposit"].hex(), spell_time(one["deposited"]), str(one["files"]), spell_size(one["bytes"]),
            "waits" if one["erased_after"] is None else f"refused, erased after {spell_time(one['erased_after'])}",
        )
        for one in told
    ], "Nothing waits.")


def _write_files(
    client: VaultClient, opened_one: OpenedDeposit, directory: Path, differing: dict[str, ContentDiffers]
) -> list[str]:
    """Where they lie; those that are another file than was named are in `differing` as well."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken, written = set[str](), list[str]()
    for content in opened_one.contents:
        path, ended = directory / local_name(content.name, taken), list[ContentDiffers]()
        save(handed(client.boxes.content(content), ended), path, overwrite=False)
        differing.update((str(path), error) for error in ended)
        written.append(str(path))
    return written


def _keep_receipts(
    common: Shared, done: Deposited, given: Sequence[Given], policy: Policy, directory: Path
) -> None:
    """In the folder; shown where it takes them not, because nobody gives them twice. Raises what the disk does."""
    try:
        _write_receipts(done, given, policy, directory)
    except (OSError, TemoinError):
        if not common.as_json:
            note("The receipts could not be written there, so here they are. Copy them: they can't be had again.")
            print_json(outputs.Deposited(), _proven(done, given))
        raise
    if not common.as_json:
        screen().print(facts({"Receipts": str(directory)}))


def _write_receipts(done: Deposited, given: Sequence[Given], policy: Policy, directory: Path) -> None:
    taken = set[str]()
    named = [("words", done.receipt), *((one.content.name, one.receipt) for one in given)]
    for name, receipt in named:
        save([receipt.encode()], directory / local_name(f"{name}.tlog-proof", taken), overwrite=False)
    told = outputs.Deposited().dumps(_proven(done, given), ensure_ascii=False, indent=2)
    save([told.encode(), b"\n"], directory / local_name("deposit.json", taken), overwrite=False)
    save([format_policy(policy)], directory / POLICY, overwrite=False)


def _proven(done: Deposited, given: Sequence[Given]) -> dict[str, Any]:
    files = [
        {"name": one.content.name, "sha256": one.content.sha256, "sealed": one.content.sealed, "receipt": one.receipt}
        for one in given
    ]
    return {**vars(done), "files": files}

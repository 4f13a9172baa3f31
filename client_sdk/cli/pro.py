"""`temoin pro`: the directory of professionals, and a professional's own account.

Knows: what is shown, asked and compared. Refuses to know: whom the operator approves.
Digits that are to be compared are typed as somebody reads them out; they are not shown beside the question.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import click

from client_sdk.cli.opened_pack import output_option, unfinished, write_opened
from client_sdk.cli.options import Shared, asking_name, item_id, own_name, shared, user_argument
from client_sdk.cli.output import facts, note, one_line, print_json, print_rows, screen, spell_time
from client_sdk.cli.secrets import ask
from client_sdk.cli.session import confirmed, opened
from client_sdk.directory import Listed, Professional, find_professionals
from client_sdk.errors import ItemUnknown
from client_sdk.professional import ProListedOtherwise, Standing
from crypto_core.errors import MalformedError, TemoinError
from crypto_core.receipts.directory import Listing
from schemas import limits, outputs
from schemas.directory import PROFESSIONS

_COMPARED = {"no": "", "yes": "compared", "changed": "OTHER KEYS than you compared"}

_NOBODY_TYPES = (
    "Nobody is there to type the digits, so nothing was noted. Use a terminal, or give them with --digits."
)


class DigitsDiffer(TemoinError):
    """What was read out are not the digits of that entry."""

    code = "digits_differ"
    sentence = (
        "These are not the digits of this entry, so nothing was noted. Type them again as they are read out; if they "
        "stay different, share nothing with this entry and tell who runs the vault."
    )


@click.group()
def pro() -> None:
    """Find a professional and compare digits; or be one, and open what was shared with you."""


@pro.command()
@own_name
@click.option("--name", required=True, metavar="N", help="As people know you. Everybody can read it.")
@click.option("--org", default="", metavar="O", help="Your organisation.")
@click.option("--town", default="", metavar="T", help="Where you work.")
@click.option("--kind", type=click.Choice(PROFESSIONS), required=True, help="What you work as.")
@shared
def register(
    common: Shared, user: str | None, name: str, org: str, town: str, kind: str
) -> None:
    """Ask the vault's operator to list you. Asks for password and PIN.

    Then call the operator and read out the digits that are shown: they approve you by them.
    """
    _require_shown(name, org, town, kind)
    with opened(common, user) as client:
        standing = client.office.ask_to_be_listed(confirmed(common, client), name=name, org=org, town=town, kind=kind)
    _tell(common, standing)


@pro.command()
@own_name
@asking_name
def status(common: Shared, user: str | None) -> None:
    """Show whether you are listed, and your digits to read out."""
    with opened(common, user) as client:
        standing = client.office.standing()
    _tell(common, standing)


@pro.command()
@own_name
@asking_name
def inbox(common: Shared, user: str | None) -> None:
    """List what was shared with you, and look whether somebody else is listed under your name."""
    with opened(common, user) as client:
        found = client.office.inbox()
        others = client.office.listed_otherwise()
    if common.as_json:
        print_json(outputs.ReceivedBundle(many=True), [
            {name: one[name] for name in ("bundle", "created", "expires", "openings", "opened")} for one in found
        ])
    else:
        print_rows(("BUNDLE", "SHARED", "UNTIL", "OPENED"), [
            (
                one["bundle"].hex(), spell_time(one["created"]), spell_time(one["expires"]),
                f"{one['opened']} of {one['openings']}",
            )
            for one in found
        ], "Nothing is here.")
    if others:
        raise ProListedOtherwise(", ".join(f"entry {one.entry}" for one in others))


@pro.command("open")
@click.argument("words", metavar="[USER] BUNDLE", nargs=-1, required=True)
@output_option
@asking_name
def open_(common: Shared, words: tuple[str, ...], target: Path) -> None:
    """Open what was shared with you, into a new folder or ZIP file. The person sees that you did, and when.

    If it is cut off, give the same command again within the hour: that is no second opening.
    """
    if len(words) > 2:
        raise click.UsageError("Give the bundle, and before it your user name or nothing.")
    bundle = item_id(words[-1])
    with unfinished(target, bundle) as opening, opened(common, words[0] if len(words) == 2 else None) as client:
        write_opened(common, client.office.open(bundle, opening), client.policy, target)


@pro.command()
@user_argument
@click.argument("words", nargs=-1)
@click.option("--kind", type=click.Choice(PROFESSIONS), help="Only those of this kind.")
@shared
def find(common: Shared, user: str, words: tuple[str, ...], kind: str | None) -> None:
    """Look for somebody by name, organisation or town. The vault doesn't learn for whom: all of it is read."""
    with opened(common, user) as client:
        listed = client.professionals.read()
    found = find_professionals(listed.professionals, " ".join(words), kind)
    if common.as_json:
        print_json(outputs.ListedProfessional(many=True), list(map(_facts, found)))
        return
    print_rows(("ENTRY", "NAME", "ORGANISATION", "TOWN", "KIND", "DIGITS"), [
        (
            str(one.entry), one_line(one.listing.name), one_line(one.listing.org), one_line(one.listing.town),
            one.listing.kind, _COMPARED[one.compared],
        )
        for one in found
    ], "Nobody is listed so.")
    _tell_unread(listed)


@pro.command()
@user_argument
@click.argument("entry", type=click.IntRange(0, limits.SAFE_INTEGER))
@click.option("--digits", metavar="DIGITS", help="All forty, as they were read out to you.")
@shared
def compare(common: Shared, user: str, entry: int, digits: str | None) -> None:
    """Note that an entry's digits are those that the professional read out to you.

    Call by a telephone number that you have from elsewhere, not from the directory. From then on this device refuses
    anybody listed under that name with other keys.
    """
    with opened(common, user) as client:
        found = next((one for one in client.professionals.read().professionals if one.entry == entry), None)
        if found is None:
            raise ItemUnknown()
        read_out = digits or ask("The forty digits that they read out to you", _NOBODY_TYPES)
        if not hmac.compare_digest(_bare(read_out), _bare(found.listing.fingerprint)):
            raise DigitsDiffer()
        client.professionals.note_compared(entry)
    if common.as_json:
        print_json(outputs.ListedProfessional(), _facts(found) | {"compared": "yes"})
    else:
        screen().print(f"Noted: entry {entry} is {one_line(found.listing.name)}.")


def _require_shown(name: str, org: str, town: str, kind: str) -> None:
    """A usage error for what no directory takes, before anybody is asked for a secret."""
    try:
        Listing(name, org, town, kind, bytes(limits.KEY), bytes(limits.KEY))
        fits = all(len(text) <= limits.LISTED for text in (name, org, town))
    except MalformedError:
        fits = False
    if not fits:
        raise click.UsageError(
            f"A name has 1 to {limits.LISTED} characters, an organisation and a town up to as many; without spaces at "
            "the ends, line ends, and characters that nobody sees."
        )


def _bare(digits: str) -> bytes:
    return "".join(digits.split()).encode("utf-8")


def _tell(common: Shared, standing: Standing) -> None:
    said = standing.asked or standing.listing
    name = None if said is None else said["name"]
    if common.as_json:
        print_json(outputs.Standing(), {
            "state": standing.state, "entry": standing.entry, "name": name, "fingerprint": standing.fingerprint,
        })
        return
    screen().print(facts({
        "State": standing.state, "Entry": None if standing.entry is None else str(standing.entry), "Name": name,
        "Digits": standing.fingerprint,
    }))
    if standing.asked is not None:
        note("Read these digits out to whoever runs the vault, by telephone or face to face: they list you by them.")


def _tell_unread(listed: Listed) -> None:
    if listed.unread:
        note(f"{listed.unread} entries need a newer version of this program.")


def _facts(one: Professional) -> dict[str, Any]:
    said = one.listing
    return {
        "entry": one.entry, "name": said.name, "org": said.org, "town": said.town, "kind": said.kind,
        "since": one.since, "fingerprint": said.fingerprint, "compared": one.compared,
    }

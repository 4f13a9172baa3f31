"""`temoin register`, `login-check`, `change`, `delete-account`, `recover`, `stop-recovery` and `recovery-wait`.

Knows: the questions, and that the recovery words are safe before an account is made. Refuses to know: derivations.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import NamedTuple

import click

from client_sdk.cli.failures import FileExists, NameDiffers, WordsDiffer
from client_sdk.cli.options import Shared, a_place, asking, shared, user_argument
from client_sdk.cli.output import DAY, facts, note, print_json, screen, spell_pause, spell_time
from client_sdk.cli.saving import save
from client_sdk.cli.secrets import ask, require_somebody
from client_sdk.cli.session import connected, log_in, opened, reaching, tell_recovery
from client_sdk.errors import NetworkError, Refused, ServerFault
from client_sdk.keychain import Credentials
from client_sdk.strength import require_strong
from crypto_core.errors import SecretRefused, TemoinError
from crypto_core.randomness import make_bytes
from crypto_core.sealing.passphrase import normalise_password, normalise_pin, normalise_username
from crypto_core.sealing.recovery import Language
from schemas import limits, outputs

_ASKED = 2
_TRIES = 3
_NOBODY_ANSWERS = (
    "Nobody is there to type back two of the recovery words, so nothing was made or changed. "
    "Use a terminal, or let --recovery-out FILE write the words to a file."
)


class _Told(NamedTuple):
    """What is said of words that were shown: where somebody stopped, and where nobody knows whether it was done."""

    stopped: str
    unsure: str


_NO_ACCOUNT = _Told(
    "No account was made: these words open nothing.",
    "The account may have been made all the same: keep the words, and ask `temoin login-check USER`.",
)
_NOTHING_CHANGED = _Told(
    "Nothing was changed: these new words open nothing, and the old ones still do.",
    "It may have been done all the same: keep both sheets of words, and ask `temoin login-check USER`; if that opens "
    "nothing, the old words still do.",
)
_BOTH_SHEETS = _Told(
    "Nothing was changed: these new words open nothing, and the old ones still do.",
    "Keep both sheets of words until you know which password holds: the new words go with the new one.",
)
_NOBODY_MEANS_IT = (
    "Nobody is there to type the user name once more, so nothing was deleted. Use a terminal, or give --yes if it is "
    "meant."
)

recovery_out_option = click.option(
    "--recovery-out", type=click.Path(path_type=Path), metavar="FILE", callback=a_place,
    help="Write the recovery words to this new file instead of showing them.",
)
words_option = click.option(
    "--words", type=click.Choice(["english", "french"]), default="english", show_default=True,
    help="The language of the recovery words.",
)


@click.command()
@user_argument
@recovery_out_option
@words_option
@shared
def register(common: Shared, user: str, recovery_out: Path | None, words: Language) -> None:
    """Make an account.

    Asks for a password and a PIN, and shows 24 recovery words. What you keep is sealed for these words as well, so that
    a forgotten password need not be the end: `temoin recover` gets you back in with them. Nobody else has them, and
    nobody can send them again.
    """
    common.require_server()
    normalise_username(user, sign_up=True)
    if recovery_out is not None and os.path.lexists(recovery_out):
        raise FileExists
    password, pin = _new_secrets(common, user)
    with connected(common) as client:
        with reaching():
            new = client.make_account(user, password, pin, language=words)
        with _words_kept(common, new.recovery_words, recovery_out, _NO_ACCOUNT):
            account = client.register(new)
    if common.as_json:
        shown = None if recovery_out is not None else new.recovery_words
        print_json(outputs.Registered(), {"account": account, "recovery": shown})
        return
    screen().print("Your account is made. Write something with:  temoin journal add USER --text …")
    _tell_out(recovery_out)


@click.command()
@user_argument
@recovery_out_option
@words_option
@asking("the recovery words, then new password and new PIN, a line each,")
def recover(common: Shared, user: str, recovery_out: Path | None, words: Language) -> None:
    """Get back in with the recovery words alone.

    Asks for the words; or reads them from --secrets-fd, or takes them from TEMOIN_RECOVERY_WORDS.

    The first time a waiting time begins, in which whoever is logged in is told, and can stop it with password and PIN.
    After it give the same command again: USER, a new password and a new PIN take the place of what was lost, and new
    words that of the old ones. Everything that is kept is there again.
    """
    common.require_server()
    normalise_username(user, sign_up=True)
    if recovery_out is not None and os.path.lexists(recovery_out):
        raise FileExists
    typed, new = common.secrets.words(), None
    with connected(common) as client:
        with reaching():
            shown = client.show_recovery(typed)
        if shown.is_due:
            password, pin = _new_secrets(common, user)
            made = client.make_recovered(shown, user, password, pin, language=words)
            with _words_kept(common, made.recovery_words, recovery_out, _NOTHING_CHANGED):
                client.recover(made)
            new = made.recovery_words if recovery_out is None else None
    if common.as_json:
        print_json(outputs.Recovered(), {
            "recovered": shown.is_due, "begun": shown.begun, "due": shown.due, "recovery": new,
        })
    elif shown.is_due:
        screen().print("You are back in. From now on the new name, password, PIN and words open, and nothing else.")
        _tell_out(recovery_out)
    else:
        screen().print(f"The words are right. Come back with them after {spell_time(shown.due)}, within a week.")
        note("Until then whoever is logged in sees it, and can stop it with password and PIN. Keep the words.")


@click.command("stop-recovery")
@user_argument
@shared
def stop_recovery(common: Shared, user: str) -> None:
    """Stop somebody who is getting back in with the recovery words.

    Asks for password and PIN. Whoever has the words can begin again, and waits again; each opening tells it.
    """
    with opened(common, user) as client:
        pending = client.account.pending_recovery()
        client.account.stop_recovery(common.secrets.password(), common.secrets.pin())
    if common.as_json:
        return
    if pending is None:
        screen().print("Nobody was getting back in with the recovery words, so there was nothing to stop.")
    else:
        screen().print("Stopped. Whoever has the words can begin again; each opening tells you.")


@click.command("recovery-wait")
@user_argument
@click.option(
    "--days", type=click.IntRange(0, limits.RECOVERY_WAIT // DAY), metavar="N",
    help="Another waiting time, in days; with 0 the words open at once. Without it nothing is changed.",
)
@shared
def recovery_wait(common: Shared, user: str, days: int | None) -> None:
    """How long the recovery words wait before they open.

    In this time each opening tells it, and `temoin stop-recovery` stops it. A longer time holds at once, a shorter one
    only when the present one is over, so that nobody can shorten it and come in straight away. Who waits already goes
    on as before.
    """
    with opened(common, user) as client:
        if days is None:
            found = client.account.recovery_wait()
        else:
            found = client.account.set_recovery_wait(common.secrets.password(), common.secrets.pin(), days * DAY)
    if found is None:
        raise Refused("not_found", 404, "This vault is too old to let you choose: it waits as whoever runs it decided.")
    if common.as_json:
        print_json(outputs.RecoveryWait(), found)
        return
    screen().print(f"Waiting time of the recovery words: {spell_pause(found.wait)}.")
    if found.next is not None:
        screen().print(f"From {spell_time(found.next.since)} on: {spell_pause(found.next.wait)}.")
    if 0 in (found.wait, -1 if found.next is None else found.next.wait):
        note("Without a waiting time whoever finds the words is in at once, and nobody is told before.")


@click.command()
@user_argument
@click.option("--user", "new_user", metavar="NEW", help="The new user name. Without it the name stays.")
@click.option("--new-words", is_flag=True, help="New recovery words, too; the old ones open nothing from then on.")
@recovery_out_option
@words_option
@asking("password, PIN, new password and new PIN, a line each,")
def change(
    common: Shared, user: str, new_user: str | None, new_words: bool, recovery_out: Path | None, words: Language
) -> None:
    """Change user name, password or PIN; or the recovery words.

    Asks for the present password and PIN, then for the new ones, twice each; what should stay is typed again. Ends
    every other session. What you keep stays as it is, and so do the recovery words without --new-words.
    """
    common.require_server()
    if recovery_out is not None and not new_words:
        raise click.UsageError("--recovery-out goes with --new-words.")
    if recovery_out is not None and os.path.lexists(recovery_out):
        raise FileExists
    name = user if new_user is None else new_user
    normalise_username(name, sign_up=True)
    password, pin = common.secrets.password(), common.secrets.pin()
    new = Credentials(name, common.secrets.next_password(), common.secrets.next_pin())
    new.require_new(date.today().year)
    require_strong(normalise_password(new.password, sign_up=True), name)
    with opened(common, user) as client:
        made = client.account.make_words(words) if new_words else None
        with nullcontext() if made is None else _words_kept(common, made.text, recovery_out, _BOTH_SHEETS):
            try:
                client.account.change_credentials(password, pin, new, made)
            except TemoinError as failure:
                if _may_have_happened(failure) and not common.as_json:
                    note("It may have been changed all the same: try the new password and PIN first, then the old.")
                raise
    if common.as_json:
        return
    if made is None:
        screen().print("Changed. Every other session has ended; the recovery words stay as they are.")
    else:
        screen().print("Changed. Every other session has ended, and the old recovery words open nothing any more.")
        _tell_out(recovery_out)


@click.command("delete-account")
@user_argument
@click.option("--yes", is_flag=True, help="Don't ask whether it is meant.")
@shared
def delete_account(common: Shared, user: str, yes: bool) -> None:
    """Delete the account and everything in it, for good.

    Entries, files, what was shared and the boxes go at once, from the vault and from this device, and nobody can bring
    them back. Save first what you want to keep. What others have opened or saved stays with them. Before that it asks
    for the user name once more; where nobody can be asked, --yes says that it is meant.
    """
    common.require_server()
    with opened(common, user) as client:
        items = len(client.items())
        if not yes:
            _ask_whether_meant(user, items)
        try:
            client.account.erase(common.secrets.password(), common.secrets.pin())
        except (TemoinError, OSError):  # a folder that can't be removed, too
            if not client.is_open and not common.as_json:
                note("It may have been deleted all the same: if your name and password open nothing any more, it was.")
            raise
    if common.as_json:
        print_json(outputs.AccountDeleted(), {"items": items})
        return
    screen().print(
        "Everything is deleted, in the vault and on this device. The recovery words open nothing any more: throw the "
        "paper away. Copies that you saved elsewhere are still there."
    )


@click.command("login-check")
@user_argument
@shared
def login_check(common: Shared, user: str) -> None:
    """Last opening, and wrong PINs tried since.

    A PIN can be tried only by somebody who has the password. Wrong passwords can't be attributed to anybody's account,
    so nobody counts them.
    """
    with connected(common) as client:
        opening = log_in(common, client, user)
        tell_recovery(common, client)
    if common.as_json:
        print_json(outputs.LoginCheck(), opening)
        return
    screen().print(facts({
        "Last opened": spell_time(opening.last_opened) if opening.last_opened is not None else "never before",
        "Wrong PINs since": str(opening.wrong_pins),
        "Wrong PINs lately": str(opening.wrong_total),
    }))
    screen().print("Wrong passwords can't be attributed to anybody's account, so nobody counts them.")
    if opening.wrong_pins:
        screen().print("If these tries were not yours, somebody knows your user name and your password.")
    if opening.advise_change:
        screen().print("So many wrong PINs were tried that a new password and a longer PIN would be safer.")
    for warning in opening.warnings:
        note(f"{warning.sentence} ({warning.code})")


def _new_secrets(common: Shared, user: str) -> tuple[str, str]:
    """A password that is strong enough, and a PIN, each typed twice on a terminal."""
    password = common.secrets.new_password()
    require_strong(normalise_password(password, sign_up=True), user)
    pin = common.secrets.new_pin()
    normalise_pin(pin, sign_up=True, this_year=date.today().year)
    return password, pin


@contextmanager
def _words_kept(common: Shared, words: str, recovery_out: Path | None, told: _Told) -> Iterator[None]:
    """Before anything is sent the words are on paper or in the file; words that open nothing don't stay there."""
    if recovery_out is None:
        require_somebody(_NOBODY_ANSWERS)
        try:
            _show_and_ask(words, err=common.as_json)
        except KeyboardInterrupt:
            if not common.as_json:
                note(told.stopped)
            raise
    else:
        save((f"{words}\n".encode(),), recovery_out, overwrite=False)
    try:
        yield
    except TemoinError as failure:
        if not _may_have_happened(failure):
            if recovery_out is not None:
                recovery_out.unlink(missing_ok=True)
        elif not common.as_json:
            note(told.unsure)
        raise


def _tell_out(recovery_out: Path | None) -> None:
    if recovery_out is not None:
        screen().print("The recovery words are in the file you named. Copy them onto paper, then delete the file.")


def _ask_whether_meant(user: str, items: int) -> None:
    all_of_it = "One item goes" if items == 1 else f"{items} items go"
    note(f"{all_of_it}, with everything else of this account, and nobody can bring anything back.")
    answer = ask("User name, once more", _NOBODY_MEANS_IT)
    try:
        is_same = normalise_username(answer) == normalise_username(user)
    except SecretRefused:
        is_same = False
    if not is_same:
        raise NameDiffers


def _may_have_happened(failure: TemoinError) -> bool:
    """Whether the vault may have done it: the answer can be lost, and the same request, sent again, be refused for
    reasons of that moment."""
    if isinstance(failure, Refused):
        return failure.status >= 500 or failure.code in ("rate_limited", "session_limited")
    return isinstance(failure, NetworkError | ServerFault)


def _show_and_ask(recovery_words: str, *, err: bool) -> None:
    words = recovery_words.split()
    rows = range(0, len(words), 4)
    grid = ("".join(f"{place + 1:>4} {words[place]:<12}" for place in range(row, row + 4)) for row in rows)
    click.echo("Your recovery words. Copy them onto paper, in this order, and keep it where nobody looks:\n", err=err)
    for line in grid:
        click.echo(line.rstrip(), err=err)
    click.echo("\nTo be sure that they are on the paper:", err=err)
    shuffled = sorted(range(len(words)), key=lambda _: make_bytes(16))
    for place in sorted(shuffled[:_ASKED]):
        _ask_back(place + 1, words[place], err=err)


def _ask_back(number: int, word: str, *, err: bool) -> None:
    for _ in range(_TRIES):
        answer = ask(f"Word number {number}", _NOBODY_ANSWERS, err=err)
        if _letters(answer) == _letters(word):
            return
        click.echo("That is another word. Look at the paper again.", err=err)
    raise WordsDiffer


def _letters(word: str) -> str:
    """Without accents and capitals: a paper and a keyboard may lack them, and no two words differ in these alone."""
    spelled = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(letter for letter in spelled if not unicodedata.combining(letter))

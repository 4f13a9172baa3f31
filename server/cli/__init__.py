"""`temoin-server`: makes a vault, runs it, checks it.

Knows: the command line and the environment. Refuses to know: what a vault does once it runs.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import logging
import os
import resource
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import server.accounts.erasure
import server.accounts.service
import server.boxes.ending
import server.items.service
import server.limits
import server.recovery.service
import server.shares.ending
import server.uploads.service
from crypto_core.encoding import format_json, format_time
from server.cli.professionals import professionals
from server.cli.program import Program
from server.cli.rotation import rotation
from server.cli.serving import serve
from server.cli.vault import configure, data_option, sentences
from server.cli.witnesses import witnesses
from server.config import ConfigRefused, ServerConfig
from server.directory.tree import DirectoryRefuses, begin_directory, check_directory
from server.folder import finish_folder, make_folder, require_empty
from server.help.freshness import list_ageing
from server.help.shelf import shelf
from server.host import is_loopback
from server.journal.restore import restore as restore_vault
from server.journal.service import begin, follow, reasons, require_newest
from server.ledger.check import check_deep, check_vault
from server.ledger.keeper import LedgerKeeper
from server.ledger.post import HttpPost
from server.migrations import upgrade
from server.parts import Parts, assemble, open_bucket, open_parts
from server.problems import Refusal
from server.steps import SystemClock

if TYPE_CHECKING:
    from server.anchors.authority import Authority

COLLECT_EVERY = 600
"""Seconds between two collections."""
COLLECTIONS: tuple[Callable[[Parts], Any], ...] = (
    server.accounts.service.collect,
    server.limits.collect,
    server.uploads.service.collect,
    server.items.service.collect,
    server.shares.ending.collect,
    server.boxes.ending.collect,
    server.accounts.erasure.collect,
    server.recovery.service.collect,
)

_log = logging.getLogger("temoin.server")


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="temoin", message="%(version)s")
def main() -> None:
    """Makes a vault, runs it, checks it."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # it holds the pepper


@main.command()
@data_option
def init(data: Path) -> None:
    """Make a new vault in an empty folder: keys, pepper, database, and an empty ledger."""
    with sentences():
        config = configure(data)
        require_empty(config)
        if (bucket := open_bucket(config)) is not None:
            bucket.create()
            bucket.close()
        folder = make_folder(config, SystemClock().now())
        with contextlib.closing(assemble(config, folder)) as parts:
            upgrade(parts.database)
            parts.ledger.create()
            begin_directory(parts)
            LedgerKeeper(parts, HttpPost()).mark()
            begin(parts)
        finish_folder(config, folder)
    click.echo("A new vault was made. Keep a copy of the pepper apart from the copies of the database.")
    click.echo(f"Ledger: {folder.ledger_vkey}")


@main.command()
@data_option
@click.option(
    "--host", "bind", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen at."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, metavar="N", help="The port to listen at."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, metavar="N",
    help="How many processes answer.",
)
def run(data: Path, bind: str, port: int, workers: int) -> None:
    """Run the vault until it is told to stop (SIGTERM or Ctrl-C), or its terminal closes (nohup keeps it)."""
    bind = _address(bind)
    with sentences():
        config = configure(data, _public_host(bind, port))
        _require_address(bind, port)
        server.limits.require_store(config)
        _require_bucket(config)
        authority = _open_authority(config)
        parts, post = open_parts(config), HttpPost()
        upgrade(parts.database)
        require_newest(parts)
        keeper = LedgerKeeper(parts, post)
        for reason in keeper.begin():  # reading goes on
            click.echo(f"Nothing new is kept. {reason.sentence} ({reason.code}: {reason.detail})", err=True)
        try:
            begin_directory(parts)
        except DirectoryRefuses as reason:  # the same
            click.echo(f"Nobody is listed. {reason.sentence} ({reason.code}: {reason.detail})", err=True)
    os.environ.update(TEMOIN_DATA=str(data.absolute()), TEMOIN_HOST=config.host)  # for the workers
    stopping = threading.Event()
    keeping = threading.Thread(target=keeper.run, args=(stopping,), daemon=True)
    beside = [
        keeping,
        threading.Thread(target=_collect_again_and_again, args=(parts, stopping), daemon=True),
        threading.Thread(target=_announce, args=(bind, port, stopping), daemon=True),
    ]
    if authority is not None:
        anchoring = parts, authority, stopping
        beside.append(threading.Thread(target=_anchor_again_and_again, args=anchoring, daemon=True))

    def begin_beside() -> None:
        for thread in beside:
            thread.start()

    copied = threading.active_count() == 1  # unless a silent witness is still waited for
    if copied:
        parts.close()  # whoever needs them opens them anew
        post.close()
    try:
        serve("server.wsgi:application", bind, port, workers, copied=copied, begun=begin_beside)
    finally:
        stopping.set()
        if keeping.is_alive():
            keeping.join()
        keeper.look()  # what was signed last is marked, too
        parts.close()


@main.command()
@data_option
@click.option("--deep", is_flag=True, help="Every checkpoint ever signed, every cosignature and ledger.mark as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(data: Path, deep: bool, as_json: bool) -> None:
    """Check the ledger and every blob. Exit status 1 if anything is wrong."""
    with sentences(), contextlib.closing(open_parts(configure(data))) as parts:
        if (bucket := open_bucket(parts.config)) is not None:
            bucket.probe()
            bucket.close()
        upgrade(parts.database)
        report = check_deep(parts) if deep else check_vault(parts)
        report.problems += _check_anchors(parts)
        if parts.journal.heard() is not None:  # a copy that is looked at has none
            report.problems += [f"{one.code}: {one.detail or one.sentence}" for one in reasons(parts)]
        with parts.database.read() as session:
            report.problems += check_directory(parts, session)
    found = asdict(report)
    if as_json:
        click.echo(format_json(found).decode())
    else:
        problems = found.pop("problems")
        for name, count in found.items():
            click.echo(f"{name.replace('_', ' ')}: {count}")
        for problem in problems:
            click.echo(f"problem: {problem}")
        click.echo("Something is wrong." if problems else "Everything is as it should be.")
    sys.exit(1 if report.problems else 0)


@main.command()
@data_option
@click.option("--without-journal", is_flag=True, help="It is lost: old passwords and deleted things come back.")
def restore(data: Path, without_journal: bool) -> None:
    """Make an old copy of the database, put in its place by hand, fit to be served.

    The vault has to be stopped. What was changed since the copy is taken from the journal: passwords, deletions, what
    was revoked. What was deposited since is gone, and the ledger says so from now on.
    """
    with sentences(), contextlib.closing(open_parts(configure(data))) as parts:
        upgrade(parts.database)
        done = restore_vault(parts, without_journal=without_journal)
    if done is None:
        click.echo("This is the newest database that the journal knows. Nothing was changed.")
        return
    click.echo(f"Brought up to date from the journal: {done.lines}. Everybody has to log in again.")
    if done.was > done.size:
        click.echo(
            f"The ledger goes on from {done.size} of {done.was} entries: it says so under /ledger/restorations. "
            "Witnesses who have seen more have to be asked, or removed."
        )


@main.command()
@data_option
def anchor(data: Path) -> None:
    """Have the ledger's newest state stamped now, by the authority of TEMOIN_TSA_URL."""
    with sentences(), contextlib.closing(open_parts(configure(data))) as parts:
        authority = _open_authority(parts.config)
        if authority is None:
            raise ConfigRefused("TEMOIN_TSA_URL names no time-stamping authority")
        from server.anchors.service import take_anchor

        with contextlib.closing(authority):
            upgrade(parts.database)
            taken = take_anchor(parts, authority)
    if taken is None:
        click.echo("The ledger has not grown since it was last stamped; nobody was asked.")
    else:
        click.echo(f"Stamped: {taken.size} entries, {format_time(taken.time)}, by {taken.authority}")


main.add_command(witnesses)
main.add_command(rotation)
main.add_command(professionals)


@main.group()
def help() -> None:
    """The public pages."""


@help.command("check")
def check_help() -> None:
    """List the facts that have to be looked at again. Exit status 1 if one is 30 days past its date."""
    ageing = list_ageing(shelf(), datetime.fromtimestamp(SystemClock().now(), UTC).date())
    for each in ageing:
        state = f"past its date for {each.days} days" if each.days > 0 else "soon to be looked at again"
        click.echo(f"{each.expires_on} {each.row}: {state}")
    click.echo("Every fact is recent." if not ageing else f"Rows to look at again: {len(ageing)}")
    sys.exit(1 if any(each.too_old for each in ageing) else 0)


def collect(parts: Parts) -> None:
    """Forgets whatever is over: sessions, challenges, counts, abandoned uploads, what was to be erased by now; and what
    the database's log still holds of it."""
    for collection in COLLECTIONS:
        try:
            collection(parts)
        except Refusal as refusal:  # the next time will do
            _log.warning("collection put off: %s", refusal.code)
        except Exception as error:
            _log.error("%s in a collection", type(error).__name__)
    follow(parts)
    parts.database.empty_log()


def _collect_again_and_again(parts: Parts, stopping: threading.Event) -> None:
    while True:
        collect(parts)
        if stopping.wait(COLLECT_EVERY):
            return


def _anchor_again_and_again(parts: Parts, authority: Authority, stopping: threading.Event) -> None:
    from server.anchors.service import Rhythm

    rhythm = Rhythm(parts.config.anchor_interval)
    wait = rhythm.first(parts)
    while not stopping.wait(wait):
        wait = rhythm.next(parts, authority)


def _check_anchors(parts: Parts) -> list[str]:
    from server.anchors.check import check_anchors

    authority = _open_authority(parts.config)
    with parts.database.read() as session:
        return list(check_anchors(session, [] if authority is None else authority.certificates))


def _open_authority(config: ServerConfig) -> Authority | None:
    """As `open_authority`. What verifies tokens is loaded only where there is one: the workers never need it."""
    if not config.tsa_url:
        return None
    from server.anchors.authority import open_authority

    return open_authority(config)


def _announce(bind: str, port: int, stopping: threading.Event) -> None:
    """Says "ready" once, when the vault answers."""
    while not stopping.wait(0.05):
        connection = http.client.HTTPConnection(bind, port, timeout=5)
        try:
            connection.request("GET", "/v1/health")
            is_ready = connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
        if is_ready:
            with contextlib.suppress(OSError):  # nobody may hear it
                click.echo(f"ready: http://{_in_url(bind)}:{port}")
            return


def _require_bucket(config: ServerConfig) -> None:
    """Raises StoreMissing or StoreRefused. One that can't be reached just now keeps nobody from what is not in it."""
    bucket = open_bucket(config)
    if bucket is not None:
        with contextlib.suppress(Refusal):
            bucket.probe()
        bucket.close()


def _public_host(bind: str, port: int) -> str:
    """The host that login keys sign, unless TEMOIN_HOST says otherwise; empty for this machine alone.

    Raises ConfigRefused for an address that stands for all addresses: nobody can call the vault by it.
    """
    if not os.environ.get("TEMOIN_HOST") and bind in ("0.0.0.0", "::"):
        raise ConfigRefused("TEMOIN_HOST has to name the public host")
    if is_loopback(_in_url(bind)):
        return ""
    return _in_url(bind).lower() if port in (80, 443) else f"{_in_url(bind).lower()}:{port}"


def _address(bind: str) -> str:
    """What to listen at: an IP address; `localhost` is one by another name."""
    if bind == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(bind))
    except ValueError:
        raise click.BadParameter("this has to be an IP address of this machine.", param_hint="--host") from None


def _require_address(bind: str, port: int) -> None:
    """Raises ClickException where a worker could not listen. Beside another vault's it could, and is told of."""
    family, why = socket.AF_INET6 if ":" in bind else socket.AF_INET, ""
    for shared in (True, False):
        try:
            socket.create_server((bind, port), family=family, reuse_port=shared).close()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else ""
            if shared:
                raise click.ClickException(f"Nobody can listen at {_in_url(bind)}:{port} ({why}).") from None
    if why:
        click.echo("A vault, or what is left of one, listens here already, and gets some of what comes.", err=True)


def _in_url(bind: str) -> str:
    return f"[{bind}]" if ":" in bind else bind

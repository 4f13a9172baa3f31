"""`temoin audit`: follow a published ledger, copy it, and tell what was found. No account, and no secret.

Knows: how a look is told. Refuses to know: how a ledger is judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from client_sdk.cli.failures import DONE, REFUSED, failure_of
from client_sdk.cli.options import existing_file, home, json_option, read_start
from client_sdk.cli.output import facts, note, one_line, print_failure, print_json, screen
from client_sdk.cli.progress import Bars
from client_sdk.cli.quorum import quorum_facts, read_policy, spell_quorum
from client_sdk.errors import NetworkError, ServerFault
from client_sdk.following.findings import FAULTS
from client_sdk.following.follower import LATE, Follower, Look
from client_sdk.following.mirror import STATE, Mirror
from client_sdk.following.report import make_report
from client_sdk.following.state import Finding
from client_sdk.home import Home
from client_sdk.protocol.audit import AuditEvent
from client_sdk.published import LedgerFiles, PublishedFiles
from crypto_core.encoding import format_time
from crypto_core.receipts.note import VerifierKey, format_vkey, parse_vkey
from crypto_core.receipts.policy import NONE, Policy
from crypto_core.receipts.receipt import HEADER, MAX_RECEIPT_SIZE
from crypto_core.receipts.witnessed import WitnessedCheckpoint
from schemas import outputs

TOLD: Mapping[AuditEvent | None, str] = {
    AuditEvent.FIRST_NOTE: "seen for the first time",
    AuditEvent.SAME_NOTE: "as before",
    AuditEvent.GREW: "grown, and continues all that was seen before",
    AuditEvent.LAGGED: "smaller than one seen before, and the beginning of it: it lags",
    AuditEvent.NOT_COMPARED: "could not be compared with what was seen before",
    AuditEvent.INCONSISTENT: "DOES NOT FIT what was seen before",
    None: "NOT SIGNED as it has to be",
}
Command = Callable[..., None]


@click.group()
def audit() -> None:
    """Follow a published ledger, copy it, tell what was found.

    URL is where the ledger's files lie: of a vault, its address; of a copy, wherever that is served.
    """


def _trusting(command: Command) -> Command:
    for option in (
        click.option(
            "--late", metavar="S", type=click.IntRange(0), default=LATE, show_default=True,
            help="Seconds after its time by which an entry has to be public; of a copy, how old it may be.",
        ),
        click.option(
            "--policy", "policy_file", type=existing_file, metavar="FILE", help="Whom you trust (tlog-policy)."
        ),
        click.option("--vkey", metavar="KEY", help="The ledger's key alone, in place of a policy."),
    ):
        command = option(command)
    return command


@audit.command()
@click.argument("url", metavar="URL")
@click.option(
    "--state", "folder", metavar="DIR", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="What is kept between two looks, and the evidence.",
)
@_trusting
@click.option(
    "--also", metavar="FILE", multiple=True, type=existing_file,
    help="A checkpoint or receipt that somebody else holds: does it fit too? May be repeated.",
)
@click.option("--once", is_flag=True, help="One look, then end.")
@click.option(
    "--interval", metavar="S", type=click.IntRange(1), default=60, show_default=True, help="Seconds between two looks."
)
@json_option
def follow(
    url: str, folder: Path, policy_file: Path | None, vkey: str | None, late: int, also: tuple[Path, ...], once: bool,
    interval: int, as_json: bool,
) -> None:
    """See that a ledger only grows, that each entry is at its place, and that its times keep to the rules.

    The key is given the first time, and kept in DIR; without it the ledger has to be one that this device has met. Ends
    with 1 as soon as something is found that speaks against the ledger: what was signed and shown is then in
    DIR/evidence.
    """
    policy, notes = _policy(policy_file, vkey), [_note_in(path) for path in also]
    with closing(LedgerFiles(PublishedFiles(url))) as files:
        follower = Follower(folder, url, files, _now, policy, late, progress=Bars(), known=_known(policy))
        while True:
            try:
                ended = _tell(follower.look(notes), as_json)
                if once or ended != DONE:
                    click.get_current_context().exit(ended)
            except (NetworkError, ServerFault) as error:
                if once:
                    raise
                print_failure(failure_of(error), as_json=as_json)
            time.sleep(interval)


@audit.command()
@click.argument("url", metavar="URL")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@_trusting
@json_option
def mirror(
    url: str, folder: Path, policy_file: Path | None, vkey: str | None, late: int, as_json: bool
) -> None:
    """Copy a ledger into a folder that any web server can serve, each file proven before it is written.

    Give the same command again to go on, after an interruption or once the ledger has grown. DIR/.followed is what
    `follow` keeps in its --state.
    """
    policy = _policy(policy_file, vkey)
    with closing(LedgerFiles(PublishedFiles(url))) as files:
        follower = Follower(folder / STATE, url, files, _now, policy, late, Mirror(folder), Bars(), _known(policy))
        click.get_current_context().exit(_tell(follower.look(), as_json))


@audit.command()
@click.option(
    "--state", "folder", metavar="DIR", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder given to `follow`.",
)
@json_option
def report(folder: Path, as_json: bool) -> None:
    """Tell since when a ledger is followed, how far, what was found, and what that proves and what not."""
    told = make_report(folder)
    state, held = told.state, told.held
    if as_json:
        print_json(outputs.AuditReport(), {
            **vars(state), **_witnessed(held), "proven": told.proven, "not_proven": told.not_proven,
            "uncompared": len(state.uncompared),
        })
        return
    out = screen()
    out.print(facts({
        "Ledger": one_line(held.checkpoint.origin),
        "At": one_line(state.url),
        "Followed since": format_time(state.since),
        "Last look": format_time(state.looked),
        "Looks": str(state.looks),
        "Entries": f"{held.checkpoint.size}, of which {state.walked} were read",
        "Newest entry": format_time(state.entry_time) if state.walked else None,
        "Root": held.checkpoint.root.hex(),
        **quorum_facts(state.policy, held),
        "Lags since": None if state.lags_since is None else format_time(state.lags_since),
        "Not compared": f"notes, for want of tiles: {len(state.uncompared)}" if state.uncompared else None,
    }))
    out.print("\nFound" if state.findings else "\nNothing was found that speaks against it.")
    for finding in state.findings:
        out.print(f"  {format_time(finding.time)}  {_spelled(finding)}")
    out.print("\nProven")
    for sentence in told.proven:
        out.print(f"  {sentence}")
    out.print("\nNot proven")
    for sentence in told.not_proven:
        out.print(f"  {sentence}")


def _tell(look: Look, as_json: bool) -> int:
    """What a look came to; the exit code."""
    if as_json:
        print_json(outputs.AuditLook(), _as_json(look))
    elif look.held is not None and look.state is not None:
        held = look.held
        size = held.checkpoint.size if look.shown is None else look.shown.checkpoint.size
        screen().print(
            f"{format_time(look.state.looked)}  {one_line(held.checkpoint.origin)}: {size} entries, {TOLD[look.event]}."
            f" {look.read} were read, each at its place.{_told_quorum(look.state.policy, held)}"
        )
        if look.state.uncompared:
            note(f"Not compared yet, for want of tiles: {len(look.state.uncompared)} of the notes that are known.")
    for one in look.learned:
        note(f"Beyond {one.size} entries the ledger has a new key, named by the one before: {format_vkey(one.new)}")
    if look.found:
        for finding in look.found:
            note(_spelled(finding))
        return REFUSED
    return DONE


def _as_json(look: Look) -> dict[str, Any]:
    state = look.state
    return {
        "event": None if look.event is None else look.event.value,
        "shown_size": None if look.shown is None else look.shown.checkpoint.size,
        "read": look.read, "found": look.found, "uncompared": len(state.uncompared) if state else 0,
        "walked": state.walked if state else 0, "lags_since": state.lags_since if state else None,
        **(_witnessed(look.held) if look.held else dict.fromkeys(outputs.WITNESSED)),
    }


def _witnessed(held: WitnessedCheckpoint) -> dict[str, Any]:
    return {
        "origin": held.checkpoint.origin, "size": held.checkpoint.size, "root": held.checkpoint.root,
        "cosigned_by": [one.witness.key.name for one in held.cosigned],
        "missing": [one.key.name for one in held.missing],
        "quorum": held.is_met if held.cosigned or held.missing else None, "bound_time": held.bound_time,
    }


def _told_quorum(policy: Policy, held: WitnessedCheckpoint) -> str:
    if policy.quorum == NONE:
        return ""
    return f" {'Enough' if held.is_met else 'NOT ENOUGH'} witnesses have cosigned it ({spell_quorum(policy)})."


def _spelled(finding: Finding) -> str:
    place = "" if finding.index is None else f" Entry {finding.index}" + (
        f" and {finding.count - 1} more." if finding.count > 1 else "."
    )
    kept = ", ".join(finding.evidence)
    return f"{FAULTS[finding.code].sentence} ({finding.code}){place} Evidence: {kept}"


def _policy(policy_file: Path | None, vkey: str | None) -> Policy | None:
    if policy_file is not None and vkey is not None:
        raise click.UsageError("Give a policy or a key, not both.")
    if policy_file is not None:
        return read_policy(policy_file)
    return None if vkey is None else Policy.for_key(vkey)


def _known(policy: Policy | None) -> tuple[VerifierKey, ...]:
    """Where no policy was given: the newest key of each ledger that this device has met."""
    return () if policy else tuple(parse_vkey(pin.ledger_vkey) for pin in Home(home()).pins())


def _note_in(path: Path) -> bytes:
    """The checkpoint in a file, which may be a receipt."""
    data = read_start(path, MAX_RECEIPT_SIZE)
    return data.partition(b"\n\n")[2] if data.startswith(HEADER.encode()) else data


def _now() -> int:
    return int(time.time())

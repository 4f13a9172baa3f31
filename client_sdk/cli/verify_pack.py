"""`temoin verify-pack`: does an evidence pack hold, and what does it prove? Offline, without an account or a vault.

Knows: how a report is told. Refuses to know: the network, and any person's keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from client_sdk.cli.failures import DONE, NOT_YET, REFUSED
from client_sdk.cli.options import existing_file, existing_path, offline, rotations_option
from client_sdk.cli.output import cells, facts, one_line, print_json, screen, table
from client_sdk.cli.progress import Bars
from client_sdk.cli.quorum import read_policy, read_rotations
from client_sdk.packs.check import PackReport, check_pack
from client_sdk.packs.source import ZipSource, open_source
from crypto_core.encoding import format_time
from crypto_core.receipts.receipt import VerifiedReceipt
from crypto_core.receipts.rotation import RotationChain, rotate_policy
from schemas import outputs

_NAME = 60
"""Columns of a terminal: no file that we name is longer."""
_OUTCOMES = {
    "valid": ("VALID", DONE), "invalid": ("INVALID", REFUSED), "not_yet": ("NOT YET VERIFIABLE", NOT_YET),
}


@click.command("verify-pack")
@click.argument("path", metavar="DIR|NAME.zip", type=existing_path)
@click.option(
    "--policy", "policy_file", type=existing_file, metavar="FILE",
    help="Whom you trust (tlog-policy), from elsewhere. Without it: the key in the pack, which you then compare.",
)
@rotations_option
@offline
def verify_pack(path: Path, policy_file: Path | None, rotations_file: Path | None, as_json: bool) -> None:
    """Check an evidence pack: every file of it, every receipt, and what was signed.

    Names each file that was changed, is missing or doesn't belong to it. Nothing is unpacked or written.

    Ends with 0 if all of it is valid, 1 if it is not, 4 if something that is needed is not there yet.
    """
    if rotations_file is not None and policy_file is None:
        raise click.UsageError("--rotations leads from a key that you trust to others: give it with --policy.")
    policy = None if policy_file is None else read_policy(policy_file)
    known = RotationChain()
    if policy is not None and rotations_file is not None:
        known = read_rotations(rotations_file)
        policy = rotate_policy(policy, known)
    with ExitStack() as stack:
        source = open_source(path)
        if isinstance(source, ZipSource):
            stack.enter_context(source)
        report = check_pack(source, policy, Bars(), known)
    if as_json:
        print_json(outputs.CheckedPack(), _as_json(report))
    else:
        _show(report, policy is not None)
    click.get_current_context().exit(_OUTCOMES[report.outcome][1])


def _as_json(report: PackReport) -> dict[str, Any]:
    at = report.checkpoint
    return {
        "outcome": report.outcome, "items": report.items, "proven": report.proven, "sender": report.sender,
        "keys": report.keys, "origin": at and at.origin, "tree_size": at and at.size, "beyond": report.beyond,
        "receipts": [
            {"name": name, "index": one.index, "claimed_time": one.claimed_time, "bound_time": one.bound_time}
            for name, one in sorted(report.receipts.items())
        ],
        "findings": [
            {"name": one.name, "code": one.error.code, "sentence": one.error.sentence, "detail": one.error.detail}
            for one in report.findings
        ],
    }


def _show(report: PackReport, by_policy: bool) -> None:
    out, at = screen(), report.checkpoint
    if report.findings:
        rows = table("FILE", "WHAT IS WRONG")
        rows.columns[0].min_width = min(_NAME, max(len(one.name) for one in report.findings))  # to be looked for whole
        for one in report.findings:
            rows.add_row(*cells((one_line(one.name), f"{one.error.sentence} ({one.error.code})")))
        out.print(rows)
        out.print()
    out.print(facts({
        "Items": f"{report.proven} of {report.items} are whole, as they were signed and with their receipts",
        "Deposited": _span(report.receipts.values()),
        "Signed by": None if report.sender is None else f"{report.sender.hex()}  (one key in all that a person shares)",
        "Ledger's key": "\n".join(report.keys) or None,
        "Checkpoint": "none that the receipts are proven to lead to" if at is None
        else f"{one_line(at.origin)}, {at.size} entries",
        "Newer receipts": f"{report.beyond}, in a larger tree than the checkpoint" if report.beyond else None,
    }))
    word, code = _OUTCOMES[report.outcome]
    colour = {DONE: "green", NOT_YET: "yellow"}.get(code, "red")
    out.print(Text.assemble("\n", (word, colour if out.is_terminal else ""), f". {_sentence(report, by_policy)}"))


def _sentence(report: PackReport, by_policy: bool) -> str:
    if report.outcome == "invalid":
        return "The files named above are not what they should be. Ask for the pack again, and keep this one."
    said = (
        "These bytes existed no later than their receipts say; this does not prove who made them, nor that what they "
        "say is true."
    )
    if report.outcome == "not_yet":
        said = f"Nothing was changed, but what is named above is not there yet. For the rest it holds: {said}"
    if not by_policy:
        said += " Compare the ledger's key with the one that the people who run the vault publish; or give --policy."
    return said


def _span(receipts: Iterable[VerifiedReceipt]) -> str | None:
    times = sorted(one.claimed_time for one in receipts)
    return f"{format_time(times[0])} to {format_time(times[-1])}  (the operator's word)" if times else None

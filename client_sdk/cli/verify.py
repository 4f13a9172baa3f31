"""`temoin verify`: is this receipt genuine, and what does it prove? Offline, without an account.

Knows: the steps and the three outcomes. Refuses to know: the network, and any person's keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from client_sdk.auditor import hash_file
from client_sdk.cli.failures import DONE, exit_code
from client_sdk.cli.options import existing_file, file_hash, home, offline, read_start, rotations_option
from client_sdk.cli.output import facts, one_line, print_json, screen
from client_sdk.cli.quorum import quorum_facts, read_policy, read_rotations
from client_sdk.cli.tsa import STEP, TokenFiles, token_facts, token_json, token_options, token_sentence
from client_sdk.home import Home
from crypto_core.encoding import format_time
from crypto_core.errors import (
    ReceiptKeyRetired,
    ReceiptKeyUnknown,
    ReceiptMalformed,
    ReceiptNotIncluded,
    ReceiptOtherBytes,
    ReceiptQuorumMissing,
    ReceiptSignature,
    VerificationError,
)
from crypto_core.receipts.policy import NONE, Policy
from crypto_core.receipts.receipt import (
    MAX_RECEIPT_SIZE,
    VerifiedReceipt,
    parse_receipt,
    proven_sentence,
    verify_receipt,
    weigh_receipt,
)
from crypto_core.receipts.rotation import rotate_policy
from crypto_core.receipts.witnessed import WitnessedCheckpoint
from schemas import outputs

if TYPE_CHECKING:
    from client_sdk.anchors import AnchoredReceipt

STEPS = (
    "The receipt is whole and well formed",
    "It is for a file of this SHA-256",
    "The ledger's entry follows from it",
    "The entry's leaf hash follows from that",
    "The path leads from this leaf to the ledger's signed root",
    "A ledger that you trust signed that root",
    "Enough of the witnesses that you trust signed it too",
)
_STOPS_AT: Mapping[type[VerificationError], int] = {
    ReceiptMalformed: 1,
    ReceiptOtherBytes: 2,
    ReceiptNotIncluded: 5,
    ReceiptKeyUnknown: 6,
    ReceiptKeyRetired: 6,
    ReceiptSignature: 6,
    ReceiptQuorumMissing: 7,
}
_NOBODY_TRUSTED = Policy((), (), (), NONE)
_OUTCOMES = {"valid": "VALID", "invalid": "INVALID", "not_yet": "NOT YET VERIFIABLE"}


@click.command()
@click.argument("paths", metavar="[SEALED] RECEIPT", nargs=-1, required=True, type=existing_file)
@click.option(
    "--sha256", metavar="HEX", type=file_hash, help="The sealed file's SHA-256, in place of the file itself."
)
@click.option(
    "--policy", "policy_file", type=existing_file, metavar="FILE",
    help="Whom you trust (tlog-policy). Without it: the ledgers that this device has met.",
)
@rotations_option
@token_options
@offline
def verify(
    paths: tuple[Path, ...], sha256: bytes | None, policy_file: Path | None, rotations_file: Path | None,
    tsa: TokenFiles | None, as_json: bool,
) -> None:
    """Check a receipt, with the sealed file or its SHA-256.

    With --tsa-roots also a time-stamping authority's token, and the operator's claimed time against it.

    Ends with 0 if it is valid, 1 if it is not, 4 if a key or a signature that is needed is not there yet.
    """
    if len(paths) != (2 if sha256 is None else 1):
        raise click.UsageError("Give the sealed file and its receipt; or --sha256 HEX and the receipt.")
    *sealed, receipt_file = paths
    token = None if tsa is None else tsa.beside(receipt_file)
    receipt = read_start(receipt_file, MAX_RECEIPT_SIZE)
    if policy_file is None:
        policy = Home(home()).policy() or _NOBODY_TRUSTED
    else:
        policy = read_policy(policy_file)
    if rotations_file is not None:
        policy = rotate_policy(policy, read_rotations(rotations_file))
    digest, size = (sha256, None) if sha256 is not None else hash_file(sealed[0])
    try:
        proven = verify_receipt(receipt, sha256=digest, size=size, policy=policy)
        anchored = None if token is None else token.verify(proven, policy)
        verified, error = proven, None
    except VerificationError as raised:
        verified, anchored, error = None, None, raised
    weighed = None
    if error is None or isinstance(error, ReceiptQuorumMissing):  # step 6 holds: what the witnesses say may be told
        weighed = weigh_receipt(parse_receipt(receipt), policy)
    steps = STEPS if tsa is None else (*STEPS, STEP)
    if as_json:
        answer = _as_json(digest, receipt, verified, error, weighed)
        if tsa is None:
            print_json(outputs.Verified(), answer)
        else:
            print_json(outputs.VerifiedAnchored(), answer | token_json(anchored))
    else:
        _show(digest, verified, error, policy, weighed, steps, anchored)
    click.get_current_context().exit(DONE if error is None else exit_code(error))


def _as_json(
    digest: bytes, receipt: bytes, verified: VerifiedReceipt | None, error: VerificationError | None,
    weighed: WitnessedCheckpoint | None,
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "sha256": digest, "code": None, "origin": None, "index": None, "tree_size": None,
        "claimed_time": None, "bound_time": None, "quorum": None, "cosigned": None, "missing": None,
        "passed_over": None,
    }
    if weighed is not None:
        answer |= {
            "quorum": weighed.is_met,
            "cosigned": [{"name": one.witness.key.name, "time": one.time} for one in weighed.cosigned],
            "missing": [one.key.name for one in weighed.missing], "passed_over": [one.name for one in weighed.ignored],
        }
    if verified is not None:
        return answer | {
            "outcome": verified.outcome, "sentence": proven_sentence(verified),
            "origin": verified.checkpoint.origin, "index": verified.index, "tree_size": verified.checkpoint.size,
            "claimed_time": verified.claimed_time, "bound_time": verified.bound_time,
        }
    assert error is not None
    if error.outcome == "not_yet":  # well formed, and the path holds: this is what a key is needed for
        claimed = parse_receipt(receipt)
        answer |= {
            "origin": claimed.checkpoint.origin, "index": claimed.index, "tree_size": claimed.checkpoint.size,
        }
    return answer | {"outcome": error.outcome, "code": error.code, "sentence": error.sentence}


def _show(
    digest: bytes, verified: VerifiedReceipt | None, error: VerificationError | None, policy: Policy,
    weighed: WitnessedCheckpoint | None, steps: tuple[str, ...], anchored: AnchoredReceipt | None,
) -> None:
    stop = len(steps) + 1 if error is None else _STOPS_AT.get(type(error), len(steps))
    out = screen()
    out.print(f"SHA-256  {digest.hex()}\n")
    for number, step in enumerate(steps, 1):
        said = step if number != 7 or policy.quorum != NONE else "No witnesses are asked for"
        if number < stop:
            out.print(Text.assemble((" ✓  ", "green"), f"{number}  {said}"))
        elif number == stop:
            mark = (" ?  ", "yellow") if error is not None and error.outcome == "not_yet" else (" ✗  ", "red")
            out.print(Text.assemble(mark, f"{number}  {said}"))
        else:
            out.print(Text(f" –  {number}  {said}: not reached", style="dim"))
    out.print()
    if verified is not None:
        out.print(facts({
            "Ledger": one_line(verified.checkpoint.origin),
            "Entry": f"{verified.index} of {verified.checkpoint.size}",
            "Claimed time": f"{format_time(verified.claimed_time)}  (the operator's word)",
            "Bound time": "none: no witness is asked for" if verified.bound_time is None
            else f"{format_time(verified.bound_time)}  (when enough witnesses had cosigned)",
            **(quorum_facts(policy, weighed) if weighed is not None else {}),
            **({} if anchored is None else token_facts(anchored)),
        }))
        said = proven_sentence(verified) if anchored is None else token_sentence(anchored)
        out.print(f"\n{_OUTCOMES['valid']}. {said}")
    elif error is not None:
        if weighed is not None:
            out.print(facts(quorum_facts(policy, weighed)))
            out.print()
        out.print(f"{_OUTCOMES[error.outcome]}. {error.sentence} ({error.code})")

"""`temoin verify --tsa …`: the files of an authority's token, and how what they prove is told.

Knows: options, files, the words. Refuses to know: what makes a token good (client_sdk.anchors, which is loaded only
where there is one).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from client_sdk.cli.options import Command, existing_file, read_start
from client_sdk.cli.output import one_line
from crypto_core.encoding import format_time
from crypto_core.receipts.note import MAX_NOTE_SIZE
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import VerifiedReceipt

if TYPE_CHECKING:
    from client_sdk.anchors import AnchoredReceipt

STEP = "An authority that you trust saw that root at its time, and the claimed time fits"
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*)){1,30}", re.ASCII)


@dataclass(frozen=True)
class TokenFiles:
    """What was given with --tsa; `before` is an earlier note of the ledger, and the token over it."""

    token: Path
    roots: Path
    chain: Path | None
    policy: str | None
    before: tuple[Path, Path] | None

    def verify(self, receipt: VerifiedReceipt, policy: Policy) -> AnchoredReceipt:
        """Step 8. Raises as `verify_anchored`, and MalformedError for roots that are none."""
        from client_sdk.anchors import Authorities, Before, verify_anchored
        from crypto_core.receipts.anchor import MAX_CHAIN_SIZE, MAX_TOKEN_SIZE, parse_certificates

        roots = parse_certificates(read_start(self.roots, MAX_CHAIN_SIZE))
        links = () if self.chain is None else parse_certificates(read_start(self.chain, MAX_CHAIN_SIZE))
        before = None
        if self.before is not None:
            note, token = self.before
            before = Before(read_start(note, MAX_NOTE_SIZE), read_start(token, MAX_TOKEN_SIZE))
        authorities = Authorities(roots, links, self.policy)
        return verify_anchored(receipt, read_start(self.token, MAX_TOKEN_SIZE), authorities, policy, before)


def token_options(command: Command) -> Command:
    """The options of a token; the command gets them as `tsa`, a TokenFiles, or None."""

    @click.option("--tsa", type=existing_file, metavar="FILE", help="An authority's token (RFC 3161) for the receipt.")
    @click.option("--tsa-roots", type=existing_file, metavar="PEM", help="The root certificates that you trust for it.")
    @click.option("--tsa-chain", type=existing_file, metavar="PEM", help="Certificates between the token and a root.")
    @click.option("--tsa-policy", metavar="OID", help="Take the token under this policy of the authority alone.")
    @click.option(
        "--tsa-before", type=existing_file, nargs=2, metavar="NOTE FILE",
        help="An earlier state of the ledger, without the file, and the token over it.",
    )
    @functools.wraps(command)
    def with_token(
        *arguments: Any, tsa: Path | None, tsa_roots: Path | None, tsa_chain: Path | None, tsa_policy: str | None,
        tsa_before: tuple[Path, Path] | None, **rest: Any,
    ) -> None:
        if tsa_policy is not None and not _OID.fullmatch(tsa_policy):
            raise click.BadParameter("an object identifier looks like 1.2.840.113549", param_hint="--tsa-policy")
        if (tsa is None) != (tsa_roots is None) or tsa is None and (tsa_chain or tsa_policy or tsa_before):
            raise click.UsageError("A token needs --tsa FILE and --tsa-roots PEM, both.")
        files = None
        if tsa is not None and tsa_roots is not None:
            files = TokenFiles(tsa, tsa_roots, tsa_chain, tsa_policy, tsa_before)
        command(*arguments, tsa=files, **rest)

    return with_token


def token_json(anchored: AnchoredReceipt | None) -> dict[str, Any]:
    """What schemas.outputs.VerifiedAnchored says beside, and otherwise, than Verified."""
    if anchored is None:
        return dict.fromkeys(("witness_time", "tsa_time", "tsa_authority", "tsa_policy", "tsa_before_time"))
    token, before = anchored.token, anchored.before
    return {
        "sentence": token_sentence(anchored), "bound_time": anchored.bound_time,
        "witness_time": anchored.receipt.bound_time, "tsa_time": token.latest,
        "tsa_authority": token.authority, "tsa_policy": token.policy,
        "tsa_before_time": None if before is None else before.earliest,
    }


def token_sentence(anchored: AnchoredReceipt) -> str:
    """As `anchored_sentence`."""
    from client_sdk.anchors import anchored_sentence

    return anchored_sentence(anchored)


def token_facts(anchored: AnchoredReceipt) -> dict[str, str]:
    """The same, for people."""
    witnessed, token, before = anchored.receipt.bound_time, anchored.token, anchored.before
    return {
        "Witnesses' time": "none: no witness is asked for" if witnessed is None else format_time(witnessed),
        "Authority's time": f"{format_time(token.latest)}  (the word of {one_line(token.authority)})",
        **({} if before is None else {"Stamped without it": format_time(before.earliest)}),
        "Bound time": f"{format_time(anchored.bound_time)}  (the earliest that is not the operator's)",
    }

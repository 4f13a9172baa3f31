"""`temoin verify --tsa …`: the files of an authority's token, and how what they prove is told.

Knows: options, files, the words. Refuses to know: what makes a token good (client_sdk.anchors, which is loaded only
where there is one).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from client_sdk.cli.options import Command, existing_file, read_start
from client_sdk.cli.output import one_line
from crypto_core.encoding import format_time
from crypto_core.errors import MalformedError
from crypto_core.receipts.note import MAX_NOTE_SIZE
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import VerifiedReceipt

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from client_sdk.anchors import AnchoredReceipt

STEP = "An authority that you trust saw that root at its time, and the claimed time fits"
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*)){1,30}", re.ASCII)


@dataclass(frozen=True)
class TokenFiles:
    """What was given with --tsa-roots; `before` is an earlier note of the ledger, and the token over it."""

    token: Path | None
    roots: Path
    chain: Path | None
    policy: str | None
    before: tuple[Path, Path] | None

    def beside(self, receipt: Path) -> TokenFiles:
        """The same, with the token that lies beside the receipt where none was given, and with what lies there for it.

        Raises UsageError if there is none.
        """
        if self.token is not None:
            return self
        from client_sdk.dossier import BEFORE_NOTE, BEFORE_TOKEN, CHAIN, PROOF, TOKEN

        token, chain, note, earlier = (
            receipt.with_name(receipt.name.removesuffix(PROOF) + end)
            for end in (TOKEN, CHAIN, BEFORE_NOTE, BEFORE_TOKEN)
        )
        if not token.is_file():
            raise click.UsageError(f"There is no {one_line(token.name)} beside the receipt. Give its token with --tsa.")
        return replace(
            self, token=token, chain=self.chain or (chain if chain.is_file() else None),
            before=self.before or ((note, earlier) if note.is_file() and earlier.is_file() else None),
        )

    def verify(self, receipt: VerifiedReceipt, policy: Policy) -> AnchoredReceipt:
        """Step 8. Raises as `verify_anchored`, and MalformedError, which names the option, for roots that are none."""
        from client_sdk.anchors import Authorities, Before, verify_anchored
        from crypto_core.receipts.anchor import MAX_TOKEN_SIZE

        assert self.token is not None  # `beside` has seen to that
        roots = _certificates(self.roots, "--tsa-roots")
        links = () if self.chain is None else _certificates(self.chain, "--tsa-chain")
        before = None
        if self.before is not None:
            note, token = self.before
            before = Before(read_start(note, MAX_NOTE_SIZE), read_start(token, MAX_TOKEN_SIZE))
        authorities = Authorities(roots, links, self.policy)
        return verify_anchored(receipt, read_start(self.token, MAX_TOKEN_SIZE), authorities, policy, before)


def token_options(command: Command) -> Command:
    """The options of a token; the command gets them as `tsa`, a TokenFiles, or None."""

    @click.option(
        "--tsa-roots", type=existing_file, metavar="PEM",
        help="The root certificates that you trust for a time-stamping authority's token (RFC 3161).",
    )
    @click.option(
        "--tsa", type=existing_file, metavar="FILE",
        help="That token. Without it: the one beside the receipt, NAME.tsr, with what lies there for it.",
    )
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
        if tsa_roots is None and (tsa or tsa_chain or tsa_policy or tsa_before):
            raise click.UsageError("A token needs --tsa-roots PEM: whom you trust for the time.")
        files = None if tsa_roots is None else TokenFiles(tsa, tsa_roots, tsa_chain, tsa_policy, tsa_before)
        command(*arguments, tsa=files, **rest)

    return with_token


def _certificates(path: Path, option: str) -> tuple[Certificate, ...]:
    from crypto_core.receipts.anchor import MAX_CHAIN_SIZE, parse_certificates

    try:
        return parse_certificates(read_start(path, MAX_CHAIN_SIZE))
    except MalformedError as error:
        raise MalformedError(f"{option}: {error.detail}") from None


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

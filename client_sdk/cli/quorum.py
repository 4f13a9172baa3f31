"""Whom somebody trusts, as a file says it; who of them cosigned, who did not, and what would be enough: in words.

Knows: a policy and what a checkpoint came to under it. Refuses to know: receipts and ledgers.
"""

from __future__ import annotations

from pathlib import Path

from client_sdk.cli.options import read_start
from client_sdk.cli.output import one_line
from crypto_core.encoding import format_time
from crypto_core.errors import MalformedError
from crypto_core.receipts.policy import MAX_POLICY_SIZE, NONE, Policy, parse_policy
from crypto_core.receipts.rotation import MAX_ROTATIONS_SIZE, RotationChain, open_rotations
from crypto_core.receipts.witnessed import WitnessedCheckpoint


def read_policy(path: Path, given_as: str = "--policy") -> Policy:
    """Whom a file of the command says to trust. Raises as `parse_policy`; a MalformedError says which file it was."""
    try:
        return parse_policy(read_start(path, MAX_POLICY_SIZE))
    except MalformedError as error:
        raise MalformedError(f"{given_as}: {error.detail}") from None


def read_rotations(path: Path) -> RotationChain:
    """What --rotations names. Raises as `open_rotations`; a MalformedError says that it was this file."""
    try:
        return open_rotations(read_start(path, MAX_ROTATIONS_SIZE))
    except MalformedError as error:
        raise MalformedError(f"--rotations: {error.detail}") from None


def spell_quorum(policy: Policy) -> str:
    """`2 of (witness1.example/w, witness2.example/w)`: the quorum by the names of its keys, groups spelled out."""
    if policy.quorum == NONE:
        return "nobody is asked for"
    spelled = {one.name: one_line(one.key.name) for one in policy.witnesses}
    for group in policy.groups:  # each names only what stands before it
        members = ", ".join(spelled[member] for member in group.members)
        spelled[group.name] = f"{group.threshold} of ({members})"
    return spelled[policy.quorum]


def quorum_facts(policy: Policy, weighed: WitnessedCheckpoint) -> dict[str, str | None]:
    """For client_sdk.cli.output.facts."""
    strangers = ", ".join(dict.fromkeys(one_line(one.name) for one in weighed.ignored))
    return {
        "Asked for": spell_quorum(policy),
        "Cosigned": "\n".join(
            f"{one_line(one.witness.key.name)}  {format_time(one.time)}" for one in weighed.cosigned
        ) or (None if policy.quorum == NONE else "nobody whom you trust"),
        "Not yet": "\n".join(one_line(one.key.name) for one in weighed.missing) or None,
        "Passed over": f"{strangers}: not in your policy, so nothing is known about it" if strangers else None,
    }

"""What somebody who follows a ledger keeps between two looks: one small file, whole or not there.

Knows: how it is spelled. Refuses to know: the entries; how far they were read is enough.

    DIR/followed.json     this
    DIR/evidence/         what was signed or shown when something was found, by code and hash
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import ValidationError, fields

from client_sdk.home import read_file, write_file
from crypto_core.encoding import format_b64, format_json, parse_b64, parse_json
from crypto_core.errors import MalformedError, UnsupportedVersion
from crypto_core.receipts.policy import Policy, format_policy, parse_policy
from crypto_core.receipts.rotation import open_rotations, rotate_policy
from schemas.fields import Strict, Whole

FILE = "followed.json"
_VERSION = 1


@dataclass(frozen=True)
class Finding:
    """Something that was found: a code of client_sdk.following.findings, when (Unix seconds by this device's clock),
    what exactly, at which entry and in how many of them, and the names of the files kept as evidence."""

    code: str
    time: int
    detail: str
    index: int | None
    count: int
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Followed:
    """How far a ledger was followed. Times are Unix seconds by this device's clock, but for `entry_time`."""

    url: str
    policy: Policy
    since: int
    """When the first look was."""
    looked: int
    """When the last look was."""
    looks: int
    note: str
    """The note of the largest tree that was seen and found to continue all that was seen before."""
    confirmed: int
    """When it was last the one that was shown."""
    walked: int = 0
    """How many entries of that tree were read, each proven to stand at its place."""
    entry_time: int = 0
    """What the last of these says, in Unix seconds."""
    lags_since: int | None = None
    """Since when only smaller trees were shown."""
    uncompared: tuple[str, ...] = ()
    """Notes that could not be compared yet: the tiles that it takes were not shown."""
    findings: tuple[Finding, ...] = ()
    rotations: str = ""
    """The records of the ledger's keys that were followed, as they are published."""

    @property
    def trusted(self) -> Policy:
        """The policy, and every key that the records lead to."""
        return rotate_policy(self.policy, open_rotations(self.rotations.encode()))


def load_state(folder: Path) -> Followed | None:
    """What is kept in the folder; None if nothing is. Raises MalformedError if the file was damaged, or
    UnsupportedVersion."""
    data = read_file(folder / FILE)
    return None if data is None else parse_state(data)


def save_state(folder: Path, state: Followed) -> None:
    """On disk when this returns."""
    write_file(folder / FILE, format_state(state))


def format_state(state: Followed) -> bytes:
    """JSON, a line."""
    row = {**vars(state), "v": _VERSION, "policy": format_b64(format_policy(state.policy))}  # names may be any octets
    return format_json(_FOLLOWED.dump(row)) + b"\n"


def parse_state(data: bytes) -> Followed:
    """Raises MalformedError for anything that `format_state` does not write, UnsupportedVersion for a later `v`."""
    value = parse_json(data)
    match value:
        case {"v": int(version)} if version > _VERSION:
            raise UnsupportedVersion(FILE)
    try:
        row: dict[str, Any] = _FOLLOWED.load(value)
    except ValidationError:
        raise MalformedError("not what is kept of a ledger that is followed") from None
    del row["v"]
    findings = tuple(Finding(**{**one, "evidence": tuple(one["evidence"])}) for one in row["findings"])
    policy = parse_policy(parse_b64(row["policy"]))
    return Followed(**{**row, "policy": policy, "uncompared": tuple(row["uncompared"]), "findings": findings})


class _Finding(Strict):
    code = fields.String(required=True)
    time = Whole(required=True)
    detail = fields.String(required=True)
    index = Whole(required=True, allow_none=True)
    count = Whole(1, required=True)
    evidence = fields.List(fields.String(), required=True)


class _Followed(Strict):
    v = Whole(_VERSION, _VERSION, required=True)
    url = fields.String(required=True)
    policy = fields.String(required=True)
    since = Whole(required=True)
    looked = Whole(required=True)
    looks = Whole(required=True)
    note = fields.String(required=True)
    confirmed = Whole(required=True)
    walked = Whole(required=True)
    entry_time = Whole(required=True)
    lags_since = Whole(required=True, allow_none=True)
    uncompared = fields.List(fields.String(), required=True)
    findings = fields.List(fields.Nested(_Finding), required=True)
    rotations = fields.String(load_default="")


_FOLLOWED = _Followed()

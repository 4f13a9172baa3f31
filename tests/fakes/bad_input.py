"""What the vault says to bad input and in bad circumstances: one table, held to the tests and to docs/attacks.md.

Knows: a name for each row, the status and the stable code. Refuses to know: how each is brought about.
"""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from schemas.problems import MEDIA_TYPE, PROBLEMS
from tests.fakes.vault import said

CANARY = "kanarienvogel"
"""Stands in what is sent, and must not stand in an answer or in the log."""
TRACES = ("Traceback", 'File "', "sqlite", "SELECT", "INSERT", "Errno", "/data", "vault.db", CANARY)

REQUESTS: dict[str, str] = {
    # JSON
    "truncated JSON": "malformed",
    "two JSON values": "malformed",
    "a name that stands twice in an object": "malformed",
    "a byte order mark": "malformed",
    "a lone surrogate, as an escape": "malformed",
    "bytes that are not UTF-8": "malformed",
    "an integer beyond 2^53−1": "malformed",
    "an integer of a thousand digits": "malformed",
    "NaN": "malformed",
    "nesting deeper than 32": "malformed",
    "nesting of a hundred thousand": "malformed",
    "another charset": "media_type",
    "another media type": "media_type",
    "a JSON body larger than the limit": "too_large",
    "a value of the wrong type": "invalid",
    "a list instead of an object": "invalid",
    "an unknown field": "invalid",
    "a missing field": "invalid",
    "base64url with spare bits set": "invalid",
    "base64url with padding": "invalid",
    "base64 of the other alphabet": "invalid",
    "a key of 31 bytes": "invalid",
    # path and query
    "an id in the path that is not canonical": "not_found",
    "an unknown path": "not_found",
    "an unknown method": "method_not_allowed",
    "a query name that stands twice": "malformed",
    "an unknown query name": "invalid",
    "a cursor that is none": "invalid",
    "a range outside of the file": "range_invalid",
    # time
    "an expired challenge": "challenge_refused",
    "a challenge used twice": "challenge_refused",
    "a challenge of another account": "challenge_refused",
    # revisions
    "a revision that leaves one out": "revision_conflict",
    "a revision that is kept already, with other bytes": "revision_conflict",
    "a revision that does not follow what it replaces": "invalid",
    "a revision with a file that has not arrived": "blob_missing",
    "an account record that is not the next one": "record_conflict",
    # bodies and uploads
    "no length": "length_required",
    "a JSON body cut in the middle": "body_incomplete",
    "a file cut in the middle": "body_incomplete",
    "a unit cut in the middle": "body_incomplete",
    "a file larger than one unit in one request": "too_large",
    "a file that is too short to be sealed": "invalid",
    "a file without its digest": "malformed",
    "a file with a digest of another kind": "malformed",
    "a file with a wrong digest": "digest_mismatch",
    "a unit with a wrong digest": "digest_mismatch",
    "units that go beyond the announced end": "unit_invalid",
    "a unit that is too short": "unit_invalid",
    "a unit that is too long": "unit_invalid",
    "a unit that the upload does not have": "unit_invalid",
    "an overlapping unit with other bytes": "blob_conflict",
    "completing before all units are there": "upload_incomplete",
    "completing with another hash": "upload_mismatch",
    "an upload announced with another size": "blob_conflict",
    "a file kept already, with other bytes": "blob_conflict",
    "an upload larger than the vault takes": "invalid",
    "an upload larger than the space left": "quota_full",
}
"""Row → code of the refusal."""

CIRCUMSTANCES: dict[str, str] = {
    "the database is locked": "unavailable",
    "the database is locked, at a PIN": "limiter_unavailable",
    "the database is damaged": "unavailable",
    "the store of tries can't be reached": "limiter_unavailable",
    "the store of files was deleted, reading": "unavailable",
    "the store of files was deleted, writing": "unavailable",
    "the store of files was deleted, completing": "upload_incomplete",
    "the disk is full": "storage_full",
    "the disk is full, at a PIN": "limiter_unavailable",
    "the store of files is read-only": "unavailable",
    "the object store can't be reached, reading": "unavailable",
    "the object store can't be reached, writing": "unavailable",
    "the object store can't be reached, completing": "unavailable",
    "the object store is full": "storage_full",
    "the object store lets the vault in no more": "unavailable",
    "an object was deleted, reading": "unavailable",
    "an object was deleted, completing": "upload_incomplete",
}
"""The vault itself is in trouble."""

STARTS: dict[str, str] = {
    "the pepper is missing": "vault_incomplete",
    "the pepper can be read by others": "vault_secret_exposed",
    "the pepper is of another vault": "vault_secret_wrong",
    "the database is missing": "vault_incomplete",
    "all data is read-only": "vault_folder_closed",
    "a store of tries that there is no driver for": "config_refused",
    "a rate that can't be read": "config_refused",
    "the bucket is missing": "store_missing",
    "the object store does not let the vault in": "store_refused",
    "the object store's secret can be read by others": "vault_secret_exposed",
    "an object store without an address": "config_refused",
}
"""`temoin-server run` refuses to start, with exit status 1."""


def expect(name: str, answer: TestResponse, *log: str) -> Any:
    """The refusal of this row: its status, code and sentence, and no trace of anything else. Gives the problem."""
    code = (REQUESTS | CIRCUMSTANCES)[name]
    kind = PROBLEMS[code]
    problem = said(answer)
    assert (answer.status_code, problem["code"]) == (kind.status, code)
    assert (problem["status"], problem["title"], problem["detail"]) == (kind.status, kind.title, kind.sentence)
    assert (answer.content_type, answer.headers["Cache-Control"]) == (MEDIA_TYPE, "no-store")
    for text in (answer.get_data(as_text=True), *log):
        assert not [trace for trace in TRACES if trace in text]
    return problem


def rows() -> list[str]:
    """The table as docs/attacks.md has it."""
    found = [
        f"| {name} | {PROBLEMS[code].status} | `{code}` |" for name, code in (REQUESTS | CIRCUMSTANCES).items()
    ]
    return [*found, *(f"| at the start: {name} | exit 1 | `{code}` |" for name, code in STARTS.items())]

"""Every endpoint in one table: who may call it, what goes in, what comes out, how it may refuse.

Knows: the wire as a whole. Refuses to know: Flask. The server's routes, the OpenAPI file and the
test of who-may-do-what are all held to this table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from marshmallow import Schema

from schemas import accounts, boxes, directory, items, receipts, shares, uploads, vault


class Stage(StrEnum):
    """How far a session has come. A later stage includes `open`, never `password`. `recovery` is what somebody has who has
    shown the recovery code, good for that and for nothing else. `bundle` and `depositor` are no session's: the one is what a reader has who has opened a bundle, good for that bundle's blobs; the
    other what somebody has who has entered a box, good for putting things into it. Neither is good for anything else."""

    NONE = "none"
    PASSWORD = "password"
    OPEN = "open"
    CONFIRMED = "confirmed"
    RECOVERY = "recovery"
    ANY = "any"
    BUNDLE = "bundle"
    DEPOSITOR = "depositor"


OCTETS = "application/octet-stream"
JSON = "application/json"
NOTE = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Endpoint:
    """One method on one path. `takes` and `gives` are a schema, or a media type for bytes."""

    method: str
    path: str
    stage: Stage
    summary: str
    takes: type[Schema] | str | None = None
    query: type[Schema] | None = None
    gives: tuple[type[Schema] | str, ...] = ()
    status: int = 200
    refuses: tuple[str, ...] = ()
    headers: tuple[str, ...] = field(default=())


_PIN = ("pin_wrong", "pin_locked", "pin_closed", "account_damaged", "limiter_unavailable")
_LOGIN = ("host_unknown", "challenge_refused", "rate_limited", "limiter_unavailable")
_PROOF = ("host_unknown", "challenge_refused", "session_limited", "limiter_unavailable")
_OFFERED = ("unauthorized", "stage_insufficient")
"""Where no token is needed, and one that is offered has to be good."""
_READER = ("not_found", "bundle_over", "opening_over")
_DEPOSITOR = ("not_found", "box_over", "visit_over")
_BODY = ("body_incomplete", "length_required", "too_large", "digest_mismatch")

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/vault", Stage.NONE, "Facts a client pins", gives=(vault.Vault,), refuses=("host_unknown",)),
    Endpoint("GET", "/v1/health", Stage.NONE, "Alive and able to read", gives=(vault.Health,), refuses=("unavailable",)),
    # accounts
    Endpoint(
        "POST", "/v1/login/start", Stage.NONE, "A challenge, whether or not the account exists",
        accounts.LoginStart, gives=(accounts.Challenge,),
    ),
    Endpoint(
        "POST", "/v1/login/finish", Stage.NONE, "Prove the password", accounts.LoginFinish,
        gives=(accounts.PasswordStage,), refuses=("login_refused", "account_damaged", *_LOGIN),
    ),
    Endpoint(
        "POST", "/v1/accounts", Stage.NONE, "Sign up", accounts.Register, gives=(accounts.Registered,), status=201,
        refuses=("signature_refused", "account_exists", "id_taken", *_LOGIN), headers=("Temoin-Signature",),
    ),
    Endpoint(
        "POST", "/v1/pin", Stage.ANY, "Try a PIN: to open the account, or the sensitive items", accounts.Pin,
        gives=(accounts.OpenStage, accounts.SensitiveShare), refuses=_PIN,
    ),
    Endpoint(
        "POST", "/v1/pin/reopen", Stage.PASSWORD, "Open a closed or delayed PIN path with the recovery code",
        accounts.PinReopen, gives=(accounts.Nothing,), refuses=("recovery_refused", "account_damaged", *_PROOF),
    ),
    Endpoint(
        "POST", "/v1/confirm", Stage.OPEN, "Password and PIN once more", accounts.Confirm,
        gives=(accounts.ConfirmedStage,), refuses=("login_refused", *_PROOF, *_PIN),
    ),
    Endpoint("POST", "/v1/logout", Stage.ANY, "End this session", gives=(accounts.Nothing,)),
    Endpoint("GET", "/v1/sessions", Stage.OPEN, "Open sessions", gives=(accounts.Sessions,)),
    Endpoint("POST", "/v1/sessions/end-others", Stage.CONFIRMED, "End all other sessions", gives=(accounts.SessionsEnded,)),
    Endpoint("GET", "/v1/account", Stage.OPEN, "The account's own sealed rows", gives=(accounts.Account,)),
    Endpoint(
        "DELETE", "/v1/account", Stage.CONFIRMED, "Erase the account, and all that is kept for it, at once",
        gives=(accounts.Nothing,), refuses=("account_listed",),
    ),
    Endpoint(
        "PUT", "/v1/account/record", Stage.OPEN, "Replace the account record, compare-and-swap on n",
        accounts.PutAccountRecord, gives=(accounts.AccountRecordKept,), refuses=("record_conflict",),
    ),
    Endpoint(
        "POST", "/v1/account/credentials", Stage.CONFIRMED, "Change user name, password or PIN; ends all other sessions",
        accounts.ChangeCredentials, gives=(accounts.CredentialsChanged,),
        refuses=("signature_refused", "credentials_conflict", "account_exists", "account_damaged", "id_taken", "rate_limited", *_PROOF),
        headers=("Temoin-Signature", "Temoin-Signature-New"),
    ),
    # recovery
    Endpoint(
        "POST", "/v1/recovery/start", Stage.NONE, "A challenge, whether or not there is such a recovery code",
        accounts.RecoveryStart, gives=(accounts.Challenge,),
    ),
    Endpoint(
        "POST", "/v1/recovery/finish", Stage.NONE, "Show the recovery code: the waiting time begins, or goes on",
        accounts.RecoveryFinish, gives=(accounts.RecoveryStage,),
        refuses=("host_unknown", "challenge_refused", "recovery_refused", "account_damaged", "rate_limited", "limiter_unavailable"),
    ),
    Endpoint(
        "GET", "/v1/recovery/keys", Stage.RECOVERY, "What opens with the recovery code, once it is due",
        gives=(accounts.RecoveryKeys,), refuses=("recovery_waiting", "recovery_over", "account_damaged"),
    ),
    Endpoint(
        "POST", "/v1/recovery/credentials", Stage.RECOVERY, "New user name, password, PIN and recovery code; ends all sessions",
        accounts.ChangeCredentials, gives=(accounts.CredentialsChanged,),
        refuses=(
            "host_unknown", "signature_refused", "challenge_refused", "credentials_conflict", "account_exists", "account_damaged",
            "id_taken", "rate_limited", "limiter_unavailable", "recovery_waiting", "recovery_over",
        ),
        headers=("Temoin-Signature", "Temoin-Signature-New"),
    ),
    Endpoint("GET", "/v1/recovery", Stage.OPEN, "Whether somebody gets back in with the recovery code", gives=(accounts.PendingRecovery,)),
    Endpoint("DELETE", "/v1/recovery", Stage.CONFIRMED, "Put a stop to that; again if there is none", gives=(accounts.Nothing,)),
    Endpoint("GET", "/v1/recovery/wait", Stage.OPEN, "How long whoever shows the recovery code waits", gives=(accounts.RecoveryWait,)),
    Endpoint(
        "PUT", "/v1/recovery/wait", Stage.CONFIRMED, "Choose how long; a shorter time holds once the present one is over",
        accounts.SetRecoveryWait, gives=(accounts.RecoveryWait,),
    ),
    # items
    Endpoint("GET", "/v1/items", Stage.OPEN, "Revisions kept since a cursor", query=items.SyncQuery, gives=(items.SyncPage,)),
    Endpoint(
        "POST", "/v1/items", Stage.OPEN, "Keep revisions, all or none", items.PutItems, gives=(items.ItemsKept,), status=201,
        refuses=("revision_conflict", "blob_missing", "id_taken", "quota_full", "storage_full", "ledger_stopped"),
    ),
    Endpoint(
        "GET", "/v1/items/<id:item>/revisions/<u32:revision>/receipt", Stage.OPEN, "The receipt of a record",
        gives=(receipts.ReceiptAnswer,), refuses=("not_found",),
    ),
    # blobs
    Endpoint(
        "PUT", "/v1/blobs/<id:blob>", Stage.OPEN, "Keep a blob of one unit or less", OCTETS, gives=(uploads.KeptBlob,), status=201,
        refuses=("blob_conflict", "quota_full", "storage_full", "ledger_stopped", *_BODY), headers=("Content-Digest",),
    ),
    Endpoint(
        "GET", "/v1/blobs/<id:blob>", Stage.OPEN, "The bytes of a blob, whole or a range", gives=(OCTETS,),
        refuses=("not_found", "range_invalid"), headers=("Range",),
    ),
    Endpoint(
        "GET", "/v1/blobs/<id:blob>/receipt", Stage.OPEN, "The receipt of a blob",
        gives=(receipts.ReceiptAnswer,), refuses=("not_found",),
    ),
    Endpoint(
        "POST", "/v1/uploads", Stage.OPEN, "Announce a blob; again with the same size to go on", uploads.StartUpload,
        gives=(uploads.Upload,), status=201, refuses=("blob_conflict", "quota_full"),
    ),
    Endpoint("GET", "/v1/uploads/<id:blob>", Stage.OPEN, "Which units are there", gives=(uploads.Upload,), refuses=("not_found",)),
    Endpoint(
        "PUT", "/v1/uploads/<id:blob>/units/<u32:first>", Stage.OPEN, "Whole consecutive units, from `first`", OCTETS,
        gives=(uploads.Upload,), refuses=("not_found", "unit_invalid", "upload_complete", "blob_conflict", "storage_full", *_BODY),
        headers=("Content-Digest", "Temoin-Unit-Digests"),
    ),
    Endpoint(
        "POST", "/v1/uploads/<id:blob>/complete", Stage.OPEN, "Check the whole and keep it; idempotent", uploads.CompleteUpload,
        gives=(uploads.KeptBlob,), status=201,
        refuses=(
            "not_found", "upload_incomplete", "upload_checking", "upload_mismatch", "blob_conflict", "quota_full", "storage_full",
            "ledger_stopped",
        ),
    ),
    Endpoint(
        "DELETE", "/v1/uploads/<id:blob>", Stage.OPEN, "Give an upload up", gives=(accounts.Nothing,),
        refuses=("not_found", "upload_complete"),
    ),
    # bundles: the person's side
    Endpoint(
        "POST", "/v1/bundles", Stage.CONFIRMED, "Share: for one professional or one link", shares.PutBundle,
        gives=(shares.BundleKept,), status=201,
        refuses=("blob_missing", "id_taken", "not_found", "professional_unknown", "quota_full"),
    ),
    Endpoint("GET", "/v1/bundles", Stage.OPEN, "What is and was shared, and each opening", gives=(shares.Bundles,)),
    Endpoint(
        "DELETE", "/v1/bundles/<id:bundle>", Stage.OPEN, "End a bundle and what it opened; again if already ended",
        gives=(accounts.Nothing,), refuses=("not_found",),
    ),
    # bundles: the reader's side
    Endpoint(
        "GET", "/v1/inbox", Stage.OPEN, "Bundles for this professional, not opened yet or to be opened again",
        gives=(shares.Inbox,), refuses=("professional_needed",),
    ),
    Endpoint(
        "POST", "/v1/links/<id:bundle>", Stage.NONE, "Try the code of a link", shares.TryCode, gives=(shares.LinkShare,),
        refuses=("not_found", "bundle_over", "code_wrong", "account_damaged", "limiter_unavailable"),
    ),
    Endpoint(
        "POST", "/v1/bundles/<id:bundle>/open", Stage.NONE, "Open a bundle, counted; a professional brings a session too",
        shares.OpenBundle, gives=(shares.BundleOpened,),
        refuses=("not_found", "bundle_over", "cap_refused", "openings_used", "id_taken", *_OFFERED),
    ),
    Endpoint(
        "GET", "/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>", Stage.BUNDLE, "The bytes of a record",
        gives=(OCTETS,), refuses=_READER,
    ),
    Endpoint(
        "GET", "/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>/receipt", Stage.BUNDLE,
        "The receipt of a record", gives=(receipts.ReceiptAnswer,), refuses=_READER,
    ),
    Endpoint(
        "GET", "/v1/bundles/<id:bundle>/blobs/<id:blob>", Stage.BUNDLE, "The bytes of a blob, whole or a range",
        gives=(OCTETS,), refuses=(*_READER, "range_invalid"), headers=("Range",),
    ),
    Endpoint(
        "GET", "/v1/bundles/<id:bundle>/blobs/<id:blob>/receipt", Stage.BUNDLE, "The receipt of a blob",
        gives=(receipts.ReceiptAnswer,), refuses=_READER,
    ),
    # boxes: the person's side
    Endpoint(
        "POST", "/v1/boxes", Stage.CONFIRMED, "Let somebody who has no account put things in", boxes.PutBox,
        gives=(boxes.BoxKept,), status=201, refuses=("id_taken", "quota_full"),
    ),
    Endpoint("GET", "/v1/boxes", Stage.OPEN, "The boxes, and how much was put into each", gives=(boxes.Boxes,)),
    Endpoint(
        "DELETE", "/v1/boxes/<id:box>", Stage.OPEN, "Close a box; what waits in it stays; again if already ended",
        gives=(accounts.Nothing,), refuses=("not_found",),
    ),
    Endpoint(
        "GET", "/v1/boxes/<id:box>/deposits", Stage.OPEN, "What waits to be accepted", gives=(boxes.WaitingDeposits,),
        refuses=("not_found",),
    ),
    Endpoint(
        "DELETE", "/v1/boxes/<id:box>/deposits/<id:deposit>", Stage.OPEN,
        "Refuse a deposit: erased after a delay, at once if confirmed", gives=(accounts.Nothing,), refuses=("not_found",),
    ),
    # boxes: the depositor's side
    Endpoint(
        "POST", "/v1/boxes/<id:box>/enter", Stage.NONE, "Enter a box with the key of its address", boxes.EnterBox,
        gives=(boxes.BoxEntered,), refuses=("not_found", "box_over", "cap_refused", "rate_limited", "limiter_unavailable"),
    ),
    Endpoint(
        "PUT", "/v1/boxes/<id:box>/blobs/<id:blob>", Stage.DEPOSITOR, "Keep a blob of one unit or less", OCTETS,
        gives=(uploads.KeptBlob,), status=201,
        refuses=("blob_conflict", "box_full", "storage_full", "ledger_stopped", *_DEPOSITOR, *_BODY),
        headers=("Content-Digest",),
    ),
    Endpoint(
        "POST", "/v1/boxes/<id:box>/uploads", Stage.DEPOSITOR, "Announce a blob; again with the same size to go on",
        uploads.StartUpload, gives=(uploads.Upload,), status=201, refuses=("blob_conflict", "box_full", *_DEPOSITOR),
    ),
    Endpoint(
        "PUT", "/v1/boxes/<id:box>/uploads/<id:blob>/units/<u32:first>", Stage.DEPOSITOR,
        "Whole consecutive units, from `first`", OCTETS, gives=(uploads.Upload,),
        refuses=("unit_invalid", "upload_complete", "blob_conflict", "storage_full", *_DEPOSITOR, *_BODY),
        headers=("Content-Digest", "Temoin-Unit-Digests"),
    ),
    Endpoint(
        "POST", "/v1/boxes/<id:box>/uploads/<id:blob>/complete", Stage.DEPOSITOR, "Check the whole and keep it; idempotent",
        uploads.CompleteUpload, gives=(uploads.KeptBlob,), status=201,
        refuses=(
            "upload_incomplete", "upload_checking", "upload_mismatch", "blob_conflict", "box_full", "storage_full", "ledger_stopped",
            *_DEPOSITOR,
        ),
    ),
    Endpoint(
        "DELETE", "/v1/boxes/<id:box>/uploads/<id:blob>", Stage.DEPOSITOR, "Give an upload up", gives=(accounts.Nothing,),
        refuses=("upload_complete", *_DEPOSITOR),
    ),
    Endpoint(
        "POST", "/v1/boxes/<id:box>/deposits", Stage.DEPOSITOR, "Put what was sent into the box, as one deposit",
        boxes.PutDeposit, gives=(boxes.DepositKept,), status=201,
        refuses=("blob_missing", "id_taken", "box_full", *_DEPOSITOR),
    ),
    # professionals
    Endpoint(
        "POST", "/v1/professional", Stage.CONFIRMED, "Ask to be listed, or to be listed otherwise", directory.Listing,
        gives=(directory.Professional,), refuses=("host_unknown", "signature_refused"), headers=("Temoin-Signature",),
    ),
    Endpoint("GET", "/v1/professional", Stage.OPEN, "The account's own standing", gives=(directory.Professional,)),
    Endpoint("GET", "/directory/checkpoint", Stage.NONE, "The signed state of the directory (C2SP tlog-tiles)", gives=(NOTE,)),
    Endpoint(
        "GET", "/directory/tile/<path:tile>", Stage.NONE, "A tile of hashes or entries (C2SP tlog-tiles)", gives=(OCTETS,),
        refuses=("not_found",),
    ),
    # the ledger, for everybody
    Endpoint("GET", "/ledger/checkpoint", Stage.NONE, "The signed state of the ledger (C2SP tlog-tiles)", gives=(NOTE,)),
    Endpoint("GET", "/ledger/restorations", Stage.NONE, "What the ledger says of having been set back to an older copy, oldest first; empty if it never was", gives=(NOTE,)),
    Endpoint("GET", "/ledger/rotations", Stage.NONE, "The records of the ledger's keys, oldest first; empty for its first", gives=(NOTE,)),
    Endpoint("GET", "/ledger/tile/<path:tile>", Stage.NONE, "A tile of hashes or entries (C2SP tlog-tiles)", gives=(OCTETS,), refuses=("not_found",)),
    Endpoint(
        "GET", "/v1/ledger/consistency", Stage.NONE, "Proof that the ledger only grew", query=receipts.ConsistencyQuery,
        gives=(receipts.Consistency,), refuses=("not_found", *_OFFERED),
    ),
    Endpoint(
        "GET", "/v1/ledger/inclusion", Stage.NONE, "Proof that an entry stands in the ledger", query=receipts.InclusionQuery,
        gives=(receipts.Inclusion,), refuses=("not_found", *_OFFERED),
    ),
    Endpoint(
        "GET", "/v1/ledger/anchors", Stage.NONE, "Tokens of a time-stamping authority, before and over a tree",
        query=receipts.AnchorsQuery, gives=(receipts.Anchors,), refuses=_OFFERED,
    ),
)

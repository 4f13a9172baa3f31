"""Every way in which the vault says no: code, status, and a sentence a person can act on.

Knows: the table below. Refuses to know: which line of the server says it.
A code is never renamed. The web client translates by code; the sentence here is for the command line.
"""

from __future__ import annotations

from typing import NamedTuple

MEDIA_TYPE = "application/problem+json"


class ProblemKind(NamedTuple):
    status: int
    title: str
    sentence: str


PROBLEMS: dict[str, ProblemKind] = {
    # the request
    "malformed": ProblemKind(400, "Malformed", "The request could not be read. Update this program, then try again."),
    "invalid": ProblemKind(422, "Invalid", "A value in the request is not allowed; `fields` names it."),
    "body_incomplete": ProblemKind(
        400, "Body incomplete", "The connection was cut before everything arrived. Nothing was kept of it; send it again."
    ),
    "digest_mismatch": ProblemKind(
        400, "Digest mismatch", "What arrived is not what was sent. Nothing was kept of it; send it again."
    ),
    "host_unknown": ProblemKind(400, "Host unknown", "This vault serves its own machine alone. Its operator can give it a name by TEMOIN_HOST."),
    "length_required": ProblemKind(411, "Length required", "The request must say how long its body is."),
    "too_large": ProblemKind(413, "Too large", "This is larger than the vault takes in one request."),
    "media_type": ProblemKind(415, "Unsupported media type", "The request has a content type that the vault does not take here."),
    "range_invalid": ProblemKind(416, "Range not satisfiable", "The range asked for lies outside of the file."),
    "not_found": ProblemKind(404, "Not found", "There is nothing here under this name."),
    "method_not_allowed": ProblemKind(405, "Method not allowed", "The vault does not do this here."),
    # who asks
    "unauthorized": ProblemKind(401, "Unauthorized", "The session has ended. Log in again; nothing was lost."),
    "stage_insufficient": ProblemKind(403, "Not at this stage", "This needs a further step: the PIN, or password and PIN once more."),
    "signature_refused": ProblemKind(401, "Signature refused", "The request is not signed by the key it names."),
    "challenge_refused": ProblemKind(401, "Challenge refused", "This took too long, or was sent twice. Start again."),
    "login_refused": ProblemKind(401, "Login refused", "User name or password are not right. Check both, and try again."),
    "pin_wrong": ProblemKind(403, "Wrong PIN", "The PIN is not right."),
    "pin_locked": ProblemKind(429, "PIN locked for now", "Too many wrong PINs. Wait for the time shown, then try again. Nothing is lost."),
    "pin_closed": ProblemKind(
        423,
        "PIN closed",
        "Twenty wrong PINs in a row closed this way in. The recovery code opens it at once; otherwise it opens again by itself "
        "after seven days. Nothing is lost.",
    ),
    "rate_limited": ProblemKind(
        429, "Too many tries",
        "Too many tries from this network, perhaps by somebody else on it. Nothing is lost. Wait for the time shown, or use "
        "another network, a telephone's for instance: it is counted by itself.",
    ),
    "session_limited": ProblemKind(
        429, "Too many tries in this session",
        "Too many wrong tries in this session. Nothing is lost, and what is open stays open. Wait for the time shown, then try "
        "again.",
    ),
    "recovery_refused": ProblemKind(403, "Recovery refused", "The recovery code is not right. Check each word, and try again."),
    # who shares, and who opens
    "recovery_waiting": ProblemKind(
        403, "Not due yet",
        "The recovery words are right, and the waiting time has begun. Come back with them after the time shown; nothing is lost.",
    ),
    "recovery_over": ProblemKind(
        410, "Recovery over",
        "This recovery was stopped by somebody who knows password and PIN, was used, or was left for too long. Begin it again.",
    ),
    "professional_needed": ProblemKind(403, "Not a listed professional", "This is for professionals whom the vault's operator has listed."),
    "account_listed": ProblemKind(
        409, "Listed as a professional",
        "This account stands in the public list of professionals. Ask who runs this vault to take it out; then it can be deleted.",
    ),
    "professional_unknown": ProblemKind(
        409, "Not listed", "This professional is not listed any more, or is listed anew. Look in the directory again, and compare the digits."
    ),
    "bundle_over": ProblemKind(410, "Over", "What was shared here can't be opened any more. Ask the person who shared it."),
    "cap_refused": ProblemKind(403, "Wrong key", "The address does not fit what it leads to. Take it whole, as you were given it."),
    "openings_used": ProblemKind(403, "No opening left", "This was opened as often as the person allowed. Ask for it to be extended."),
    "opening_over": ProblemKind(401, "Opening over", "This opening has ended, or was ended. Open it again, if that is still allowed."),
    "code_wrong": ProblemKind(403, "Wrong code", "The code is not right. Ask for it again before you try: after five wrong ones nothing opens any more."),
    # who puts something into a box
    "box_over": ProblemKind(410, "Over", "Nothing can be put into this box any more. Ask the person who gave you the address."),
    "box_full": ProblemKind(507, "Box full", "This is more than the box still takes. Send less, or ask the person who gave you the address for another box."),
    "visit_over": ProblemKind(401, "Visit over", "This visit has ended. Open the address again; what has arrived is still there."),
    # what is there already
    "account_exists": ProblemKind(409, "Already taken", "This user name with this password can't be used. Choose another user name or password."),
    "id_taken": ProblemKind(409, "Id taken", "An id in the request is in use already. Try again with fresh ones."),
    "revision_conflict": ProblemKind(
        409, "Newer revision", "Another device changed this first. Both texts are kept; read the newer one, then save yours again."
    ),
    "record_conflict": ProblemKind(409, "Newer account record", "Another device wrote first. Synchronise, then try again."),
    "credentials_conflict": ProblemKind(409, "Changed meanwhile", "Another device changed this account first. Log in again, then try once more."),
    "account_damaged": ProblemKind(
        409, "Account damaged",
        "What is kept for this account was mixed up or changed, so the vault does not use it. Tell who runs this vault; nothing was tried with it.",
    ),
    "blob_missing": ProblemKind(409, "Blob missing", "A file that belongs to this has not arrived whole. Send it first."),
    "blob_conflict": ProblemKind(409, "Blob differs", "Other bytes are kept under this name. They were not changed. Upload it as new."),
    "upload_complete": ProblemKind(409, "Upload complete", "This upload is complete already."),
    "unit_invalid": ProblemKind(422, "Not whole units", "The bytes sent are not whole units of the announced upload."),
    "upload_incomplete": ProblemKind(409, "Upload incomplete", "Some units have not arrived yet. Send them, then complete."),
    "upload_checking": ProblemKind(
        503, "Upload being checked",
        "All of it has arrived, and the vault is still checking it, which takes minutes for a large file. Ask again in a "
        "moment; nothing has to be sent again.",
    ),
    "upload_mismatch": ProblemKind(422, "Upload mismatch", "The whole does not have the announced hash. Nothing was kept; upload it as new."),
    "quota_full": ProblemKind(507, "Space full", "Your space is full. Delete something, or ask who runs this vault for more. Nothing was lost."),
    # the vault itself
    "ledger_stopped": ProblemKind(
        503, "Ledger stopped",
        "The vault takes nothing new: its ledger does not fit what was signed before. Reading goes on, and what you wrote "
        "waits on your device. Tell who runs this vault.",
    ),
    "storage_full": ProblemKind(507, "Storage full", "The vault has no room left. Nothing was lost; try again later."),
    "limiter_unavailable": ProblemKind(
        503, "Can't count tries", "The vault can't count tries right now and so lets nobody in. Try again in a moment; nothing is lost."
    ),
    "unavailable": ProblemKind(503, "Unavailable", "The vault can't do this right now. Try again in a moment; nothing was lost."),
    "internal": ProblemKind(500, "Internal error", "Something went wrong in the vault. Nothing was kept of this request; try again."),
}

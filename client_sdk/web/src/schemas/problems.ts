// Every way in which the vault says no: code, status, and a sentence a person can act on, as in schemas/problems.py.
// Knows: the table below. Refuses to know: which line of the server says it, and other languages than English: pages
// translate by code.

export const MEDIA_TYPE = "application/problem+json";

export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly sentence: string;
}

export const PROBLEMS = {
  // the request
  malformed: {
    status: 400,
    title: "Malformed",
    sentence: "The request could not be read. Update this program, then try again.",
  },
  invalid: { status: 422, title: "Invalid", sentence: "A value in the request is not allowed; `fields` names it." },
  body_incomplete: {
    status: 400,
    title: "Body incomplete",
    sentence: "The connection was cut before everything arrived. Nothing was kept of it; send it again.",
  },
  digest_mismatch: {
    status: 400,
    title: "Digest mismatch",
    sentence: "What arrived is not what was sent. Nothing was kept of it; send it again.",
  },
  host_unknown: {
    status: 400,
    title: "Host unknown",
    sentence: "This vault serves its own machine alone. Its operator can give it a name by TEMOIN_HOST.",
  },
  length_required: { status: 411, title: "Length required", sentence: "The request must say how long its body is." },
  too_large: { status: 413, title: "Too large", sentence: "This is larger than the vault takes in one request." },
  media_type: {
    status: 415,
    title: "Unsupported media type",
    sentence: "The request has a content type that the vault does not take here.",
  },
  range_invalid: {
    status: 416,
    title: "Range not satisfiable",
    sentence: "The range asked for lies outside of the file.",
  },
  not_found: { status: 404, title: "Not found", sentence: "There is nothing here under this name." },
  method_not_allowed: { status: 405, title: "Method not allowed", sentence: "The vault does not do this here." },
  // who asks
  unauthorized: {
    status: 401,
    title: "Unauthorized",
    sentence: "The session has ended. Log in again; nothing was lost.",
  },
  stage_insufficient: {
    status: 403,
    title: "Not at this stage",
    sentence: "This needs a further step: the PIN, or password and PIN once more.",
  },
  signature_refused: {
    status: 401,
    title: "Signature refused",
    sentence: "The request is not signed by the key it names.",
  },
  challenge_refused: {
    status: 401,
    title: "Challenge refused",
    sentence: "This took too long, or was sent twice. Start again.",
  },
  login_refused: {
    status: 401,
    title: "Login refused",
    sentence: "User name or password are not right. Check both, and try again.",
  },
  pin_wrong: { status: 403, title: "Wrong PIN", sentence: "The PIN is not right." },
  pin_locked: {
    status: 429,
    title: "PIN locked for now",
    sentence: "Too many wrong PINs. Wait for the time shown, then try again. Nothing is lost.",
  },
  pin_closed: {
    status: 423,
    title: "PIN closed",
    sentence:
      "Twenty wrong PINs in a row closed this way in. The recovery code opens it at once; otherwise it opens "
      + "again by itself after seven days. Nothing is lost.",
  },
  rate_limited: {
    status: 429,
    title: "Too many tries",
    sentence:
      "Too many tries from this network, perhaps by somebody else on it. Nothing is lost. Wait for the time shown, or use "
      + "another network, a telephone's for instance: it is counted by itself.",
  },
  session_limited: {
    status: 429,
    title: "Too many tries in this session",
    sentence:
      "Too many wrong tries in this session. Nothing is lost, and what is open stays open. Wait for the time shown, then try "
      + "again.",
  },
  recovery_refused: {
    status: 403,
    title: "Recovery refused",
    sentence: "The recovery code is not right. Check each word, and try again.",
  },
  // who shares, and who opens
  recovery_waiting: {
    status: 403,
    title: "Not due yet",
    sentence:
      "The recovery words are right, and the waiting time has begun. Come back with them after the time shown; nothing "
      + "is lost.",
  },
  recovery_over: {
    status: 410,
    title: "Recovery over",
    sentence:
      "This recovery was stopped by somebody who knows password and PIN, was used, or was left for too long. Begin it "
      + "again.",
  },
  professional_needed: {
    status: 403,
    title: "Not a listed professional",
    sentence: "This is for professionals whom the vault's operator has listed.",
  },
  account_listed: {
    status: 409,
    title: "Listed as a professional",
    sentence:
      "This account stands in the public list of professionals. Ask who runs this vault to take it out; then it "
      + "can be deleted.",
  },
  professional_unknown: {
    status: 409,
    title: "Not listed",
    sentence:
      "This professional is not listed any more, or is listed anew. Look in the directory again, and "
      + "compare the digits.",
  },
  bundle_over: {
    status: 410,
    title: "Over",
    sentence: "What was shared here can't be opened any more. Ask the person who shared it.",
  },
  cap_refused: {
    status: 403,
    title: "Wrong key",
    sentence: "The address does not fit what it leads to. Take it whole, as you were given it.",
  },
  openings_used: {
    status: 403,
    title: "No opening left",
    sentence: "This was opened as often as the person allowed. Ask for it to be extended.",
  },
  opening_over: {
    status: 401,
    title: "Opening over",
    sentence: "This opening has ended, or was ended. Open it again, if that is still allowed.",
  },
  code_wrong: {
    status: 403,
    title: "Wrong code",
    sentence: "The code is not right. Ask for it again before you try: after five wrong ones nothing opens any more.",
  },
  // who puts something into a box
  box_over: {
    status: 410,
    title: "Over",
    sentence: "Nothing can be put into this box any more. Ask the person who gave you the address.",
  },
  box_full: {
    status: 507,
    title: "Box full",
    sentence:
      "This is more than the box still takes. Send less, or ask the person who gave you the address for another box.",
  },
  visit_over: {
    status: 401,
    title: "Visit over",
    sentence: "This visit has ended. Open the address again; what has arrived is still there.",
  },
  // what is there already
  account_exists: {
    status: 409,
    title: "Already taken",
    sentence: "This user name with this password can't be used. Choose another user name or password.",
  },
  id_taken: {
    status: 409,
    title: "Id taken",
    sentence: "An id in the request is in use already. Try again with fresh ones.",
  },
  revision_conflict: {
    status: 409,
    title: "Newer revision",
    sentence: "Another device changed this first. Both texts are kept; read the newer one, then save yours again.",
  },
  record_conflict: {
    status: 409,
    title: "Newer account record",
    sentence: "Another device wrote first. Synchronise, then try again.",
  },
  credentials_conflict: {
    status: 409,
    title: "Changed meanwhile",
    sentence: "Another device changed this account first. Log in again, then try once more.",
  },
  account_damaged: {
    status: 409,
    title: "Account damaged",
    sentence:
      "What is kept for this account was mixed up or changed, so the vault does not use it. Tell who runs this "
      + "vault; nothing was tried with it.",
  },
  blob_missing: {
    status: 409,
    title: "Blob missing",
    sentence: "A file that belongs to this has not arrived whole. Send it first.",
  },
  blob_conflict: {
    status: 409,
    title: "Blob differs",
    sentence: "Other bytes are kept under this name. They were not changed. Upload it as new.",
  },
  upload_complete: { status: 409, title: "Upload complete", sentence: "This upload is complete already." },
  unit_invalid: {
    status: 422,
    title: "Not whole units",
    sentence: "The bytes sent are not whole units of the announced upload.",
  },
  upload_incomplete: {
    status: 409,
    title: "Upload incomplete",
    sentence: "Some units have not arrived yet. Send them, then complete.",
  },
  upload_checking: {
    status: 503,
    title: "Upload being checked",
    sentence:
      "All of it has arrived, and the vault is still checking it, which takes minutes for a large file. Ask again in a "
      + "moment; nothing has to be sent again.",
  },
  upload_mismatch: {
    status: 422,
    title: "Upload mismatch",
    sentence: "The whole does not have the announced hash. Nothing was kept; upload it as new.",
  },
  quota_full: {
    status: 507,
    title: "Space full",
    sentence: "Your space is full. Delete something, or ask who runs this vault for more. Nothing was lost.",
  },
  // the vault itself
  ledger_stopped: {
    status: 503,
    title: "Ledger stopped",
    sentence:
      "The vault takes nothing new: its ledger does not fit what was signed before. Reading goes on, and what you wrote "
      + "waits on your device. Tell who runs this vault.",
  },
  storage_full: {
    status: 507,
    title: "Storage full",
    sentence: "The vault has no room left. Nothing was lost; try again later.",
  },
  limiter_unavailable: {
    status: 503,
    title: "Can't count tries",
    sentence: "The vault can't count tries right now and so lets nobody in. Try again in a moment; nothing is lost.",
  },
  unavailable: {
    status: 503,
    title: "Unavailable",
    sentence: "The vault can't do this right now. Try again in a moment; nothing was lost.",
  },
  internal: {
    status: 500,
    title: "Internal error",
    sentence: "Something went wrong in the vault. Nothing was kept of this request; try again.",
  },
} as const satisfies Readonly<Record<string, ProblemKind>>;

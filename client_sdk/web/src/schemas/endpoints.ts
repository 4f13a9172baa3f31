// Every endpoint in one table: who may call it, what goes in, what comes out.
// Knows: the wire as a whole, as Python's table has it (a test reads both). Refuses to know: fetch, and how an endpoint
// may refuse: any refusal of schemas/problems.ts is understood from any of them.

import type * as v from "valibot";

import * as accounts from "./accounts.js";
import * as boxes from "./boxes.js";
import * as directory from "./directory.js";
import * as items from "./items.js";
import * as receipts from "./receipts.js";
import * as shares from "./shares.js";
import * as uploads from "./uploads.js";
import * as vault from "./vault.js";

/** How far a session has come. A later stage includes `open`, never `password`. `recovery` is what somebody has who has
 * shown the recovery code, good for that and for nothing else. `bundle` and `depositor` are no session's: the one is what a reader has who has opened a bundle, good for that bundle's blobs; the
 * other what somebody has who has entered a box, good for putting things into it. Neither is good for anything else. */
export const Stage = {
  NONE: "none", PASSWORD: "password", OPEN: "open", CONFIRMED: "confirmed", RECOVERY: "recovery", ANY: "any",
  BUNDLE: "bundle", DEPOSITOR: "depositor",
} as const;
export type Stage = (typeof Stage)[keyof typeof Stage];

export const OCTETS = "application/octet-stream";
export const JSON = "application/json";
export const NOTE = "text/plain; charset=utf-8";

/** One method on one path. `takes` and `gives` are a schema, or a media type for bytes. */
export interface Endpoint {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly stage: Stage;
  readonly takes: v.GenericSchema | string | null;
  readonly gives: readonly (v.GenericSchema | string)[];
  readonly status: number;
}

function row<
  const M extends Endpoint["method"], const P extends string, const T extends Endpoint["takes"],
  const G extends Endpoint["gives"],
>(method: M, path: P, stage: Stage, takes: T, gives: G, status = 200) {
  return { method, path, stage, takes, gives, status } as const;
}

export const ENDPOINTS = [
  row("GET", "/v1/vault", Stage.NONE, null, [vault.Vault]),
  row("GET", "/v1/health", Stage.NONE, null, [vault.Health]),
  // accounts
  row("POST", "/v1/login/start", Stage.NONE, accounts.LoginStart, [accounts.Challenge]),
  row("POST", "/v1/login/finish", Stage.NONE, accounts.LoginFinish, [accounts.PasswordStage]),
  row("POST", "/v1/accounts", Stage.NONE, accounts.Register, [accounts.Registered], 201),
  row("POST", "/v1/pin", Stage.ANY, accounts.Pin, [accounts.OpenStage, accounts.SensitiveShare]),
  row("POST", "/v1/pin/reopen", Stage.PASSWORD, accounts.PinReopen, [accounts.Nothing]),
  row("POST", "/v1/confirm", Stage.OPEN, accounts.Confirm, [accounts.ConfirmedStage]),
  row("POST", "/v1/logout", Stage.ANY, null, [accounts.Nothing]),
  row("GET", "/v1/sessions", Stage.OPEN, null, [accounts.Sessions]),
  row("POST", "/v1/sessions/end-others", Stage.CONFIRMED, null, [accounts.SessionsEnded]),
  row("GET", "/v1/account", Stage.OPEN, null, [accounts.Account]),
  row("DELETE", "/v1/account", Stage.CONFIRMED, null, [accounts.Nothing]),
  row("PUT", "/v1/account/record", Stage.OPEN, accounts.PutAccountRecord, [accounts.AccountRecordKept]),
  row("POST", "/v1/account/credentials", Stage.CONFIRMED, accounts.ChangeCredentials, [accounts.CredentialsChanged]),
  // recovery
  row("POST", "/v1/recovery/start", Stage.NONE, accounts.RecoveryStart, [accounts.Challenge]),
  row("POST", "/v1/recovery/finish", Stage.NONE, accounts.RecoveryFinish, [accounts.RecoveryStage]),
  row("GET", "/v1/recovery/keys", Stage.RECOVERY, null, [accounts.RecoveryKeys]),
  row("POST", "/v1/recovery/credentials", Stage.RECOVERY, accounts.ChangeCredentials, [accounts.CredentialsChanged]),
  row("GET", "/v1/recovery", Stage.OPEN, null, [accounts.PendingRecovery]),
  row("DELETE", "/v1/recovery", Stage.CONFIRMED, null, [accounts.Nothing]),
  row("GET", "/v1/recovery/wait", Stage.OPEN, null, [accounts.RecoveryWait]),
  row("PUT", "/v1/recovery/wait", Stage.CONFIRMED, accounts.SetRecoveryWait, [accounts.RecoveryWait]),
  // items
  row("GET", "/v1/items", Stage.OPEN, null, [items.SyncPage]),
  row("POST", "/v1/items", Stage.OPEN, items.PutItems, [items.ItemsKept], 201),
  row(
    "GET", "/v1/items/<id:item>/revisions/<u32:revision>/receipt", Stage.OPEN, null, [receipts.ReceiptAnswer],
  ),
  // blobs
  row("PUT", "/v1/blobs/<id:blob>", Stage.OPEN, OCTETS, [uploads.KeptBlob], 201),
  row("GET", "/v1/blobs/<id:blob>", Stage.OPEN, null, [OCTETS]),
  row("GET", "/v1/blobs/<id:blob>/receipt", Stage.OPEN, null, [receipts.ReceiptAnswer]),
  row("POST", "/v1/uploads", Stage.OPEN, uploads.StartUpload, [uploads.Upload], 201),
  row("GET", "/v1/uploads/<id:blob>", Stage.OPEN, null, [uploads.Upload]),
  row("PUT", "/v1/uploads/<id:blob>/units/<u32:first>", Stage.OPEN, OCTETS, [uploads.Upload]),
  row("POST", "/v1/uploads/<id:blob>/complete", Stage.OPEN, uploads.CompleteUpload, [uploads.KeptBlob], 201),
  row("DELETE", "/v1/uploads/<id:blob>", Stage.OPEN, null, [accounts.Nothing]),
  // bundles: the person's side
  row("POST", "/v1/bundles", Stage.CONFIRMED, shares.PutBundle, [shares.BundleKept], 201),
  row("GET", "/v1/bundles", Stage.OPEN, null, [shares.Bundles]),
  row("DELETE", "/v1/bundles/<id:bundle>", Stage.OPEN, null, [accounts.Nothing]),
  // bundles: the reader's side
  row("GET", "/v1/inbox", Stage.OPEN, null, [shares.Inbox]),
  row("POST", "/v1/links/<id:bundle>", Stage.NONE, shares.TryCode, [shares.LinkShare]),
  row("POST", "/v1/bundles/<id:bundle>/open", Stage.NONE, shares.OpenBundle, [shares.BundleOpened]),
  row("GET", "/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>", Stage.BUNDLE, null, [OCTETS]),
  row(
    "GET", "/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>/receipt", Stage.BUNDLE, null,
    [receipts.ReceiptAnswer],
  ),
  row("GET", "/v1/bundles/<id:bundle>/blobs/<id:blob>", Stage.BUNDLE, null, [OCTETS]),
  row("GET", "/v1/bundles/<id:bundle>/blobs/<id:blob>/receipt", Stage.BUNDLE, null, [receipts.ReceiptAnswer]),
  // boxes: the person's side
  row("POST", "/v1/boxes", Stage.CONFIRMED, boxes.PutBox, [boxes.BoxKept], 201),
  row("GET", "/v1/boxes", Stage.OPEN, null, [boxes.Boxes]),
  row("DELETE", "/v1/boxes/<id:box>", Stage.OPEN, null, [accounts.Nothing]),
  row("GET", "/v1/boxes/<id:box>/deposits", Stage.OPEN, null, [boxes.WaitingDeposits]),
  row("DELETE", "/v1/boxes/<id:box>/deposits/<id:deposit>", Stage.OPEN, null, [accounts.Nothing]),
  // boxes: the depositor's side
  row("POST", "/v1/boxes/<id:box>/enter", Stage.NONE, boxes.EnterBox, [boxes.BoxEntered]),
  row("PUT", "/v1/boxes/<id:box>/blobs/<id:blob>", Stage.DEPOSITOR, OCTETS, [uploads.KeptBlob], 201),
  row("POST", "/v1/boxes/<id:box>/uploads", Stage.DEPOSITOR, uploads.StartUpload, [uploads.Upload], 201),
  row("PUT", "/v1/boxes/<id:box>/uploads/<id:blob>/units/<u32:first>", Stage.DEPOSITOR, OCTETS, [uploads.Upload]),
  row(
    "POST", "/v1/boxes/<id:box>/uploads/<id:blob>/complete", Stage.DEPOSITOR, uploads.CompleteUpload,
    [uploads.KeptBlob], 201,
  ),
  row("DELETE", "/v1/boxes/<id:box>/uploads/<id:blob>", Stage.DEPOSITOR, null, [accounts.Nothing]),
  row("POST", "/v1/boxes/<id:box>/deposits", Stage.DEPOSITOR, boxes.PutDeposit, [boxes.DepositKept], 201),
  // professionals
  row("POST", "/v1/professional", Stage.CONFIRMED, directory.Listing, [directory.Professional]),
  row("GET", "/v1/professional", Stage.OPEN, null, [directory.Professional]),
  row("GET", "/directory/checkpoint", Stage.NONE, null, [NOTE]),
  row("GET", "/directory/tile/<path:tile>", Stage.NONE, null, [OCTETS]),
  // the ledger, for everybody
  row("GET", "/ledger/checkpoint", Stage.NONE, null, [NOTE]),
  row("GET", "/ledger/restorations", Stage.NONE, null, [NOTE]),
  row("GET", "/ledger/rotations", Stage.NONE, null, [NOTE]),
  row("GET", "/ledger/tile/<path:tile>", Stage.NONE, null, [OCTETS]),
  row("GET", "/v1/ledger/consistency", Stage.NONE, null, [receipts.Consistency]),
  row("GET", "/v1/ledger/inclusion", Stage.NONE, null, [receipts.Inclusion]),
  row("GET", "/v1/ledger/anchors", Stage.NONE, null, [receipts.Anchors]),
] as const satisfies readonly Endpoint[];

type Row = (typeof ENDPOINTS)[number];
export type Method = Row["method"];
/** The paths that a method of the table may be asked on. */
export type Path<M extends Method = Method> = M extends Method ? Extract<Row, { readonly method: M }>["path"] : never;
type RowOf<M extends Method, P extends string> = Extract<Row, { readonly method: M; readonly path: P }>;
type Loaded<S> = S extends v.GenericSchema ? v.InferOutput<S> : never;
/** What a JSON request says, before it is spelled as JSON: bytes are bytes. */
export type Body<M extends Method, P extends string> = Loaded<RowOf<M, P>["takes"]>;
/** What a JSON answer says, once it has passed its schema. */
export type Answer<M extends Method, P extends string> = Loaded<RowOf<M, P>["gives"][number]>;

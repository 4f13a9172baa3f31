// One label per use, in one table: what a key, a signature or a hash is for.
// Knows: every kind of the protocol and how a context is spelled (docs/spec/labels.md).
// Refuses to know: keys. A new version of a use takes a new line here; a line is never changed or used twice.

import { encodeText, concat, lp } from "./encoding.js";

export const PREFIX = "temoin/v1/";

/** The uses. The fields that follow each in `context` are named beside it. */
export const Kind = {
  // from user name, password and PIN (protocol §1)
  PWSALT: "pwsalt", //                      vault_id16, username
  ACCOUNT_ID: "account-id",
  LOGIN_SEED: "login-seed",
  PW_WRAP: "pw-wrap",
  PIN_LOGIN_KEY: "pin-login-key",
  PIN_STEP_KEY: "pin-step-key",
  PIN_LOGIN: "pin-login", //                account16, pin
  PIN_STEP: "pin-step", //                  account16, u32 pin_epoch, pin
  PIN_KEK: "pin-kek", //                    as the tag made by the same key
  // what a login key signs
  REGISTER: "register", //                  host, challenge32, sha256(body)
  LOGIN: "login", //                        host, k_id32, challenge32
  CONFIRM: "confirm", //                    host, k_id32, challenge32
  CHANGE: "change", //                      host, challenge32, sha256(body)
  PIN_REOPEN: "pin-reopen", //              host, account16, challenge32; signed by the recovery login key
  RECOVER: "recover", //                    host, rid32, challenge32; signed by the recovery login key
  RECOVER_CHANGE: "recover-change", //      host, challenge32, sha256(body); signed by the recovery login key, and the new one
  PROFESSIONAL: "professional", //          host, account16, sha256(body); signed by the identity that is to be listed
  // the server's pepper; here so that no use ever takes its labels
  PEPPER: "pepper", //                      use, u32 version
  PEPPER_ROW: "pepper-row", //              column, account16, u32 epoch
  PIN_VERIFIER: "pin-verifier", //          purpose, account16, u32 epoch, tag32
  CODE_VERIFIER: "code-verifier", //        bundle16, x32
  // keys (§3)
  // wrap: "mk-n"|"mk-s"|"rec-n"|"rec-s", account16, u32 epoch; or "record", item16, u32 revision
  WRAP: "wrap",
  S_GATE: "s-gate",
  IDENTITY: "identity",
  IDENTITY_SIGN: "identity-sign", //        account16
  IDENTITY_BOX: "identity-box", //          account16
  DROP_BOX: "drop-box", //                  account16, u32 epoch
  ACCOUNT_RECORD: "account-record", //      account16, u64 n
  // items (§4)
  ITEMS: "items",
  RECORD: "record", //                      item16, u32 revision
  CONTENT: "content", //                    blob16
  LINK: "link", //                          item16, u32 revision
  SEGMENT: "segment", //                    u32 number
  SEGMENT_ID: "segment-id", //              u32 number
  // what a device keeps (docs/spec/device-state.md)
  DEVICE_STATE: "device-state", //          name, account16
  // receipts (§6)
  RECEIPT: "receipt",
  // directory and bundles (§7)
  FINGERPRINT: "fingerprint", //            pk_box32, pk_sign32
  BUNDLE: "bundle", //                      bundle16
  BUNDLE_SEAL: "bundle-seal",
  BUNDLE_SIG: "bundle-sig", //              sha256(manifest)
  BUNDLE_CAP: "bundle-cap", //              bundle16
  BUNDLE_LINK: "bundle-link", //            bundle16
  LINK_CODE: "link-code",
  LINK_WRAP: "link-wrap",
  CODE: "code", //                          bundle16, code
  BUNDLE_WRAP: "bundle-wrap", //            bundle16
  BUNDLE_NOTES: "bundle-notes",
  BUNDLE_NOTE: "bundle-note", //            bundle16
  // deposit boxes (§7)
  DEPOSIT_BOX: "deposit-box",
  BOX_SEED: "box-seed", //                  box16
  BOX_NOTES: "box-notes",
  BOX_NOTE: "box-note", //                  box16
  DEPOSIT_CAP: "deposit-cap", //            box16
  DEPOSIT: "deposit", //                    box16, deposit16
  // recovery (§8)
  RECOVERY_ID: "recovery-id",
  RECOVERY_LOGIN: "recovery-login",
  RECOVERY_WRAP: "recovery-wrap",
  // a sealed backup (docs/spec/backup.md)
  BACKUP_SEAL: "backup-seal",
  BACKUP: "backup",
} as const;

export type Kind = (typeof Kind)[keyof typeof Kind];

/** `"temoin/v1/" ‖ kind ‖ 0x00 ‖ lp(field)…` (protocol §0). Each field is up to 65,535 bytes. */
export function context(kind: Kind, ...fields: readonly Uint8Array[]): Uint8Array {
  return concat(encodeText(`${PREFIX}${kind}\0`), ...fields.map(lp));
}

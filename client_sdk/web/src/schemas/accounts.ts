// Sign-up, login, PIN, confirmation, sessions and the account record, as they travel.
// Knows: protocol §1 and §3 on the wire; names are those of the protocol, also once loaded.
// Refuses to know: how anything in it was derived.

import * as v from "valibot";

import { bytes, bytesBetween, hash, id, oneOf, strict, time, u32, whole, yesNo } from "./fields.js";
import * as limits from "./limits.js";

const key = () => bytes(limits.KEY);
const sealedKey = () => bytes(limits.SEALED_KEY);
const accountRecord = () => bytesBetween(1024, limits.ACCOUNT_RECORD);

/** The sealed seeds of a person's signing and box keys. */
export const Identity = strict({ sign: sealedKey(), box: sealedKey() });
export type Identity = v.InferOutput<typeof Identity>;

/** What the recovery code opens: its id, login key, share and the two wraps. */
export const Recovery = strict({ rid: key(), login_pk: key(), share_R: key(), W_RN: sealedKey(), W_RS: sealedKey() });
export type Recovery = v.InferOutput<typeof Recovery>;

const credentials = {
  K_id: key(),
  login_pk: key(),
  account: id(),
  epoch: u32(),
  pin_epoch: u32(),
  tag_L: key(),
  tag_S: key(),
  share_N: key(),
  share_S: key(),
  W_N: sealedKey(),
  W_S: sealedKey(),
  account_record: accountRecord(),
  identity: Identity,
  drop_box: bytes(limits.SEALED_PAIR),
};

/** `POST /v1/accounts`. The signature over the exact body travels in the header `Temoin-Signature`. */
export const Register = strict({ ...credentials, recovery: Recovery, challenge: key() });
export type Register = v.InferOutput<typeof Register>;

/** `POST /v1/account/credentials`: what a sign-up says, of the same account, for its next epoch.
 *
 * `recovery` null keeps what the recovery code opens as it is. `n` is the account record's number: one more than the
 * vault holds. Both login keys sign the exact body, in `Temoin-Signature` (old) and `Temoin-Signature-New`. */
export const ChangeCredentials = v.pipe(
  strict({
    ...credentials,
    recovery: v.nullable(Recovery),
    challenge: key(),
    expected_epoch: u32(),
    n: whole(2),
  }),
  v.check((one) => one.epoch === one.expected_epoch + 1, "An epoch is the one after what was expected."),
);
export type ChangeCredentials = v.InferOutput<typeof ChangeCredentials>;

export const CredentialsChanged = strict({ epoch: u32(), pin_epoch: u32(), n: whole(2) });
export type CredentialsChanged = v.InferOutput<typeof CredentialsChanged>;

export const Registered = strict({ account: id(), created: time() });
export type Registered = v.InferOutput<typeof Registered>;

export const LoginStart = strict({ K_id: key() });
export type LoginStart = v.InferOutput<typeof LoginStart>;

/** Used once, within 60 seconds; the same for an account that does not exist. */
export const Challenge = strict({ challenge: key(), expires: time() });
export type Challenge = v.InferOutput<typeof Challenge>;

export const LoginFinish = strict({ K_id: key(), challenge: key(), sig: bytes(limits.SIGNATURE) });
export type LoginFinish = v.InferOutput<typeof LoginFinish>;

/** The password was right. The token is good for the PIN and nothing else, for five minutes. */
export const PasswordStage = strict({ account: id(), pin_epoch: u32(), token: bytes(limits.TOKEN), expires: time() });
export type PasswordStage = v.InferOutput<typeof PasswordStage>;

/** A PIN tag: for `login` with a token of stage `password`, for `step` with one of stage `open`. */
export const Pin = strict({ purpose: oneOf("login", "step"), x: key() });
export type Pin = v.InferOutput<typeof Pin>;

/** Answer to `purpose: login`: what opens the normal tier, and what the person should know.
 *
 * `wrong_pins` are those since the last opening. */
export const OpenStage = strict({
  share_N: key(),
  W_N: sealedKey(),
  epoch: u32(),
  pin_epoch: u32(),
  token: bytes(limits.TOKEN),
  expires: time(),
  wrong_pins: whole(),
  wrong_total: whole(),
  last_opened: v.nullable(time()),
  advise_change: yesNo(),
});
export type OpenStage = v.InferOutput<typeof OpenStage>;

/** Answer to `purpose: step`: what opens the sensitive tier. */
export const SensitiveShare = strict({ share_S: key(), W_S: sealedKey(), epoch: u32(), pin_epoch: u32() });
export type SensitiveShare = v.InferOutput<typeof SensitiveShare>;

/** With the password and the recovery code: opens a closed or delayed PIN path at once. */
export const PinReopen = strict({ rid: key(), challenge: key(), sig: bytes(limits.SIGNATURE) });
export type PinReopen = v.InferOutput<typeof PinReopen>;

export const RecoveryStart = strict({ rid: key() });
export type RecoveryStart = v.InferOutput<typeof RecoveryStart>;

/** With the recovery code alone. `sig` is by its login key. */
export const RecoveryFinish = strict({ rid: key(), challenge: key(), sig: bytes(limits.SIGNATURE) });
export type RecoveryFinish = v.InferOutput<typeof RecoveryFinish>;

/** The code was right: what it opens is given from `due` on, for a week. The token is good for that alone. */
export const RecoveryStage = strict({
  account: id(), begun: time(), due: time(), token: bytes(limits.TOKEN), expires: time(),
});
export type RecoveryStage = v.InferOutput<typeof RecoveryStage>;

/** What opens with the recovery code once the waiting time is over; and what the next credentials follow.
 *
 * `wrapped_in` is the epoch of the two wraps; that of the account may be a later one. */
export const RecoveryKeys = strict({
  share_R: key(),
  W_RN: sealedKey(),
  W_RS: sealedKey(),
  wrapped_in: u32(),
  epoch: u32(),
  pin_epoch: u32(),
  n: whole(1),
  account_record: bytesBetween(0, limits.ACCOUNT_RECORD),
  identity: Identity,
  drop_box: bytes(limits.SEALED_PAIR),
});
export type RecoveryKeys = v.InferOutput<typeof RecoveryKeys>;

/** Somebody has begun to get back in with the recovery code. */
export const Recovering = strict({ begun: time(), due: time() });
export type Recovering = v.InferOutput<typeof Recovering>;

export const PendingRecovery = strict({ pending: v.nullable(Recovering) });
export type PendingRecovery = v.InferOutput<typeof PendingRecovery>;

/** Seconds between the first showing of a recovery code and what it opens. */
const wait = () => whole(0, limits.RECOVERY_WAIT);

/** `PUT /v1/recovery/wait`: a longer time holds at once, a shorter one when the present one is over. */
export const SetRecoveryWait = strict({ wait: wait() });
export type SetRecoveryWait = v.InferOutput<typeof SetRecoveryWait>;

/** A waiting time that was shortened, and since when it holds. */
export const NextWait = strict({ wait: wait(), since: time() });
export type NextWait = v.InferOutput<typeof NextWait>;

/** How long whoever shows the recovery code waits; of what waits already, `due` stays as it is. */
export const RecoveryWait = strict({ wait: wait(), next: v.nullable(NextWait) });
export type RecoveryWait = v.InferOutput<typeof RecoveryWait>;

/** A fresh password signature and the right step tag. */
export const Confirm = strict({ challenge: key(), sig: bytes(limits.SIGNATURE), x: key() });
export type Confirm = v.InferOutput<typeof Confirm>;

export const ConfirmedStage = strict({ token: bytes(limits.TOKEN), expires: time() });
export type ConfirmedStage = v.InferOutput<typeof ConfirmedStage>;

/** What an open session needs to work with its own keys.
 *
 * The account record may have any length: a client that is given something else keeps it as evidence and goes on. */
export const Account = strict({
  account: id(),
  created: time(),
  epoch: u32(),
  pin_epoch: u32(),
  n: whole(1),
  account_record: bytesBetween(0, limits.ACCOUNT_RECORD),
  identity: Identity,
  drop_box: bytes(limits.SEALED_PAIR),
  used: whole(),
  quota: whole(),
});
export type Account = v.InferOutput<typeof Account>;

/** Compare-and-swap: refused with 409 unless the vault holds `n` − 1. */
export const PutAccountRecord = strict({ n: whole(2), account_record: accountRecord() });
export type PutAccountRecord = v.InferOutput<typeof PutAccountRecord>;

export const AccountRecordKept = strict({ n: whole(2) });
export type AccountRecordKept = v.InferOutput<typeof AccountRecordKept>;

export const Session = strict({
  session: hash(),
  stage: oneOf("password", "open", "confirmed"),
  opened: time(),
  last_used: time(),
  expires: time(),
  current: yesNo(),
});
export type Session = v.InferOutput<typeof Session>;

export const Sessions = strict({ sessions: v.array(Session) });
export type Sessions = v.InferOutput<typeof Sessions>;

export const SessionsEnded = strict({ ended: whole() });
export type SessionsEnded = v.InferOutput<typeof SessionsEnded>;

/** An empty object. */
export const Nothing = strict({});
export type Nothing = v.InferOutput<typeof Nothing>;

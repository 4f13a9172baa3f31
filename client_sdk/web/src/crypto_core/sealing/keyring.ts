// What an open vault keeps in memory, and the record keys it wraps and unwraps (docs/spec/keys.md).
// Knows: MK_N and K_ps while the vault is open; MK_S and sk_S while the sensitive tier is. Refuses to know: password,
// PIN, shares and KEKs, which nobody keeps, and what time it is: its owner drops the sensitive tier after two minutes.
// `forget` overwrites the keys it holds and lets go of them. Copies it can't reach: for those the worker is ended.

import { derive, KEY_SIZE, requireKey } from "../derivation.js";
import { concat, encodeText, isSame, u32 } from "../encoding.js";
import { MalformedError, OutOfOrder, TamperedError, TemoinError } from "../errors.js";
import { context, Kind } from "../labels.js";
import { makeBytes } from "../randomness.js";
import { sodium } from "../sodium.js";
import { openSealed, seal } from "./envelope.js";
import * as keys from "./keys.js";
import { derivePublic, type LoginKeys, type PinLogin, type PinStep } from "./passphrase.js";

/** A record key once wrapped, alike in both tiers. */
export const RECORD_WRAP_SIZE = 153;

const BODY_SIZE = 81;
const NORMAL = 0;
const SENSITIVE = 1;
const FILLING = new Uint8Array(48);

/** This item is sensitive, and the sensitive tier is closed. */
export class NeedsPin extends TemoinError {
  static override readonly code = "pin_needed";
  static override readonly sentence = "This item is behind your PIN. Type the PIN to open it.";
}

/** The keys of one open vault. Printing it shows none of them; a forgotten one throws OutOfOrder.
 *
 * It gives copies: what is dropped while a change of credentials is under way must not turn its keys into zeros. */
export class Keyring {
  /** 16 bytes. */
  readonly account: Uint8Array;
  #pkS: Uint8Array | null = null;
  #epoch: number;
  #pinEpoch: number;
  #normal: readonly [mkN: Uint8Array, kPs: Uint8Array] | null;
  #sensitive: readonly [mkS: Uint8Array, skS: Uint8Array] | null = null;

  /** `account` is 16 bytes, the keys are 32 each and copied; `pkS` is the one that the account record names, null while
   * that could not be read: then the drop-box itself tells it, once the PIN has opened it. */
  constructor(
    account: Uint8Array, mkN: Uint8Array, kPs: Uint8Array, epoch: number, pinEpoch: number, pkS: Uint8Array | null,
  ) {
    this.account = account;
    this.#epoch = epoch;
    this.#pinEpoch = pinEpoch;
    if (pkS !== null) this.pkS = pkS;
    this.#normal = [requireKey(mkN).slice(), requireKey(kPs).slice()];
  }

  get epoch(): number {
    return this.#epoch;
  }

  get pinEpoch(): number {
    return this.#pinEpoch;
  }

  /** The normal master key: used with `derive` only. */
  get mkN(): Uint8Array {
    return this.#kept()[0].slice();
  }

  /** What the next step-up derives its tag from, with the PIN typed anew. */
  get kPs(): Uint8Array {
    return this.#kept()[1].slice();
  }

  /** The sensitive master key, for a change of credentials. Throws NeedsPin. */
  get mkS(): Uint8Array {
    return this.#opened()[0].slice();
  }

  /** The public key of the drop-box. Throws NeedsPin while neither account record nor PIN has told it. */
  get pkS(): Uint8Array {
    if (this.#pkS === null) throw new NeedsPin();
    return this.#pkS;
  }

  set pkS(named: Uint8Array) {
    this.#pkS = requireKey(named);
  }

  /** The secret key of the drop-box. Throws NeedsPin. */
  get skS(): Uint8Array {
    return this.#opened()[1].slice();
  }

  /** Whether the sensitive tier is open. */
  get sensitiveOpen(): boolean {
    return this.#sensitive !== null;
  }

  /** Opens the sensitive tier with KEK_S, W_S (104 bytes) and the sealed drop-box (136 bytes).
   *
   * Throws TamperedError or MalformedError, also if the drop-box isn't the one of the account record: then somebody
   * else could be reading what is dropped into it, and the client stops. */
  unlockSensitive(kekS: Uint8Array, wS: Uint8Array, dropBox: Uint8Array): void {
    this.keepSensitive(keys.unwrapMaster(kekS, "mk-s", this.account, this.epoch, wS), dropBox);
  }

  /** The same with the sensitive master key itself (32 bytes). */
  keepSensitive(mkS: Uint8Array, dropBox: Uint8Array): void {
    const [pkS, skS] = keys.openDropBox(mkS, this.account, this.epoch, dropBox);
    if (this.#pkS !== null && !sodium.memcmp(pkS, this.#pkS)) {
      throw new TamperedError("the drop-box is not the one that the account record names");
    }
    this.#kept();
    this.dropSensitive();
    this.#pkS = pkS;
    this.#sensitive = [mkS, skS];
  }

  /** Closes the sensitive tier. Does nothing if it is closed. */
  dropSensitive(): void {
    this.#sensitive?.forEach(sodium.memzero);
    this.#sensitive = null;
  }

  /** After a change of credentials: the master keys are the same, what wraps them and the PIN's key are not. */
  renew(kPs: Uint8Array, epoch: number, pinEpoch: number): void {
    this.#normal = [this.mkN, requireKey(kPs).slice()];
    this.#epoch = epoch;
    this.#pinEpoch = pinEpoch;
  }

  /** Lets go of every key. The keyring can't be used again. */
  forget(): void {
    this.dropSensitive();
    this.#normal?.forEach(sodium.memzero);
    this.#normal = null;
  }

  #kept(): readonly [Uint8Array, Uint8Array] {
    if (this.#normal === null) {
      throw new OutOfOrder("this keyring was forgotten");
    }
    return this.#normal;
  }

  #opened(): readonly [Uint8Array, Uint8Array] {
    this.#kept();
    if (this.#sensitive === null) {
      throw new NeedsPin();
    }
    return this.#sensitive;
  }
}

/** What wraps the two master keys: one password, one PIN, and two shares (32 bytes each) made for them. */
export class Credentials {
  readonly login: LoginKeys;
  readonly pinLogin: PinLogin;
  readonly pinStep: PinStep;
  readonly #shareN: Uint8Array;
  readonly #shareS: Uint8Array;

  constructor(login: LoginKeys, pinLogin: PinLogin, pinStep: PinStep, shareN: Uint8Array, shareS: Uint8Array) {
    this.login = login;
    this.pinLogin = pinLogin;
    this.pinStep = pinStep;
    this.#shareN = shareN;
    this.#shareS = shareS;
  }

  get shareN(): Uint8Array {
    return this.#shareN;
  }

  get shareS(): Uint8Array {
    return this.#shareS;
  }
}

/** Both master keys wrapped, 104 bytes each: W_N and W_S, or W_RN and W_RS. */
export interface MasterWraps {
  readonly normal: Uint8Array;
  readonly sensitive: Uint8Array;
}

/** All that sign-up makes: an open keyring to go on with, and what is sent. Sealed sizes as in docs/spec/keys.md. */
export interface NewVault {
  readonly keyring: Keyring;
  readonly wN: Uint8Array;
  readonly wS: Uint8Array;
  readonly wRn: Uint8Array;
  readonly wRs: Uint8Array;
  readonly dropBox: Uint8Array;
  readonly identitySign: Uint8Array;
  readonly identityBox: Uint8Array;
  /** The public identity keys, 32 bytes each, for the account record. */
  readonly pkSign: Uint8Array;
  readonly pkBox: Uint8Array;
}

/** New master keys, identity and drop-box for an account of 16 bytes, wrapped for its first credentials. */
export function makeKeyring(
  account: Uint8Array, credentials: Credentials, recoveryKey: Uint8Array, shareR: Uint8Array, epoch = 1, pinEpoch = 1,
): NewVault {
  const mkN = makeBytes(KEY_SIZE);
  const mkS = makeBytes(KEY_SIZE);
  const signSeed = makeBytes(KEY_SIZE);
  const boxSeed = makeBytes(KEY_SIZE);
  const [pkS, skS] = keys.deriveBox(makeBytes(KEY_SIZE));
  const wraps = wrapForCredentials(credentials, account, epoch, mkN, mkS);
  const recovery = wrapForRecovery(recoveryKey, shareR, account, epoch, mkN, mkS);
  return {
    keyring: new Keyring(account, mkN, credentials.login.kPs, epoch, pinEpoch, pkS),
    wN: wraps.normal,
    wS: wraps.sensitive,
    wRn: recovery.normal,
    wRs: recovery.sensitive,
    dropBox: keys.sealDropBox(mkS, account, epoch, pkS, skS),
    identitySign: keys.sealIdentity(mkN, Kind.IDENTITY_SIGN, account, signSeed),
    identityBox: keys.sealIdentity(mkN, Kind.IDENTITY_BOX, account, boxSeed),
    pkSign: derivePublic(signSeed),
    pkBox: keys.deriveBox(boxSeed)[0],
  };
}

/** Both tiers of an account of 16 bytes, from a recovery code of 32 bytes, the share that waited for it, and the two wraps
 * made in epoch `wrappedIn`; the drop-box is of the account's own epoch. No PIN steps up with it: it is there for a change
 * of credentials.
 *
 * Throws TamperedError or MalformedError. */
export function openWithRecovery(
  recoveryKey: Uint8Array, shareR: Uint8Array, wraps: MasterWraps, wrappedIn: number, account: Uint8Array, epoch: number,
  pinEpoch: number, dropBox: Uint8Array,
): Keyring {
  const kekR = keys.deriveKekR(recoveryKey, shareR);
  const mkN = keys.unwrapMaster(kekR, "rec-n", account, wrappedIn, wraps.normal);
  const mkS = keys.unwrapMaster(kekR, "rec-s", account, wrappedIn, wraps.sensitive);
  const keyring = new Keyring(account, mkN, makeBytes(KEY_SIZE), epoch, pinEpoch, null);
  keyring.keepSensitive(mkS, dropBox);
  sodium.memzero(mkN);
  return keyring;
}

/** W_N and W_S, at sign-up and at each change of user name, password or PIN (with the next epoch). */
export function wrapForCredentials(
  credentials: Credentials, account: Uint8Array, epoch: number, mkN: Uint8Array, mkS: Uint8Array,
): MasterWraps {
  const kekN = keys.deriveKekN(credentials.login.kPw, credentials.pinLogin.wrapping, credentials.shareN);
  const kekS = keys.deriveKekS(mkN, credentials.pinStep.wrapping, credentials.shareS);
  return {
    normal: keys.wrapMaster(kekN, "mk-n", account, epoch, mkN),
    sensitive: keys.wrapMaster(kekS, "mk-s", account, epoch, mkS),
  };
}

/** W_RN and W_RS, for a recovery code of 32 bytes and the share that waits for it. */
export function wrapForRecovery(
  recoveryKey: Uint8Array, shareR: Uint8Array, account: Uint8Array, epoch: number, mkN: Uint8Array, mkS: Uint8Array,
): MasterWraps {
  const kekR = keys.deriveKekR(recoveryKey, shareR);
  return {
    normal: keys.wrapMaster(kekR, "rec-n", account, epoch, mkN),
    sensitive: keys.wrapMaster(kekR, "rec-s", account, epoch, mkS),
  };
}

/** A record key (32 bytes) for one revision of an item (16 bytes): 153 bytes, alike in both tiers.
 *
 * A sensitive one is put into the drop-box: that takes no PIN, reading it does. */
export function wrapRecordKey(
  keyring: Keyring, item: Uint8Array, revision: number, key: Uint8Array, sensitive: boolean,
): Uint8Array {
  const body = sensitive
    ? concat(Uint8Array.of(SENSITIVE), sodium.crypto_box_seal(requireKey(key), keyring.pkS))
    : concat(Uint8Array.of(NORMAL), requireKey(key), FILLING);
  return seal(derive(keyring.mkN, Kind.ITEMS), wrapContext(item, revision), body);
}

/** [record key, whether it is sensitive].
 *
 * Throws NeedsPin if it is sensitive and that tier is closed, TamperedError, or MalformedError. */
export function unwrapRecordKey(
  keyring: Keyring, item: Uint8Array, revision: number, wrap: Uint8Array,
): [Uint8Array, boolean] {
  const body = openBody(keyring, item, revision, wrap);
  if (body[0] === NORMAL) {
    if (!isSame(body.subarray(1 + KEY_SIZE), FILLING)) {
      throw new MalformedError("a normal record key is followed by zeros");
    }
    return [body.slice(1, 1 + KEY_SIZE), false];
  }
  const { pkS, skS } = keyring;
  try {
    return [sodium.crypto_box_seal_open(body.subarray(1), pkS, skS), true];
  } catch {
    throw new TamperedError("the drop-box does not open this");
  }
}

/** Whether a record key is behind the PIN; asks for no PIN. Throws TamperedError or MalformedError. */
export function isSensitive(keyring: Keyring, item: Uint8Array, revision: number, wrap: Uint8Array): boolean {
  return openBody(keyring, item, revision, wrap)[0] === SENSITIVE;
}

function openBody(keyring: Keyring, item: Uint8Array, revision: number, wrap: Uint8Array): Uint8Array {
  const body = openSealed(derive(keyring.mkN, Kind.ITEMS), wrapContext(item, revision), wrap);
  if (body.length !== BODY_SIZE || (body[0] !== NORMAL && body[0] !== SENSITIVE)) {
    throw new MalformedError("not a wrapped record key");
  }
  return body;
}

function wrapContext(item: Uint8Array, revision: number): Uint8Array {
  return context(Kind.WRAP, encodeText("record"), item, u32(revision));
}

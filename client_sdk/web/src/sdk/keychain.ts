// From a user name, a password and a PIN to what signs a person up, in, and in once more; then to forgetting them.
// Knows: which value of protocol §1 goes into which request. Refuses to know: sockets, disks, and where Argon2id runs.
// Nothing it keeps after an opening allows an offline test of the PIN: see `Keyring` for what stays.

import * as v from "valibot";

import { KEY_SIZE } from "../crypto_core/derivation.js";
import { formatB64url, formatJson, isSame, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError, TamperedError, UnsupportedVersion } from "../crypto_core/errors.js";
import { Kind } from "../crypto_core/labels.js";
import { makeBytes, makeId } from "../crypto_core/randomness.js";
import * as keyrings from "../crypto_core/sealing/keyring.js";
import type { Keyring } from "../crypto_core/sealing/keyring.js";
import * as keys from "../crypto_core/sealing/keys.js";
import * as passphrase from "../crypto_core/sealing/passphrase.js";
import { openAccountRecord, sealAccountRecord } from "../crypto_core/sealing/records.js";
import { deriveRecovery, formatWords, makeRecoveryKey, type Language } from "../crypto_core/sealing/recovery.js";
import { confirmMessage, loginMessage, registerMessage } from "../crypto_core/signed_requests.js";
import type {
  ChangeCredentials, Identity, OpenStage, Recovery, RecoveryKeys, Register, SensitiveShare,
} from "../schemas/accounts.js";
import { AccountRecord, VERSION, dumpAccountRecord } from "../schemas/documents.js";
import { sha256 } from "./digest.js";
import { ArgonChanged } from "./errors.js";
import type { Pin } from "./home.js";
import type { Id } from "./items.js";
import type { Hash } from "./protocol/sync.js";
import { dumpBody, endpoint } from "./transport.js";

/** How far back an account record is looked for under another number than the vault says. */
const NUMBERS = 4096;

/** Argon2id, wherever it runs. Throws NotEnoughMemory, ArgonWrong. */
export type Stretch = (username: string, password: string, vaultId: Uint8Array) => Promise<passphrase.Stretched>;

/** What a person types. Held as short as can be, and shown by nothing. */
export class Credentials {
  readonly #username: string;
  readonly #password: string;
  readonly #pin: string;

  constructor(username: string, password: string, pin: string) {
    this.#username = username;
    this.#password = password;
    this.#pin = pin;
  }

  get username(): string {
    return this.#username;
  }

  get password(): string {
    return this.#password;
  }

  get pin(): string {
    return this.#pin;
  }

  /** Throws SecretRefused, which names the rule, for what a new account may not have; a PIN that stays is none of that,
   * and whoever mistypes it is told so by the vault. */
  requireNew(thisYear: number, presentPin: string | null = null): void {
    passphrase.normaliseUsername(this.#username, true);
    passphrase.normalisePassword(this.#password, true);
    const stays = presentPin !== null && passphrase.normalisePin(presentPin) === passphrase.normalisePin(this.#pin);
    passphrase.normalisePin(this.#pin, !stays, thisYear);
  }

  /** Argon2id, then every key that login derives. */
  async stretch(vaultId: Id, stretch: Stretch): Promise<passphrase.LoginKeys> {
    return passphrase.deriveLogin(await stretch(this.#username, this.#password, parseB64url(vaultId)));
  }

  /** The same for a pair that is going to lock something: twice, since some devices compute Argon2id wrongly.
   *
   * Throws ArgonWrong unless both agree. */
  async stretchNew(vaultId: Id, stretch: Stretch): Promise<passphrase.LoginKeys> {
    const [once, again] = [await this.stretch(vaultId, stretch), await this.stretch(vaultId, stretch)];
    if (!isSame(once.kId, again.kId)) throw new passphrase.ArgonWrong();
    return once;
  }
}

/** A new account, made here and not yet sent. The sheet with the words is written before it is. */
export class NewAccount {
  readonly account: Id;
  readonly #words: string;
  readonly #login: passphrase.LoginKeys;
  readonly #fields: Omit<Register, "challenge">;
  #challenge: Uint8Array | null = null;
  #sent: Uint8Array | null = null;

  constructor(words: string, login: passphrase.LoginKeys, fields: Omit<Register, "challenge">) {
    this.account = fields.account;
    this.#words = words;
    this.#login = login;
    this.#fields = fields;
  }

  /** The 24 words, one space between. */
  get recoveryWords(): string {
    return this.#words;
  }

  get login(): passphrase.LoginKeys {
    return this.#login;
  }

  /** The exact bytes once sent: the same go again after a lost answer. */
  get sent(): Uint8Array | null {
    return this.#sent;
  }

  /** The bytes to send for a challenge (32 bytes); `null` lets go of them, when that challenge is too old. */
  fill(challenge: Uint8Array | null): void {
    this.#challenge = challenge;
    this.#sent = challenge === null ? null : dumpBody(endpoint("POST", "/v1/accounts"), { ...this.#fields, challenge });
  }

  /** The signature that travels beside the bytes in `sent`. Throws RangeError if there are none. */
  sign(host: string): Uint8Array {
    if (this.#challenge === null || this.#sent === null) throw new RangeError("nothing to sign yet");
    return passphrase.signWithSeed(this.#login.loginSeed, registerMessage(host, this.#challenge, this.#sent));
  }
}

/** A recovery code (32 bytes), and the words that spell it. Shown by nothing. */
export class RecoveryWords {
  readonly #code: Uint8Array;
  readonly #text: string;

  constructor(code: Uint8Array, text: string) {
    this.#code = code;
    this.#text = text;
  }

  get code(): Uint8Array {
    return this.#code;
  }

  /** 24 words, one space between. */
  get text(): string {
    return this.#text;
  }
}

/** An account record as it is kept, and what it says: null if that could not be read here. */
export class AccountState {
  readonly n: number;
  readonly blob: Uint8Array;
  readonly facts: AccountRecord | null;
  /** SHA-256 of the sealed bytes. */
  readonly hash: Hash;

  constructor(n: number, blob: Uint8Array, facts: AccountRecord | null = null) {
    this.n = n;
    this.blob = blob;
    this.facts = facts;
    this.hash = formatB64url(sha256(blob));
  }
}

/** One that says something. */
export type ReadState = AccountState & { readonly facts: AccountRecord };

/** Throws ArgonChanged if the vault expects parameters that this version doesn't know. */
export function requireArgon(newest: number): void {
  if (newest > passphrase.NEWEST_ARGON) throw new ArgonChanged();
}

/** Every key, wrap and share of a new account (protocol §1, §3, §8). Throws SecretRefused. */
export async function makeAccount(
  credentials: Credentials, pin: Pin, language: Language, thisYear: number, stretch: Stretch,
): Promise<NewAccount> {
  credentials.requireNew(thisYear);
  const login = await credentials.stretchNew(pin.vaultId, stretch);
  const [account, recoveryKey] = [makeId(), makeRecoveryKey()];
  const [shareN, shareS, shareR] = [makeBytes(KEY_SIZE), makeBytes(KEY_SIZE), makeBytes(KEY_SIZE)];
  const pinLogin = passphrase.derivePinLogin(login.kPl, account, credentials.pin);
  const pinStep = passphrase.derivePinStep(login.kPs, account, 1, credentials.pin);
  const wrapping = new keyrings.Credentials(login, pinLogin, pinStep, shareN, shareS);
  const made = keyrings.makeKeyring(account, wrapping, recoveryKey, shareR);
  const facts = accountFacts(made.keyring, pin, made.pkSign, made.pkBox);
  const id = formatB64url(account);
  const fields = {
    K_id: login.kId, login_pk: passphrase.derivePublic(login.loginSeed), account: id, epoch: 1, pin_epoch: 1,
    tag_L: pinLogin.tag, tag_S: pinStep.tag, share_N: shareN, share_S: shareS, W_N: made.wN, W_S: made.wS,
    account_record: sealAccountState(made.keyring.mkN, id, facts),
    identity: { sign: made.identitySign, box: made.identityBox }, drop_box: made.dropBox,
    recovery: recoveryFields(recoveryKey, shareR, { normal: made.wRn, sensitive: made.wRs }),
  };
  made.keyring.forget();
  return new NewAccount(formatWords(recoveryKey, language), login, fields);
}

export interface Change {
  readonly login: passphrase.LoginKeys;
  /** The body of a change of credentials but for challenge and identity. */
  readonly fields: Omit<ChangeCredentials, "challenge" | "identity">;
}

/** A new recovery code; it opens nothing until a change of credentials has brought it to the vault. */
export function makeWords(language: Language): RecoveryWords {
  const code = makeRecoveryKey();
  return new RecoveryWords(code, formatWords(code, language));
}

/** The keys of the ledger and the directory that an account record names. */
export type NamedKeys = Pick<Pin, "ledgerVkey" | "directoryVkey">;

/** New login keys, and what a change of credentials sends (protocol §8), for the pair that `login` was stretched from.
 *
 * Master keys and identity stay, and what the recovery code opens unless there are new `words`. Throws NeedsPin unless the
 * sensitive tier is open. */
export function makeChange(
  login: passphrase.LoginKeys, newPin: string, keyring: Keyring, state: AccountState, pin: NamedKeys,
  heads: readonly Hash[], samePin: boolean, words: RecoveryWords | null = null,
): Change {
  const { account } = keyring;
  const id = formatB64url(account);
  const epoch = keyring.epoch + 1;
  const pinEpoch = samePin ? keyring.pinEpoch : keyring.pinEpoch + 1;
  const [shareN, shareS] = [makeBytes(KEY_SIZE), makeBytes(KEY_SIZE)];
  const pinLogin = passphrase.derivePinLogin(login.kPl, account, newPin);
  const pinStep = passphrase.derivePinStep(login.kPs, account, pinEpoch, newPin);
  const wraps = keyrings.wrapForCredentials(
    new keyrings.Credentials(login, pinLogin, pinStep, shareN, shareS), account, epoch, keyring.mkN, keyring.mkS,
  );
  const facts = { ...nextFacts(state, pin, heads, { epoch, pinEpoch }), argon: passphrase.NEWEST_ARGON };
  const recovery = words === null ? null : wrapForWords(words, account, epoch, keyring);
  const fields = {
    K_id: login.kId, login_pk: passphrase.derivePublic(login.loginSeed), account: id, epoch,
    expected_epoch: keyring.epoch, pin_epoch: pinEpoch, n: facts.n, tag_L: pinLogin.tag, tag_S: pinStep.tag,
    share_N: shareN, share_S: shareS, W_N: wraps.normal, W_S: wraps.sensitive,
    account_record: sealAccountState(keyring.mkN, id, facts),
    drop_box: keys.sealDropBox(keyring.mkS, account, epoch, keyring.pkS, keyring.skS), recovery,
  };
  return { login, fields };
}

/** What a recovery code (32 bytes) opens of an account, from a RecoveryKeys answer: both tiers, and the account record,
 * put together anew where it is damaged.
 *
 * Throws TamperedError or MalformedError if what the vault gave is not the account's, UnsupportedVersion if a newer
 * version wrote the record. */
export function openRecovered(
  account: Id, code: Uint8Array, given: RecoveryKeys, pin: Pin,
): [keyring: Keyring, state: ReadState] {
  const wraps = { normal: given.W_RN, sensitive: given.W_RS };
  const keyring = keyrings.openWithRecovery(
    code, given.share_R, wraps, given.wrapped_in, parseB64url(account), given.epoch, given.pin_epoch, given.drop_box,
  );
  const { n, account_record: blob } = given;
  let state: ReadState;
  try {
    state = openAccountState(keyring.mkN, account, n, blob);
  } catch (error) {
    if (!(error instanceof TamperedError || error instanceof MalformedError)) throw error;
    state = new AccountState(n, blob, restoreAccountFacts(keyring, pin, given.identity)) as ReadState;
  }
  if (!isSame(state.facts.pk_S, keyring.pkS)) {
    throw new TamperedError("the drop-box is not the one that the account record names");
  }
  return [keyring, state];
}

/** What takes the place of lost credentials (protocol §8) but for challenge and identity: for the pair that `login` was
 * stretched from, and the next recovery words.
 *
 * The keys of ledger and directory stay those that the record names: the next opening compares them. */
export function makeRecovered(
  login: passphrase.LoginKeys, newPin: string, words: RecoveryWords, keyring: Keyring, state: ReadState,
): Change["fields"] {
  const { facts } = state;
  const named = { ledgerVkey: facts.ledger_vkey, directoryVkey: facts.directory_vkey };
  const heads = facts.heads.map(formatB64url);
  return makeChange(login, newPin, keyring, state, named, heads, false, words).fields;
}

/** How often password and PIN have changed, from 1; an open keyring knows both. */
export interface Epochs {
  readonly epoch: number;
  readonly pinEpoch: number;
}

/** What the next account record says: the one after `state`, with these heads, and this device's pins and epochs.
 *
 * Throws UnsupportedVersion if `state` says nothing here: what can't be read is not written over. */
export function nextFacts(
  state: AccountState, pin: NamedKeys, heads: readonly Hash[], { epoch, pinEpoch }: Epochs,
): AccountRecord {
  if (state.facts === null) throw new UnsupportedVersion();
  return {
    ...state.facts, epoch, pin_epoch: pinEpoch, n: state.n + 1, previous: parseB64url(state.hash),
    ledger_vkey: pin.ledgerVkey, directory_vkey: pin.directoryVkey, heads: heads.map((one) => parseB64url(one)),
  };
}

/** For `login/finish`. */
export function signLogin(login: passphrase.LoginKeys, host: string, challenge: Uint8Array): Uint8Array {
  return passphrase.signWithSeed(login.loginSeed, loginMessage(host, login.kId, challenge));
}

/** For `confirm`. */
export function signConfirm(login: passphrase.LoginKeys, host: string, challenge: Uint8Array): Uint8Array {
  return passphrase.signWithSeed(login.loginSeed, confirmMessage(host, login.kId, challenge));
}

/** MK_N from an OpenStage answer. Throws TamperedError if the vault's share or wrap is not the account's. */
export function openMaster(
  login: passphrase.LoginKeys, pinLogin: passphrase.PinLogin, account: Id, opened: OpenStage,
): Uint8Array {
  const kekN = keys.deriveKekN(login.kPw, pinLogin.wrapping, opened.share_N);
  return keys.unwrapMaster(kekN, "mk-n", parseB64url(account), opened.epoch, opened.W_N);
}

/** The sensitive tier from a SensitiveShare answer. Throws TamperedError. */
export function openSensitive(
  keyring: Keyring, step: passphrase.PinStep, answer: SensitiveShare, dropBox: Uint8Array,
): void {
  keyring.unlockSensitive(keys.deriveKekS(keyring.mkN, step.wrapping, answer.share_S), answer.W_S, dropBox);
}

/** An account record from its facts, by the names of schemas.documents.AccountRecord. */
export function sealAccountState(mkN: Uint8Array, account: Id, facts: AccountRecord): Uint8Array {
  return sealAccountRecord(mkN, parseB64url(account), facts.n, formatJson(dumpAccountRecord(facts)));
}

/** An account record, opened and checked.
 *
 * Throws TamperedError or MalformedError if it is not number `n` of this account, UnsupportedVersion if a newer version
 * wrote it. */
export function openAccountState(mkN: Uint8Array, account: Id, n: number, blob: Uint8Array): ReadState {
  const value = parseJson(openAccountRecord(mkN, parseB64url(account), n, blob));
  if (typeof value === "object" && value !== null && !Array.isArray(value) && !("v" in value && value.v === VERSION)) {
    throw new UnsupportedVersion();
  }
  const read = v.safeParse(AccountRecord, value);
  if (!read.success) throw new MalformedError("not an account record");
  if (read.output.n !== n) throw new MalformedError("another number inside than outside");
  return new AccountState(n, blob, read.output) as ReadState;
}

/** Whether this is an earlier record of the account than number `n`, as which it was given. */
export function isEarlierAccountState(mkN: Uint8Array, account: Id, n: number, blob: Uint8Array): boolean {
  for (let number = n - 1; number > Math.max(0, n - NUMBERS); number -= 1) {
    try {
      openAccountRecord(mkN, parseB64url(account), number, blob);
      return true;
    } catch (error) {
      if (!(error instanceof CryptoCoreError)) throw error;
      if (!(error instanceof TamperedError)) return false;
    }
  }
  return false;
}

/** What the record of an account says, from what else is sealed for it: where that record is lost.
 *
 * Throws TamperedError, or NeedsPin if the drop-box's key is not known. */
export function restoreAccountFacts(keyring: Keyring, pin: Pin, identity: Identity): AccountRecord {
  const { account, mkN } = keyring;
  const sign = keys.openIdentity(mkN, Kind.IDENTITY_SIGN, account, identity.sign);
  const box = keys.openIdentity(mkN, Kind.IDENTITY_BOX, account, identity.box);
  return accountFacts(keyring, pin, passphrase.derivePublic(sign), keys.deriveBox(box)[0]);
}

function accountFacts(keyring: Keyring, pin: Pin, pkSign: Uint8Array, pkBox: Uint8Array): AccountRecord {
  return {
    v: VERSION, n: 1, previous: null, vault_id: pin.vaultId, epoch: keyring.epoch, pin_epoch: keyring.pinEpoch,
    argon: passphrase.NEWEST_ARGON, pk_S: keyring.pkS, identity_sign: pkSign, identity_box: pkBox,
    ledger_vkey: pin.ledgerVkey, directory_vkey: pin.directoryVkey, heads: [],
  };
}

function wrapForWords({ code }: RecoveryWords, account: Uint8Array, epoch: number, keyring: Keyring): Recovery {
  const shareR = makeBytes(KEY_SIZE);
  const wraps = keyrings.wrapForRecovery(code, shareR, account, epoch, keyring.mkN, keyring.mkS);
  return recoveryFields(code, shareR, wraps);
}

function recoveryFields(recoveryKey: Uint8Array, shareR: Uint8Array, wraps: keyrings.MasterWraps): Recovery {
  const { rid, loginSeed } = deriveRecovery(recoveryKey);
  return {
    rid, login_pk: passphrase.derivePublic(loginSeed), share_R: shareR, W_RN: wraps.normal, W_RS: wraps.sensitive,
  };
}

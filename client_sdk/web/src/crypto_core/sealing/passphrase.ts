// From user name, password and PIN to every value that protocol §1 derives (docs/spec/secrets.md).
// Knows: how each is spelled, what is refused at sign-up, Argon2id, the labels of each derivation.
// Refuses to know: the server, shares, what the keys open, what day it is (a caller names the year).
//
// Normalising never depends on the Unicode version of the browser: the fold table and the list of assigned code points
// are Python's own data files (Unicode 14), and a text of assigned code points normalises alike in every later version.

import casefold from "../../../../../crypto_core/sealing/casefold.json";
import commonPins from "../../../../../crypto_core/sealing/common_pins.json";

import { derive, KEY_SIZE, requireKey } from "../derivation.js";
import { encodeText, ID_SIZE, isSame, parseHex, u32 } from "../encoding.js";
import { SecretRefused, TemoinError, UnsupportedVersion } from "../errors.js";
import { context, Kind } from "../labels.js";
import * as signatures from "../receipts/signatures.js";
import { sodium } from "../sodium.js";

export const USERNAME_POINTS = 64;
export const PASSWORD_BYTES = [8, 1024] as const;
export const PIN_DIGITS = [4, 12] as const;
export const MIB = 1024 * 1024;

/** Argon2id could not get its memory. */
export class NotEnoughMemory extends TemoinError {
  static override readonly code = "not_enough_memory";
  static override readonly sentence =
    "This device has too little free memory to open the vault. Close other programs and try again.";
}

/** Argon2id gives other bytes than it should, as it did in the wasm of some phones. */
export class ArgonWrong extends TemoinError {
  static override readonly code = "argon_wrong";
  static override readonly sentence = "This browser computes wrong keys. Use another browser; nothing was sent.";
}

/** The cost of one Argon2id (RFC 9106) call; one lane, as libsodium has it. */
export interface ArgonSet {
  readonly ops: number;
  readonly memBytes: number;
}

/** Numbered for ever. Set 1 is also the floor. */
export const ARGON_SETS: ReadonlyMap<number, ArgonSet> = new Map([[1, { ops: 3, memBytes: 64 * MIB }]]);
export const NEWEST_ARGON = Math.max(...ARGON_SETS.keys());

/** What Argon2id gave: 32 bytes from which everything of the password derives. Forget it after login. */
export class Stretched {
  readonly #raw: Uint8Array;

  constructor(raw: Uint8Array) {
    this.#raw = requireKey(raw);
  }

  get raw(): Uint8Array {
    return this.#raw;
  }
}

/** What one user name and password derive, 32 bytes each. Only `kId` may leave the device. */
export class LoginKeys {
  readonly kId: Uint8Array;
  readonly #secret: Readonly<Record<"loginSeed" | "kPw" | "kPl" | "kPs", Uint8Array>>;

  constructor(kId: Uint8Array, loginSeed: Uint8Array, kPw: Uint8Array, kPl: Uint8Array, kPs: Uint8Array) {
    this.kId = kId;
    this.#secret = { loginSeed, kPw, kPl, kPs };
  }

  get loginSeed(): Uint8Array {
    return this.#secret.loginSeed;
  }

  get kPw(): Uint8Array {
    return this.#secret.kPw;
  }

  get kPl(): Uint8Array {
    return this.#secret.kPl;
  }

  get kPs(): Uint8Array {
    return this.#secret.kPs;
  }
}

class PinKeys {
  readonly #tag: Uint8Array;
  readonly #wrapping: Uint8Array;

  constructor(tag: Uint8Array, wrapping: Uint8Array) {
    this.#tag = tag;
    this.#wrapping = wrapping;
  }

  get tag(): Uint8Array {
    return this.#tag;
  }

  get wrapping(): Uint8Array {
    return this.#wrapping;
  }
}

/** tag_L, which the server counts and compares, and pin_L, which never leaves. Forget both after login. */
export class PinLogin extends PinKeys {
  readonly use = "login";
}

/** tag_S and pin_S, as `PinLogin`, for the step-up to sensitive items. Forget both at once. */
export class PinStep extends PinKeys {
  readonly use = "step";
}

/** NFKC, full case folding by the table, NFKC, U+0020 stripped at both ends; 1 to 64 code points.
 *
 * At sign-up unassigned code points are refused, too. Throws SecretRefused; `detail` names the rule. */
export function normaliseUsername(text: string, signUp = false): string {
  requireText("user name", text, signUp);
  const folded = Array.from(text.normalize("NFKC"), folding).join("");
  const name = folded.normalize("NFKC").replace(/^ +/, "").replace(/ +$/, "");
  const points = Array.from(name).length;
  if (points < 1 || points > USERNAME_POINTS) {
    throw new SecretRefused(`the user name has 1 to ${USERNAME_POINTS} characters`);
  }
  return name;
}

/** Every space (Zs) as U+0020, then NFC; 8 to 1,024 bytes of UTF-8, no control characters (Cc).
 *
 * At sign-up unassigned code points are refused, too. Throws SecretRefused; `detail` names the rule. */
export function normalisePassword(text: string, signUp = false): string {
  requireText("password", text, signUp);
  const password = text.replace(/\p{Zs}/gu, " ").normalize("NFC");
  if (/\p{Cc}/u.test(password)) {
    throw new SecretRefused("the password has no control characters");
  }
  const [shortest, longest] = PASSWORD_BYTES;
  const size = encodeText(password).length;
  if (size < shortest || size > longest) {
    throw new SecretRefused(`the password has ${shortest} to ${longest} bytes`);
  }
  return password;
}

/** 4 to 12 digits, those of any script as ASCII.
 *
 * At sign-up refuses what is guessed first: a common PIN, one digit repeated, a straight sequence, and a year from 1900
 * to `thisYear` (to 2099 if not given). Throws SecretRefused; `detail` names the rule. */
export function normalisePin(text: string, signUp = false, thisYear: number | null = null): string {
  const points = Array.from(text);
  const [shortest, longest] = PIN_DIGITS;
  if (points.length < shortest || points.length > longest) {
    throw new SecretRefused(`the PIN has ${shortest} to ${longest} digits`);
  }
  const digits = points.map(digitOf);
  if (signUp) {
    refuseGuessable(digits, thisYear ?? 2099);
  }
  return digits.join("");
}

/** st of protocol §1: Argon2id over the normalised password, salted with vault (16 bytes) and normalised name.
 *
 * Takes 64 MiB and, on a cheap phone, seconds. Throws SecretRefused, UnsupportedVersion for a set this version doesn't
 * know, and NotEnoughMemory. */
export function stretch(username: string, password: string, vaultId: Uint8Array, argonSet = 1): Stretched {
  if (vaultId.length !== ID_SIZE) {
    throw new RangeError("a vault id is exactly 16 bytes");
  }
  const cost = ARGON_SETS.get(argonSet);
  if (cost === undefined) {
    throw new UnsupportedVersion("unknown Argon2id parameters");
  }
  const name = encodeText(normaliseUsername(username));
  const secret = encodeText(normalisePassword(password));
  const salt = sodium.crypto_hash_sha256(context(Kind.PWSALT, vaultId, name));
  return new Stretched(argon(secret, salt.subarray(0, sodium.crypto_pwhash_SALTBYTES), cost));
}

/** Throws ArgonWrong unless Argon2id gives a known answer at the cost of set 1, in the memory that a login takes.
 *
 * Some phones computed others (libsodium.js, issues 235 and 311): a vault locked with those never opens elsewhere. */
export function selfTestArgon(): void {
  const cost = ARGON_SETS.get(1)!;
  if (!isSame(argon(encodeText("correct horse"), new Uint8Array(16).fill(7), cost), parseHex(KNOWN_ANSWER))) {
    throw new ArgonWrong();
  }
}

/** Argon2id of "correct horse", salt 16 × 0x07, 3 passes, 64 MiB, one lane: what the reference implementation gives. */
const KNOWN_ANSWER = "7b985d8fa00c9eccccf918c8cb9feaa8036af381caf6f498e099b5b849b8c18a";

function argon(secret: Uint8Array, salt: Uint8Array, cost: ArgonSet): Uint8Array {
  try {
    return sodium.crypto_pwhash(
      KEY_SIZE, secret, salt, cost.ops, cost.memBytes, sodium.crypto_pwhash_ALG_ARGON2ID13,
    );
  } catch {
    throw new NotEnoughMemory();
  }
}

/** K_id, the Ed25519 seed of K_login, K_pw, K_pl and K_ps. */
export function deriveLogin(st: Stretched): LoginKeys {
  return new LoginKeys(
    derive(st.raw, Kind.ACCOUNT_ID),
    derive(st.raw, Kind.LOGIN_SEED),
    derive(st.raw, Kind.PW_WRAP),
    derive(st.raw, Kind.PIN_LOGIN_KEY),
    derive(st.raw, Kind.PIN_STEP_KEY),
  );
}

/** tag_L and pin_L, for an account of 16 bytes. Throws SecretRefused if this is no PIN. */
export function derivePinLogin(kPl: Uint8Array, account: Uint8Array, pin: string): PinLogin {
  const fields = [requireAccount(account), encodeText(normalisePin(pin))];
  return new PinLogin(derive(kPl, Kind.PIN_LOGIN, ...fields), derive(kPl, Kind.PIN_KEK, ...fields));
}

/** tag_S and pin_S; `pinEpoch` counts the PINs of the account, from 1. Throws SecretRefused if this is no PIN. */
export function derivePinStep(kPs: Uint8Array, account: Uint8Array, pinEpoch: number, pin: string): PinStep {
  const fields = [requireAccount(account), u32(pinEpoch), encodeText(normalisePin(pin))];
  return new PinStep(derive(kPs, Kind.PIN_STEP, ...fields), derive(kPs, Kind.PIN_KEK, ...fields));
}

/** The 64-byte Ed25519 signature (RFC 8032) of the key that this 32-byte seed makes. */
export function signWithSeed(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return signatures.signEd25519(requireKey(seed), message);
}

/** The 32-byte Ed25519 public key of a 32-byte seed. */
export function derivePublic(seed: Uint8Array): Uint8Array {
  return signatures.derivePublic(requireKey(seed));
}

function requireText(what: string, text: string, signUp: boolean): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new SecretRefused(`the ${what} is not valid text`);
  }
  if (signUp && !Array.from(text, pointOf).every(isAssigned)) {
    throw new SecretRefused(`the ${what} has a character that not every device knows`);
  }
}

function refuseGuessable(digits: readonly number[], thisYear: number): void {
  const pin = digits.join("");
  if (commonPins.includes(pin)) {
    throw new SecretRefused("the PIN is one of the commonest");
  }
  if (pin.length === 4 && Number(pin) >= 1900 && Number(pin) <= thisYear) {
    throw new SecretRefused("the PIN looks like a year of birth");
  }
  const steps = new Set(digits.slice(1).map((digit, at) => (digit - digits[at]! + 10) % 10));
  if (steps.size === 1 && [0, 1, 9].some((step) => steps.has(step))) {
    throw new SecretRefused("the PIN is one digit repeated or a straight sequence");
  }
}

function requireAccount(account: Uint8Array): Uint8Array {
  if (account.length !== ID_SIZE) {
    throw new RangeError("an account is exactly 16 bytes");
  }
  return account;
}

const FOLD = new Map(Object.entries(casefold.fold));

function pointOf(character: string): number {
  return character.codePointAt(0)!;
}

function folding(character: string): string {
  return FOLD.get(pointOf(character).toString(16)) ?? character;
}

function isAssigned(point: number): boolean {
  return casefold.assigned.some(([first, last]) => first! <= point && point <= last!);
}

function digitOf(character: string): number {
  const point = pointOf(character);
  const zero = casefold.zeros.find((one) => one <= point && point <= one + 9);
  if (zero === undefined) {
    throw new SecretRefused("the PIN has digits only");
  }
  return point - zero;
}

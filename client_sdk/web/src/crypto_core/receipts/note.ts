// Signed notes: text under which one or more keys have signed.
// Knows: c2sp.org/signed-note with Ed25519 (0x01) and c2sp.org/tlog-cosignature v1 (0x04), as
// docs/spec/note-and-policy.md restates them. Refuses to know: what the text says, and which keys deserve trust.
//
// Opening a note ends in one of four ways, which are told apart: MalformedError (not a note), SignatureInvalid
// (a known key's signature is false: the whole note is refused), NoteKeyUnknown (no known key has signed),
// or an OpenedNote. Signatures by unknown keys are passed over and listed, never believed.

import {
  MAX_TIME, concat, decodeText, encodeText, formatB64, formatHex, isSame, parseB64, parseHex, u64,
} from "../encoding.js";
import { MalformedError, NoteKeyUnknown, SignatureInvalid, UnsupportedVersion } from "../errors.js";
import { sodium } from "../sodium.js";
import { PUBLIC_SIZE, SEED_SIZE, SIGNATURE_SIZE, derivePublic, signEd25519, verifyEd25519 } from "./signatures.js";

export const MAX_NOTE_SIZE = 64 * 1024;
export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;

const HASH_SIZE = 4;
const TIME_SIZE = 8;
const DASH = "\u2014 ";
const CONTROLS = /[\x00-\x09\x0b-\x1f]/;
// The characters that Unicode calls White_Space, spelled out because languages disagree on U+0085 and U+FEFF;
// a lone surrogate has no UTF-8.
const NO_NAME =
  /[\u0000-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u{d800}-\u{dfff}+]/u;

/** A public key by its name. Throws MalformedError for an impossible name, UnsupportedVersion for an algorithm
 * that is not known here. */
export class VerifierKey {
  readonly name: string;
  readonly algorithm: number;
  /** 32 bytes. */
  readonly public: Uint8Array;

  constructor(name: string, algorithm: number, publicKey: Uint8Array) {
    if (!isName(name)) {
      throw new MalformedError("a key's name is not empty and has no space, control character or plus");
    }
    if (algorithm !== ED25519 && algorithm !== COSIGNATURE) {
      throw new UnsupportedVersion("a signature type other than Ed25519 and cosignature/v1");
    }
    if (publicKey.length !== PUBLIC_SIZE) throw new MalformedError("an Ed25519 key has 32 bytes");
    this.name = name;
    this.algorithm = algorithm;
    this.public = publicKey;
  }

  /** The 4-byte key ID: SHA-256(name ‖ 0x0A ‖ algorithm ‖ public)[:4]. A hint to find a key, no proof of one. */
  get keyHash(): Uint8Array {
    const named = concat(encodeText(`${this.name}\n`), Uint8Array.of(this.algorithm), this.public);
    return sodium.crypto_hash_sha256(named).slice(0, HASH_SIZE);
  }
}

/** Signs notes (ED25519, a ledger's) or cosigns checkpoints (COSIGNATURE, a witness's).
 * `seed`: 32 secret bytes that the caller drew; nothing that prints a value prints them. */
export class SignerKey {
  /** The public half. */
  readonly verifier: VerifierKey;
  readonly #seed: Uint8Array;

  constructor(name: string, seed: Uint8Array, algorithm: number = ED25519) {
    if (seed.length !== SEED_SIZE) throw new RangeError("a seed is exactly 32 bytes");
    this.verifier = new VerifierKey(name, algorithm, derivePublic(seed));
    this.#seed = seed;
  }

  get name(): string {
    return this.verifier.name;
  }

  get algorithm(): number {
    return this.verifier.algorithm;
  }

  get seed(): Uint8Array {
    return this.#seed;
  }
}

/** One signature line: 4-byte `keyHash`, and `raw`, whose form the key's algorithm decides (at least 1 byte). */
export interface Signature {
  readonly name: string;
  readonly keyHash: Uint8Array;
  readonly raw: Uint8Array;
}

/** A note as it came: nothing in it is verified. `text` ends in a newline. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly Signature[];
}

/** A signature that verified. `time`, Unix seconds, is what a cosignature says; null for a plain signature. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  readonly time: number | null;
}

declare const OPENED: unique symbol;

/** A note under which at least one known key has signed. Only `openNote` makes one. */
export interface OpenedNote {
  readonly [OPENED]: true;
  readonly text: string;
  readonly verified: readonly VerifiedSignature[];
  /** Signatures by keys that are not known here: nothing is known about them. */
  readonly ignored: readonly Signature[];
}

/** `name+hex(keyHash)+base64(algorithm ‖ public)`. */
export function formatVkey(key: VerifierKey): string {
  return `${key.name}+${formatHex(key.keyHash)}+${formatB64(concat(Uint8Array.of(key.algorithm), key.public))}`;
}

/** A verifier key from its one spelling. Throws MalformedError (also for a keyHash that is not the key's own)
 * or UnsupportedVersion for another algorithm. */
export function parseVkey(text: string): VerifierKey {
  const [name = "", hashText = "", ...rest] = text.split("+"); // base64 has plus signs of its own
  const [keyHash, key] = [parseHex(hashText, HASH_SIZE), parseB64(rest.join("+"))];
  const [algorithm] = key;
  if (algorithm === undefined) throw new MalformedError("a verifier key without its key");
  const parsed = new VerifierKey(name, algorithm, key.slice(1));
  if (!isSame(parsed.keyHash, keyHash)) throw new MalformedError("the key ID is not that of the key");
  return parsed;
}

/** Signs a note's text, which ends in a newline; a cosigner says at which `time` (Unix seconds) it looked.
 *
 * Throws RangeError if `text` can't be a note's, or if `time` is missing or out of place. */
export function sign(text: string, signer: SignerKey, time: number | null = null): Signature {
  requireText(text);
  if ((signer.algorithm === COSIGNATURE) !== (time !== null)) {
    throw new RangeError("a cosignature has a time, and nothing else has");
  }
  if (time !== null && !(Number.isInteger(time) && time >= 0 && time <= MAX_TIME)) {
    throw new RangeError("a time that no calendar has");
  }
  const raw = time === null
    ? signEd25519(signer.seed, encodeText(text))
    : concat(u64(time), signEd25519(signer.seed, cosignedMessage(time, text)));
  return { name: signer.name, keyHash: signer.verifier.keyHash, raw };
}

/** The whole note: `text` under one Ed25519 signature. Throws RangeError as `sign` does. */
export function signNote(text: string, signer: SignerKey): string {
  return formatNote({ text, signatures: [sign(text, signer)] });
}

/** The text, an empty line, the signature lines. UTF-8 when it travels. */
export function formatNote(note: Note): string {
  return `${note.text}\n${formatSignatures(note.signatures)}`;
}

/** A note of at most 64 KiB with at least one signature line. Throws MalformedError. */
export function parseNote(data: Uint8Array): Note {
  const text = decoded(data);
  const border = text.lastIndexOf("\n\n");
  if (border < 0) throw new MalformedError("no empty line between text and signatures");
  return { text: text.slice(0, border + 1), signatures: parseLines(text.slice(border + 2)) };
}

/** One line each: em dash, space, name, space, base64(keyHash ‖ raw), newline. */
export function formatSignatures(signatures: readonly Signature[]): string {
  return signatures.map(({ name, keyHash, raw }) => `${DASH}${name} ${formatB64(concat(keyHash, raw))}\n`).join("");
}

/** At least one signature line and nothing else, as a witness answers. Throws MalformedError. */
export function parseSignatures(data: Uint8Array): readonly Signature[] {
  return parseLines(decoded(data));
}

/** Verifies every signature by a known key; all must hold, and there must be one.
 *
 * Throws MalformedError, SignatureInvalid, or NoteKeyUnknown. */
export function openNote(data: Uint8Array, knownKeys: Iterable<VerifierKey>): OpenedNote {
  const note = parseNote(data);
  const known = new Map(Array.from(knownKeys, (key) => [keyId(key), key]));
  const [verified, ignored]: [VerifiedSignature[], Signature[]] = [[], []];
  for (const signature of note.signatures) {
    const key = known.get(keyId(signature));
    if (key) verified.push({ key, time: verifySignature(note.text, signature, key) });
    else ignored.push(signature);
  }
  if (!verified.length) throw new NoteKeyUnknown();
  return { text: note.text, verified, ignored } as unknown as OpenedNote;
}

/** The proven time of a cosignature, null for a plain signature. Throws SignatureInvalid.
 *
 * A cosignature that claims a time beyond the year 9999 is refused as one from the future. */
export function verifySignature(text: string, signature: Signature, key: VerifierKey): number | null {
  if (keyId(signature) !== keyId(key)) throw new SignatureInvalid("made by another key");
  const { raw } = signature;
  if (key.algorithm === ED25519) {
    verifyEd25519(key.public, encodeText(text), raw);
    return null;
  }
  if (raw.length !== TIME_SIZE + SIGNATURE_SIZE) throw new SignatureInvalid("a cosignature has 72 bytes");
  const time = new DataView(raw.buffer, raw.byteOffset).getBigUint64(0);
  if (time > MAX_TIME) throw new SignatureInvalid("a time that no calendar has");
  verifyEd25519(key.public, cosignedMessage(Number(time), text), raw.subarray(TIME_SIZE));
  return Number(time);
}

/** Throws MalformedError if `text` has an ASCII control character other than newline. */
export function refuseControls(text: string): void {
  if (CONTROLS.test(text)) throw new MalformedError("a control character other than newline");
}

function keyId({ name, keyHash }: VerifierKey | Signature): string {
  return `${name}+${formatHex(keyHash)}`;
}

function cosignedMessage(time: number, text: string): Uint8Array {
  return encodeText(`cosignature/v1\ntime ${time}\n${text}`);
}

function requireText(text: string): void {
  if (!text.endsWith("\n") || CONTROLS.test(text)) {
    throw new RangeError("a note's text ends in a newline and has no other control character");
  }
}

function isName(name: string): boolean {
  return name !== "" && !NO_NAME.test(name);
}

function decoded(data: Uint8Array): string {
  if (data.length > MAX_NOTE_SIZE) throw new MalformedError("a note of more than 64 KiB");
  const text = decodeText(data);
  refuseControls(text);
  return text;
}

function parseLines(text: string): readonly Signature[] {
  const lines = text.split("\n");
  if (lines.pop() || !lines.length) {
    throw new MalformedError("signature lines, each ending in a newline, were expected");
  }
  return lines.map(parseLine);
}

function parseLine(line: string): Signature {
  const [name = "", ...encoded] = line.slice(DASH.length).split(" ");
  if (!line.startsWith(DASH) || !encoded.length || !isName(name)) throw new MalformedError("not a signature line");
  const value = parseB64(encoded.join(" "));
  if (value.length <= HASH_SIZE) throw new MalformedError("a signature too short");
  return { name, keyHash: value.slice(0, HASH_SIZE), raw: value.slice(HASH_SIZE) };
}

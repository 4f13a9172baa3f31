// Rotations: how a ledger comes by a new key, in records that the old key and the new one both sign.
// Knows: docs/spec/rotation.md: a record, the list of all records of a ledger, and what follows from it for a policy.
// Refuses to know: where a list comes from, what time it is, and whether a key was stolen; no record can tell.
//
// From a record on, the new key signs every larger tree, and whoever knows the record demands that. The old key goes on
// signing beside it for a while, for those who don't know it yet.

import { decodeText, encodeText, formatTime, isSame, parseTime } from "../encoding.js";
import {
  MalformedError, NoteKeyUnknown, RotationBackwards, RotationBroken, RotationForked, RotationUnsigned, SignatureInvalid,
} from "../errors.js";
import { parseDecimal } from "./checkpoint.js";
import {
  ED25519, formatNote, formatVkey, openNote, parseNote, parseVkey, sign, type OpenedNote, type SignerKey,
  type VerifierKey,
} from "./note.js";
import { Policy, type Log } from "./policy.js";
import { requireSpelled } from "./spelling.js";

export const MAX_ROTATIONS_SIZE = 64 * 1024;
export const SUFFIX = "/rotation";

const FIELDS = ["old", "new", "size", "time", "until"];

/** `old` hands the ledger on: `new` signs every checkpoint of more than `size` entries, from `time` on, and `old` signs
 * them as well, at least until `until`. Times are Unix seconds. */
export interface Rotation {
  readonly old: VerifierKey;
  readonly new: VerifierKey;
  readonly size: number;
  readonly time: number;
  readonly until: number;
}

/** All records of one ledger, oldest first, each signed by the two keys that it names and following on from the one
 * before. Only `openRotations` makes one. */
export class RotationChain {
  readonly rotations: readonly Rotation[];
  /** As it came. */
  readonly data: Uint8Array;

  constructor(rotations: readonly Rotation[] = [], data: Uint8Array = new Uint8Array()) {
    this.rotations = rotations;
    this.data = data;
  }

  /** Every key that the ledger has had, the newest last; none if there is no record. */
  get keys(): VerifierKey[] {
    return [...this.rotations.slice(0, 1).map((one) => one.old), ...this.rotations.map((one) => one.new)];
  }

  /** The longer of two that tell the same. Throws RotationForked, or RotationBroken if they have no key in common where
   * they begin to differ. */
  joined(other: RotationChain): RotationChain {
    for (const [at, mine] of this.rotations.entries()) {
      const theirs = other.rotations[at];
      if (theirs !== undefined && formatRotation(mine) !== formatRotation(theirs)) {
        throw isKey(mine.old, theirs.old) ? new RotationForked() : new RotationBroken("another ledger's records");
      }
    }
    return other.rotations.length > this.rotations.length ? other : this;
  }
}

/** The text to sign. Throws RangeError for a record that has no spelling. */
export function formatRotation(rotation: Rotation): string {
  const values = told(rotation);
  const text = `${rotation.old.name}${SUFFIX}\n${FIELDS.map((name, at) => `${name} ${values[at]}\n`).join("")}`;
  requireSpelled(rotation, () => parseRotation(text), told);
  return text;
}

/** A record from a note's text: nothing in it is verified. Throws MalformedError, or UnsupportedVersion for a key of
 * another algorithm. */
export function parseRotation(text: string): Rotation {
  const [first, ...lines] = text.split("\n");
  const end = lines.pop();
  const values = lines.map((line, at) => (line.startsWith(`${FIELDS[at]} `) ? line.slice(line.indexOf(" ") + 1) : null));
  const [oldText, newText, size, timeText, untilText] = values;
  if (
    end !== "" || values.length !== FIELDS.length || oldText == null || newText == null || size == null
    || timeText == null || untilText == null
  ) {
    throw new MalformedError("a record of a rotation has six lines, each with its name");
  }
  const [older, newer] = [parseVkey(oldText), parseVkey(newText)];
  const areLedgers = older.algorithm === ED25519 && newer.algorithm === ED25519;
  if (!areLedgers || first !== `${older.name}${SUFFIX}` || newer.name !== older.name) {
    throw new MalformedError("the keys are not both of the ledger that the record names");
  }
  if (isSame(older.public, newer.public)) throw new MalformedError("a key that follows itself");
  const [time, until] = [parseTime(timeText), parseTime(untilText)];
  if (until < time) throw new MalformedError("an end before the beginning");
  return { old: older, new: newer, size: parseDecimal(size), time, until };
}

/** The record as a note, signed by both. Throws RangeError for other keys, or as `formatRotation` does. */
export function signRotation(rotation: Rotation, older: SignerKey, newer: SignerKey): string {
  if (!isKey(older.verifier, rotation.old) || !isKey(newer.verifier, rotation.new)) {
    throw new RangeError("the keys are not those of the record");
  }
  const text = formatRotation(rotation);
  return formatNote({ text, signatures: [sign(text, older), sign(text, newer)] });
}

/** A record that both its keys have signed. Throws MalformedError, UnsupportedVersion or RotationUnsigned. */
export function openRotation(note: Uint8Array): Rotation {
  const rotation = parseRotation(parseNote(note).text);
  const keys = [rotation.old, rotation.new];
  let opened: OpenedNote;
  try {
    opened = openNote(note, keys);
  } catch (error) {
    if (error instanceof SignatureInvalid || error instanceof NoteKeyUnknown) throw new RotationUnsigned();
    throw error;
  }
  if (!keys.every((key) => opened.verified.some((one) => isKey(one.key, key)))) throw new RotationUnsigned();
  return rotation;
}

/** Notes one after the other, an empty line between two. Empty if there is none. */
export function formatRotations(notes: readonly string[]): Uint8Array {
  return encodeText(notes.join("\n"));
}

/** The notes of a list of at most 64 KiB, which may be empty: nothing in them is verified. Throws MalformedError. */
export function parseRotations(data: Uint8Array): readonly string[] {
  if (data.length > MAX_ROTATIONS_SIZE) throw new MalformedError("records of more than 64 KiB");
  if (data.length === 0) return [];
  const text = decodeText(data);
  const blocks = text.replace(/\n$/, "").split("\n\n");
  if (blocks.length % 2 || !text.endsWith("\n")) throw new MalformedError("a text without its signatures");
  const notes = blocks.flatMap((block, at) => (at % 2 ? [] : [`${block}\n\n${blocks[at + 1]}\n`]));
  for (const note of notes) parseNote(encodeText(note));
  return notes;
}

/** The records of a list, proven from the first to the last; none if it is empty.
 *
 * Throws MalformedError, UnsupportedVersion, RotationUnsigned, RotationBroken or RotationBackwards. */
export function openRotations(data: Uint8Array): RotationChain {
  const found: Rotation[] = [];
  for (const note of parseRotations(data)) {
    const rotation = openRotation(encodeText(note));
    requireSuccessor(found, rotation);
    found.push(rotation);
  }
  return new RotationChain(found, data);
}

/** The same trust, in every key of the ledger that the records are of: each may sign alone what its record says.
 *
 * Throws RotationBroken if the policy trusts none of the records' keys, or another one under the ledger's name. */
export function rotatePolicy(policy: Policy, chain: RotationChain): Policy {
  const { keys } = chain;
  if (keys.length === 0) return policy;
  const named = policy.logs.filter((log) => log.key.name === keys[0]?.name);
  const [first] = named;
  if (first === undefined || !named.every((log) => keys.some((key) => isKey(key, log.key)))) {
    throw new RotationBroken("the records do not know the trusted key");
  }
  const rotated = keys.map((key): Log => ({
    key,
    url: (named.find((log) => isKey(log.key, key)) ?? first).url,
    last: chain.rotations.find((one) => isKey(one.old, key))?.size ?? null,
  }));
  const others = policy.logs.filter((log) => !named.includes(log));
  return new Policy([...others, ...rotated], policy.witnesses, policy.groups, policy.quorum);
}

function requireSuccessor(before: readonly Rotation[], rotation: Rotation): void {
  const last = before.at(-1);
  if (last === undefined) return;
  if (!isKey(rotation.old, last.new) || before.some((one) => isKey(one.old, rotation.new))) {
    throw new RotationBroken("a record that does not follow on from the one before");
  }
  if (rotation.size < last.size || rotation.time < last.time) throw new RotationBackwards();
}

function isKey(one: VerifierKey, other: VerifierKey): boolean {
  return formatVkey(one) === formatVkey(other);
}

function told({ old, new: newer, size, time, until }: Rotation): string[] {
  return [formatVkey(old), formatVkey(newer), String(size), formatTime(time), formatTime(until)];
}

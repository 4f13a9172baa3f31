// The fields that all schemas are made of.
// Knows: the one spelling of each kind of value. Refuses to know: which message a value stands in.
// Parsing gives what the SDK works with (bytes, Unix seconds; ids stay as they are spelled); `dump` spells it again.

import * as v from "valibot";

import { formatB64url, formatHex, formatTime, parseB64url, parseHex, parseTime } from "../crypto_core/encoding.js";
import { MalformedError } from "../crypto_core/errors.js";
import * as limits from "./limits.js";

// Its own messages quote what was given, and a message may end in an exception's text.
v.setGlobalMessage("Not what stands here.");

const UNKEEPABLE = /[\0\p{Surrogate}]/u;

/** Bytes as canonical base64url without padding, of exactly `size` bytes. */
export function bytes(size: number) {
  return bytesBetween(size, size);
}

/** Bytes as canonical base64url without padding, of `least` to `most` bytes. */
export function bytesBetween(least: number, most: number) {
  return spelled((text) => between(parseB64url(text), least, most), formatB64url);
}

/** Bytes as lower-case hexadecimal, of exactly `size` bytes: ids and hashes as a person sees them. */
export function hex(size: number) {
  return spelled((text) => parseHex(text, size), formatHex);
}

/** A 16-byte id, which keeps its spelling: 22 characters of canonical base64url. */
export function id() {
  return spelled((text) => {
    parseB64url(text, limits.ID);
    return text;
  }, (text) => text);
}

/** A SHA-256, 32 bytes. */
export function hash() {
  return bytes(limits.HASH);
}

/** A whole number between `least` and `most`. */
export function whole(least = 0, most: number = limits.SAFE_INTEGER) {
  const wrong = "Not a whole number.";
  return v.pipe(v.number(wrong), v.safeInteger(wrong), v.minValue(least), v.maxValue(most));
}

/** A counter: 1 to 2^32 − 1, or from `least`. */
export function u32(least = 1) {
  return whole(least, limits.U32);
}

/** Unix seconds, spelled as RFC 3339 UTC with `Z` and whole seconds. */
export function time() {
  return spelled(parseTime, formatTime);
}

/** true or false; no number and no text. */
export function yesNo() {
  return v.boolean("Not true or false.");
}

/** Unicode text of `least` to `most` characters (code points), without lone surrogates or NUL. */
export function text(most: number, least = 0) {
  return v.pipe(
    v.string(),
    v.check((value) => !UNKEEPABLE.test(value), "Not text that can be kept."),
    v.check((value) => {
      const length = lengthOf(value);
      return least <= length && length <= most;
    }, `Expected ${least} to ${most} characters.`),
  );
}

/** One of these words. */
export function oneOf<const Words extends readonly string[]>(...words: Words) {
  return v.picklist(words);
}

/** The base of every schema: unknown names are refused. */
export function strict<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject(entries);
}

/** A loaded value as its schema spells it, ready for `formatJson`: the inverse of parsing.
 *
 * Checks nothing. What has no spelling (a time before 1970) stays as it is, for the schema to refuse. */
export function dump(schema: v.GenericSchema, value: unknown): unknown {
  const { spell } = v.getMetadata(schema) as Metadata;
  const { entries, item, wrapped } = schema as Parts;
  if (spell !== undefined) {
    return spell(value);
  }
  if (wrapped !== undefined) {
    return value === null ? null : dump(wrapped, value);
  }
  if (item !== undefined && Array.isArray(value)) {
    return value.map((one) => dump(item, one));
  }
  if (entries !== undefined && typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => {
      const field = Object.hasOwn(entries, name) ? entries[name] : undefined;
      return [name, field === undefined ? one : dump(field, one)];
    }));
  }
  return value;
}

/** What `dump` looks at in a schema of valibot: the fields of an object, the item of a list, what may be null. */
interface Parts {
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly item?: v.GenericSchema;
  readonly wrapped?: v.GenericSchema;
}

interface Metadata {
  readonly spell?: (value: unknown) => unknown;
}

/** A text that `parse` turns into a value, or refuses with a MalformedError; `format` spells it again. */
function spelled<Value>(parse: (text: string) => Value, format: (value: Value) => string) {
  const spell = (value: unknown): unknown => {
    try {
      return format(value as Value);
    } catch (error) {
      if (error instanceof MalformedError) {
        return value;
      }
      throw error;
    }
  };
  return v.pipe(
    v.string(),
    v.rawTransform<string, Value>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        if (!(error instanceof MalformedError)) {
          throw error;
        }
        addIssue({ message: error.detail });
        return NEVER;
      }
    }),
    v.metadata({ spell }),
  );
}

function between(data: Uint8Array, least: number, most: number): Uint8Array {
  if (data.length < least || data.length > most) {
    throw new MalformedError(`expected ${least === most ? least : `${least} to ${most}`} bytes`);
  }
  return data;
}

/** How many code points a text has. */
function lengthOf(value: string): number {
  let length = 0;
  for (const _ of value) {
    length++;
  }
  return length;
}

// Restorations: how a ledger says, under its own signature, that it was set back to an older copy.
// Knows: docs/spec/restoration.md: a record, and the list of all records of a ledger. Refuses to know: what was lost, and
// what anybody makes of it: a ledger that was set back is one that forked, whoever says so.

import { ID_SIZE, encodeText, formatB64url, formatTime, parseB64url, parseTime } from "../encoding.js";
import { MalformedError } from "../errors.js";
import { parseDecimal } from "./checkpoint.js";
import { openNote, type VerifierKey } from "./note.js";
import { formatRotations, parseRotations } from "./rotation.js";
import { requireSpelled } from "./spelling.js";

export const SUFFIX = "/restoration";

const FIELDS = ["generation", "size", "was", "time"];

/** The ledger `origin`, which had signed `was` entries, goes on from its first `size`, from `time` (Unix seconds) on;
 * 16-byte `generation` is the vault's from then on. */
export interface Restoration {
  readonly origin: string;
  readonly generation: Uint8Array;
  readonly size: number;
  readonly was: number;
  readonly time: number;
}

/** The text to sign. Throws RangeError for a record that has no spelling. */
export function formatRestoration(restoration: Restoration): string {
  const [, ...values] = told(restoration);
  const text = `${restoration.origin}${SUFFIX}\n${FIELDS.map((name, at) => `${name} ${values[at]}\n`).join("")}`;
  requireSpelled(restoration, () => parseRestoration(text), told);
  return text;
}

/** A record from a note's text: nothing in it is verified. Throws MalformedError. */
export function parseRestoration(text: string): Restoration {
  const [first = "", ...lines] = text.split("\n");
  const end = lines.pop();
  const values = lines.map((line, at) => (line.startsWith(`${FIELDS[at]} `) ? line.slice(line.indexOf(" ") + 1) : null));
  const [generation, size, was, time] = values;
  if (
    end !== "" || values.length !== FIELDS.length || !first.endsWith(SUFFIX)
    || generation == null || size == null || was == null || time == null
  ) {
    throw new MalformedError("a record of a restoration has five lines, each with its name");
  }
  const found = {
    origin: first.slice(0, -SUFFIX.length), generation: parseB64url(generation, ID_SIZE), size: parseDecimal(size),
    was: parseDecimal(was), time: parseTime(time),
  };
  if (found.was < found.size || found.origin === "") throw new MalformedError("a ledger that was set back to more than it had");
  return found;
}

/** The records of a list of at most 64 KiB, oldest first, each signed by one of the ledger's `keys`.
 *
 * Throws MalformedError, or as `openNote` does. */
export function openRestorations(data: Uint8Array, keys: readonly VerifierKey[]): readonly Restoration[] {
  const found = parseRotations(data).map((note) => parseRestoration(openNote(encodeText(note), keys).text));
  if (found.some(({ origin }) => !keys.some(({ name }) => name === origin))) {
    throw new MalformedError("another ledger's record");
  }
  return found;
}

/** The list with one more signed record, an empty line between two. Throws MalformedError for no list. */
export function addRestoration(data: Uint8Array, note: string): Uint8Array {
  return formatRotations([...parseRotations(data), note]);
}

function told({ origin, generation, size, was, time }: Restoration): readonly string[] {
  return [origin, formatB64url(generation), String(size), String(was), formatTime(time)];
}

// Checkpoints: what a ledger signs, its name, size and root at one moment.
// Knows: c2sp.org/tlog-checkpoint (docs/spec/ledger.md). Refuses to know: signatures (note.ts) and proofs.

import { HASH_SIZE, formatB64, isSame, parseB64 } from "../encoding.js";
import { MalformedError } from "../errors.js";
import { EMPTY_ROOT, MAX_SIZE } from "./merkle.js";
import { refuseControls } from "./note.js";
import { requireSpelled } from "./spelling.js";

const DECIMAL = /^(?:0|[1-9][0-9]{0,18})$/;

/** A tree head: `origin` names the ledger, `root` is 32 bytes. `extensions` are opaque lines; ours has none. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly extensions: readonly string[];
}

/** The text to sign, each line ending in a newline. Throws RangeError for a checkpoint that has no spelling. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const { origin, size, root, extensions } = checkpoint;
  const text = [origin, String(size), formatB64(root), ...extensions].map((line) => `${line}\n`).join("");
  requireSpelled(checkpoint, () => parseCheckpoint(text), told);
  return text;
}

/** A checkpoint from a note's text. Throws MalformedError; an empty tree has the root of the empty tree. */
export function parseCheckpoint(text: string): Checkpoint {
  refuseControls(text);
  const lines = text.split("\n");
  const rest = lines.pop();
  const [origin, sizeText, rootText, ...extensions] = lines;
  if (rest || origin === undefined || sizeText === undefined || rootText === undefined || lines.includes("")) {
    throw new MalformedError("a checkpoint has at least three lines, none of them empty");
  }
  const [size, root] = [parseDecimal(sizeText), parseB64(rootText, HASH_SIZE)];
  if (size === 0 && !isSame(root, EMPTY_ROOT)) throw new MalformedError("an empty tree with a root of its own");
  return { origin, size, root, extensions };
}

/** A number from 0 to 2^53−1 in ASCII digits without leading zeroes. Throws MalformedError. */
export function parseDecimal(text: string): number {
  if (!DECIMAL.test(text) || Number(text) > MAX_SIZE) throw new MalformedError("not a decimal number from 0 to 2^53-1");
  return Number(text);
}

function told({ origin, size, root, extensions }: Checkpoint): unknown {
  return [origin, size, formatB64(root), extensions];
}

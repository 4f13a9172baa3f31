// A signed checkpoint with the proof that it goes on from a smaller tree, in one file.
// Knows: the request of c2sp.org/tlog-witness (docs/spec/witness.md). Refuses to know: HTTP, signatures, and what
// anybody keeps.

import { HASH_SIZE, decodeText, encodeText, formatB64, parseB64 } from "../encoding.js";
import { MalformedError } from "../errors.js";
import { parseCheckpoint, parseDecimal, type Checkpoint } from "./checkpoint.js";
import { MAX_PROOF } from "./merkle.js";
import { MAX_NOTE_SIZE, parseNote } from "./note.js";
import { requireSpelled } from "./spelling.js";

export const MAX_SUBMISSION_SIZE = MAX_NOTE_SIZE + 4096;

/** As it came: nothing in it is verified. `old` is the size of the smaller tree, `proof` up to 63 hashes that lead from
 * there to the checkpoint in the signed note `note`. */
export class Submission {
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  readonly note: string;

  constructor(old: number, proof: readonly Uint8Array[], note: string) {
    this.old = old;
    this.proof = proof;
    this.note = note;
  }

  /** What the note says. */
  get checkpoint(): Checkpoint {
    return parseCheckpoint(parseNote(encodeText(this.note)).text);
  }
}

/** The body of `add-checkpoint`. Throws RangeError for a submission that has no spelling. */
export function formatSubmission(submission: Submission): Uint8Array {
  const { old, proof, note } = submission;
  const data = encodeText(`${[`old ${old}`, ...proof.map(formatB64)].join("\n")}\n\n${note}`);
  requireSpelled(submission, () => parseSubmission(data), told);
  return data;
}

/** A submission in its one spelling, its note and checkpoint well formed. Throws MalformedError. */
export function parseSubmission(data: Uint8Array): Submission {
  if (data.length > MAX_SUBMISSION_SIZE) throw new MalformedError("a submission of more than 68 KiB");
  const border = data.findIndex((octet, at) => octet === 0x0a && data[at + 1] === 0x0a);
  const [first, ...lines] = decodeText(data.subarray(0, Math.max(0, border))).split("\n");
  if (border < 0 || !first?.startsWith("old ")) throw new MalformedError("the old size was expected first");
  if (lines.length > MAX_PROOF) throw new MalformedError("a proof of more than 63 hashes");
  const old = parseDecimal(first.slice("old ".length));
  const proof = lines.map((line) => parseB64(line, HASH_SIZE));
  const note = data.subarray(border + 2);
  parseCheckpoint(parseNote(note).text);
  return new Submission(old, proof, decodeText(note));
}

function told({ old, proof, note }: Submission): unknown {
  return [old, proof.map(formatB64), note];
}

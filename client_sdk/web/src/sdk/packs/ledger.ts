// The state of the ledger that a pack brings: that each tree under which its receipts stand is the beginning of that one;
// and the records that lead from each of the ledger's keys to the others.
// Knows: a signed checkpoint, proofs in the form of c2sp.org/tlog-witness, and published records (docs/spec/pack.md).
// Refuses to know: where they lie, and receipts.

import { decodeText, encodeText, isSame } from "../../crypto_core/encoding.js";
import { ConsistencyMismatch, TemoinError } from "../../crypto_core/errors.js";
import type { Checkpoint } from "../../crypto_core/receipts/checkpoint.js";
import { verifyConsistency } from "../../crypto_core/receipts/merkle.js";
import type { Policy } from "../../crypto_core/receipts/policy.js";
import { MAX_ROTATIONS_SIZE, openRotations, rotatePolicy } from "../../crypto_core/receipts/rotation.js";
import { Submission, formatSubmission, parseSubmission } from "../../crypto_core/receipts/submission.js";
import { openCheckpoint } from "../../crypto_core/receipts/witnessed.js";
import { CHECKPOINT_NOTE } from "../../schemas/limits.js";
import { ServerFault } from "../errors.js";
import { CHECKPOINT, CONSISTENCY, ROTATIONS, readPublished } from "../session.js";
import type { Transport } from "../transport.js";

/** A checkpoint that a ledger of the policy signed, and by size the proofs that smaller trees are its beginning. */
export interface Continuity {
  readonly note: Uint8Array;
  readonly checkpoint: Checkpoint;
  readonly proofs: ReadonlyMap<number, Uint8Array>;
}

/** The policy in every key that the ledger's published records lead to, and these records. Both as they were before,
 * without records, where there are none, none of this ledger that hold, or none to be had. */
export async function fetchRotations(transport: Transport, policy: Policy): Promise<readonly [Policy, Uint8Array]> {
  try {
    const records = await readPublished(transport, ROTATIONS, MAX_ROTATIONS_SIZE);
    return [rotatePolicy(policy, openRotations(records)), records];
  } catch (error) {
    if (error instanceof TemoinError) return [policy, new Uint8Array()];
    throw error;
  }
}

/** The newest public checkpoint, and that each smaller tree of its ledger is its beginning; all of it verified.
 *
 * Throws NetworkError, ServerFault, Refused; MalformedError, SignatureInvalid, NoteKeyUnknown, NoteKeyRetired; or
 * ConsistencyMismatch, which means two histories. */
export async function fetchContinuity(
  transport: Transport, policy: Policy, trees: Iterable<Checkpoint>,
): Promise<Continuity> {
  const note = await readPublished(transport, CHECKPOINT, CHECKPOINT_NOTE);
  if (note.length > CHECKPOINT_NOTE) throw new ServerFault("a note that is too long");
  const newest = openCheckpoint(note, policy).checkpoint;
  const proofs = new Map<number, Uint8Array>();
  for (const tree of [...trees].sort((one, other) => one.size - other.size)) {
    if (tree.origin !== newest.origin || tree.size > newest.size) continue;
    if (tree.size === newest.size) {
      requireSame(tree, newest);
      continue;
    }
    if (!proofs.has(tree.size)) {
      const { proof } = await transport.ask("GET", CONSISTENCY, { query: { old: tree.size, new: newest.size } });
      proofs.set(tree.size, formatSubmission(new Submission(tree.size, proof, decodeText(note))));
    }
    verifyBeginning(tree, proofs.get(tree.size)!, note, newest);
  }
  return { note, checkpoint: newest, proofs };
}

/** Throws ConsistencyMismatch for another root of one size. */
export function requireSame(tree: Checkpoint, newest: Checkpoint): void {
  verifyConsistency(tree.size, newest.size, [], tree.root, newest.root);
}

/** Proves by the body of an `add-checkpoint` request that `tree` is the beginning of what `note` signs.
 *
 * Throws MalformedError, or ConsistencyMismatch, also for a proof of other trees than these two. */
export function verifyBeginning(tree: Checkpoint, proof: Uint8Array, note: Uint8Array, newest: Checkpoint): void {
  const submission = parseSubmission(proof);
  if (submission.old !== tree.size || !isSame(encodeText(submission.note), note)) {
    throw new ConsistencyMismatch("a proof of other trees");
  }
  verifyConsistency(tree.size, newest.size, submission.proof, tree.root, newest.root);
}

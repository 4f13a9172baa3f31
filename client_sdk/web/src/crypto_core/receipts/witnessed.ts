// A signed checkpoint under a policy: that a ledger of it signed, which witnesses cosigned, whether they are enough.
// Knows: notes, checkpoints and policies (docs/spec/note-and-policy.md).
// Refuses to know: entries, receipts, what time it is.

import { NoteKeyRetired, NoteKeyUnknown } from "../errors.js";
import { parseCheckpoint, type Checkpoint } from "./checkpoint.js";
import { formatVkey, openNote, type OpenedNote, type Signature } from "./note.js";
import { NONE, type Policy, type Witness } from "./policy.js";

/** A witness of the policy whose cosignature verified, and the earliest time that it says, in Unix seconds. */
export interface Cosigned {
  readonly witness: Witness;
  readonly time: number;
}

declare const WITNESSED: unique symbol;

/** A checkpoint that a ledger of the policy signed under its own origin. Only `openCheckpoint` makes one. */
export interface WitnessedCheckpoint {
  readonly [WITNESSED]: true;
  readonly checkpoint: Checkpoint;
  /** In the order of the policy. */
  readonly cosigned: readonly Cosigned[];
  /** The witnesses of the policy that have not cosigned, in its order. */
  readonly missing: readonly Witness[];
  /** Signatures by keys that are not the policy's: nothing is known about them. */
  readonly ignored: readonly Signature[];
  /** Whether enough have cosigned; with `quorum none`, always. */
  readonly isMet: boolean;
  /** Unix seconds: the earliest moment at which enough had; null with `quorum none`, or if they are not enough. */
  readonly boundTime: number | null;
}

/** Verifies every signature by a key of the policy, one of which has to be the ledger's of the checkpoint's origin,
 * and one that may still sign a tree of this size alone.
 *
 * Throws MalformedError, SignatureInvalid, NoteKeyUnknown or NoteKeyRetired. Too few cosignatures are no error here. */
export function openCheckpoint(note: Uint8Array, policy: Policy): WitnessedCheckpoint {
  const opened = openNote(note, policy.keys);
  const checkpoint = parseCheckpoint(opened.text);
  const signedBy = opened.verified.map(({ key }) => formatVkey(key));
  const ledgers = policy.logs.filter(({ key }) => key.name === checkpoint.origin && signedBy.includes(formatVkey(key)));
  if (ledgers.length === 0) throw new NoteKeyUnknown();
  if (ledgers.every(({ last }) => last !== null && last < checkpoint.size)) throw new NoteKeyRetired();
  const times = earliest(opened, policy);
  const bound = boundTime(times, policy);
  const found: Omit<WitnessedCheckpoint, typeof WITNESSED> = {
    checkpoint,
    cosigned: policy.witnesses.flatMap((witness) => {
      const time = times.get(witness.name);
      return time === undefined ? [] : [{ witness, time }];
    }),
    missing: policy.witnesses.filter(({ name }) => !times.has(name)),
    ignored: opened.ignored,
    isMet: policy.quorum === NONE || bound !== null,
    boundTime: bound,
  };
  return found as WitnessedCheckpoint;
}

/** The earliest cosignature time of each witness of the policy, by the policy's name for it. */
function earliest(opened: OpenedNote, policy: Policy): Map<string, number> {
  const names = new Map(policy.witnesses.map(({ key, name }) => [formatVkey(key), name]));
  const times = new Map<string, number>();
  for (const { key, time } of opened.verified) {
    const name = names.get(formatVkey(key));
    if (name !== undefined && time !== null) times.set(name, Math.min(time, times.get(name) ?? time));
  }
  return times;
}

function boundTime(times: ReadonlyMap<string, number>, policy: Policy): number | null {
  if (policy.quorum === NONE) return null;
  for (const time of [...times.values()].sort((one, other) => one - other)) {
    if (policy.isMetBy([...times].filter(([, at]) => at <= time).map(([name]) => name))) return time;
  }
  return null;
}

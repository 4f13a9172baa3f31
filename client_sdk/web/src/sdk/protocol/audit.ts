// How a device watches the ledger: it holds one signed note, and believes another only if the two fit together.
// Knows: protocol §6's outcomes. Refuses to know: hashes, signatures and requests.

import { Machine, type Transitions } from "./machine.js";

/** What this device knows of the ledger. */
export const Audit = { NOTHING: "nothing", HOLDING: "holding", COMPARING: "comparing", FORKED: "forked" } as const;
export type Audit = (typeof Audit)[keyof typeof Audit];

/** A signed note came, or was compared with the one that is held. */
export const AuditEvent = {
  FIRST_NOTE: "first note",
  SAME_NOTE: "same note",
  OTHER_NOTE: "other note",
  GREW: "grew",
  LAGGED: "lagged",
  NOT_COMPARED: "not compared",
  INCONSISTENT: "inconsistent",
} as const;
export type AuditEvent = (typeof AuditEvent)[keyof typeof AuditEvent];

export const TRANSITIONS: Transitions<Audit, AuditEvent> = [
  [Audit.NOTHING, AuditEvent.FIRST_NOTE, Audit.HOLDING],
  [Audit.HOLDING, AuditEvent.SAME_NOTE, Audit.HOLDING],
  [Audit.HOLDING, AuditEvent.OTHER_NOTE, Audit.COMPARING],
  [Audit.COMPARING, AuditEvent.GREW, Audit.HOLDING],
  [Audit.COMPARING, AuditEvent.LAGGED, Audit.HOLDING],
  [Audit.COMPARING, AuditEvent.NOT_COMPARED, Audit.HOLDING],
  [Audit.COMPARING, AuditEvent.INCONSISTENT, Audit.FORKED],
  [Audit.FORKED, AuditEvent.OTHER_NOTE, Audit.COMPARING],
  [Audit.FORKED, AuditEvent.SAME_NOTE, Audit.FORKED],
];

/** A device that holds a note, or none yet. */
export function auditing(holding: boolean): Machine<Audit, AuditEvent> {
  return new Machine(holding ? Audit.HOLDING : Audit.NOTHING, TRANSITIONS);
}

// How a vault opens: password, then PIN, then perhaps the sensitive tier; and how it closes from anywhere.
// Knows: protocol §1's order. Refuses to know: keys, requests and clocks.

import { Machine, type Transitions } from "./machine.js";

/** How far the vault is open. */
export const Unlock = {
  LOCKED: "locked",
  CHALLENGED: "challenged",
  PASSWORD: "password",
  OPEN: "open",
  SENSITIVE: "sensitive",
} as const;
export type Unlock = (typeof Unlock)[keyof typeof Unlock];

/** What was proven, or let go. */
export const UnlockEvent = {
  CHALLENGE: "challenge",
  PASSWORD_PROVEN: "password proven",
  PIN_PROVEN: "PIN proven",
  STEPPED_UP: "stepped up",
  SENSITIVE_DROPPED: "sensitive dropped",
  LOCKED: "locked",
} as const;
export type UnlockEvent = (typeof UnlockEvent)[keyof typeof UnlockEvent];

/** A PIN is never offered before the password was proven; locking is possible in every state. */
export const TRANSITIONS: Transitions<Unlock, UnlockEvent> = [
  [Unlock.LOCKED, UnlockEvent.CHALLENGE, Unlock.CHALLENGED],
  [Unlock.CHALLENGED, UnlockEvent.PASSWORD_PROVEN, Unlock.PASSWORD],
  [Unlock.PASSWORD, UnlockEvent.PIN_PROVEN, Unlock.OPEN],
  [Unlock.OPEN, UnlockEvent.STEPPED_UP, Unlock.SENSITIVE],
  [Unlock.SENSITIVE, UnlockEvent.STEPPED_UP, Unlock.SENSITIVE],
  [Unlock.SENSITIVE, UnlockEvent.SENSITIVE_DROPPED, Unlock.OPEN],
  ...Object.values(Unlock).map((state) => [state, UnlockEvent.LOCKED, Unlock.LOCKED] as const),
];

/** A locked vault. */
export function unlocking(): Machine<Unlock, UnlockEvent> {
  return new Machine<Unlock, UnlockEvent>(Unlock.LOCKED, TRANSITIONS);
}

// How strong a password is. Knows: what enough is, the same as client_sdk.strength in Python. Refuses to know: how it
// is found out (judge.ts, whose word lists are loaded only where a password is chosen).

/** Of 0 to 4: "safely unguessable" for an attacker who has stolen a slow hash. */
export const ENOUGH = 3;

export interface Strength {
  /** 0 to 4. */
  readonly score: number;
  /** What zxcvbn names as weak or as a help, by its own keys. */
  readonly advice: readonly string[];
}

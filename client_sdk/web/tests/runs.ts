// How many examples a property is tried on, and where they begin.
// Knows: in CI the examples are always the same, so that what is refused there can be had again; a soak tries more.
import fc from "fast-check";

const { CI, SOAK = "1" } = process.env;

if (CI !== undefined) fc.configureGlobal({ seed: 20261126 });

/** `count` examples, and in a soak (SOAK=20) that many times as many. */
export function runs(count: number): number {
  return count * Number(SOAK);
}

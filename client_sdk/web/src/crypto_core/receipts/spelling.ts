// Nothing is written that would be read as something else.
// Knows: how to read back. Refuses to know: formats. Python compares such values by itself, JavaScript does not.

import { CryptoCoreError } from "../errors.js";

/** Throws RangeError unless `reread` gives back `value`; `told` spells either as plain JSON, every field of it. */
export function requireSpelled<T>(value: T, reread: () => T, told: (value: T) => unknown): void {
  let again: T;
  try {
    again = reread();
  } catch (error) {
    if (error instanceof CryptoCoreError) throw new RangeError("a value that can't be spelled");
    throw error;
  }
  if (JSON.stringify(told(again)) !== JSON.stringify(told(value))) {
    throw new RangeError("a value that can't be spelled");
  }
}

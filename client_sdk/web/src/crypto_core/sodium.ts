// The one door to libsodium. Knows: how it is loaded. Refuses to know: what it is used for.
// Everything in crypto_core is synchronous once `ready()` has resolved; whoever runs a worker or a test awaits it once.

import sodium from "libsodium-wrappers-sumo";

export { sodium };

/** Resolves when libsodium's wasm is compiled. */
export function ready(): Promise<void> {
  return sodium.ready;
}

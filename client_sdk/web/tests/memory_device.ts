// A person for tests: what they type, and what takes Argon2id's place.
// Knows: that a vault can't tell how a password was stretched. Refuses to know: vaults.

import { encodeText, formatB64url } from "../src/crypto_core/encoding.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import * as passphrase from "../src/crypto_core/sealing/passphrase.js";
import { sha256 } from "../src/sdk/digest.js";
import { Credentials, type Stretch } from "../src/sdk/keychain.js";

/** In Argon2id's place, for tests that log in often. */
export const QUICK: Stretch = (username, password, vaultId) =>
  Promise.resolve(new passphrase.Stretched(sha256(encodeText(`${formatB64url(vaultId)} ${username} ${password}`))));

/** A pair that nobody else has, and a PIN that isn't among the common ones. */
export function somebody(): Credentials {
  return new Credentials(`ana ${formatB64url(makeBytes(6))}`, "a long walk by the quiet river", "805193");
}

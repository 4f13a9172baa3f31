// Argon2id, and whether this browser computes it rightly.
// Knows: when a wrong answer would lock somebody out. Refuses to know: workers, and what the keys open.
//
// Some phones computed other bytes than Argon2id has (libsodium.js, issues 235 and 311). Keys that are going to lock
// something are therefore computed twice, after a known answer. A login is computed once: a wrong answer opens nothing,
// and is looked for when the vault refuses it, so that nobody is told of a wrong password that was right.

import { NEWEST_ARGON, selfTestArgon, stretch } from "../crypto_core/sealing/passphrase.js";
import { ready } from "../crypto_core/sodium.js";
import type { Stretch } from "./keychain.js";

/** What computes Argon2id. */
export interface Argon {
  readonly stretch: Stretch;
  /** Throws ArgonWrong if this browser computes other bytes than a known answer. */
  readonly test: () => Promise<void>;
}

/** Argon2id here, where it is called. */
export const ARGON_HERE: Argon = {
  stretch: async (username, password, vaultId) => {
    await ready();
    return stretch(username, password, vaultId, NEWEST_ARGON);
  },
  test: async () => {
    await ready();
    selfTestArgon();
  },
};

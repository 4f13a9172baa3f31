// Seals as the vault does and as libsodium alone would, in turn, and stretches a password.
// Knows: 100 MB of one byte, and the clock. Refuses to know: where the numbers go.

import { encodeText } from "../src/crypto_core/encoding.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import { CHUNK_SIZE, RUN_CHUNKS, Sealer } from "../src/crypto_core/sealing/envelope.js";
import { stretch } from "../src/crypto_core/sealing/passphrase.js";
import { ready, sodium } from "../src/crypto_core/sodium.js";
import { Sha256 } from "../src/sdk/digest.js";

export interface Measured {
  readonly bytes: number;
  /** Milliseconds of each round. */
  readonly bare: readonly number[];
  readonly sealed: readonly number[];
  readonly hashed: readonly number[];
  readonly argon: readonly number[];
}

const RUN = RUN_CHUNKS * CHUNK_SIZE;
const RUNS = 382; // 100,139,008 bytes

function timed(work: () => void): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

/** libsodium's AEAD over 16 KiB chunks, a counter as nonce, nothing else. */
function bare(data: Uint8Array, key: Uint8Array): void {
  const nonce = new Uint8Array(12);
  for (let run = 0; run < RUNS; run++) {
    for (let chunk = 0; chunk < RUN_CHUNKS; chunk++) {
      sodium.increment(nonce);
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        data.subarray(chunk * CHUNK_SIZE, (chunk + 1) * CHUNK_SIZE), null, null, nonce, key,
      );
    }
  }
}

function sealed(data: Uint8Array, key: Uint8Array): void {
  const sealer = new Sealer(key, encodeText("bench"));
  for (let run = 0; run < RUNS; run++) {
    sealer.sealChunks(run * RUN_CHUNKS, data, false);
  }
  sealer.sealChunks(RUNS * RUN_CHUNKS, new Uint8Array(), true);
}

/** As an upload does it: the SHA-256 of what goes in, and of what comes out. */
function hashed(data: Uint8Array, key: Uint8Array): void {
  const sealer = new Sealer(key, encodeText("bench"));
  const [plain, whole] = [new Sha256(), new Sha256()];
  for (let run = 0; run < RUNS; run++) {
    plain.update(data);
    whole.update(sealer.sealChunks(run * RUN_CHUNKS, data, false));
  }
  whole.update(sealer.sealChunks(RUNS * RUN_CHUNKS, new Uint8Array(), true));
  plain.digest();
  whole.digest();
}

onmessage = async (event: MessageEvent<number>) => {
  await ready();
  const [data, key, vault] = [makeBytes(RUN), makeBytes(32), makeBytes(16)];
  bare(data, key);
  sealed(data, key);
  hashed(data, key);
  const rounds = Array.from({ length: event.data }, () => ({
    bare: timed(() => bare(data, key)),
    sealed: timed(() => sealed(data, key)),
    hashed: timed(() => hashed(data, key)),
    argon: timed(() => stretch("someone", "a password of some length", vault)),
  }));
  const measured: Measured = {
    bytes: RUN * RUNS,
    bare: rounds.map((round) => round.bare),
    sealed: rounds.map((round) => round.sealed),
    hashed: rounds.map((round) => round.hashed),
    argon: rounds.map((round) => round.argon),
  };
  postMessage(measured);
};

// Argon2id in a worker of its own, ended after each answer.
// Knows: the question and the answer. Refuses to know: how it is computed.

import { SecretRefused } from "../crypto_core/errors.js";
import { ArgonWrong, NotEnoughMemory, Stretched } from "../crypto_core/sealing/passphrase.js";
import { ARGON_HERE, type Argon } from "../sdk/argon.js";

/** What is to be stretched; or a known answer. */
export type ArgonQuestion = "test" | {
  readonly username: string;
  readonly password: string;
  readonly vaultId: Uint8Array;
};

/** 32 bytes, or the code of an error; neither for a test that passed. */
export interface ArgonAnswer {
  readonly raw: Uint8Array | null;
  readonly code: string | null;
  readonly detail: string;
}

const ERRORS = [ArgonWrong, NotEnoughMemory, SecretRefused];

/** Argon2id in workers that `begin` starts; here, where this browser lets a worker start none. */
export function argonIn(begin: () => Worker): Argon {
  if (typeof Worker === "undefined") return ARGON_HERE;
  return {
    stretch: async (username, password, vaultId) => {
      const { raw } = await ask(begin(), { username, password, vaultId });
      if (raw === null) throw new ArgonWrong();
      return new Stretched(raw);
    },
    test: async () => {
      await ask(begin(), "test");
    },
  };
}

async function ask(worker: Worker, question: ArgonQuestion): Promise<ArgonAnswer> {
  try {
    const answer = await new Promise<ArgonAnswer>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<ArgonAnswer>) => resolve(data);
      worker.onerror = () => reject(new NotEnoughMemory()); // a worker that ends like this says no more
      worker.postMessage(question);
    });
    if (answer.code === null) return answer;
    const known = ERRORS.find((error) => error.code === answer.code);
    throw known ? new known(answer.detail) : new Error(answer.detail);
  } finally {
    worker.terminate();
  }
}

// Argon2id in a worker of its own, ended after each answer: 64 MiB, and what was typed, go with it.
// Knows: the question and the answer, on both sides. Refuses to know: how it is computed, and any second question.

import { SecretRefused, TemoinError } from "../crypto_core/errors.js";
import { ArgonWrong, NotEnoughMemory, Stretched } from "../crypto_core/sealing/passphrase.js";
import { ARGON_HERE, type Argon } from "../sdk/argon.js";

/** What is to be stretched; or a known answer. */
type Question = "test" | { readonly username: string; readonly password: string; readonly vaultId: Uint8Array };

/** 32 bytes, or the code of an error ("" for one that is not of the tree); neither for a test that passed. */
interface Answer {
  readonly raw: Uint8Array | null;
  readonly code: string | null;
  readonly detail: string;
}

/** What a worker is told and tells; a Worker, and on its other side its own scope. */
export interface Line {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
}

export interface Begun extends Line {
  onerror: ((event: ErrorEvent) => void) | null;
  terminate(): void;
}

const ERRORS = [ArgonWrong, NotEnoughMemory, SecretRefused];

/** Argon2id in workers that `begin` starts, whose scope was given to `answerOnce`. */
export function argonIn(begin: () => Begun): Argon {
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

/** The other side: one question, one answer. */
export function answerOnce(line: Line, argon: Argon = ARGON_HERE): void {
  line.onmessage = ({ data }: MessageEvent<Question>) => {
    line.onmessage = null;
    void answer(data, argon).then((said) => line.postMessage(said));
  };
}

async function ask(worker: Begun, question: Question): Promise<Answer> {
  try {
    const said = await new Promise<Answer>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
      worker.onerror = () => reject(new NotEnoughMemory()); // a worker that ends like this says no more
      worker.postMessage(question);
    });
    if (said.code === null) return said;
    const known = ERRORS.find((error) => error.code === said.code);
    throw known ? new known(said.detail) : new Error(said.detail);
  } finally {
    worker.terminate();
  }
}

async function answer(question: Question, argon: Argon): Promise<Answer> {
  try {
    if (question === "test") {
      await argon.test();
      return { raw: null, code: null, detail: "" };
    }
    const stretched = await argon.stretch(question.username, question.password, question.vaultId);
    return { raw: stretched.raw, code: null, detail: "" };
  } catch (error) {
    if (error instanceof TemoinError) return { raw: null, code: error.code, detail: error.detail };
    return { raw: null, code: "", detail: error instanceof Error ? error.name : "" };
  }
}

// Computes one Argon2id and is ended: 64 MiB and what was typed go with it.
// Knows: one question, one answer. Refuses to know: vaults, and any second question.

import { TemoinError } from "../crypto_core/errors.js";
import { ARGON_HERE } from "../sdk/argon.js";
import type { ArgonAnswer, ArgonQuestion } from "./argon.js";

self.onmessage = ({ data }: MessageEvent<ArgonQuestion>) => {
  self.onmessage = null;
  void answer(data).then((said) => self.postMessage(said));
};

async function answer(question: ArgonQuestion): Promise<ArgonAnswer> {
  try {
    if (question === "test") {
      await ARGON_HERE.test();
      return { raw: null, code: null, detail: "" };
    }
    const stretched = await ARGON_HERE.stretch(question.username, question.password, question.vaultId);
    return { raw: stretched.raw, code: null, detail: "" };
  } catch (error) {
    if (error instanceof TemoinError) return { raw: null, code: error.code, detail: error.detail };
    return { raw: null, code: "", detail: error instanceof Error ? error.name : "" };
  }
}

// A real vault for files that only make accounts, and use them: the same for all of these.
// Knows: how it is asked for. Refuses to know: who serves it (together.ts).
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { inject } from "vitest";

import { ASKED, TOLD, type Answer } from "./together.js";

const PATIENCE_MS = 60_000;

export interface SharedVault {
  readonly url: string;
}

/** Where it is. Whoever ends it, changes its keys, or looks into its folder, serves one of their own (real_vault.ts). */
export async function sharedVault(): Promise<SharedVault> {
  const folder = inject("together");
  writeFileSync(join(folder, ASKED), "");
  const deadline = Date.now() + PATIENCE_MS;
  while (!existsSync(join(folder, TOLD))) {
    if (Date.now() > deadline) throw new Error("nobody serves a vault");
    await sleep(50);
  }
  const answer = JSON.parse(readFileSync(join(folder, TOLD), "utf8")) as Answer;
  if ("failed" in answer) throw new Error(answer.failed);
  return answer;
}

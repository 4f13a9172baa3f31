// A real vault for a file of tests: the same for all files that only make accounts, and use them; or one of its own.
// Knows: how it is asked for. Refuses to know: how it is served (together.ts, real_vault.ts).
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, inject } from "vitest";

import { ready } from "../src/crypto_core/sodium.js";
import { RealVault } from "./real_vault.js";
import { ASKED, TOLD, type Answer } from "./together.js";

const PATIENCE_MS = 60_000;

export interface SharedVault {
  readonly url: string;
}

/** Where it is. Whoever ends it, changes its keys, or looks into its folder, has one of their own. */
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

/** A vault that is nobody else's, gone after the last test of this file. */
export async function ownVault(): Promise<RealVault> {
  await ready();
  const vault = await RealVault.serve();
  afterAll(() => vault.remove());
  return vault;
}

// The vault that several files share, in one run. Knows: that it is served once somebody asks, and ends with the run.
// Refuses to know: who asks, and for what.
import { mkdtempSync, renameSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TestProject } from "vitest/node";

import { RealVault } from "./real_vault.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder: whoever makes `ASKED` in it finds `TOLD` there in the end. */
    readonly together: string;
  }
}

export const ASKED = "asked";
export const TOLD = "told.json";
export type Answer = { readonly url: string } | { readonly failed: string };

/** Called by vitest before any file, in a process that outlives them all. */
export default function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "together-"));
  project.provide("together", folder);
  let serving: Promise<RealVault | null> | null = null;
  const tell = (answer: Answer): void => {
    writeFileSync(join(folder, "telling"), JSON.stringify(answer));
    renameSync(join(folder, "telling"), join(folder, TOLD));
  };
  const serve = (): Promise<RealVault | null> => RealVault.serve().then(
    (vault) => (tell({ url: vault.url }), vault),
    (error: unknown) => (tell({ failed: String(error) }), null),
  );
  const asked = watch(folder, () => void (serving ??= serve()));
  return async () => {
    asked.close();
    await (await serving)?.remove();
    rmSync(folder, { recursive: true });
  };
}

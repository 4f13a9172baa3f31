// Facts published by others, which are no part of this project (TEMOIN_VECTORS names their folder).
// Knows: where they lie, and what is due where they don't. Refuses to know: what they say.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "vitest";

type Environment = Readonly<Record<string, string | undefined>>;

const BESIDE = fileURLToPath(new URL("../../../../shared/vectors", import.meta.url));
export const REASON = "the published vectors are not there: set TEMOIN_VECTORS to their folder";

/** The folder; null where there is none. Throws where there is none and CI is set: nothing is skipped there. */
export function findPublished(environment: Environment): string | null {
  const folder = environment["TEMOIN_VECTORS"] ?? BESIDE;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  if (environment["CI"]) throw new Error(REASON);
  return null;
}

/** A test that is given the folder; without it, it is skipped and says why. */
export function testPublished(name: string, run: (folder: string) => void | Promise<void>): void {
  test(name, async ({ skip }) => {
    const folder = findPublished(process.env) ?? skip(REASON);
    await run(folder);
  });
}

/** The JSON in one file of the folder. */
export function readPublished<T>(folder: string, name: string): T {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as T;
}

/** Every JSON file below one folder, with its name. */
export function readAllPublished<T>(folder: string, below: string): [name: string, content: T][] {
  const names = readdirSync(join(folder, below), { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => name.endsWith(".json")).sort();
  return files.map((name) => [name, readPublished<T>(join(folder, below), name)]);
}

/** A case of Wycheproof with the facts of its group beside its own. */
export type Case = Readonly<Record<string, unknown>> & {
  readonly tcId: number;
  readonly result: "valid" | "invalid" | "acceptable";
  readonly flags: readonly string[];
};

/** The cases of one Wycheproof file, which must hold exactly `count`. */
export function readCases(folder: string, name: string, count: number): Case[] {
  const document = readPublished<{ numberOfTests: number; testGroups: { tests: Case[] }[] }>(
    folder, `wycheproof/${name}.json`,
  );
  const cases = document.testGroups.flatMap(({ tests, ...group }) => tests.map((own) => ({ ...group, ...own })));
  if (cases.length !== count || document.numberOfTests !== count) throw new Error(`${cases.length} cases in ${name}`);
  return cases;
}

/** The bytes that a case spells in hexadecimal under this name. */
export function bytesIn(values: Readonly<Record<string, unknown>>, name: string): Uint8Array {
  return Uint8Array.from(Buffer.from(values[name] as string, "hex"));
}

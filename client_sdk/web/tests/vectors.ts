// Reads the facts that Python and TypeScript share (tests/vectors at the root of the repository).
// Knows: how a fact and its bytes are spelled. Refuses to know: what an op means.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

/** `expect` is "success" or the code of the error that is due; `outputs` is null for a refusal. */
export interface Fact {
  readonly name: string;
  readonly op: string;
  readonly expect: string;
  readonly why: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>> | null;
}

const ROOT = resolve(import.meta.dirname, "../../../tests/vectors");

/** Every file of one folder of tests/vectors, in the order of their names. */
export function readFacts(folder: "sealing" | "receipts" | "c2sp"): Fact[] {
  const names = readdirSync(resolve(ROOT, folder)).filter((name) => name.endsWith(".json")).sort();
  return names.map((name) => ({
    name: name.slice(0, -".json".length),
    ...JSON.parse(readFileSync(resolve(ROOT, folder, name), "utf8")) as Omit<Fact, "name">,
  }));
}

/** How many facts of each op are expected to succeed, or to be refused. */
export function countByOp(facts: readonly Fact[], succeed: boolean): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { op, expect } of facts) {
    if ((expect === "success") === succeed) {
      counts.set(op, (counts.get(op) ?? 0) + 1);
    }
  }
  return counts;
}

export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Lower-case hexadecimal to bytes, without asking the code under test. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

export function toHex(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
}

export function sha256Hex(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(pieces));
}

/** Bytes as a fact spells them: hexadecimal, a list of pieces, `{zeros: size}`, or `{shake: seed, size}`. */
export function bytesOf(value: unknown): Uint8Array {
  if (typeof value === "string") {
    return fromHex(value);
  }
  if (Array.isArray(value)) {
    return joined(value.map(bytesOf));
  }
  const made = value as { zeros: number } | { shake: string; size: number };
  if ("zeros" in made) {
    return new Uint8Array(made.zeros);
  }
  if (made.size === 0) {
    return new Uint8Array();
  }
  return Uint8Array.from(createHash("shake256", { outputLength: made.size }).update(made.shake, "ascii").digest());
}

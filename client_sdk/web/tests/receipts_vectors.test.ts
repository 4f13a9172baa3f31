// Runs every file of tests/vectors/receipts and tests/vectors/c2sp by its `op`, as pytest does.
// Knows: the ops. Refuses to know: any fact by itself; all of them stand in the files.

import { beforeAll, describe, expect, test } from "vitest";

import { TemoinError } from "../src/crypto_core/errors.js";
import { formatCheckpoint, parseCheckpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { entryBytes, formatExtra, parseExtra } from "../src/crypto_core/receipts/leaf.js";
import { hashLeaf, verifyConsistency, verifyInclusion } from "../src/crypto_core/receipts/merkle.js";
import {
  COSIGNATURE, SignerKey, formatNote, formatSignatures, formatVkey, openNote, parseNote, parseSignatures, parseVkey, sign,
  type Signature,
} from "../src/crypto_core/receipts/note.js";
import { formatPolicy, parsePolicy, type Policy } from "../src/crypto_core/receipts/policy.js";
import { formatReceipt, parseReceipt, verifyReceipt } from "../src/crypto_core/receipts/receipt.js";
import {
  addRestoration, formatRestoration, openRestorations, parseRestoration,
} from "../src/crypto_core/receipts/restoration.js";
import {
  formatRotation, formatRotations, openRotations, parseRotation, parseRotations, rotatePolicy,
} from "../src/crypto_core/receipts/rotation.js";
import { signEd25519 } from "../src/crypto_core/receipts/signatures.js";
import {
  WIDTH, entriesPath, formatEntries, parseEntries, parseEntriesPath, parseTilePath, tilePath, tileWidth,
} from "../src/crypto_core/receipts/tiles.js";
import { formatSubmission, parseSubmission } from "../src/crypto_core/receipts/submission.js";
import { openCheckpoint } from "../src/crypto_core/receipts/witnessed.js";
import { ready } from "../src/crypto_core/sodium.js";
import { countByOp, fromHex, readFacts, toHex, total } from "./vectors.js";

type Values = Readonly<Record<string, unknown>>;

const FACTS = readFacts("receipts");
/** A browser asks no witness: what one answers is Python's alone. */
const PYTHON_ONLY = new Set(["size"]);
const PUBLISHED = readFacts("c2sp").filter(({ op }) => !PYTHON_ONLY.has(op));
const UTF8 = new TextEncoder();

/** Where a fact has no such text, the code under test is given none: it fails, and the fact with it. */
function text(inputs: Values, name: string): string {
  return inputs[name] as string;
}

function number(inputs: Values, name: string): number {
  return inputs[name] as number;
}

function hash(inputs: Values, name: string): Uint8Array {
  return fromHex(text(inputs, name));
}

function hashes(inputs: Values, name: string): Uint8Array[] {
  return (inputs[name] as string[]).map(fromHex);
}

/** A text as UTF-8, or the bytes that stand in its place. */
function data(inputs: Values, name: string): Uint8Array {
  return `${name}_hex` in inputs ? hash(inputs, `${name}_hex`) : UTF8.encode(text(inputs, name));
}

/** The name as a policy has it: one character for each octet. */
function octets(name: string): string {
  return Buffer.from(name, "utf8").toString("latin1");
}

function spelled({ name, keyHash, raw }: Signature): Values {
  return { name, key_hash: toHex(keyHash), raw: toHex(raw) };
}

/** The policy, and what the records of new keys say for it, where there are any. */
function policyIn(inputs: Values): Policy {
  const policy = parsePolicy(data(inputs, "policy"));
  return "rotations" in inputs ? rotatePolicy(policy, openRotations(data(inputs, "rotations"))) : policy;
}

const OPS: Readonly<Record<string, (inputs: Values) => Values>> = {
  verify_receipt(inputs) {
    const receipt = data(inputs, "receipt");
    const policy = policyIn(inputs);
    const size = inputs["size"] as number | null;
    const proven = verifyReceipt(receipt, { sha256: hash(inputs, "sha256"), size, policy });
    expect(formatReceipt(parseReceipt(receipt))).toEqual(receipt);
    return {
      index: proven.index,
      entry: toHex(proven.entry),
      origin: proven.checkpoint.origin,
      tree_size: proven.checkpoint.size,
      claimed_time: proven.claimedTime,
      bound_time: proven.boundTime,
      cosigned_by: proven.cosignedBy,
    };
  },
  entry(inputs) {
    const commitment = parseExtra(hash(inputs, "extra"));
    expect(toHex(formatExtra(commitment))).toBe(inputs["extra"]);
    const entry = entryBytes(commitment);
    return { entry: toHex(entry), leaf: toHex(hashLeaf(entry)), time: commitment.time, size: commitment.size };
  },
  inclusion(inputs) {
    const [index, size] = [number(inputs, "index"), number(inputs, "size")];
    verifyInclusion(index, size, hash(inputs, "leaf"), hashes(inputs, "proof"), hash(inputs, "root"));
    return {};
  },
  consistency(inputs) {
    const [size1, size2] = [number(inputs, "size1"), number(inputs, "size2")];
    verifyConsistency(size1, size2, hashes(inputs, "proof"), hash(inputs, "root1"), hash(inputs, "root2"));
    return {};
  },
  tile_path(inputs) {
    const [level, index, width] = parseTilePath(text(inputs, "path"));
    expect(tilePath(level, index, width)).toBe(inputs["path"]);
    return { level, index, width };
  },
  entries_path(inputs) {
    const [index, width] = parseEntriesPath(text(inputs, "path"));
    expect(entriesPath(index, width)).toBe(inputs["path"]);
    return { index, width };
  },
  bundle(inputs) {
    const entries = parseEntries(hash(inputs, "bundle"), number(inputs, "width"));
    expect(toHex(formatEntries(entries))).toBe(inputs["bundle"]);
    return { entries: entries.map(toHex) };
  },
  vkey(inputs) {
    const key = parseVkey(text(inputs, "vkey"));
    expect(formatVkey(key)).toBe(inputs["vkey"]);
    return { name: key.name, algorithm: key.algorithm, key_hash: toHex(key.keyHash), public: toHex(key.public) };
  },
  open_note(inputs) {
    const note = data(inputs, "note");
    const opened = openNote(note, (inputs["keys"] as string[]).map(parseVkey));
    expect(UTF8.encode(formatNote(parseNote(note)))).toEqual(note);
    return {
      text: opened.text,
      verified: opened.verified.map(({ key }) => key.name),
      times: opened.verified.map(({ time }) => time),
      ignored: opened.ignored.length,
    };
  },
  checkpoint(inputs) {
    const checkpoint = parseCheckpoint(text(inputs, "text"));
    expect(formatCheckpoint(checkpoint)).toBe(inputs["text"]);
    return { ...checkpoint, root: toHex(checkpoint.root) };
  },
  policy(inputs) {
    const policy = parsePolicy(data(inputs, "policy"));
    const canonical = formatPolicy(policy);
    expect(parsePolicy(canonical)).toEqual(policy);
    return { canonical: Buffer.from(canonical).toString("utf8"), policy };
  },
  rotations(inputs) {
    const given = data(inputs, "rotations");
    const notes = parseRotations(given);
    expect(formatRotations(notes)).toEqual(given);
    for (const note of notes) {
      const { text: record } = parseNote(UTF8.encode(note));
      expect(formatRotation(parseRotation(record))).toBe(record);
    }
    const chain = openRotations(data(inputs, "held")).joined(openRotations(given));
    const { logs } = rotatePolicy(parsePolicy(data(inputs, "policy")), chain);
    return { keys: logs.map(({ key }) => formatVkey(key)), lasts: logs.map(({ last }) => last) };
  },
  restorations(inputs) {
    const given = data(inputs, "restorations");
    const records = openRestorations(given, [parseVkey(text(inputs, "key"))]);
    const notes = parseRotations(given);
    for (const [at, note] of notes.entries()) {
      const { text: record } = parseNote(UTF8.encode(note));
      expect(formatRestoration(parseRestoration(record))).toBe(record);
      expect(addRestoration(formatRotations(notes.slice(0, at)), note)).toEqual(formatRotations(notes.slice(0, at + 1)));
    }
    return { records: records.map((one) => ({ ...one, generation: toHex(one.generation) })) };
  },
  open_checkpoint(inputs) {
    return { size: openCheckpoint(data(inputs, "note"), policyIn(inputs)).checkpoint.size };
  },
};

const OPS_OF_C2SP: Readonly<Record<string, (inputs: Values) => Values>> = {
  submission(inputs) {
    const body = data(inputs, "body");
    const found = parseSubmission(body);
    expect(toHex(formatSubmission(found))).toBe(toHex(body));
    const { old, proof, note, checkpoint: { origin, size } } = found;
    return { old, proof: proof.map(toHex), note, origin, size };
  },
  signatures(inputs) {
    const found = parseSignatures(data(inputs, "lines"));
    expect(formatSignatures(found)).toBe(inputs["lines"]);
    return { signatures: found.map(spelled) };
  },
  note(inputs) {
    const found = parseNote(data(inputs, "note"));
    expect(formatNote(found)).toBe(inputs["note"]);
    return { text: found.text, signatures: found.signatures.map(spelled) };
  },
  cosigned_message(inputs) {
    const [seed, time] = [new Uint8Array(32), number(inputs, "time")];
    const made = sign(text(inputs, "text"), new SignerKey("any", seed, COSIGNATURE), time);
    expect(Buffer.from(made.raw).readBigUInt64BE()).toBe(BigInt(time));
    expect(made.raw.slice(8)).toEqual(signEd25519(seed, data(inputs, "message")));
    return {};
  },
  tiles(inputs) {
    const size = number(inputs, "size");
    const tiles: number[][] = [];
    let level = 0;
    for (let count = size; count > 0; count = Math.floor(count / WIDTH)) {
      const [full, partial] = [Math.floor(count / WIDTH), count % WIDTH];
      for (let index = 0; index < full; index += 1) expect(tileWidth(level, index, size)).toBe(WIDTH);
      expect([tileWidth(level, full, size), tileWidth(level, full + 1, size)]).toEqual([partial, 0]);
      tiles.push([level, full, partial]);
      level += 1;
    }
    expect(tileWidth(level, 0, size)).toBe(0);
    return { tiles };
  },
};

beforeAll(ready);

test.each([...FACTS, ...PUBLISHED])("$name: $why", ({ op, expect: due, inputs, outputs }) => {
  const run = { ...OPS, ...OPS_OF_C2SP }[op] as (inputs: Values) => Values;
  if (due !== "success") {
    expect(outputs).toBeNull();
    let caught: unknown;
    try {
      run(inputs);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TemoinError);
    expect((caught as TemoinError).code).toBe(due);
    return;
  }
  const found = run(inputs);
  const { met_by: met, not_met_by: notMet, ...expected } = outputs ?? {};
  if (op === "policy") {
    const { policy } = found as { policy: ReturnType<typeof parsePolicy> };
    for (const names of met as string[][]) expect(policy.isMetBy(names.map(octets)), String(names)).toBe(true);
    for (const names of notMet as string[][]) expect(policy.isMetBy(names.map(octets)), String(names)).toBe(false);
  }
  expect(found).toMatchObject(expected);
});

describe("the files", () => {
  test("leave no op out, and refuse at least four for each that they accept", () => {
    const [successes, refusals] = [countByOp(FACTS, true), countByOp(FACTS, false)];
    expect(total(successes)).toBeGreaterThan(0);
    expect(total(refusals)).toBeGreaterThanOrEqual(4 * total(successes));
    for (const counts of [successes, refusals]) expect(new Set(counts.keys())).toEqual(new Set(Object.keys(OPS)));
  });

  test("of c2sp ask for each op that is theirs", () => {
    const asked = new Set(PUBLISHED.map(({ op }) => op));
    for (const op of Object.keys(OPS_OF_C2SP)) expect(asked).toContain(op);
  });
});

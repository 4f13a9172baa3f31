// Notes, keys, checkpoints, policies, receipts: each parser has its inverse, and throws only our errors.
// What a parser accepts it also spells back byte for byte (a policy: after one canonical spelling).
// Knows: how to build each of them. Refuses to know: how they are spelled.

import fc from "fast-check";
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";

import { MAX_TIME, concat } from "../src/crypto_core/encoding.js";
import { MalformedError, SignatureInvalid, TemoinError, VerificationError } from "../src/crypto_core/errors.js";
import { formatCheckpoint, parseCheckpoint, type Checkpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { Commitment, entryBytes, formatExtra, parseExtra, roundedTime } from "../src/crypto_core/receipts/leaf.js";
import { EMPTY_ROOT, MAX_SIZE, hashLeaf } from "../src/crypto_core/receipts/merkle.js";
import {
  COSIGNATURE, ED25519, SignerKey, VerifierKey, formatNote, formatSignatures, formatVkey, openNote, parseNote,
  parseSignatures, parseVkey, sign, signNote, verifySignature,
} from "../src/crypto_core/receipts/note.js";
import { NONE, Policy, formatPolicy, parsePolicy, type Group } from "../src/crypto_core/receipts/policy.js";
import {
  Receipt, formatReceipt, parseReceipt, provenSentence, verifyReceipt,
} from "../src/crypto_core/receipts/receipt.js";
import { inclusionProof, newNodes, root } from "../src/crypto_core/receipts/tree.js";
import { ready } from "../src/crypto_core/sodium.js";
import { runs } from "./runs.js";
import { ANY_SIGN } from "./signs.js";

const UTF8 = new TextEncoder();
const SPACES = "\u0085\u00a0\u1680\u2000\u2028\u2029\u202f\u205f\u3000";
const UNNAMED = new RegExp(`[\\x00-\\x20\\x7f+\\s${SPACES}]`);
const FILE = UTF8.encode("sealed");
const SHA256 = Uint8Array.from(createHash("sha256").update(FILE).digest());
const TIMES = [1_772_400_660, 1_772_400_661];

const names = fc.string({ unit: ANY_SIGN, minLength: 1, maxLength: 12 }).filter((text) => !UNNAMED.test(text));
const lines = fc.string({ unit: ANY_SIGN, minLength: 1, maxLength: 20 }).filter((text) => !/[\x00-\x1f]/.test(text));
const hashes = bytes(32, 32);
const sizes = fc.maxSafeNat();
const times = fc.integer({ min: 0, max: MAX_TIME });
const texts = fc.array(fc.oneof(lines, fc.constant("")), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.map((line) => `${line}\n`).join(""));
const signatures = fc.array(
  fc.record({ name: names, keyHash: bytes(4, 4), raw: bytes(1, 80) }, { noNullPrototype: true }),
  { minLength: 1, maxLength: 5 },
);
const notes = fc.record({ text: texts, signatures }, { noNullPrototype: true });
const checkpoints: fc.Arbitrary<Checkpoint> = fc.record({
  origin: lines, size: sizes.filter(Boolean), root: hashes, extensions: fc.array(lines, { maxLength: 2 }),
}, { noNullPrototype: true });
const commitments = fc.tuple(hashes, times, sizes, hashes).map((parts) => new Commitment(...parts));
const keys = fc.tuple(names, fc.constantFrom(ED25519, COSIGNATURE), hashes).map((parts) => new VerifierKey(...parts));
const receipts = fc.tuple(commitments, sizes, fc.array(hashes, { maxLength: 63 }), checkpoints, signatures)
  .map(([commitment, index, proof, checkpoint, signed]) => new Receipt(
    formatExtra(commitment), index, proof, formatNote({ text: formatCheckpoint(checkpoint), signatures: signed }),
  ));
const octets = fc.string({ unit: ANY_SIGN, minLength: 1, maxLength: 6 })
  .filter((text) => !/[\p{Cc} ]/u.test(text))
  .map((text) => Buffer.from(text, "utf8").toString("latin1"))
  .filter((name) => name !== NONE);
const policies = fc.record({
  publics: fc.uniqueArray(hashes, { minLength: 1, maxLength: 8, selector: (key) => key.join() }),
  split: fc.nat(7),
  keyNames: fc.array(names, { minLength: 8, maxLength: 8 }),
  named: fc.uniqueArray(octets, { minLength: 12, maxLength: 12 }),
  urls: fc.array(fc.constantFrom(null, "https://ledger.example/"), { minLength: 8, maxLength: 8 }),
  groups: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 3 }),
  quorum: fc.nat(),
}).map(({ publics, split, keyNames, named, urls, groups: drawn, quorum }) => {
  const all = publics.map((publicKey, at) => ({
    key: new VerifierKey(theOne(keyNames, at), at < split ? ED25519 : COSIGNATURE, publicKey), url: theOne(urls, at),
  }));
  const witnesses = all.slice(split).map((one, at) => ({ ...one, name: theOne(named, at) }));
  let free = witnesses.map(({ name }) => name);
  const groups: Group[] = [];
  for (const [start, count, threshold] of drawn) {
    if (!free.length) break;
    const from = start % free.length;
    const members = free.slice(from, from + 1 + count % (free.length - from));
    groups.push({ name: theOne(named, 8 + groups.length), threshold: 1 + threshold % members.length, members });
    free = [...free.filter((name) => !members.includes(name)), theOne(groups, -1).name];
  }
  return new Policy(all.slice(0, split).map((one) => ({ ...one, last: null })), witnesses, groups, theOne([NONE, ...free], quorum % (free.length + 1)));
});

/** Random bytes, or something right with a small change. */
const outside = fc.oneof(
  { weight: 1, arbitrary: bytes(0, 100) },
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.oneof(
        keys.map((key) => UTF8.encode(formatVkey(key))),
        notes.map((note) => UTF8.encode(formatNote(note))),
        checkpoints.map((checkpoint) => UTF8.encode(formatCheckpoint(checkpoint))),
        receipts.map(formatReceipt),
        policies.map(formatPolicy),
        commitments.map(formatExtra),
      ),
      fc.nat(), fc.nat(4),
      fc.oneof(bytes(0, 3), fc.constantFrom("\n", " ", "=", "+", "0", "\r").map((one) => UTF8.encode(one))),
    ).map(([data, anywhere, gone, put]) => {
      const at = anywhere % (data.length + 1);
      return concat(data.subarray(0, at), put, data.subarray(at + gone));
    }),
  },
);

const RESPELL: readonly ((data: Uint8Array) => Uint8Array)[] = [
  (data) => UTF8.encode(formatNote(parseNote(data))),
  (data) => UTF8.encode(formatSignatures(parseSignatures(data))),
  (data) => formatReceipt(parseReceipt(data)),
  (data) => formatExtra(parseExtra(data)),
];
const RESPELL_TEXT: readonly ((text: string) => string)[] = [
  (text) => formatVkey(parseVkey(text)),
  (text) => formatCheckpoint(parseCheckpoint(text)),
];

let ledger: SignerKey;
let witnesses: SignerKey[];
let commitment: Commitment;

beforeAll(async () => {
  await ready();
  ledger = new SignerKey("ledger.example", new Uint8Array(32).fill(1));
  witnesses = [2, 3, 4].map((n) => new SignerKey(`w${n}.example`, new Uint8Array(32).fill(n), COSIGNATURE));
  commitment = new Commitment(new Uint8Array(32).fill(7), 1_772_400_601, FILE.length, SHA256);
});

describe("what can be built is read back", () => {
  test("keys", () => {
    fc.assert(fc.property(keys, (key) => {
      expect(parseVkey(formatVkey(key))).toEqual(key);
    }));
  });

  test("notes and their signatures", () => {
    fc.assert(fc.property(notes, (note) => {
      expect(parseNote(UTF8.encode(formatNote(note)))).toEqual(note);
      expect(parseSignatures(UTF8.encode(formatSignatures(note.signatures)))).toEqual(note.signatures);
    }));
  });

  test("checkpoints", () => {
    const empty = fc.constant<Checkpoint>({ origin: "o", size: 0, root: EMPTY_ROOT, extensions: [] });
    fc.assert(fc.property(fc.oneof(checkpoints, empty), (checkpoint) => {
      expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
    }));
  });

  test("commitments, and their entries", () => {
    fc.assert(fc.property(commitments, (one) => {
      expect(parseExtra(formatExtra(one))).toEqual(one);
      const entry = entryBytes(one);
      expect(entry).toHaveLength(40);
      const late = Number(Buffer.from(entry.slice(0, 8)).readBigUInt64BE()) - one.time;
      expect(late >= 0 && late < 60).toBe(true);
    }));
  });

  test("receipts", () => {
    fc.assert(fc.property(receipts, (receipt) => {
      expect(parseReceipt(formatReceipt(receipt))).toEqual(receipt);
      expect(parseCheckpoint(parseNote(UTF8.encode(receipt.note)).text)).toEqual(receipt.checkpoint);
    }), { numRuns: runs(50) });
  });

  test("policies, in any layout", () => {
    const blank = fc.constantFrom("  ", "\t", " \t ");
    const ending = fc.constantFrom("\n\n", " \n", "\n # comment\n\t# \xff\n");
    fc.assert(fc.property(policies, blank, ending, (policy, space, end) => {
      const canonical = formatPolicy(policy);
      expect(parsePolicy(canonical)).toEqual(policy);
      const loose = Buffer.from(canonical).toString("latin1").replaceAll(" ", space).replaceAll("\n", end);
      expect(formatPolicy(parsePolicy(Uint8Array.from(Buffer.from(loose, "latin1"))))).toEqual(canonical);
    }));
  });

  test("signed notes", () => {
    fc.assert(fc.property(texts, hashes, (text, seed) => {
      const signer = new SignerKey("name.example", seed);
      const opened = openNote(UTF8.encode(signNote(text, signer)), [signer.verifier]);
      expect(opened).toEqual({ text, verified: [{ key: signer.verifier, time: null }], ignored: [] });
    }), { numRuns: runs(50) });
  });
});

test("more cosigners never break a quorum", () => {
  fc.assert(fc.property(policies, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (policy, drawn) => {
    const all = policy.witnesses.map(({ name }) => name);
    const some = all.filter((_, at) => drawn[at]);
    expect(policy.isMetBy(all)).toBe(true);
    expect(policy.isMetBy([])).toBe(policy.quorum === NONE);
    if (policy.isMetBy(some)) expect(all.every((name) => policy.isMetBy([...some, name]))).toBe(true);
  }));
});

describe("what comes from outside", () => {
  test("is refused, or spelled as it came", () => {
    fc.assert(fc.property(outside, (data) => {
      for (const again of RESPELL) refusedOr(() => again(data), (spelled) => expect(spelled).toEqual(data));
      const text = Buffer.from(data).toString("utf8");
      for (const again of RESPELL_TEXT) refusedOr(() => again(text), (spelled) => expect(spelled).toBe(text));
      refusedOr(() => parsePolicy(data), (policy) => expect(parsePolicy(formatPolicy(policy))).toEqual(policy));
    }), { numRuns: runs(400) });
  });

  test("as text of any kind, too, with lone surrogates", () => {
    const units = fc.array(fc.nat(0xffff), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes));
    fc.assert(fc.property(units, (text) => {
      for (const again of RESPELL_TEXT) refusedOr(() => again(text), (spelled) => expect(spelled).toBe(text));
    }));
  });

  test("never verifies by accident, and raises only verification's own errors", () => {
    fc.assert(fc.property(outside, (data) => {
      const policy = Policy.forKey(formatVkey(ledger.verifier));
      expect(() => verifyReceipt(data, { sha256: SHA256, size: null, policy })).toThrow(VerificationError);
    }), { numRuns: runs(150) });
  });

  test("a policy has at most 64 KiB, comments and all", () => {
    const policy = Buffer.from(formatPolicy(madePolicy(1, 1))).toString("latin1");
    const padded = (size: number) => UTF8.encode(`${policy}#${"-".repeat(size - policy.length - 2)}\n`);
    expect(parsePolicy(padded(65_536))).toEqual(madePolicy(1, 1));
    expect(() => parsePolicy(padded(65_537))).toThrow(MalformedError);
  });

  test("a signature is one name's, not only one key's", () => {
    const signature = sign("text\n", ledger);
    const renamed = new VerifierKey("another.example", ED25519, ledger.verifier.public);
    expect(verifySignature("text\n", signature, ledger.verifier)).toBeNull();
    expect(() => verifySignature("text\n", signature, renamed)).toThrow(SignatureInvalid);
  });

  test("a receipt with one bit flipped is refused, whichever it is", () => {
    // Every signature here is asked for by the policy, so there is no byte that nobody looks at.
    const [receipt, expected] = [madeReceipt(TIMES), { sha256: SHA256, size: FILE.length, policy: madePolicy(2, 2) }];
    expect(verifyReceipt(receipt, expected).index).toBe(3);
    const refused: number[] = [];
    for (let bit = 0; bit < receipt.length * 8; bit += 1) {
      const bent = receipt.slice();
      bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (isRefused(() => verifyReceipt(bent, expected))) refused.push(bit);
    }
    expect(refused).toHaveLength(receipt.length * 8);
  });

  test("a receipt cut anywhere is refused", () => {
    const [receipt, expected] = [madeReceipt(TIMES), { sha256: SHA256, size: FILE.length, policy: madePolicy(2, 2) }];
    for (let stop = 0; stop < receipt.length; stop += 1) {
      expect(isRefused(() => verifyReceipt(receipt.slice(0, stop), expected)), String(stop)).toBe(true);
    }
  });
});

describe("a verified receipt", () => {
  test("is bound by the moment at which the quorum was full", () => {
    fc.assert(fc.property(fc.tuple(times, times, times), fc.integer({ min: 1, max: 3 }), (at, threshold) => {
      const policy = madePolicy(threshold, 3);
      const proven = verifyReceipt(madeReceipt(at), { sha256: SHA256, size: FILE.length, policy });
      expect(proven).toMatchObject({
        outcome: "valid",
        boundTime: at.toSorted((one, other) => one - other)[threshold - 1],
        claimedTime: commitment.time,
        cosignedBy: witnesses.map(({ name }) => name),
      });
    }), { numRuns: runs(50) });
  });

  test("counts one witness from its first time", () => {
    const receipt = parseReceipt(madeReceipt([50]));
    const again = sign(parseNote(UTF8.encode(receipt.note)).text, theOne(witnesses, 0), 40);
    const note = receipt.note + formatSignatures([again]);
    const twice = formatReceipt(new Receipt(receipt.extra, receipt.index, receipt.proof, note));
    const proven = verifyReceipt(twice, { sha256: SHA256, size: null, policy: madePolicy(1, 1) });
    expect([proven.boundTime, proven.cosignedBy]).toEqual([40, [theOne(witnesses, 0).name]]);
  });

  test("says in one sentence whose word it is, as Python does", () => {
    const policy = Policy.forKey(formatVkey(ledger.verifier));
    const alone = verifyReceipt(madeReceipt([]), { sha256: SHA256, size: null, policy });
    const one = { sha256: SHA256, size: null, policy: madePolicy(1, 1) };
    const seen = verifyReceipt(madeReceipt(TIMES.slice(0, 1)), one);
    expect(provenSentence(alone)).toBe(
      "These bytes existed no later than 2026-03-01T21:30:01Z, by the word of the ledger's operator alone; "
      + "this does not prove who made them, nor that what they say is true.",
    );
    expect(provenSentence(seen)).toBe(
      "These bytes existed no later than 2026-03-01T21:31:00Z, by the word of the witnesses that you trust "
      + "(the ledger's operator says 2026-03-01T21:30:01Z); "
      + "this does not prove who made them, nor that what they say is true.",
    );
  });

  test("crosses to another thread whole", () => {
    const proven = verifyReceipt(madeReceipt(TIMES), { sha256: SHA256, size: null, policy: madePolicy(2, 2) });
    const crossed = structuredClone(proven);
    expect(provenSentence(crossed)).toBe(provenSentence(proven));
    expect({ ...crossed.commitment }).toEqual({ ...proven.commitment });
    expect(crossed.checkpoint).toEqual(proven.checkpoint);
  });
});

describe("mistakes of ours", () => {
  test("what has no spelling is never written", () => {
    const right: Checkpoint = { origin: "o", size: 1, root: new Uint8Array(32), extensions: [] };
    const checkpointsOfNobody: Partial<Checkpoint>[] = [
      { origin: "two\nlines" }, { origin: "" }, { size: -1 }, { size: 0 }, { size: 1.5 }, { size: MAX_SIZE + 1 },
      { root: new Uint8Array(31) }, { extensions: [""] },
      { origin: `o\n1\n${Buffer.alloc(32).toString("base64")}` }, // would be read as another checkpoint
    ];
    expect(formatCheckpoint(right)).toContain("o\n1\n");
    for (const wrong of checkpointsOfNobody) {
      expect(() => formatCheckpoint({ ...right, ...wrong }), JSON.stringify(wrong)).toThrow(RangeError);
    }
    const { extra, index, proof, note } = parseReceipt(madeReceipt([]));
    for (const wrong of [
      new Receipt(extra.slice(1), index, proof, note), new Receipt(extra, -1, proof, note),
      new Receipt(extra, index, proof, "no note"), new Receipt(extra, index, Array<Uint8Array>(64).fill(SHA256), note),
    ]) {
      expect(() => formatReceipt(wrong)).toThrow(RangeError);
    }
    const { logs, witnesses: trusted, groups } = madePolicy(1, 1);
    for (const wrong of [
      new Policy(logs, trusted, groups, "nobody"), madePolicy(2, 1), new Policy(logs, trusted, groups, "all of them"),
      new Policy([{ key: ledger.verifier, url: "https://\u0100/", last: null }], [], [], NONE),
      new Policy([{ key: ledger.verifier, url: "", last: null }], [], [], NONE), // would be read as no URL
    ]) {
      expect(() => formatPolicy(wrong)).toThrow(RangeError);
    }
    for (const text of ["", "no newline", "tab\t\n", "\ud800\n"]) {
      expect(() => signNote(text, ledger)).toThrow(RangeError);
    }
    expect(() => sign("a\n", ledger, 1)).toThrow(RangeError);
    for (const time of [null, -1, 0.5, MAX_TIME + 1]) {
      expect(() => sign("a\n", theOne(witnesses, 0), time)).toThrow(RangeError);
    }
  });

  test.each<[number, number, number, number]>([
    [31, 0, 0, 32], [32, -1, 0, 32], [32, MAX_TIME + 1, 0, 32], [32, 0, 2 ** 53, 32], [32, 0, 0.5, 32], [32, 0, 0, 0],
  ])("no deposit has %i bytes of nonce, time %d, size %d, %i bytes of hash", (nonce, time, size, hash) => {
    expect(() => new Commitment(new Uint8Array(nonce), time, size, new Uint8Array(hash))).toThrow(RangeError);
  });

  test("impossible keys", () => {
    for (const name of ["", "a b", "a+b", "a\nb", "\ud800", "\udfff", ...SPACES]) {
      expect(() => new SignerKey(name, new Uint8Array(32)), JSON.stringify(name)).toThrow(MalformedError);
    }
    expect(new SignerKey("\u{1f600}\ufeff", new Uint8Array(32)).name).toBe("\u{1f600}\ufeff");
    expect(() => new SignerKey("name", new Uint8Array(31))).toThrow(RangeError);
    expect(() => new VerifierKey("name", ED25519, new Uint8Array(31))).toThrow(MalformedError);
    expect(() => Policy.forKey(formatVkey(theOne(witnesses, 0).verifier))).toThrow(MalformedError);
  });

  test("a signer never shows its seed", () => {
    const seed = new Uint8Array(32).fill(0xab);
    const signer = new SignerKey("name", seed);
    expect(signer.seed).toEqual(seed);
    const shown = [inspect(signer, { depth: 9, showHidden: true }), JSON.stringify(signer), String(signer)].join();
    expect(shown).toContain("algorithm");
    expect(shown).not.toContain("171");
  });
});

test("times are rounded up to the minute", () => {
  fc.assert(fc.property(times, (time) => {
    expect(roundedTime(time) % 60).toBe(0);
    expect(roundedTime(time) - time >= 0 && roundedTime(time) - time < 60).toBe(true);
  }));
});

/** A receipt in a tree of seven entries, cosigned by as many witnesses as there are times. */
function madeReceipt(at: readonly number[]): Uint8Array {
  const leaves = Array.from({ length: 7 }, (_, n) => hashLeaf(new Uint8Array(40).fill(n)));
  leaves[3] = hashLeaf(entryBytes(commitment));
  const nodes = newNodes(0, leaves, () => new Uint8Array());
  const kept = new Map(nodes.map(([level, index, hash]) => [`${level}/${index}`, hash]));
  const read = (level: number, index: number) => kept.get(`${level}/${index}`) ?? new Uint8Array();
  const text = formatCheckpoint({ origin: ledger.name, size: 7, root: root(7, read), extensions: [] });
  const cosignatures = at.map((time, n) => sign(text, theOne(witnesses, n), time));
  const note = formatNote({ text, signatures: [sign(text, ledger), ...cosignatures] });
  return formatReceipt(new Receipt(formatExtra(commitment), 3, inclusionProof(3, 7, read), note));
}

function madePolicy(threshold: number, count: number): Policy {
  const trusted = witnesses.slice(0, count).map(({ verifier }, n) => ({ name: `w${n}`, key: verifier, url: null }));
  const group = { name: "all-of-them", threshold, members: trusted.map(({ name }) => name) };
  return new Policy([{ key: ledger.verifier, url: null, last: null }], trusted, [group], group.name);
}

function isRefused(run: () => void): boolean {
  try {
    run();
  } catch (error) {
    if (error instanceof VerificationError) return true;
    throw error;
  }
  return false;
}

function refusedOr<T>(run: () => T, judge: (value: T) => void): void {
  let value: T;
  try {
    value = run();
  } catch (error) {
    if (error instanceof TemoinError) return;
    throw error;
  }
  judge(value);
}

function bytes(minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength });
}

/** What stands there; a test that asks for more than there is fails. */
function theOne<T>(values: readonly T[], index: number): T {
  const value = values.at(index);
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
}

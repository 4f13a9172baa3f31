// Merkle trees of every size from 1 to 200: proofs, growth in batches, and the same tree read from its tiles.
// Knows: RFC 6962's definition of a root. Refuses to know: how the code under test reaches it.

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { ConsistencyMismatch, InclusionMismatch, MalformedError } from "../src/crypto_core/errors.js";
import {
  EMPTY_ROOT, MAX_SIZE, consistencyFromInclusion, hashChildren, hashLeaf, rootFromInclusion, verifyConsistency,
  verifyInclusion,
} from "../src/crypto_core/receipts/merkle.js";
import {
  WIDTH, entriesPath, formatEntries, formatTile, parseEntries, parseEntriesPath, parseTile, parseTilePath,
  readFromTiles, tileFromNodes, tilePath, tileWidth,
} from "../src/crypto_core/receipts/tiles.js";
import {
  consistencyProof, inclusionProof, newNodes, root, type NodeReader,
} from "../src/crypto_core/receipts/tree.js";
import { ready } from "../src/crypto_core/sodium.js";
import { runs } from "./runs.js";
import { ANY_SIGN } from "./signs.js";

const LARGEST = 200;
const LEAVES: Uint8Array[] = [];
const ROOTS: Uint8Array[] = [];

/** A tree in memory that refuses to read what was never written, and to write anything twice. */
class Nodes {
  readonly kept = new Map<string, Uint8Array>();
  size = 0;

  constructor(...batches: readonly (readonly Uint8Array[])[]) {
    for (const batch of batches) this.append(batch);
  }

  append(batch: readonly Uint8Array[]): void {
    for (const [level, index, value] of newNodes(this.size, batch, this.read)) {
      if (this.kept.has(`${level}/${index}`)) throw new Error("a node written twice");
      this.kept.set(`${level}/${index}`, value);
    }
    this.size += batch.length;
  }

  readonly read: NodeReader = (level, index) => {
    const value = this.kept.get(`${level}/${index}`);
    if (!value) throw new Error("a node that was never written");
    return value;
  };
}

let nodes: Nodes;

beforeAll(async () => {
  await ready();
  LEAVES.push(...Array.from({ length: 2000 }, (_, n) => hashLeaf(new TextEncoder().encode(`entry ${n}`))));
  nodes = new Nodes(LEAVES);
  ROOTS.push(...Array.from({ length: LARGEST + 1 }, (_, size) => root(size, nodes.read)));
});

describe("every tree", () => {
  test("has the root of the definition", () => {
    expect(ROOTS).toEqual(ROOTS.map((_, size) => mth(LEAVES.slice(0, size))));
    expect(ROOTS[0]).toEqual(EMPTY_ROOT);
  });

  test("proves each of its entries", () => {
    for (let size = 1; size <= LARGEST; size += 1) {
      for (let index = 0; index < size; index += 1) {
        verifyInclusion(index, size, leaf(index), inclusionProof(index, size, nodes.read), rootOf(size));
      }
    }
  });

  test("is proven to be the beginning of each larger one", () => {
    for (let size2 = 0; size2 <= LARGEST; size2 += 1) {
      for (let size1 = 0; size1 <= size2; size1 += 1) {
        verifyConsistency(size1, size2, consistencyProof(size1, size2, nodes.read), rootOf(size1), rootOf(size2));
      }
    }
  });

  test("is proven by each entry to have grown from what was there before it", () => {
    for (let size = 1; size <= LARGEST; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const made = consistencyFromInclusion(index, size, leaf(index), inclusionProof(index, size, nodes.read));
        expect(made).toEqual(consistencyProof(index, size, nodes.read));
      }
    }
  });

  test("is the same whether it grew in batches or at once", () => {
    fc.assert(fc.property(fc.array(fc.nat(90), { maxLength: 12 }), (sizes) => {
      const grown = new Nodes();
      for (const size of sizes) grown.append(LEAVES.slice(grown.size, grown.size + size));
      expect(grown.kept).toEqual(new Nodes(LEAVES.slice(0, grown.size)).kept);
      expect(root(grown.size, grown.read)).toEqual(mth(LEAVES.slice(0, grown.size)));
    }));
  });

  test("reads at most one old node a level to grow", () => {
    for (let size = 0; size < LARGEST; size += 1) {
      const levels: number[] = [];
      newNodes(size, LEAVES.slice(size, size + 5), (level, index) => {
        levels.push(level);
        return nodes.read(level, index);
      });
      expect(levels).toEqual([...new Set(levels)]);
    }
  });
});

describe("a proof", () => {
  const sizeAndIndex = fc.integer({ min: 2, max: LARGEST }).chain((size) => (
    fc.record({ size: fc.constant(size), index: fc.nat(size - 1), other: fc.nat(size - 1), at: fc.nat(20) })
  ));

  test("holds for no other number, leaf or length", () => {
    fc.assert(fc.property(sizeAndIndex, ({ size, index, other, at: anywhere }) => {
      fc.pre(other !== index);
      const proof = inclusionProof(index, size, nodes.read);
      const at = anywhere % proof.length;
      const wrong: [number, Uint8Array, Uint8Array[]][] = [
        [other, leaf(index), proof],
        [index, leaf(other), proof],
        [index, leaf(index), proof.toSpliced(at, 1)],
        [index, leaf(index), proof.toSpliced(at, 0, leaf(1999))],
        [index, leaf(index), proof.with(at, leaf(1999))],
        [index, leaf(index), proof.with(at, leaf(1999).slice(1))],
        [index, rootOf(size), []],
      ];
      for (const [number, hash, path] of wrong) {
        expect(() => verifyInclusion(number, size, hash, path, rootOf(size))).toThrow(InclusionMismatch);
      }
    }), { numRuns: runs(200) });
  });

  test("never makes a forked tree consistent", () => {
    const sizes = fc.integer({ min: 2, max: LARGEST }).chain((size2) => (
      fc.integer({ min: 1, max: size2 - 1 }).chain((size1) => (
        fc.tuple(fc.constant(size2), fc.constant(size1), fc.nat(size1 - 1))
      ))
    ));
    fc.assert(fc.property(sizes, ([size2, size1, changed]) => {
      const fork = new Nodes(LEAVES.slice(0, size2).with(changed, leaf(1999)));
      for (const read of [nodes.read, fork.read]) {
        const proof = consistencyProof(size1, size2, read);
        expect(() => verifyConsistency(size1, size2, proof, rootOf(size1), root(size2, fork.read)))
          .toThrow(ConsistencyMismatch);
        expect(() => verifyConsistency(size1, size2, proof, root(size1, fork.read), rootOf(size2)))
          .toThrow(ConsistencyMismatch);
      }
    }), { numRuns: runs(200) });
  });

  test("of random bytes raises only our errors", () => {
    const numbers = fc.oneof(fc.integer({ min: -2, max: 300 }), fc.double(), fc.maxSafeInteger());
    const hash = fc.oneof(
      fc.uint8Array({ minLength: 31, maxLength: 33 }), fc.uint8Array({ minLength: 32, maxLength: 32 }),
    );
    fc.assert(fc.property(numbers, numbers, fc.array(hash, { maxLength: 12 }), (first, second, proof) => {
      const [zero, ones] = [new Uint8Array(32), new Uint8Array(32).fill(0xff)];
      expect(() => verifyInclusion(first, second, leaf(0), proof, zero)).toThrow(InclusionMismatch);
      expect(() => verifyConsistency(first, second, proof, zero, ones)).toThrow(ConsistencyMismatch);
    }), { numRuns: runs(300) });
  });

  test("may be as long as the largest tree demands: nothing depends on a tree that fits in memory", () => {
    const value = new Uint8Array(32);
    for (const index of [0, 2 ** 32 + 1, MAX_SIZE - 1]) {
      const proof = inclusionProof(index, MAX_SIZE, () => value);
      expect(proof).toHaveLength(index === MAX_SIZE - 1 ? 52 : 53);
      rootFromInclusion(index, MAX_SIZE, value, proof);
      expect(() => rootFromInclusion(index, MAX_SIZE, value, [...proof, value])).toThrow(InclusionMismatch);
      expect(() => rootFromInclusion(index, MAX_SIZE + 1, value, proof)).toThrow(InclusionMismatch);
    }
  });

  test("that does not exist is a mistake of ours to ask for", () => {
    for (const [index, size] of [[-1, 5], [5, 5], [0, 0], [NaN, 5]] as const) {
      expect(() => inclusionProof(index, size, nodes.read)).toThrow(RangeError);
    }
    expect(() => consistencyProof(6, 5, nodes.read)).toThrow(RangeError);
    expect(() => consistencyProof(-1, 5, nodes.read)).toThrow(RangeError);
  });
});

describe("tiles", () => {
  test.each([1, 2, 255, 256, 257, 512, 1000, 1999])("hold the same tree of %i", (size) => {
    const fetched: string[] = [];
    const read = readFromTiles(size, (path) => {
      fetched.push(path);
      const [level, index, width] = parseTilePath(path);
      expect(width).toBe(tileWidth(level, index, size));
      return tileFromNodes(level, index, width, nodes.read);
    });
    expect(root(size, read)).toEqual(root(size, nodes.read));
    for (const index of [0, Math.floor(size / 2), size - 1]) {
      expect(inclusionProof(index, size, read)).toEqual(inclusionProof(index, size, nodes.read));
    }
    const half = Math.floor(size / 2);
    expect(consistencyProof(half, size, read)).toEqual(consistencyProof(half, size, nodes.read));
    expect(fetched).toEqual([...new Set(fetched)]);
    expect(fetched.length).toBeLessThanOrEqual(Math.floor(size / WIDTH) + 2);
  });

  test("are believed only where the tile above says so", () => {
    const read = readFromTiles(1000, (path) => {
      const [level, index, width] = parseTilePath(path);
      const tile = tileFromNodes(level, index, width, nodes.read);
      if (path === "tile/0/001") tile[40] = (tile[40] ?? 0) ^ 1;
      return tile;
    });
    expect(root(1000, read)).toEqual(root(1000, nodes.read));
    expect(() => read(0, 300)).toThrow(InclusionMismatch);
    expect(read(0, 600)).toEqual(nodes.read(0, 600));
  });

  test("of the wrong length are refused", () => {
    expect(() => root(3, readFromTiles(3, () => new Uint8Array(64)))).toThrow(MalformedError);
  });

  test("have paths that lead back to their numbers", () => {
    const most = Math.floor(MAX_SIZE / WIDTH);
    const index = fc.oneof(fc.integer({ min: 0, max: most }), fc.constantFrom(0, 999, 1000, 999_999, 1_000_000, most));
    fc.assert(fc.property(fc.nat(63), index, fc.integer({ min: 1, max: 256 }), (level, number, width) => {
      expect(parseTilePath(tilePath(level, number, width))).toEqual([level, number, width]);
      expect(parseEntriesPath(entriesPath(number, width))).toEqual([number, width]);
    }));
  });

  test("have a path that is refused, or spelled as it came", () => {
    const like = fc.stringMatching(
      /^tile\/(entries|[0-9]{1,3})\/(x?[0-9]{2,4}\/){0,7}[0-9]{2,4}(\.p\/[0-9]{1,4})?\n?$/,
    );
    fc.assert(fc.property(fc.oneof(like, fc.string({ unit: ANY_SIGN })), (path) => {
      refusedOr(() => expect(tilePath(...parseTilePath(path))).toBe(path));
      refusedOr(() => expect(entriesPath(...parseEntriesPath(path))).toBe(path));
    }), { numRuns: runs(500) });
  });

  test.each([
    [-1, 0, 1], [64, 0, 1], [0, -1, 1], [0, 2 ** 45, 1], [0, 0, 0], [0, 0, 257], [0.5, 0, 1], [0, 0.5, 1], [0, 0, 1.5],
  ])("that nobody has have no path: level %d, index %d, width %d", (level, index, width) => {
    expect(() => tilePath(level, index, width)).toThrow(RangeError);
  });
});

describe("entry bundles", () => {
  test("and their inverse", () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 256 });
    fc.assert(fc.property(entries, (row) => {
      const data = formatEntries(row);
      expect(parseEntries(data, row.length)).toEqual(row);
      expect(() => parseEntries(data.slice(0, -1), row.length)).toThrow(MalformedError);
      expect(() => parseEntries(data, row.length + 1)).toThrow(MalformedError);
    }));
  });

  test("and tiles of random bytes are refused, or spelled as they came", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(40), (data, width) => {
      refusedOr(() => expect(formatEntries(parseEntries(data, width))).toEqual(data));
      refusedOr(() => expect(formatTile(parseTile(data, width))).toEqual(data));
    }), { numRuns: runs(300) });
  });

  test("and tiles that nobody may make", () => {
    const many = Array.from({ length: 257 }, () => new Uint8Array());
    for (const entries of [[], many, [new Uint8Array(65_536)]]) {
      expect(() => formatEntries(entries)).toThrow(RangeError);
    }
    for (const hashes of [[], many.map(() => new Uint8Array(32)), [new Uint8Array(31)]]) {
      expect(() => formatTile(hashes)).toThrow(RangeError);
    }
    const longest = Array.from({ length: 256 }, () => new Uint8Array(65_535));
    expect(parseEntries(formatEntries(longest), 256).map(({ length }) => length)).toEqual(longest.map(() => 65_535));
  });
});

/** The definition of RFC 6962 §2.1, word for word. */
function mth(leaves: readonly Uint8Array[]): Uint8Array {
  const [first, second] = leaves;
  if (!first) return EMPTY_ROOT;
  if (!second) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return hashChildren(mth(leaves.slice(0, split)), mth(leaves.slice(split)));
}

function refusedOr(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
  }
}

function leaf(index: number): Uint8Array {
  return LEAVES[index] ?? new Uint8Array();
}

function rootOf(size: number): Uint8Array {
  return ROOTS[size] ?? new Uint8Array();
}

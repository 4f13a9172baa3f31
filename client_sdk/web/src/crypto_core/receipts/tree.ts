// Grows a tree, gives its root, and makes proofs, over nodes kept somewhere else.
// Knows: RFC 6962 §2.1 (PATH and PROOF). Refuses to know: where nodes are kept; it reads them through a NodeReader.
// A node (level, index) is the hash of the complete subtree over the 2^level leaves from index · 2^level on.

import { EMPTY_ROOT, hashChildren } from "./merkle.js";

/** (level, index) → the 32-byte hash of a complete subtree. Only nodes that exist are ever asked for. */
export type NodeReader = (level: number, index: number) => Uint8Array;

/** A node to be kept. */
export type Node = readonly [level: number, index: number, hash: Uint8Array];

/** What must be kept when `leafHashes` are appended to a tree of `size` leaves: (level, index, hash) of each
 * subtree that becomes complete, leaves included, lower levels first. Reads at most one old node a level. */
export function newNodes(size: number, leafHashes: readonly Uint8Array[], read: NodeReader): Node[] {
  const nodes: Node[] = [];
  let [start, row] = [size, [...leafHashes]];
  for (let level = 0; row.length; level += 1) {
    row.forEach((value, offset) => nodes.push([level, start + offset, value]));
    if (start % 2) {
      start -= 1;
      row.unshift(read(level, start));
    }
    row = pairs(row);
    start /= 2;
  }
  return nodes;
}

/** The hashes one level up; what has no sibling yet is left out. */
export function pairs(row: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  row.forEach((right, at) => {
    const left = row[at - 1];
    if (at % 2 && left) above.push(hashChildren(left, right));
  });
  return above;
}

/** The 32-byte root of the tree of the first `size` leaves; EMPTY_ROOT for none. */
export function root(size: number, read: NodeReader): Uint8Array {
  return size ? rangeRoot(0, size, read) : EMPTY_ROOT;
}

/** RFC 6962 §2.1.1: the siblings from the leaf up. Throws RangeError unless 0 ≤ index < size. */
export function inclusionProof(index: number, size: number, read: NodeReader): Uint8Array[] {
  if (!(index >= 0 && index < size)) throw new RangeError("an index outside the tree");
  const proof: Uint8Array[] = [];
  let [start, stop] = [0, size];
  while (stop - start > 1) {
    const middle = start + split(stop - start);
    if (index < middle) {
      proof.push(rangeRoot(middle, stop, read));
      stop = middle;
    } else {
      proof.push(rangeRoot(start, middle, read));
      start = middle;
    }
  }
  return proof.reverse();
}

/** RFC 6962 §2.1.2; empty where the old tree is empty or both are the same. RangeError unless size1 ≤ size2. */
export function consistencyProof(size1: number, size2: number, read: NodeReader): Uint8Array[] {
  if (!(size1 >= 0 && size1 <= size2)) throw new RangeError("sizes out of order");
  if (size1 === 0) return [];
  const proof: Uint8Array[] = [];
  let [start, stop] = [0, size2];
  while (stop !== size1) {
    const middle = start + split(stop - start);
    if (size1 <= middle) {
      proof.push(rangeRoot(middle, stop, read));
      stop = middle;
    } else {
      proof.push(rangeRoot(start, middle, read));
      start = middle;
    }
  }
  if (start) proof.push(rangeRoot(start, stop, read)); // the old tree's own root is known to whoever verifies
  return proof.reverse();
}

/** The largest level whose 2^level leaves fit in `size` ≥ 1. Doubling is exact up to 2^53, a logarithm is not. */
function levelOf(size: number): number {
  let level = 0;
  while (2 ** (level + 1) <= size) level += 1;
  return level;
}

/** The largest power of two below `size`, for size ≥ 2. */
function split(size: number): number {
  return 2 ** levelOf(size - 1);
}

/** The hash over leaves [start, stop), where start is a multiple of the subtree's size, as proofs need it. */
function rangeRoot(start: number, stop: number, read: NodeReader): Uint8Array {
  const level = levelOf(stop - start);
  const first = read(level, start / 2 ** level);
  const next = start + 2 ** level;
  return next === stop ? first : hashChildren(first, rangeRoot(next, stop, read));
}

// Merkle hashes and the verification of proofs, from the numbers and hashes given and nothing else.
// Knows: RFC 6962 §2.1 (SHA-256) and the verification algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2.
// Refuses to know: where a tree is kept (tree.ts reads one), what a leaf means, who signed a root.

import { HASH_SIZE, concat, isSame, parseHex } from "../encoding.js";
import { ConsistencyMismatch, InclusionMismatch } from "../errors.js";
import { sodium } from "../sodium.js";

/** SHA-256 of nothing, spelled out because libsodium is not ready yet when this line runs. */
export const EMPTY_ROOT = parseHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", HASH_SIZE);
/** The most leaves that a tree may have here: the largest whole number up to which a `number` holds every one. */
export const MAX_SIZE = Number.MAX_SAFE_INTEGER;
/** No inclusion proof of the format is longer; none in a tree of at most MAX_SIZE leaves even has 54 hashes. */
export const MAX_PROOF = 63;

/** SHA-256(0x00 ‖ entry): 32 bytes. */
export function hashLeaf(entry: Uint8Array): Uint8Array {
  return sodium.crypto_hash_sha256(concat(Uint8Array.of(0x00), entry));
}

/** SHA-256(0x01 ‖ left ‖ right): 32 bytes. */
export function hashChildren(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sodium.crypto_hash_sha256(concat(Uint8Array.of(0x01), left, right));
}

/** The 32-byte root that `proof` gives for the leaf hash at `index`, 0 ≤ index < size (RFC 9162 §2.1.3.2).
 *
 * It proves nothing until it is compared with a root that somebody signed. Throws InclusionMismatch
 * if the numbers, the length of the proof or the size of a hash rule it out. */
export function rootFromInclusion(
  index: number, size: number, leaf: Uint8Array, proof: readonly Uint8Array[],
): Uint8Array {
  if (!inOrder(0, index, size - 1) || !inOrder(size, MAX_SIZE) || !areHashes(leaf, ...proof)) {
    throw new InclusionMismatch("an index outside the tree, or a hash that is not one");
  }
  let [node, last, root] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) throw new InclusionMismatch("the proof is too long");
    if (node % 2 || node === last) {
      root = hashChildren(sibling, root);
      [node, last] = climbed(node, last);
    } else {
      root = hashChildren(root, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw new InclusionMismatch("the proof is too short");
  return root;
}

/** Proves that the tree of `size` leaves with `root` holds the hash `leaf` at `index`. Throws InclusionMismatch. */
export function verifyInclusion(
  index: number, size: number, leaf: Uint8Array, proof: readonly Uint8Array[], root: Uint8Array,
): void {
  if (!isSame(rootFromInclusion(index, size, leaf, proof), root)) {
    throw new InclusionMismatch("the proof leads to another root");
  }
}

/** The consistency proof from the tree of the first `index` leaves to that of `size`, made of the inclusion proof of
 * the leaf hash at `index`: its siblings to the left are all that the smaller tree consists of.
 *
 * `proof` is one that was verified. Whoever grows a tree by a leaf so proves in one that it only grew. */
export function consistencyFromInclusion(
  index: number, size: number, leaf: Uint8Array, proof: readonly Uint8Array[],
): Uint8Array[] {
  if (index === 0) return [];
  const siblings = [...proof];
  let [node, last, right] = [index, size - 1, leaf];
  while (node % 2 === 0) { // up to the smallest of the subtrees that the smaller tree consists of
    const sibling = node === last ? undefined : siblings.shift();
    if (sibling !== undefined) right = hashChildren(right, sibling);
    [node, last] = [half(node), half(last)];
  }
  const [left, ...above] = siblings;
  return node === 1 || left === undefined ? [right, ...above] : [left, right, ...above];
}

/** Proves that the tree of `size1` leaves is the beginning of that of `size2` leaves (RFC 9162 §2.1.4.2).
 *
 * The empty tree is the beginning of every tree: its root is EMPTY_ROOT and the proof is empty.
 * Throws ConsistencyMismatch. */
export function verifyConsistency(
  size1: number, size2: number, proof: readonly Uint8Array[], root1: Uint8Array, root2: Uint8Array,
): void {
  if (!inOrder(0, size1, size2, MAX_SIZE) || !areHashes(root1, root2, ...proof)) {
    throw new ConsistencyMismatch("sizes out of order, or a hash that is not one");
  }
  if ((size1 === 0 && !isSame(root1, EMPTY_ROOT)) || (size1 === size2 && !isSame(root1, root2))) {
    throw new ConsistencyMismatch("two roots for one size");
  }
  if (size1 === 0 || size1 === size2) {
    if (proof.length) throw new ConsistencyMismatch("a proof where none is needed");
    return;
  }
  let [node, last] = [size1 - 1, size2 - 1];
  while (node % 2) [node, last] = [half(node), half(last)];
  const path = node ? proof : [root1, ...proof]; // a power of two is a subtree: its root starts
  const [first, ...rest] = path;
  if (!first) throw new ConsistencyMismatch("the proof is empty");
  let [before, after] = [first, first];
  for (const sibling of rest) {
    if (last === 0) throw new ConsistencyMismatch("the proof is too long");
    if (node % 2 || node === last) {
      [before, after] = [hashChildren(sibling, before), hashChildren(sibling, after)];
      [node, last] = climbed(node, last);
    } else {
      after = hashChildren(after, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw new ConsistencyMismatch("the proof is too short");
  if (!isSame(before, root1) || !isSame(after, root2)) throw new ConsistencyMismatch("the proof leads to other roots");
}

/** Above the levels at which this node has no sibling. */
function climbed(node: number, last: number): [number, number] {
  while (node && node % 2 === 0) [node, last] = [half(node), half(last)];
  return [node, last];
}

/** Bit operations would cut a number to 32 bits. */
function half(value: number): number {
  return Math.floor(value / 2);
}

/** Whole numbers, none smaller than the one before. */
function inOrder(...values: readonly number[]): boolean {
  return values.every((value, at) => Number.isSafeInteger(value) && (at === 0 || (values[at - 1] ?? NaN) <= value));
}

function areHashes(...values: readonly Uint8Array[]): boolean {
  return values.every((value) => value.length === HASH_SIZE);
}

// How a ledger is published: paths and bytes of tiles and entry bundles.
// Knows: c2sp.org/tlog-tiles (docs/spec/ledger.md). Refuses to know: HTTP, files, and what an entry means.

import { HASH_SIZE, concat, isSame, lp } from "../encoding.js";
import { InclusionMismatch, MalformedError } from "../errors.js";
import { MAX_SIZE } from "./merkle.js";
import { pairs, type NodeReader } from "./tree.js";

export const HEIGHT = 8;
export const WIDTH = 256;
export const MAX_LEVEL = 63;

/** Full tiles that a reader keeps: more than it needs at once, on a walk from left to right or for a proof. */
const KEPT = 32;

const PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/** How many hashes the tile has in a tree of `size` leaves: 0 (there is no such tile) to 256 (full). */
export function tileWidth(level: number, index: number, size: number): number {
  return Math.max(0, Math.min(WIDTH, Math.floor(size / WIDTH ** level) - index * WIDTH));
}

/** `tile/0/x001/234.p/5`; without `.p/…` where the tile is full (256). RangeError for numbers no tile has. */
export function tilePath(level: number, index: number, width: number = WIDTH): string {
  if (!isFrom(0, level, MAX_LEVEL)) throw new RangeError("tile levels run from 0 to 63");
  return `tile/${level}/${spelled(index, width)}`;
}

/** `tile/entries/x001/234.p/5`: the bundle of the entries whose hashes the level-0 tile of that index holds. */
export function entriesPath(index: number, width: number = WIDTH): string {
  return `tile/entries/${spelled(index, width)}`;
}

/** [level, index, width] of a path in its one spelling. Throws MalformedError. */
export function parseTilePath(path: string): [level: number, index: number, width: number] {
  const [row, index, width] = parse(path);
  if (row === "entries") throw new MalformedError("a bundle's path where a tile's was expected");
  const level = Number(row);
  if (level > MAX_LEVEL || tilePath(level, index, width) !== path) {
    throw new MalformedError("not the spelling of a tile's path");
  }
  return [level, index, width];
}

/** [index, width] of an entry bundle's path in its one spelling. Throws MalformedError. */
export function parseEntriesPath(path: string): [index: number, width: number] {
  const [row, index, width] = parse(path);
  if (row !== "entries" || entriesPath(index, width) !== path) {
    throw new MalformedError("not the spelling of an entry bundle's path");
  }
  return [index, width];
}

/** 1 to 256 hashes, one after the other. Throws RangeError for another number or a hash of another size. */
export function formatTile(hashes: readonly Uint8Array[]): Uint8Array {
  if (!isFrom(1, hashes.length, WIDTH) || hashes.some((value) => value.length !== HASH_SIZE)) {
    throw new RangeError("a tile has 1 to 256 hashes of 32 bytes");
  }
  return concat(...hashes);
}

/** The `width` hashes of a tile. Throws MalformedError for any other length. */
export function parseTile(data: Uint8Array, width: number): Uint8Array[] {
  if (!isFrom(1, width, WIDTH) || data.length !== width * HASH_SIZE) {
    throw new MalformedError("a tile of another width");
  }
  return Array.from({ length: width }, (_, at) => data.slice(at * HASH_SIZE, (at + 1) * HASH_SIZE));
}

/** The bytes of a tile whose hashes are all in the tree that `read` reads. */
export function tileFromNodes(level: number, index: number, width: number, read: NodeReader): Uint8Array {
  return formatTile(Array.from({ length: width }, (_, offset) => read(HEIGHT * level, index * WIDTH + offset)));
}

/** An entry bundle: `u16 length ‖ entry`, 1 to 256 times. RangeError for another number or a longer entry. */
export function formatEntries(entries: readonly Uint8Array[]): Uint8Array {
  if (!isFrom(1, entries.length, WIDTH) || entries.some((entry) => entry.length > 0xffff)) {
    throw new RangeError("a bundle has 1 to 256 entries of up to 65,535 bytes");
  }
  return concat(...entries.map(lp));
}

/** The `width` entries of a bundle. Throws MalformedError for another number, or for bytes missing or left over. */
export function parseEntries(data: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < data.length) {
    const [high = 0, low = 0] = data.subarray(at, at + 2);
    const stop = at + 2 + high * 256 + low;
    if (stop > data.length) throw new MalformedError("a bundle that ends inside an entry");
    entries.push(data.slice(at + 2, stop));
    at = stop;
  }
  if (entries.length !== width || !isFrom(1, width, WIDTH)) throw new MalformedError("a bundle of another width");
  return entries;
}

/** Reads the nodes of a published tree of `size` leaves from its tiles: `readTile(path)` gives a tile's bytes.
 *
 * Compute `root` first and compare it with one that was signed: it is made of all partial tiles, which are fetched
 * once and kept. A full tile must give the hash that the tile above has for it, so that nothing read after that
 * is believed unproven; of these the newest few are kept. Throws MalformedError for a tile of the wrong length,
 * InclusionMismatch for one that is not of this tree. */
export function readFromTiles(size: number, readTile: (path: string) => Uint8Array): NodeReader {
  const partial = new Map<string, readonly Uint8Array[]>();
  const full = new Map<string, readonly Uint8Array[]>();
  const tileOf = (row: number, index: number): readonly Uint8Array[] => {
    const width = tileWidth(row, index, size);
    const path = tilePath(row, index, width);
    const kept = width === WIDTH ? full : partial;
    const known = kept.get(path);
    if (known) return known;
    const hashes = parseTile(readTile(path), width);
    if (width === WIDTH && !isSame(subtreeRoot(hashes), read(HEIGHT * (row + 1), index))) {
      throw new InclusionMismatch("a tile that is not of the tree above it");
    }
    const [oldest] = full.keys();
    if (oldest !== undefined && full.size === KEPT) full.delete(oldest);
    kept.set(path, hashes);
    return hashes;
  };
  const read: NodeReader = (level, index) => {
    const [row, above] = [Math.floor(level / HEIGHT), level % HEIGHT];
    const first = index * 2 ** above;
    const [tile, offset] = [Math.floor(first / WIDTH), first % WIDTH];
    return subtreeRoot(tileOf(row, tile).slice(offset, offset + 2 ** above));
  };
  return read;
}

/** The hash of the complete subtree over 1, 2, 4 … 256 hashes of one level. */
export function subtreeRoot(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) row = pairs(row);
  const [hash] = row;
  if (!hash) throw new RangeError("a node that the tree does not have");
  return hash;
}

function spelled(index: number, width: number): string {
  if (!isFrom(0, index, Math.floor(MAX_SIZE / WIDTH)) || !isFrom(1, width, WIDTH)) {
    throw new RangeError("an index or a width that no tile has");
  }
  const number = String(index);
  const groups = number.padStart(Math.ceil(number.length / 3) * 3, "0").match(/.{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}/` : group)).join("");
  return width === WIDTH ? path : `${path}.p/${width}`;
}

/** [level or "entries", index, width], whose spelling the caller still compares. */
function parse(path: string): [row: string, index: number, width: number] {
  const [, row, number, partial] = (path.length <= 64 && PATH.exec(path)) || [];
  if (row === undefined || number === undefined) throw new MalformedError("not the path of a tile");
  const index = Number(number.replace(/[x/]/g, ""));
  const width = partial === undefined ? WIDTH : Number(partial);
  if (index > Math.floor(MAX_SIZE / WIDTH) || (partial !== undefined && !isFrom(1, width, WIDTH - 1))) {
    throw new MalformedError("an index or a width that no tile has");
  }
  return [row, index, width];
}

function isFrom(low: number, value: number, high: number): boolean {
  return Number.isInteger(value) && low <= value && value <= high;
}

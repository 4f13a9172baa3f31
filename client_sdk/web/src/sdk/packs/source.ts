// A pack as it is given, as the files of a folder or as a ZIP file: its names, and the bytes of each.
// Knows: the traps that either can be. Refuses to know: what the files mean.
// Nothing is unpacked anywhere: a name is compared with names that are expected, and never becomes a place to write to.

import { openArchive, type ArchivedFile } from "../archive.js";
import { FileUnreadable } from "../errors.js";
import { PackMalformed } from "./errors.js";

export const MOST_FILES = 65_535;
const BLOCK = 1024 * 1024;
/** How many times its own size a ZIP file may unpack to, and what it always may. */
const UNPACKED = 20, AT_LEAST = 64 * 1024 * 1024;
const WELL_NAMED = /^(?:(?!\.\.?(?:\/|$))[^/\\:\x00-\x1f\x7f]+(?:\/(?!$)|$))+$/u;
const FORMAT = 0o170_000;
const BESIDE = "__MACOSX/";
const PLAIN: readonly number[] = [0, 0o100_000];

/** The files of a pack. Names are relative, with `/`. */
export interface PackSource {
  /** Each file that can be read, with its size in bytes. */
  readonly names: ReadonlyMap<string, number>;
  /** What lies there and isn't read, with the reason. */
  readonly odd: ReadonlyMap<string, string>;
  /** A file in blocks. Throws PackMalformed for one that can't be read to its end. */
  blocks(name: string): AsyncGenerator<Uint8Array, void>;
}

/** A file of a folder, under the whole of the path that it was given with. */
export interface GivenFile {
  readonly path: string;
  readonly file: Blob;
}

/** The files of a folder that was chosen: their paths begin with its name. */
export class FolderSource implements PackSource {
  readonly names: ReadonlyMap<string, number>;
  readonly odd = new Map<string, string>();
  readonly #files = new Map<string, Blob>();

  constructor(given: readonly GivenFile[]) {
    const around = folderAround(given.map(({ path }) => path));
    for (const { path, file } of given) {
      const name = within(around, path);
      if (WELL_NAMED.test(name)) this.#files.set(name, file);
      else this.odd.set(name, "a name that no pack has");
    }
    this.names = new Map([...this.#files].map(([name, { size }]) => [name, size]));
  }

  async *blocks(name: string): AsyncGenerator<Uint8Array, void> {
    const file = this.#files.get(name)!;
    for (let at = 0; at < file.size; at += BLOCK) {
      try {
        yield new Uint8Array(await file.slice(at, at + BLOCK).arrayBuffer());
      } catch (error) {
        throw new PackMalformed(error instanceof Error ? error.name : "");
      }
    }
  }
}

/** A ZIP file. */
export class ZipSource implements PackSource {
  readonly names: ReadonlyMap<string, number>;
  readonly odd = new Map<string, string>();
  readonly #entries = new Map<string, ArchivedFile>();

  private constructor(entries: readonly ArchivedFile[]) {
    const around = folderAround(entries.map(({ name }) => name));
    for (const one of entries) {
      const name = within(around, one.name);
      const reason = reasonOf(name, one);
      if (reason !== "") this.odd.set(one.name, reason);
      else if (this.#entries.delete(name) || this.odd.has(name)) this.odd.set(name, "it comes twice");
      else this.#entries.set(name, one);
    }
    this.names = new Map([...this.#entries].map(([name, { size }]) => [name, size]));
  }

  /** Rejects with PackMalformed for no ZIP file, or for one that is a trap. */
  static async open(archive: Blob): Promise<ZipSource> {
    let entries: readonly ArchivedFile[];
    try {
      entries = await openArchive(archive);
    } catch (error) {
      throw asMalformed(error);
    }
    if (entries.length > MOST_FILES) throw new PackMalformed("more files than a pack has");
    if (entries.reduce((sum, { size }) => sum + size, 0) > UNPACKED * archive.size + AT_LEAST) {
      throw new PackMalformed("it unpacks to far more than it is");
    }
    return new ZipSource(entries);
  }

  async *blocks(name: string): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#entries.get(name)!.blocks();
    } catch (error) {
      throw asMalformed(error);
    }
  }
}

/** The files of a folder, or a ZIP file. Rejects with PackMalformed. */
export async function openSource(given: readonly GivenFile[] | Blob): Promise<PackSource> {
  return given instanceof Blob ? ZipSource.open(given) : new FolderSource(given);
}

function asMalformed(error: unknown): unknown {
  return error instanceof FileUnreadable ? new PackMalformed(error.detail) : error;
}

/** Why an entry isn't read; nothing for one that is. */
function reasonOf(name: string, { mode, isEncrypted, isUnusual }: ArchivedFile): string {
  if (!WELL_NAMED.test(name)) return "a name that no pack has";
  if (!PLAIN.includes(mode & FORMAT)) return "a link, or no file";
  if (isEncrypted) return "encrypted";
  return isUnusual ? "packed in an unusual way" : "";
}

function within(around: string, name: string): string {
  return name.startsWith(around) ? name.slice(around.length) : name;
}

/** The one folder that all names begin with, with its `/`; nothing if there is none. What a Mac puts beside it is not looked
 * at: it is named as what doesn't belong, and hides nothing. */
function folderAround(names: readonly string[]): string {
  const inside = names.filter((name) => !name.startsWith(BESIDE));
  const first = new Set(inside.map((name) => name.slice(0, name.indexOf("/") + 1)));
  return first.size === 1 ? [...first][0]! : "";
}

// A sealed backup: a pack of one's own in a file that shows nothing, opened by 24 words of its own alone.
// Knows: the key that the words spell, one label for it and one for the seal, and a padding whose length need not be known
// before the end (docs/spec/backup.md). Refuses to know: what a pack is, the vault, and any key of an account.
//
//     "TB01" ‖ pack ‖ 0x80 ‖ zeros to the Padmé length     at least 32 KiB

import { derive, KEY_SIZE } from "../derivation.js";
import { encodeText, isSame } from "../encoding.js";
import { CryptoCoreError, MalformedError, TamperedError, UnsupportedVersion } from "../errors.js";
import { context, Kind } from "../labels.js";
import { makeBytes } from "../randomness.js";
import { HEADER_SIZE, Opener, openStream, Sealer, sealStream, splitOff, type Blocks } from "./envelope.js";
import { padme } from "./padding.js";

export const BACKUP_MAGIC = encodeText("TB01");
export const BACKUP_FLOOR = 32_768;

const MARK = 0x80;
const ZEROS = 262_144;
const OTHER_VERSION = /^TB[0-9]{2}$/;

/** The file does not begin as one that these words open. A file of another kind can't be told from it. */
export class BackupRefused extends CryptoCoreError {
  static override readonly code = "backup_refused";
  static override readonly sentence =
    "These words don't open this file. They may belong to another backup, or this file is none, or its beginning "
    + "is damaged. Look for another paper, or for another copy of the file.";
}

/** The key of a new backup, 32 bytes; `formatWords` spells it. */
export function makeBackupKey(): Uint8Array {
  return makeBytes(KEY_SIZE);
}

/** Seals one file of a backup (as `padBackup` gives it) with the 32 bytes of its words.
 *
 * `salt` (24 bytes) is drawn unless given: several files of one backup may have the same words. */
export function backupSealer(key: Uint8Array, salt?: Uint8Array): Sealer {
  return new Sealer(derive(key, Kind.BACKUP_SEAL), context(Kind.BACKUP), salt);
}

/** Opens one file of a backup from its first 56 bytes. Throws BackupRefused, or MalformedError for fewer bytes. */
export function backupOpener(key: Uint8Array, header: Uint8Array): Opener {
  try {
    return new Opener(derive(key, Kind.BACKUP_SEAL), context(Kind.BACKUP), header);
  } catch (error) {
    throw error instanceof TamperedError ? new BackupRefused() : error;
  }
}

/** The sealed file of a pack, cut anyhow and of any length: header, then runs of 16 chunks. */
export function sealBackup(sealer: Sealer, pack: Blocks): AsyncGenerator<Uint8Array> {
  return sealStream(sealer, padBackup(pack));
}

/** The pack in a sealed file, cut anyhow.
 *
 * Throws BackupRefused before anything comes; TamperedError, MalformedError or UnsupportedVersion at any moment, up to the
 * end: whoever gets one must not take what came before for the whole. */
export async function* openBackup(key: Uint8Array, sealed: Blocks): AsyncGenerator<Uint8Array> {
  const [header, body] = await splitOff(sealed, HEADER_SIZE);
  yield* unpadBackup(openStream(backupOpener(key, header), body));
}

/** A pack, cut anyhow, as the stream to seal. */
export async function* padBackup(pack: Blocks): AsyncGenerator<Uint8Array> {
  yield BACKUP_MAGIC;
  let size = 0;
  for await (const block of pack) {
    size += block.length;
    yield block;
  }
  yield* backupEnd(size);
}

/** What follows a pack of `size` bytes: the mark of ISO/IEC 7816-4, and zeros in blocks of at most 256 KiB. */
export function* backupEnd(size: number): Generator<Uint8Array> {
  yield Uint8Array.of(MARK);
  yield* zeros(paddedSize(size) - BACKUP_MAGIC.length - size - 1);
}

/** The inverse of `padBackup`, of a stream cut anyhow; holds back what may be padding, and knows at the end.
 *
 * Throws MalformedError, or UnsupportedVersion for another version's first bytes. */
export async function* unpadBackup(plain: Blocks): AsyncGenerator<Uint8Array> {
  const [magic, body] = await splitOff(plain, BACKUP_MAGIC.length);
  if (!isSame(magic, BACKUP_MAGIC)) {
    throw OTHER_VERSION.test(String.fromCharCode(...magic)) ? new UnsupportedVersion() : new MalformedError("another kind of message");
  }
  let [size, held] = [0, 0];
  for await (const block of body) {
    const last = block.findLastIndex((byte) => byte !== 0);
    if (held > 0 && last < 0) {
      held += block.length;
      continue;
    }
    if (held > 0) { // what looked like the end stands in the middle of the pack
      yield Uint8Array.of(MARK);
      yield* zeros(held - 1);
      size += held;
    }
    const isMark = last >= 0 && block[last] === MARK;
    held = isMark ? block.length - last : 0;
    const content = isMark ? block.subarray(0, last) : block;
    size += content.length;
    if (content.length > 0) yield content;
  }
  if (held === 0 || BACKUP_MAGIC.length + size + held !== paddedSize(size)) {
    throw new MalformedError("not the padding of a backup");
  }
}

function paddedSize(size: number): number {
  return padme(Math.max(BACKUP_MAGIC.length + size + 1, BACKUP_FLOOR));
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let start = 0; start < count; start += ZEROS) {
    yield new Uint8Array(Math.min(ZEROS, count - start));
  }
}

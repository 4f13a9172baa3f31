// What somebody shared, or keeps, as an evidence pack, from the worker straight into a file; or as a Blob, where a browser
// gives a page no file to write to. Knows: where the archive goes, that it may be sealed on its way, and the page that checks
// it. Refuses to know: what is in it.

import VERIFIER from "../../../verifier/verify.html?raw";
import { encodeText } from "../crypto_core/encoding.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import { backupSealer, sealBackup } from "../crypto_core/sealing/backup.js";
import { Archive, blocksOf, InBlob } from "../sdk/archive.js";
import type { ReadingWith } from "../sdk/opening.js";
import { writePack, type Packed } from "../sdk/packs/pack.js";
import { fetchContinuity, fetchRotations } from "../sdk/packs/ledger.js";
import type { SavedPack } from "./api.js";

/** Writes it, and lets go of the file, which is as it was before where something failed or nobody wants it any more.
 *
 * `key`, of 32 bytes: it is written as a sealed backup that these open. */
export async function savePack(
  opened: Packed, known: Policy, { transport, progress }: Omit<ReadingWith, "verify">,
  into: FileSystemFileHandle | null, signal: AbortSignal | null, key: Uint8Array | null = null,
): Promise<SavedPack> {
  const inBlob = key === null ? new InBlob() : new InBlob("application/octet-stream");
  const place = await into?.createWritable() ?? inBlob.stream;
  const { stream, written, abort } = key === null ? asItIs(place) : sealing(place, key);
  try {
    const [policy, rotations] = await fetchRotations(transport, known);
    const { refused, lost, unsaid, ledger } = await writePack(opened, {
      policy, rotations, continuity: (trees) => fetchContinuity(transport, policy, trees), verifier: encodeText(VERIFIER),
    }, new Archive(stream, signal), progress);
    await written;
    const blob = into === null ? inBlob.blob : null;
    return {
      blob, left: refused.map(({ item: { id: item, revision } }) => ({ item, revision })),
      lost: lost.map(({ item, number, isThere }) =>
        ({ item: item.id, revision: item.revision, name: item.contents[number - 1]!.name, isThere })),
      unsaid: unsaid.length, isContinued: ledger === null,
    };
  } catch (error) {
    await abort(error);
    throw error;
  }
}

/** The page that checks packs, and opens sealed ones. */
export function verifierPage(): Blob {
  return new Blob([VERIFIER], { type: "text/html" });
}

/** Where an archive goes, when all of it has arrived there, and how nothing of it stays: that rejects with what went wrong
 * there, where it was that. */
interface Target {
  readonly stream: WritableStream<Uint8Array>;
  readonly written: Promise<void>;
  readonly abort: (why: unknown) => Promise<void>;
}

function asItIs(place: WritableStream<Uint8Array>): Target {
  return { stream: place, written: Promise.resolve(), abort: () => place.abort().catch(() => undefined) };
}

/** On the way every byte is sealed; none waits for more than a run of chunks. What fails on either side ends the other. */
function sealing(place: WritableStream<Uint8Array>, key: Uint8Array): Target {
  let between!: TransformStreamDefaultController<Uint8Array>;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => void (between = controller),
  });
  const write = async (): Promise<void> => {
    const writer = place.getWriter();
    const failed = (error: unknown): never => {
      between.error(error); // before the reader is let go of: that would tell the archive no reason
      throw error;
    };
    try {
      for await (const block of sealBackup(backupSealer(key), blocksOf(readable))) await writer.write(block).catch(failed);
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => undefined);
      throw error;
    }
  };
  const written = write();
  written.catch(() => undefined); // told where it is waited for
  return {
    stream: writable, written,
    abort: async (why) => {
      between.error(why);
      await written;
    },
  };
}

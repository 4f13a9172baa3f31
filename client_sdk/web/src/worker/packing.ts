// What somebody shared, or keeps, as an evidence pack, from the worker straight into a file; or as a Blob, where a browser
// gives a page no file to write to. Knows: where the archive goes, and the page that checks it. Refuses to know: what is in it.

import VERIFIER from "../../../verifier/verify.html?raw";
import { encodeText } from "../crypto_core/encoding.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import { Archive, InBlob } from "../sdk/archive.js";
import type { ReadingWith } from "../sdk/opening.js";
import { writePack, type Packed } from "../sdk/packs/pack.js";
import { fetchContinuity, fetchRotations } from "../sdk/packs/ledger.js";
import type { SavedPack } from "./api.js";

/** Writes it, and lets go of the file, which is as it was before where something failed or nobody wants it any more. */
export async function savePack(
  opened: Packed, known: Policy, { transport, progress }: Omit<ReadingWith, "verify">,
  into: FileSystemFileHandle | null, signal: AbortSignal | null,
): Promise<SavedPack> {
  const inBlob = new InBlob();
  const stream = await into?.createWritable() ?? inBlob.stream;
  try {
    const [policy, rotations] = await fetchRotations(transport, known);
    const { refused, unsaid, ledger } = await writePack(opened, {
      policy, rotations, continuity: (trees) => fetchContinuity(transport, policy, trees), verifier: encodeText(VERIFIER),
    }, new Archive(stream, signal), progress);
    const blob = into === null ? inBlob.blob : null;
    return { blob, left: refused.length, unsaid: unsaid.length, isContinued: ledger === null };
  } catch (error) {
    await stream.abort().catch(() => undefined);
    throw error;
  }
}

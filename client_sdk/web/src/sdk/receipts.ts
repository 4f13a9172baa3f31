// The receipts of what is kept: from this device or from the vault, and under an anchor to be exported.
// Knows: of which sealed bytes a receipt is, and which of two notes more have signed. Refuses to know: what a record says,
// and whom to trust: the session proves each receipt before anybody sees it.

import { decodeText, encodeText } from "../crypto_core/encoding.js";
import { MalformedError, VerificationError } from "../crypto_core/errors.js";
import { parseNote } from "../crypto_core/receipts/note.js";
import { Receipt, formatReceipt, parseReceipt, verifyReceipt } from "../crypto_core/receipts/receipt.js";
import { sealedContentSize } from "./contents.js";
import { sha256 } from "./digest.js";
import { ItemUnknown, Refused } from "./errors.js";
import type { Content, Id, KeptReceipt, SealedBlob, Sent } from "./items.js";
import { blobName, recordName, type Row } from "./replica.js";
import type { Session } from "./session.js";
import type { Places } from "./transport.js";

const ANCHORS = "/v1/ledger/anchors";
const INCLUSION = "/v1/ledger/inclusion";
const BLOB_RECEIPT = "/v1/blobs/<id:blob>/receipt";
const RECORD_RECEIPT = "/v1/items/<id:item>/revisions/<u32:revision>/receipt";

/** Of which sealed bytes a receipt is, its name on this device, and where the vault gives it. */
export interface ReceiptPlace {
  readonly name: string;
  readonly sha256: Uint8Array;
  readonly size: number;
  readonly path: typeof BLOB_RECEIPT | typeof RECORD_RECEIPT;
  readonly places: Places;
}

/** Those of one session. */
export class Receipts {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The receipt there, from this device or from the vault; verified either way. Throws as `Session.verify`, or Refused
   * `not_found`. */
  async at({ name, sha256: digest, size, path, places }: ReceiptPlace): Promise<KeptReceipt> {
    const session = this.#session;
    const known = await session.replica.receipt(name);
    if (known !== null) {
      try {
        const expected = { sha256: digest, size, policy: session.trust.policy };
        return { name, receipt: known, verified: verifyReceipt(encodeText(known), expected) };
      } catch (error) {
        if (!(error instanceof VerificationError)) throw error; // under a key that the person has let go of since
      }
    }
    const { receipt } = await session.ask("GET", path, { places });
    const verified = await session.verify(receipt, digest, size);
    if (known === null) await session.replica.writing(() => session.replica.keepReceipt(name, receipt));
    return { name, receipt, verified };
  }

  /** Whether the vault has a receipt of a blob, and so the blob. */
  async hasBlob(blob: Id): Promise<boolean> {
    try {
      await this.#session.ask("GET", BLOB_RECEIPT, { places: { blob } });
      return true;
    } catch (error) {
      if (error instanceof Refused && error.code === "not_found") return false;
      throw error;
    }
  }

  /** The sealed bytes and their receipt, with the first anchor that covers it. Where there is none, none that the receipt
   * holds under, or one under which fewer have signed, the receipt stays as it is. Throws as `at`. */
  async exported(place: ReceiptPlace, chunks: SealedBlob["chunks"]): Promise<SealedBlob> {
    const [kept, session] = [await this.at(place), this.#session];
    const { sha256: digest, size } = place;
    const plain = { ...kept, sha256: digest, size, chunks, anchor: null, before: null };
    const index = kept.verified.index;
    const found = await session.ask("GET", ANCHORS, { query: { size: index + 1 } }).catch((error: unknown) => {
      if (error instanceof Refused && error.code === "not_found") return null; // a vault older than this program
      throw error;
    });
    const anchor = found?.covering ?? null;
    const { extra, note } = parseReceipt(encodeText(kept.receipt));
    if (anchor === null || signatures(anchor.checkpoint) < signatures(note)) return plain;
    const { proof } = await session.ask("GET", INCLUSION, { query: { index, size: anchor.size } });
    try {
      const receipt = decodeText(formatReceipt(new Receipt(extra, index, proof, anchor.checkpoint)));
      const verified = await session.verify(receipt, digest, size);
      return { ...plain, receipt, verified, anchor, before: found?.before ?? null };
    } catch (error) {
      if (error instanceof RangeError || error instanceof VerificationError) return plain;
      throw error;
    }
  }
}

/** Where the receipt of a record is. Throws ItemUnknown for an erased one. */
export function recordPlace({ item, revision, record }: Row): ReceiptPlace {
  if (record === null) throw new ItemUnknown("erased");
  const [name, places] = [recordName(item, revision), { item, revision }];
  return { name, sha256: sha256(record), size: record.length, path: RECORD_RECEIPT, places };
}

/** Where the receipt of a content without parts is. */
export function contentPlace({ blob, sealed, size }: Content): ReceiptPlace {
  return blobPlace(blob, sealed, sealedContentSize(size));
}

/** Where the receipt of a depositor's own words is. */
export function wordsPlace({ deposit, sealed, size }: Sent): ReceiptPlace {
  return blobPlace(deposit, sealed, size);
}

function blobPlace(blob: Id, digest: Uint8Array, size: number): ReceiptPlace {
  return { name: blobName(blob), sha256: digest, size, path: BLOB_RECEIPT, places: { blob } };
}

/** How many lines have signed; none for what is no note. */
function signatures(note: string): number {
  try {
    return parseNote(encodeText(note)).signatures.length;
  } catch (error) {
    if (error instanceof MalformedError) return 0;
    throw error;
  }
}

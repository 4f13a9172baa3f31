// Files that were sealed otherwise than whoever sealed them says: by somebody who means harm, or a device that fails.
import { randomBytes } from "node:crypto";

import { formatB64url } from "../src/crypto_core/encoding.js";
import { makeId } from "../src/crypto_core/randomness.js";
import { SEALED_CHUNK_SIZE, sealStream } from "../src/crypto_core/sealing/envelope.js";
import { padContent } from "../src/crypto_core/sealing/padding.js";
import { contentSealer, makeContentKey } from "../src/crypto_core/sealing/records.js";
import { sha256 } from "../src/sdk/digest.js";
import type { Content } from "../src/sdk/items.js";
import { collected } from "./clients.js";

export const DATA = new Uint8Array(randomBytes(100_000));
/** What doesn't open. */
export const BROKEN = ["another key", "broken padding", "a changed byte", "another header", "a chunk less"] as const;
/** What opens to its end. */
export const DIFFERING = ["another sha256", "a larger size", "a smaller size"] as const;
export type How = (typeof BROKEN)[number] | (typeof DIFFERING)[number] | "rightly";

/** What a content says otherwise than it is. */
export const SAID: { readonly [how in How]?: Partial<Content> } = {
  "another key": { key: new Uint8Array(randomBytes(32)) }, "another sha256": { sha256: new Uint8Array(randomBytes(32)) },
  "a larger size": { size: DATA.length + 1 }, "a smaller size": { size: DATA.length - 1 },
};

/** A content as its depositor names it, and the blob, whose SHA-256 it names as it is. */
export async function sealWrongly(how: How, data = DATA): Promise<readonly [Content, Uint8Array]> {
  const [key, blob] = [makeContentKey(), makeId()];
  const plain = await collected(padContent(data.length, [data]));
  if (how === "broken padding") plain[plain.length - 1] = 1;
  let sealed = await collected(sealStream(contentSealer(key, blob), [plain]));
  if (how === "a changed byte") sealed[3 * SEALED_CHUNK_SIZE]! ^= 1;
  if (how === "another header") sealed[30]! ^= 1;
  if (how === "a chunk less") sealed = sealed.slice(0, -SEALED_CHUNK_SIZE);
  return [{
    blob: formatB64url(blob), key, sealed: sha256(sealed), sha256: sha256(data), name: "a.bin", mime: "text/plain",
    size: data.length, ...SAID[how],
  }, sealed];
}

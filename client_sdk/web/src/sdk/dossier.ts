// Writes what a person hands over: sealed files, their receipts, and how anybody checks them, as one .zip.
// Knows: the names of the files and the words of the README, both Python's. Refuses to know: keys; nothing in the
// archive opens anything.

import { encodeText, isSame } from "../crypto_core/encoding.js";
import { formatPolicy, type Policy } from "../crypto_core/receipts/policy.js";
import { provenSentence } from "../crypto_core/receipts/receipt.js";
import { Archive, InBlob } from "./archive.js";
import { hashed } from "./contents.js";
import { Sha256 } from "./digest.js";
import { BlobSwapped } from "./errors.js";
import type { SealedBlob } from "./items.js";

export const SEALED = ".sealed";
export const PROOF = ".tlog-proof";
export const POLICY = "policy.txt";
export const README = "README.txt";
export const TOKEN = ".tsr";
export const CHAIN = ".chain.pem";
export const BEFORE_NOTE = ".before.note";
export const BEFORE_TOKEN = ".before.tsr";

const readme = (files: string, proven: string): string => `\
What this folder holds

${files}

A file ending in .sealed is exactly what was deposited: it is encrypted, and nobody can read it without its key.
The file of the same name ending in .tlog-proof is its receipt. policy.txt names the key of the ledger that signed it.

If the vault has its ledger stamped by a time-stamping authority, the file ending in .tsr is the authority's token
(RFC 3161) over the state of the ledger that the receipt is under, and .chain.pem has the authority's certificates, but
for its root. Those ending in .before.note and .before.tsr are the last such state without this file, and its token.

What the receipts prove

${proven}

How to check them

1. Offline, with this program (no account is needed):

       temoin verify NAME.sealed NAME.tlog-proof --policy policy.txt

   It prints each step, and ends with code 0 (valid), 1 (invalid) or 4 (not yet verifiable).
   With a token, and the root certificate that the authority itself publishes, it also proves the authority's time:

       temoin verify NAME.sealed NAME.tlog-proof --policy policy.txt --tsa-roots ROOT.pem

   It takes the token, and what belongs to it, from beside the receipt.

2. With any other tool that reads c2sp.org/tlog-proof: the receipt is one. Its \`extra\` line is the base64 of a nonce
   (32 bytes), the time of deposit (8 bytes, seconds since 1970), the length of the sealed file (8 bytes) and its
   SHA-256 (32 bytes). The ledger's entry is the time rounded up to the minute (8 bytes) and
   SHA-256("temoin/v1/receipt", one zero byte, extra); its leaf hash is SHA-256(one zero byte, entry).

3. The token, with OpenSSL. It is over the lines of the receipt between its two empty lines:

       sed '1,/^$/d;/^$/,$d' NAME.tlog-proof > NAME.checkpoint
       openssl ts -verify -in NAME.tsr -data NAME.checkpoint -CAfile ROOT.pem -untrusted NAME.chain.pem

Compare the key in policy.txt with the one that the people who run the vault publish: whoever could change this folder
could have changed the key as well.
`;

/** An item's sealed record and contents, a receipt and what anchors it beside each, policy.txt and README.txt, in one
 * archive.
 *
 * Throws BlobSwapped if the vault returns other bytes than were kept, and then gives nothing. */
export async function exportReceipts(blobs: AsyncIterable<SealedBlob>, policy: Policy): Promise<Blob> {
  const into = new InBlob();
  const archive = new Archive(into.stream);
  const add = (name: string, data: Uint8Array): Promise<void> => archive.add(name, data.length, [data]);
  const written: string[] = [];
  const proven: string[] = [];
  for await (const blob of blobs) {
    const sealed = `${blob.name}${SEALED}`;
    const digest = new Sha256();
    await archive.add(sealed, blob.size, hashed(blob.chunks, digest));
    if (!isSame(digest.digest(), blob.sha256)) throw new BlobSwapped("another hash than the record names");
    written.push(sealed);
    for (const [suffix, data] of proofs(blob)) {
      written.push(`${blob.name}${suffix}`);
      await add(`${blob.name}${suffix}`, data);
    }
    proven.push(`    ${sealed}\n        ${provenSentence(blob.verified)}`);
  }
  await add(POLICY, formatPolicy(policy));
  const names = [...written, POLICY].map((name) => `    ${name}`).join("\n");
  await add(README, encodeText(readme(names, proven.join("\n"))));
  await archive.end();
  return into.blob;
}

/** What lies beside a sealed file, by the end of its name. */
function proofs({ receipt, anchor, before }: SealedBlob): [string, Uint8Array][] {
  const found: [string, Uint8Array][] = [[PROOF, encodeText(receipt)]];
  if (anchor === null) return found;
  found.push([TOKEN, anchor.token]);
  let chain = anchor.chain;
  if (before !== null) {
    if (!chain.includes(before.chain)) chain += before.chain;
    found.push([BEFORE_NOTE, encodeText(before.checkpoint)], [BEFORE_TOKEN, before.token]);
  }
  found.push([CHAIN, encodeText(chain)]);
  return found;
}

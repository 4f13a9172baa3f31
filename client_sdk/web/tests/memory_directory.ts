// A directory of professionals in a test's hands: what is listed, and what it says of itself.
// Knows: how one is published. Refuses to know: who asks for it.

import { concat, encodeText } from "../src/crypto_core/encoding.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import { formatCheckpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { Listed, Listing, Revoked, Witnessed, formatEntry, type Entry } from "../src/crypto_core/receipts/directory.js";
import { hashLeaf } from "../src/crypto_core/receipts/merkle.js";
import { COSIGNATURE, SignerKey, formatNote, formatVkey, sign } from "../src/crypto_core/receipts/note.js";
import { parsePolicy } from "../src/crypto_core/receipts/policy.js";
import { WIDTH, formatEntries, parseEntriesPath } from "../src/crypto_core/receipts/tiles.js";
import { newNodes, root } from "../src/crypto_core/receipts/tree.js";
import { deriveBox } from "../src/crypto_core/sealing/keys.js";
import { derivePublic } from "../src/crypto_core/sealing/passphrase.js";
import type { Sent } from "./memory_network.js";

const ORIGIN = "ledger.example/directory";
const SINCE = 1_790_812_800;

/** Somebody with keys of their own, who may be listed. */
export class FakeProfessional {
  readonly #seeds = [makeBytes(32), makeBytes(32)] as const;
  readonly name: string;
  readonly kind: string;

  constructor(name: string, kind = "lawyer") {
    this.name = name;
    this.kind = kind;
  }

  get box(): readonly [publicKey: Uint8Array, secretKey: Uint8Array] {
    return deriveBox(this.#seeds[0]);
  }

  get listing(): Listing {
    return new Listing(this.name, "Barreau", "Grenoble", this.kind, this.box[0], derivePublic(this.#seeds[1]));
  }
}

/** Somebody apart, who cosigns what they have seen. */
export function aWitness(name: string): SignerKey {
  return new SignerKey(name, makeBytes(32), COSIGNATURE);
}

/** Published under `signer`. Every field may be changed, as a liar would. */
export class MemoryDirectory {
  readonly signer: SignerKey;
  readonly entries: Uint8Array[] = [];
  /** In the place of the newest note. */
  instead: string | null = null;
  /** Who has looked at the newest state, and cosigns it. */
  witnesses: readonly SignerKey[] = [];
  /** What becomes of the bytes of a bundle of entries. */
  spoils: (bundle: Uint8Array) => Uint8Array = (bundle) => bundle;

  constructor(signer: SignerKey = new SignerKey(ORIGIN, makeBytes(32))) {
    this.signer = signer;
  }

  get vkey(): string {
    return formatVkey(this.signer.verifier);
  }

  /** Gives the number of the entry. */
  list({ listing }: { readonly listing: Listing }, replaces: number | null = null): number {
    return this.#append(new Listed(listing, SINCE, replaces));
  }

  revoke(entry: number): number {
    return this.#append(new Revoked(entry));
  }

  /** From now on so many of these are to cosign. */
  demand(quorum: number, ...witnesses: readonly SignerKey[]): number {
    const lines = witnesses.map(({ verifier }, at) => `witness w${at} ${formatVkey(verifier)}`);
    const group = `group some ${quorum} ${witnesses.map((_, at) => `w${at}`).join(" ")}`;
    const policy = [`log ${this.vkey}`, ...lines, group, "quorum some", ""].join("\n");
    return this.#append(new Witnessed(parsePolicy(encodeText(policy))));
  }

  note(size = this.entries.length, signer = this.signer, origin = ORIGIN): string {
    const nodes = new Map<string, Uint8Array>();
    const read = (level: number, index: number): Uint8Array => nodes.get(`${level} ${index}`)!;
    const leaves = this.entries.slice(0, size).map(hashLeaf);
    for (const [level, index, hash] of newNodes(0, leaves, read)) nodes.set(`${level} ${index}`, hash);
    const text = formatCheckpoint({ origin, size, root: root(size, read), extensions: [] });
    const cosignatures = this.witnesses.map((one) => sign(text, one, SINCE));
    return formatNote({ text, signatures: [sign(text, signer), ...cosignatures] });
  }

  /** What the vault answers in its name; null to anything else. */
  readonly answers = ({ path }: Sent): Response | null => {
    if (path === "/directory/checkpoint") return new Response(encodeText(this.instead ?? this.note()) as BodyInit);
    if (!path.startsWith("/directory/tile/entries/")) return null;
    const [index, width] = parseEntriesPath(path.replace("/directory/", ""));
    const bundle = formatEntries(this.entries.slice(index * WIDTH, index * WIDTH + width));
    return new Response(this.spoils(concat(bundle)) as BodyInit);
  };

  #append(entry: Entry): number {
    return this.entries.push(formatEntry(entry)) - 1;
  }
}

// What a manifest says of the items that it names: for a bundle, and for a pack of one's own.
// Knows: docs/spec/bundle.md, "The manifest". Refuses to know: for whom it is, and what becomes of it.

import * as v from "valibot";

import { formatJson, parseB64url } from "../crypto_core/encoding.js";
import { VerificationError, type TemoinError } from "../crypto_core/errors.js";
import { Kind } from "../crypto_core/labels.js";
import { unwrapRecordKey } from "../crypto_core/sealing/keyring.js";
import { openIdentity } from "../crypto_core/sealing/keys.js";
import { Manifest, VERSION, WITH_WORDS, type BundleNote, type NotedRecord, type SharedRecord } from "../schemas/bundles.js";
import { dump } from "../schemas/fields.js";
import { sha256 } from "./digest.js";
import { forgetKeys } from "./door.js";
import { isOfOne, ItemUnknown, ItemUnproven, Refused, ValueRefused } from "./errors.js";
import type { KeptReceipt } from "./items.js";
import type { Reader, RecordFacts } from "./reader.js";
import { recordPlace, wordsPlace } from "./receipts.js";
import type { Row } from "./replica.js";
import type { Session } from "./session.js";

/** What a record says that can be named. */
export type Said = Extract<RecordFacts, { readonly contents: unknown }>;

/** A revision that is there, sealed. */
type Sealed = Row & { readonly record: Uint8Array; readonly wrap: Uint8Array };

/** A revision as it is kept here: its sealed row, what its record says, and the verified receipt. */
export interface Kept {
  readonly row: Sealed;
  readonly facts: Said;
  readonly proof: KeptReceipt;
}

/** A revision of which the vault gives no receipt that holds: no manifest can name it. `code` says why. */
export interface Left {
  readonly row: Row;
  readonly facts: Said;
  readonly code: string;
}

/** Items as a manifest names them, each with the key of its record; `left` was to be named as well. */
export class Named {
  readonly kept: readonly Kept[];
  readonly left: readonly Left[];
  readonly #records: readonly SharedRecord[];
  readonly #version: Manifest["v"];

  constructor(kept: readonly Kept[], records: readonly SharedRecord[], version: Manifest["v"], left: readonly Left[]) {
    this.kept = kept;
    this.left = left;
    this.#records = records;
    this.#version = version;
  }

  /** The JSON of a manifest, with the rest of its fields. Throws ValueRefused. */
  manifest(facts: Omit<Manifest, "v" | "items">): Uint8Array {
    return stated(Manifest, { ...facts, v: this.#version, items: [...this.#records] });
  }

  /** Overwrites the keys. */
  forget(): void {
    forgetKeys(...this.#records.map(({ key }) => key));
  }
}

/** These revisions, in this order; the receipt of each is verified. What needs the sensitive tier open comes first: many
 * receipts may take longer than that stays so. `signal`: nobody wants it any more. With `leave` one without a receipt is
 * left out, unless that is each of them; and so are somebody else's words without one.
 *
 * Throws ItemUnknown for one that is a deletion or was erased, NeedsPin, the signal's reason, what `Session.verify` throws
 * against the vault, or, without `leave`, ItemUnproven for the first without a receipt that holds, its own or that of such
 * words. */
export async function nameItems(
  session: Session, reader: Reader, items: readonly NotedRecord[], signal: AbortSignal | null = null, leave = false,
): Promise<Named> {
  const read = items.map(({ item, revision }) => {
    const row = sealedOf(reader.row(item, revision));
    return { row, facts: factsOf(reader, row), key: keyOf(session, row) };
  });
  const [kept, records, words, left]: [Kept[], SharedRecord[], (number | null)[], Left[]] = [[], [], [], []];
  const without = <T>(row: Row, instead: (error: TemoinError) => T) => (error: unknown): T => {
    if (leave && isOfOne(error)) return instead(error);
    throw of(row, error);
  };
  let first: TemoinError | null = null;
  try {
    for (const { row, facts, key } of read) {
      signal?.throwIfAborted();
      const proof = await reader.receipts.at(recordPlace(row)).catch(without(row, (error) => {
        first ??= error;
        left.push({ row, facts, code: error.code });
        forgetKeys(key);
        return null;
      }));
      if (proof === null) continue;
      const one = { row, facts, proof };
      kept.push(one);
      records.push(recordOf(one, key));
    }
    if (first !== null && kept.length === 0) throw first;
    for (const { row, facts } of kept) {
      signal?.throwIfAborted();
      words.push(await wordsOf(reader, facts).catch(without(row, () => null)));
    }
  } catch (error) {
    forgetKeys(...read.map(({ key }) => key));
    throw error;
  }
  if (words.every((index) => index === null)) return new Named(kept, records, VERSION, left);
  return new Named(kept, records.map((record, at) => ({ ...record, words: words[at]! })), WITH_WORDS, left);
}

/** The JSON of what its schema allows. Throws ValueRefused, which names no value. */
export function stated(schema: typeof Manifest | typeof BundleNote, facts: Manifest | BundleNote): Uint8Array {
  const spelled = dump(schema, facts);
  if (!v.is(schema, spelled)) throw new ValueRefused("what a bundle can't say");
  return formatJson(spelled);
}

/** The seed with which this person signs, as it is sealed in the account. Throws TamperedError or MalformedError. */
export async function loadSignSeed(session: Session): Promise<Uint8Array> {
  const { account, mkN } = session.keyring;
  const { identity } = await session.ask("GET", "/v1/account");
  return openIdentity(mkN, Kind.IDENTITY_SIGN, account, identity.sign);
}

function sealedOf(row: Row): Sealed {
  if (row.wrap === null || row.record === null) throw new ItemUnknown("erased");
  return row as Sealed;
}

function factsOf(reader: Reader, row: Sealed): Said {
  const [facts] = reader.facts(row);
  if (!("contents" in facts)) throw new ItemUnknown("deleted");
  return facts;
}

function keyOf(session: Session, { item, revision, wrap }: Sealed): Uint8Array {
  return unwrapRecordKey(session.keyring, parseB64url(item), revision, wrap)[0];
}

function recordOf({ row: { item, revision, record }, proof }: Kept, key: Uint8Array): SharedRecord {
  return { item, revision, key, record: sha256(record), size: record.length, index: proof.verified.index };
}

/** A receipt that doesn't hold, or isn't there, with whose it is; anything else as it is. */
function of({ item, revision }: Row, error: unknown): unknown {
  const isGone = error instanceof Refused && error.code === "not_found";
  return isGone || error instanceof VerificationError ? new ItemUnproven(item, revision, error) : error;
}

/** The index of the receipt of somebody else's own words, where these go along. */
async function wordsOf(reader: Reader, facts: Said): Promise<number | null> {
  return facts.kind === "received" ? (await reader.receipts.at(wordsPlace(facts.sent))).verified.index : null;
}

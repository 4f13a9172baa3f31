// What somebody wrote to go with what they put into a box: their own sealed words, beside the item that repeats them.
// Knows: how the words open (docs/spec/deposit-box.md), and what an item must say as they do. Refuses to know: where they
// come from, and their receipt.

import * as v from "valibot";

import { formatJson, isSame, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { MalformedError, UnsupportedVersion } from "../crypto_core/errors.js";
import { openDeposit } from "../crypto_core/sealing/boxes.js";
import { Deposit, VERSION } from "../schemas/deposits.js";
import { dump } from "../schemas/fields.js";
import { sha256 } from "./digest.js";
import { BundleSwapped, ValueRefused, SentDiffers } from "./errors.js";
import type { Content, Item, Sent } from "./items.js";

/** What a depositor's words say. Throws MalformedError or UnsupportedVersion. */
export function parseDeposit(json: Uint8Array): Deposit {
  const value = parseJson(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new MalformedError("not a deposit");
  if ((value as Record<string, unknown>)["v"] !== VERSION) throw new UnsupportedVersion();
  const loaded = v.safeParse(Deposit, value);
  if (!loaded.success) throw new MalformedError("a deposit that its schema does not allow");
  return loaded.output;
}

/** The JSON of a depositor's words; the inverse of `parseDeposit`. Throws ValueRefused, which names no value. */
export function formatDeposit(words: Deposit): Uint8Array {
  const spelled = dump(Deposit, words);
  if (!v.is(Deposit, spelled)) throw new ValueRefused("what a deposit can't say");
  return formatJson(spelled);
}

/** The words that an item names, from their blob. Throws BundleSwapped for another blob, TamperedError, and as
 * `parseDeposit`. */
export function openWords({ box, deposit, key, sealed, size }: Sent, blob: Uint8Array): Deposit {
  if (blob.length !== size || !isSame(sha256(blob), sealed)) throw new BundleSwapped("other words than the item names");
  return parseDeposit(openDeposit(key, parseB64url(box), parseB64url(deposit), blob));
}

/** An item repeats the words and has all their files, whatever its owner added. Throws SentDiffers. */
export function requireRepeated({ sent, contents }: Item, words: Deposit): void {
  const names = ["name", "message", "written"] as const;
  if (sent === null || names.some((name) => sent[name] !== words[name])) throw new SentDiffers("other words");
  if (!words.contents.every((file) => contents.some((one) => isFile(one, file)))) throw new SentDiffers("other files");
}

function isFile(one: Content, other: Deposit["contents"][number]): boolean {
  const texts = ["blob", "name", "mime", "size"] as const, bytes = ["key", "sealed", "sha256"] as const;
  return one.parts === undefined && texts.every((name) => one[name] === other[name])
    && bytes.every((name) => isSame(one[name], other[name]));
}

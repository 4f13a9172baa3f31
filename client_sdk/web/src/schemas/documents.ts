// What stands inside a seal: records and the account record, as JSON.
// Knows: the fields a person fills in, and their limits (docs/spec/kinds.md). Refuses to know: keys and seals.
// The bytes that are sealed are kept as they are; these schemas check them and never spell them anew.

import * as v from "valibot";

import { bytes, dump, hash, id, oneOf, strict, text, time, u32, whole, yesNo } from "./fields.js";
import * as limits from "./limits.js";

export const VERSION = 1;
export const PRECISIONS = ["minute", "day", "month", "year", "words"] as const;

const QUESTION = new RegExp(`^[a-z0-9_-]{1,${limits.QUESTION}}$`);

/** When the facts took place. `from` and `to` bound it, null with precision `words`; `words` is what was typed. */
export const Happened = v.pipe(
  strict({
    from: v.nullable(time()),
    to: v.nullable(time()),
    precision: oneOf(...PRECISIONS),
    words: text(limits.WORDS, 1),
  }),
  v.check(({ from, to, precision }) => (
    (precision === "words") === (from === null) && (from === null) === (to === null)
  ), "Two times, or words alone."),
  v.check(({ from, to }) => from === null || to === null || from <= to, "It ends before it begins."),
);
export type Happened = v.InferOutput<typeof Happened>;

/** One file of an item: where its blob is, what opens it, and what the original was.
 *
 * `sealed` is the SHA-256 of the sealed bytes, so that the record's receipt fixes its contents too; `sha256` is that of
 * the original. */
export const Content = strict({
  blob: id(),
  key: bytes(limits.KEY),
  sealed: hash(),
  sha256: hash(),
  name: text(limits.NAME, 1),
  mime: text(limits.MIME, 1),
  size: whole(),
});
export type Content = v.InferOutput<typeof Content>;

/** The newest checkpoint note known when something was sealed. */
const after = () => v.nullable(text(limits.CHECKPOINT_NOTE));

const written = {
  v: v.literal(VERSION),
  kind: oneOf("journal", "document"),
  title: text(limits.TITLE),
  text: text(limits.TEXT),
  happened: v.nullable(Happened),
  written: time(),
  place: v.nullable(text(limits.PLACE)),
  people: v.pipe(v.array(text(limits.PERSON, 1)), v.maxLength(limits.PEOPLE)),
  tags: v.pipe(v.array(text(limits.TAG, 1)), v.maxLength(limits.TAGS)),
  danger: v.nullable(whole(0, 10)),
  mood: v.nullable(text(limits.MOOD)),
  category: v.nullable(text(limits.CATEGORY)),
  contents: v.pipe(v.array(Content), v.maxLength(limits.BLOBS_PER_REVISION)),
  after: after(),
};

/** A journal entry or a document. Lists are empty and the rest null where nothing was said. */
export const Record = strict(written);
export type Record = v.InferOutput<typeof Record>;

/** A self-assessment that was kept: what was ticked, by question; `text` says it in words.
 *
 * Not valibot's own record: that drops a name such as `constructor` without a word. */
export const Assessment = strict({
  ...written,
  kind: oneOf("assessment"),
  answers: v.custom<Readonly<{ [question: string]: boolean }>>((value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return false;
    }
    const answers = Object.entries(value);
    return answers.length <= limits.ANSWERS
      && answers.every(([question, answer]) => QUESTION.test(question) && v.is(yesNo(), answer));
  }, "Answers are true or false, by question."),
});
export type Assessment = v.InferOutput<typeof Assessment>;

/** How the first `count` contents of a recording are one file: `sha256` is that of the whole. Both are null while it is
 * being recorded; then its segments are found by `key` alone (deriveSegment of crypto_core/sealing/records). */
export const Segments = strict({
  key: bytes(limits.KEY),
  name: text(limits.NAME, 1),
  mime: text(limits.MIME, 1),
  count: v.nullable(whole(0, limits.BLOBS_PER_REVISION)),
  sha256: v.nullable(hash()),
});
export type Segments = v.InferOutput<typeof Segments>;

/** A document of which one file was sealed in segments while it was recorded. */
export const Recording = v.pipe(
  strict({ ...written, kind: oneOf("recording"), segments: Segments }),
  v.check(({ contents, segments: { count, sha256 } }) => (
    (count === null) === (sha256 === null) && (count ?? 0) <= contents.length
  ), "Segments that are not there."),
);
export type Recording = v.InferOutput<typeof Recording>;

/** One revision of another item. */
export const Revised = strict({ item: id(), revision: u32() });
export type Revised = v.InferOutput<typeof Revised>;

/** A part of another item, made to be shared: a copy of that revision from which something was left out.
 *
 * `masked` are the contents that are no originals: pictures of which parts were covered; `segments` as in a recording,
 * where that file was kept. */
export const Extract = v.pipe(
  strict({
    ...written,
    kind: oneOf("extract"),
    of: Revised,
    masked: v.pipe(v.array(id()), v.maxLength(limits.BLOBS_PER_REVISION)),
    segments: v.nullable(Segments),
  }),
  v.check(({ contents, masked }) => (
    new Set(masked).size === masked.length && masked.every((blob) => contents.some((one) => one.blob === blob))
  ), "A masked file that is not there."),
  v.check(({ contents, segments }) => (
    segments === null
    || (segments.sha256 !== null && segments.count !== null && segments.count > 0 && segments.count <= contents.length)
  ), "Segments that are not there."),
);
export type Extract = v.InferOutput<typeof Extract>;

/** Whose it is: the deposit as it was sent. Its sealed words are the blob `deposit`, `key` opens them.
 *
 * `sealed` and `size` are the SHA-256 and the bytes of the sealed words; `written` is by the depositor's clock. */
export const Sent = strict({
  box: id(),
  deposit: id(),
  key: bytes(limits.KEY),
  sealed: hash(),
  size: whole(),
  name: text(limits.PERSON),
  message: text(limits.MESSAGE),
  written: time(),
});
export type Sent = v.InferOutput<typeof Sent>;

/** What somebody else put into a box, and the person accepted: `sent` and the files are theirs, the rest is the person's own. */
export const Received = strict({ ...written, kind: oneOf("received"), sent: Sent });
export type Received = v.InferOutput<typeof Received>;

/** A deletion: the record hashes that it ends. Always of the normal tier; its format is frozen. */
export const Tombstone = strict({
  v: v.literal(VERSION),
  kind: oneOf("tombstone"),
  ends: v.pipe(v.array(hash()), v.minLength(1)),
  written: time(),
  after: after(),
});
export type Tombstone = v.InferOutput<typeof Tombstone>;

/** What the vault lost, and no device of this person gave back: the record hashes of which nobody asks any more. Always of
 * the normal tier; nothing that a device holds goes because of it. */
export const Loss = strict({
  v: v.literal(VERSION),
  kind: oneOf("loss"),
  lost: v.pipe(v.array(hash()), v.minLength(1), v.maxLength(limits.LOST)),
  written: time(),
  after: after(),
});
export type Loss = v.InferOutput<typeof Loss>;

/** What a person's devices agree on; written when credentials change, and at lock if anything was written.
 *
 * `previous` is the SHA-256 of the sealed record before this one, null for the first; `heads` are the record hashes
 * that no known link names yet (protocol §4). */
export const AccountRecord = strict({
  v: v.literal(VERSION),
  n: whole(1),
  previous: v.nullable(hash()),
  vault_id: id(),
  epoch: u32(),
  pin_epoch: u32(),
  argon: whole(1),
  pk_S: bytes(limits.KEY),
  identity_sign: bytes(limits.KEY),
  identity_box: bytes(limits.KEY),
  ledger_vkey: text(limits.VKEY, 1),
  directory_vkey: text(limits.VKEY, 1),
  heads: v.array(hash()),
});
export type AccountRecord = v.InferOutput<typeof AccountRecord>;

/** The schema of each kind of record; another kind, or another `v`, is shown as "needs a newer version". */
export const KINDS = {
  journal: Record, document: Record, assessment: Assessment, recording: Recording, extract: Extract, received: Received,
  tombstone: Tombstone, loss: Loss,
} as const;

/** A record of any kind as JSON spells it, for `formatJson`. Checks nothing: parsing it with its schema does. */
export function dumpDocument<Facts extends { readonly kind: keyof typeof KINDS }>(facts: Facts) {
  return dump(KINDS[facts.kind], facts) as { [Name in keyof Facts]: unknown };
}

/** An account record as JSON spells it, for `formatJson`. */
export function dumpAccountRecord(facts: AccountRecord) {
  return dump(AccountRecord, facts) as v.InferInput<typeof AccountRecord>;
}

// What a person is writing, kept on this device at each pause, so that a lock or a crash loses no word.
// Knows: how a draft is sealed, and that a slot never changes. Refuses to know: the vault; no draft ever leaves.
//
// What is kept lies in a slot of its own and never changes there; what goes on from it is kept in another one, and lets
// go of that one in the same write. So nobody overwrites or removes words that they have not seen: a second tab that goes
// on with the same draft, or makes an entry of it, touches what this one started from, and nothing that was typed since.
//
// Sealed as all that a device keeps (docs/spec/device-state.md). What a sensitive draft says is sealed once more, to
// pk_S: keeping it takes no PIN, reading it does.

import * as v from "valibot";

import { ID_SIZE, concat, formatB64url, formatJson, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError, TamperedError } from "../crypto_core/errors.js";
import { makeId } from "../crypto_core/randomness.js";
import type { Keyring } from "../crypto_core/sealing/keyring.js";
import { openDeviceState, sealDeviceState } from "../crypto_core/sealing/records.js";
import { sodium } from "../crypto_core/sodium.js";
import type { AccountHome } from "./home.js";
import { EMPTY_DRAFT, type Draft, type FoundDraft, type Id, type TypedDraft } from "./items.js";

const DRAFT = "draft";
const THUMBNAIL = "thumbnail";
/** The largest preview that is kept, in bytes. */
const PREVIEW = 512 * 1024;

const NULLABLE = v.nullable(v.string());
const HAPPENED = {
  from: v.nullable(v.number()), to: v.nullable(v.number()),
  precision: v.picklist(["minute", "day", "month", "year", "words"]), words: v.string(),
};
const WORDS = {
  text: v.string(), title: v.string(),
  written: v.nullable(v.number()), place: NULLABLE, people: v.array(v.string()), tags: v.array(v.string()),
  danger: v.nullable(v.number()), mood: NULLABLE, category: NULLABLE,
};
/** With a name that isn't known here it is a newer version's, which would lose what that says if this one went on with it. */
const DRAFT_TEXT = v.strictObject({ ...WORDS, happened: v.nullable(v.strictObject(HAPPENED)) });
const TYPED = v.object({ ...WORDS, happened: v.nullable(v.object(HAPPENED)) });
const HEAD = v.strictObject({
  v: v.literal(1), slot: v.string(), item: NULLABLE, revision: v.optional(v.nullable(v.number()), null),
  kind: v.picklist(["journal", "document", "assessment", "received", "tombstone"]), sensitive: v.boolean(), saved: v.number(),
  says: v.string(),
});

/** The drafts of one account on this device. */
export class Drafts {
  readonly #home: AccountHome;
  readonly #keyring: Keyring;
  /** When what was begun is written, whether it could be or not. */
  #settled: Promise<unknown> = Promise.resolve();

  constructor(home: AccountHome, keyring: Keyring) {
    this.#home = home;
    this.#keyring = keyring;
  }

  /** Gives its slot: it is on disk by then, and the one that it goes on from, if any, is gone.
   *
   * Throws DeviceFailed: then that one stays. */
  async keep(draft: TypedDraft, before: Id | null = null): Promise<Id> {
    const { item, revision, kind, sensitive, saved } = draft;
    const slot = formatB64url(makeId());
    const inner = formatJson(wellFormed(draft.draft));
    const says = sensitive ? sodium.crypto_box_seal(inner, this.#keyring.pkS) : inner;
    const of = revision === null ? { item } : { item, revision };
    const head = formatJson({ v: 1, slot, ...of, kind, sensitive, saved, says: formatB64url(says) });
    const sealed = sealDeviceState(this.#keyring.mkN, DRAFT, this.#keyring.account, head);
    const gone = before === null ? [] : [this.#key(before)];
    await this.#inTurn(() => this.#home.store.write({ put: [[this.#key(slot), sealed]], delete: gone }));
    return slot;
  }

  /** Gone when this resolves; what goes on from it stays. Throws DeviceFailed: then it may stay, too. */
  async drop(slot: Id): Promise<void> {
    const key = this.#key(slot);
    await this.#inTurn(() => this.#home.store.write({ delete: [key] }));
  }

  /** Lets `write` put something in the place of a draft, whose key it deletes in the same moment. If it fails, the draft
   * stays. */
  async replace<T>(slot: Id, write: (key: string) => Promise<T>): Promise<T> {
    const key = this.#key(slot);
    return this.#inTurn(() => write(key));
  }

  /** What is there, the latest first. What doesn't open is passed over, and stays. */
  async list(): Promise<readonly FoundDraft[]> {
    const found = (await this.#all()).flatMap((one) => one ?? []);
    return found.sort((one, other) => other.saved - one.saved);
  }

  /** How many are passed over: a newer version's, or torn ones. */
  async unopened(): Promise<number> {
    return (await this.#all()).filter((one) => one === null).length;
  }

  /** Resolves when nothing is being written any more, whether it could be or not. */
  async settled(): Promise<void> {
    await this.#settled;
  }

  /** Null for each that doesn't open. */
  async #all(): Promise<readonly (FoundDraft | null)[]> {
    await this.settled();
    return (await this.#home.list("drafts")).map(([slot, sealed]) => this.#open(slot, sealed));
  }

  #open(slot: string, sealed: unknown): FoundDraft | null {
    try {
      if (!(sealed instanceof Uint8Array)) throw new MalformedError("not a draft");
      const opened = openDeviceState(this.#keyring.mkN, DRAFT, this.#keyring.account, sealed);
      const { says, v: _, ...head } = v.parse(HEAD, parseJson(opened));
      if (head.slot !== slot) throw new MalformedError("the draft of another slot");
      const inner = parseB64url(says);
      if (head.sensitive && !this.#keyring.sensitiveOpen) return { ...head, draft: EMPTY_DRAFT, locked: true };
      const json = head.sensitive ? openBox(this.#keyring, inner) : inner;
      return { ...head, draft: v.parse(DRAFT_TEXT, parseJson(json)), locked: false };
    } catch (error) {
      if (error instanceof CryptoCoreError || error instanceof v.ValiError) return null;
      throw error;
    }
  }

  /** One write at a time, in the order in which they were asked for. */
  #inTurn<T>(write: () => Promise<T>): Promise<T> {
    const mine = this.#settled.then(write);
    this.#settled = mine.catch(() => undefined);
    return mine;
  }

  #key(slot: Id): string {
    parseB64url(slot, ID_SIZE);
    return this.#home.key("drafts", slot);
  }
}

/** Small previews of images, made and kept on this device alone. */
export class Thumbnails {
  readonly #home: AccountHome;
  readonly #keyring: Keyring;

  constructor(home: AccountHome, keyring: Keyring) {
    this.#home = home;
    this.#keyring = keyring;
  }

  /** Keeps the preview of a content; of a sensitive one, under pk_S. One that is too large is not kept. */
  async keep(content: Id, preview: Blob, sensitive: boolean): Promise<void> {
    if (preview.size > PREVIEW) return;
    const mime = new TextEncoder().encode(preview.type.slice(0, 127));
    const data = new Uint8Array(await preview.arrayBuffer());
    const plain = concat(Uint8Array.of(mime.length), mime, data);
    const says = sensitive ? sodium.crypto_box_seal(plain, this.#keyring.pkS) : plain;
    const body = concat(parseB64url(content), Uint8Array.of(Number(sensitive)), says);
    const sealed = sealDeviceState(this.#keyring.mkN, THUMBNAIL, this.#keyring.account, body);
    await this.#home.store.write({ put: [[this.#home.key("previews", content), sealed]] });
  }

  /** Null if none is kept, or if it is behind the PIN now. */
  async find(content: Id): Promise<Blob | null> {
    const sealed = await this.#home.store.get(this.#home.key("previews", content));
    if (!(sealed instanceof Uint8Array)) return null;
    try {
      const body = openDeviceState(this.#keyring.mkN, THUMBNAIL, this.#keyring.account, sealed);
      const [id, sensitive] = [body.subarray(0, ID_SIZE), body[ID_SIZE] === 1];
      const says = body.subarray(ID_SIZE + 1);
      if (formatB64url(id) !== content || (sensitive && !this.#keyring.sensitiveOpen)) return null;
      const plain = sensitive ? openBox(this.#keyring, says) : says;
      const end = 1 + (plain[0] ?? 0);
      return new Blob([plain.slice(end)], { type: new TextDecoder().decode(plain.slice(1, end)) });
    } catch (error) {
      if (error instanceof CryptoCoreError) return null;
      throw error;
    }
  }

  /** Removes the previews of contents that `isKept` says no item shows any more. */
  async tidy(isKept: (content: Id) => boolean): Promise<void> {
    const kept = await this.#home.list("previews");
    const gone = kept.map(([content]) => content).filter((content) => !isKept(content));
    if (gone.length > 0) await this.#home.store.write({ delete: gone.map((one) => this.#home.key("previews", one)) });
  }
}

function openBox({ pkS, skS }: Keyring, sealed: Uint8Array): Uint8Array {
  try {
    return sodium.crypto_box_seal_open(sealed, pkS, skS);
  } catch {
    throw new TamperedError("the drop-box does not open this");
  }
}

/** Only the fields of a draft, and half a character that a person is still typing as U+FFFD: JSON can't say it. */
function wellFormed(draft: Draft): Draft {
  const whole = (_name: string, value: unknown): unknown =>
    typeof value === "string" ? value.replace(/\p{Surrogate}/gu, "\ufffd") : value;
  return v.parse(TYPED, JSON.parse(JSON.stringify(draft, whole)));
}

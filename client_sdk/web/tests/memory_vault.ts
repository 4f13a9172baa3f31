// The memory twin of VaultApi: a vault whose every answer is made here. For looking at the views, and for their tests.
// Knows: what the contract says of each call, and how to fail on demand. Refuses to know: keys, seals, the network.
//
// Anything new can be signed up. One account is there already: NAME, PASSWORD, PIN (and WORDS, its recovery code).

import type { VerifiedReceipt } from "../src/crypto_core/receipts/receipt.js";
import { redact, type Redaction } from "../src/sdk/extract.js";
import { EMPTY_DRAFT, type Content, type Item as OpenedItem } from "../src/sdk/items.js";
import type {
  AccountSession, Checked, Deletion, Download, Draft, FoundDraft, Id, Item, Kept, KeptDraft, KeptReceipt, Kind, NewFile,
  Notice, Opening, Problem, Recorded, Recovering, RecoveryWait, SetBack, Settled, ShownRecovery, Typed, TypedDraft, Unfinished, VaultApi,
  WriteOptions,
} from "../src/worker/api.js";
import { Policy } from "../src/crypto_core/receipts/policy.js";
import { ready } from "../src/crypto_core/sodium.js";
import { checkReceipt, readPolicy } from "../src/worker/checking.js";
import { Failure, problemOf } from "../src/worker/problems.js";
import type { Covered } from "../src/worker/sharing.js";
import { MemoryReading } from "./memory_reading.js";
import { sampleItems, samplePicture } from "./samples.js";

export const NAME = "camille";
export const PASSWORD = "lune verte sur le toit";
export const PIN = "271828";
export const WORDS = (
  "abaisser abandon abdiquer abeille abolir aborder aboutir aboyer abrasif abreuver abriter abroger "
  + "abrupt absence absolu absurde abusif abyssal academie acajou acarien accabler accepter acclamer"
).split(" ");
export const NEXT_WORDS = [...WORDS].reverse();
export const RECOVERY_WAIT = 3 * 86_400;
const SENSITIVE_MS = 120_000;
const WEEK = 604_800;

interface Account {
  readonly username: string;
  readonly password: string;
  readonly pin: string;
  readonly words: readonly string[];
}

/** One revision as it is kept; `item` as it is when everything is open. */
interface Row {
  readonly item: Item;
  readonly files: ReadonlyMap<Id, Blob>;
}

export interface MemoryOptions {
  /** Milliseconds that every call takes; ten times that where Argon2id would run. */
  readonly delay?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Items that the account has at first, the oldest first. */
  readonly items?: readonly Item[];
}

export function problem(code: string, more: Partial<Problem> = {}): Failure {
  return new Failure({ code, detail: "", retryAfter: null, extra: {}, ...more });
}

export class MemoryVault extends MemoryReading implements VaultApi {
  /** What the next opening says; change it to see warnings, wrong PINs, an advised change. */
  opening: Opening = {
    lastOpened: null, wrongPins: 0, wrongTotal: 0, adviseChange: false, warnings: [], waiting: 0,
    recovery: null, givenBack: 0,
  };
  /** What comes of ending a warning, and what the ledger has signed of older copies. */
  settled: Settled = { givenBack: 0, anew: [], writtenOff: 0, files: [], left: null, recordOlder: false };
  setBack: readonly SetBack[] = [];
  /** Every call that was made, by name, with what was given. */
  readonly calls: (readonly [keyof VaultApi, ...unknown[]])[] = [];

  #accounts: Account[] = [{ username: NAME, password: PASSWORD, pin: PIN, words: WORDS }];
  #open: Account | null = null;
  #made: Account | null = null;
  #rows: Row[];
  #drafts: KeptDraft[] = [];
  /** How many drafts lie there that don't open. */
  unopened = 0;
  #thumbnails = new Map<Id, Blob>();
  #paused = new Set<number>();
  #recordings = new Map<Id, { readonly what: Recorded; readonly blobs: Blob[] }>();
  /** What was begun and not finished. */
  begun: Unfinished[] = [];
  #waiting: Item[] = [];
  #failures = new Map<keyof VaultApi | "any", unknown[]>();
  #hanging = new Set<keyof VaultApi>();
  #listener: (notice: Notice) => void = () => undefined;
  #sensitive: ReturnType<typeof setTimeout> | null = null;
  #ids = 0;
  readonly #delay: number;
  readonly #now: () => number;

  constructor({ delay = 0, now = Date.now, items }: MemoryOptions = {}) {
    super();
    this.#delay = delay;
    this.#now = now;
    this.#rows = (items ?? sampleItems(Math.floor(now() / 1000))).map((item) => ({
      item, files: new Map(item.contents.map((content) => [content.blob, samplePicture(content)])),
    }));
  }

  /** The next call of this name (or of any) rejects; several are used up in their order. */
  fail(call: keyof VaultApi | "any", error: unknown): void {
    this.#failures.set(call, [...(this.#failures.get(call) ?? []), error]);
  }

  /** The next call of this name is never answered. */
  hang(call: keyof VaultApi): void {
    this.#hanging.add(call);
  }

  /** Tells the page something, as the worker would by itself. */
  tell(notice: Notice): void {
    this.#listener(notice);
  }

  /** Something that another device wrote. */
  add(item: Item): void {
    this.#rows.push({ item, files: new Map(item.contents.map((content) => [content.blob, samplePicture(content)])) });
    this.tell({ kind: "changed" });
  }

  async listen(listener: (notice: Notice) => void): Promise<void> {
    this.#listener = listener;
  }

  // getting in

  async requireNew(typed: Partial<Typed>): Promise<void> {
    await this.#call("requireNew", typed);
    const refuse = (detail: string): never => {
      throw problem("secret_refused", { detail });
    };
    if (typed.username !== undefined && !/^.{1,64}$/u.test(typed.username.trim())) {
      refuse("the user name has 1 to 64 characters");
    }
    if (typed.password !== undefined && new TextEncoder().encode(typed.password).length < 8) {
      refuse("the password has 8 to 1024 bytes");
    }
    if (typed.pin === undefined) return;
    if (!/^\d{4,12}$/.test(typed.pin)) refuse("the PIN has 4 to 12 digits");
    if (["1234", "123456", "0000"].includes(typed.pin)) refuse("the PIN is one of the commonest");
    if (/^(19|20)\d\d$/.test(typed.pin)) refuse("the PIN looks like a year of birth");
  }

  async makeAccount(typed: Typed, language: "english" | "french"): Promise<readonly string[]> {
    await this.#call("makeAccount", typed, language);
    await this.#wait(9);
    this.#made = { ...typed, words: WORDS };
    return WORDS;
  }

  async checkWords(places: readonly number[], words: readonly string[]): Promise<boolean> {
    await this.#call("checkWords", places, words);
    const made = this.#made;
    return made !== null && places.every((place, n) => made.words[place] === bare(words[n] ?? ""));
  }

  async register(): Promise<Opening> {
    await this.#call("register");
    const made = this.#made;
    if (made === null) throw problem("unexpected");
    if (this.#accounts.some((one) => one.username === made.username && one.password === made.password)) {
      throw problem("account_exists");
    }
    this.#accounts.push(made);
    this.#made = null;
    this.#rows = [];
    this.#open = made;
    return { ...this.opening, lastOpened: null };
  }

  async logIn(typed: Typed): Promise<Opening> {
    await this.#call("logIn", typed);
    await this.#wait(9);
    const account = this.#accounts.find((one) => one.username === typed.username && one.password === typed.password);
    if (account === undefined) throw problem("login_refused");
    if (account.pin !== typed.pin) throw problem("pin_wrong");
    this.#open = account;
    return { ...this.opening, lastOpened: this.opening.lastOpened ?? Math.floor(this.#now() / 1000) - 200_000 };
  }

  async stepUp(pin: string): Promise<void> {
    await this.#call("stepUp", pin);
    if (this.#account().pin !== pin) throw problem("pin_wrong");
    if (this.#sensitive !== null) clearTimeout(this.#sensitive);
    this.#sensitive = setTimeout(() => void this.dropSensitive(), SENSITIVE_MS);
    this.tell({ kind: "sensitive", open: true, until: this.#now() + SENSITIVE_MS });
  }

  async dropSensitive(): Promise<void> {
    if (this.#sensitive !== null) clearTimeout(this.#sensitive);
    this.#sensitive = null;
    this.tell({ kind: "sensitive", open: false, until: null });
  }

  async lock(): Promise<void> {
    await this.#call("lock");
    if (this.#sensitive !== null) clearTimeout(this.#sensitive);
    this.#sensitive = null;
    this.#open = null;
  }

  async makeWords(language: "english" | "french"): Promise<readonly string[]> {
    await this.#call("makeWords", language);
    this.#made = { ...this.#account(), words: NEXT_WORDS };
    return NEXT_WORDS;
  }

  async changeCredentials(
    now: { readonly password: string; readonly pin: string }, next: Typed, renew: boolean,
  ): Promise<void> {
    await this.#call("changeCredentials", now, next, renew);
    const account = this.#confirm(now.password, now.pin);
    await this.requireNew(next);
    this.#open = { ...account, ...next, ...(renew ? { words: this.#made!.words } : {}) };
    if (renew) this.recovering = null;
    this.#accounts = this.#accounts.map((one) => (one === account ? this.#open! : one));
  }

  /** What `erase` answers. */
  erased = true;

  async erase(password: string, pin: string): Promise<boolean> {
    await this.#call("erase", password, pin);
    const account = this.#confirm(password, pin);
    this.#open = null;
    if (this.erased) this.#accounts = this.#accounts.filter((one) => one !== account);
    return this.erased;
  }

  async acceptTrust(password: string, pin: string): Promise<Settled> {
    await this.#call("acceptTrust", password, pin);
    this.#confirm(password, pin);
    this.opening = { ...this.opening, warnings: [] };
    this.tell({ kind: "warnings", codes: [] });
    return this.settled;
  }

  async restorations(): Promise<readonly SetBack[]> {
    await this.#call("restorations");
    return this.setBack;
  }

  async reopenPin(username: string, password: string, words: string): Promise<void> {
    await this.#call("reopenPin", username, password, words);
    const account = this.#accounts.find((one) => one.username === username && one.password === password);
    if (account === undefined) throw problem("login_refused");
    if (bare(words).split(/\s+/).join(" ") !== account.words.join(" ")) throw problem("recovery_refused");
  }

  /** Since when somebody gets back in, and from when on; the page's clock is the vault's. */
  recovering: Recovering | null = null;
  #gettingBack: Account | null = null;

  async showRecovery(words: string): Promise<ShownRecovery> {
    await this.#call("showRecovery", words);
    const typed = bare(words).split(/\s+/);
    if (typed.length !== 24) throw problem("secret_refused", { detail: "there are 24 words" });
    const found = this.#accounts.find((one) => one.words.join() === typed.join());
    if (found === undefined) throw problem("recovery_refused");
    const now = Math.floor(this.#now() / 1000);
    this.recovering ??= { begun: now, due: now + RECOVERY_WAIT };
    const isDue = now >= this.recovering.due;
    this.#gettingBack = isDue ? found : null;
    return { ...this.recovering, isDue };
  }

  async makeRecovered(typed: Typed, language: "english" | "french"): Promise<readonly string[]> {
    await this.#call("makeRecovered", typed, language);
    if (this.#gettingBack === null) throw problem("unexpected");
    await this.#wait(9);
    this.#made = { ...typed, words: NEXT_WORDS };
    return NEXT_WORDS;
  }

  async recover(): Promise<Opening> {
    await this.#call("recover");
    const [made, shown] = [this.#made, this.#gettingBack];
    if (made === null || shown === null) throw problem("unexpected");
    if (this.recovering === null) throw problem("recovery_over");
    this.#accounts = this.#accounts.map((one) => (one === shown ? made : one));
    this.#made = this.#gettingBack = this.recovering = null;
    this.#open = made;
    return this.opening;
  }

  async pendingRecovery(): Promise<Recovering | null> {
    await this.#call("pendingRecovery");
    return this.recovering;
  }

  async stopRecovery(password: string, pin: string): Promise<void> {
    await this.#call("stopRecovery", password, pin);
    this.#confirm(password, pin);
    this.recovering = null;
  }

  /** How long they wait. */
  wait: RecoveryWait = { wait: RECOVERY_WAIT, next: null };

  async recoveryWait(): Promise<RecoveryWait> {
    await this.#call("recoveryWait");
    return this.wait;
  }

  async setRecoveryWait(password: string, pin: string, wait: number): Promise<RecoveryWait> {
    await this.#call("setRecoveryWait", password, pin, wait);
    this.#confirm(password, pin);
    const now = this.wait.wait;
    const since = Math.floor(this.#now() / 1000) + now;
    this.wait = wait >= now ? { wait, next: null } : { wait: now, next: { wait, since } };
    return this.wait;
  }

  async sessions(): Promise<readonly AccountSession[]> {
    await this.#call("sessions");
    const now = Math.floor(this.#now() / 1000);
    return [
      { id: "b", begun: now - 90_000, lastUsed: now - 4000, mine: false },
      { id: "a", begun: now - 300, lastUsed: now - 5, mine: true },
    ];
  }

  async endOtherSessions(password: string, pin: string): Promise<number> {
    await this.#call("endOtherSessions", password, pin);
    this.#confirm(password, pin);
    return 1;
  }

  // reading

  async synchronise(): Promise<void> {
    await this.#call("synchronise");
  }

  async waiting(): Promise<readonly Item[]> {
    await this.#call("waiting");
    return this.#waiting;
  }

  async items(kind?: Kind): Promise<readonly Item[]> {
    await this.#call("items", kind);
    this.#account();
    const newest = new Map(this.#rows.map((row) => [row.item.id, row.item]));
    return [...newest.values()]
      .filter((item) => (kind === undefined ? item.kind !== "tombstone" : item.kind === kind))
      .map((item) => this.#shown(item))
      .filter((item) => kind === undefined || item.kind === kind || item.kind === null);
  }

  async item(id: Id, revision?: number): Promise<Item> {
    await this.#call("item", id, revision);
    return this.#shown(this.#row(id, revision).item);
  }

  async history(id: Id): Promise<readonly Item[]> {
    await this.#call("history", id);
    this.#row(id, undefined, true);
    return this.#rows.filter((row) => row.item.id === id).map((row) => this.#shown(row.item));
  }

  async readContent(
    item: Id, revision: number, content: Id, range?: readonly [number, number], differing?: boolean,
  ): Promise<Blob> {
    await this.#call("readContent", item, revision, content, range, ...(differing ? [differing] : []));
    const blob = this.#row(item, revision).files.get(content);
    if (blob === undefined) throw problem("item_unknown");
    return range === undefined ? blob : blob.slice(range[0], range[1], blob.type);
  }

  async readPiece(item: Id, revision: number, content: Id, start: number, stop: number): Promise<ArrayBuffer> {
    await this.#call("readPiece", item, revision, content, start, stop);
    return (await this.readContent(item, revision, content, [start, stop])).arrayBuffer();
  }

  async thumbnail(content: Id): Promise<Blob | null> {
    await this.#call("thumbnail", content);
    return this.#thumbnails.get(content) ?? null;
  }

  async keepThumbnail(content: Id, preview: Blob): Promise<void> {
    this.#thumbnails.set(content, preview);
  }

  async receipt(item: Id, revision: number): Promise<KeptReceipt> {
    await this.#call("receipt", item, revision);
    const row = this.#row(item, revision);
    const proven = verified(row.item.deposited, this.#rows.indexOf(row));
    return { name: `${item}-${revision}`, receipt: RECEIPT, verified: proven };
  }

  /** Really checks it. The ledger that this vault names is that of the shared facts. */
  async checkReceipt(sealed: Blob, receipt: Blob, policy: Blob | null): Promise<Checked> {
    await this.#call("checkReceipt", sealed, receipt, policy);
    await ready();
    return checkReceipt(sealed, receipt, policy === null ? Policy.forKey(LEDGER) : await readPolicy(policy));
  }

  async exportReceipts(item: Id, revision: number): Promise<Download> {
    await this.#call("exportReceipts", item, revision);
    const nothing = new Uint8Array([80, 75, 5, 6, ...new Uint8Array(18)]);
    return { name: `${item}-${revision}.zip`, mime: "application/zip", blob: new Blob([nothing]) };
  }

  // writing

  async makeExtract(id: Id, revision: number, redaction: Redaction, covered: readonly Covered[]): Promise<Kept> {
    await this.#call("makeExtract", id, revision, redaction, covered);
    const { item, files } = this.#row(id, revision);
    if (this.#shown(item).state === "locked") throw problem("pin_needed");
    const pictures = new Map<Id, Content>();
    const [all, key] = [new Map(files), HASH];
    for (const { content, picture } of covered) {
      const blob = await this.makeId();
      all.set(blob, picture);
      const { name, type: mime, size } = picture;
      pictures.set(content, { blob, key, name, mime, size, sealed: HASH, sha256: HASH });
    }
    try {
      const { draft, contents, of, masked } = redact(item as OpenedItem, redaction, pictures);
      return this.#append({
        ...blank(item), ...draft, id: await this.makeId(), revision: 1, state: "open", kind: "extract", contents, of, masked,
      }, all);
    } catch (error) {
      throw new Failure(problemOf(error));
    }
  }

  async writeEntry(draft: Draft, options: WriteOptions): Promise<Kept> {
    await this.#call("writeEntry", draft, options);
    return this.#keep(await this.makeId(), "journal", draft, options.sensitive, options.files, options.slot, null);
  }

  async addDocument(file: File, draft: Draft, options: WriteOptions): Promise<Kept> {
    await this.#call("addDocument", file, draft, options);
    for (let part = 0; part <= 4; part++) {
      const done = Math.ceil((file.size * part) / 4);
      const { transfer = null } = options;
      this.tell({ kind: "progress", sending: true, name: file.name, done, total: file.size, transfer });
      await this.#wait(1);
      if (transfer !== null && this.#paused.delete(transfer)) throw problem("paused");
    }
    const named = draft.title === "" ? { ...draft, title: file.name } : draft;
    const others = options.files.filter((one) => one.file !== file);
    const files = [{ file, thumbnail: options.files[0]?.thumbnail ?? null }, ...others];
    return this.#keep(await this.makeId(), "document", named, options.sensitive, files, options.slot, null);
  }

  async pause(transfer: number): Promise<void> {
    await this.#call("pause", transfer);
    this.#paused.add(transfer);
  }

  async beginRecording(what: Recorded): Promise<Id> {
    await this.#call("beginRecording", what);
    const id = await this.makeId();
    this.#recordings.set(id, { what, blobs: [] });
    return id;
  }

  async addSegment(id: Id, more: Blob, seconds: number): Promise<number> {
    await this.#call("addSegment", id, more, seconds);
    const { blobs } = this.#recordings.get(id)!;
    this.tell({ kind: "recording", id, here: seconds, kept: seconds });
    return blobs.push(more);
  }

  async endRecording(id: Id): Promise<Kept> {
    await this.#call("endRecording", id);
    const { what, blobs } = this.#recordings.get(id)!;
    const file = new File(blobs, what.name, { type: what.mime });
    return this.#keep(id, "document", what.draft, what.sensitive, [{ file, thumbnail: null }], null, null);
  }

  async unfinished(): Promise<readonly Unfinished[]> {
    await this.#call("unfinished");
    return this.begun;
  }

  async giveUp(id: Id): Promise<void> {
    await this.#call("giveUp", id);
    this.begun = this.begun.filter((one) => one.id !== id);
  }

  async writeAssessment(
    draft: Draft, answers: Readonly<Record<string, boolean>>, options: WriteOptions,
  ): Promise<Kept> {
    await this.#call("writeAssessment", draft, answers, options);
    const { sensitive, files, slot } = options;
    return this.#keep(await this.makeId(), "assessment", draft, sensitive, files, slot, answers);
  }

  async editEntry(id: Id, changes: Partial<Draft>, files: readonly NewFile[], slot: Id | null = null): Promise<Kept> {
    await this.#call("editEntry", id, changes, files, slot);
    this.#trusted();
    const { item } = this.#row(id);
    if (this.#shown(item).state !== "open") throw problem("pin_needed");
    const draft = { ...draftOf(item), ...changes };
    return this.#keep(id, item.kind ?? "journal", draft, item.sensitive, files, slot, item.answers);
  }

  async deleteItem(id: Id): Promise<Deletion> {
    await this.#call("deleteItem", id);
    this.#trusted();
    const { item } = this.#row(id);
    const now = Math.floor(this.#now() / 1000);
    const tombstone: Item = {
      ...blank(item), state: "open", kind: "tombstone", sensitive: false, revision: item.revision + 1, deposited: now,
    };
    this.#rows.push({ item: tombstone, files: new Map() });
    return { id, revision: tombstone.revision, erasedAfter: now + WEEK, receipt: RECEIPT };
  }

  async restoreItem(id: Id): Promise<Kept> {
    await this.#call("restoreItem", id);
    this.#trusted();
    const before = this.#rows.filter((row) => row.item.id === id && row.item.kind !== "tombstone").at(-1);
    if (before === undefined) throw problem("item_unknown");
    return this.#append({ ...before.item, revision: this.#row(id, undefined, true).item.revision + 1 }, before.files);
  }

  // drafts

  /** A draft that this device has kept before. */
  begin(draft: KeptDraft): void {
    this.#drafts = [...this.#drafts, draft];
  }

  async keepDraft(draft: TypedDraft, before: Id | null): Promise<Id> {
    await this.#call("keepDraft", draft, before);
    const slot = await this.makeId();
    this.#drafts = [...this.#drafts.filter((one) => one.slot !== before), { ...draft, slot }];
    return slot;
  }

  async drafts(): Promise<readonly FoundDraft[]> {
    await this.#call("drafts");
    return this.#drafts.map((draft) => {
      const locked = draft.sensitive && this.#sensitive === null;
      return { ...draft, locked, draft: locked ? EMPTY_DRAFT : draft.draft };
    });
  }

  async unopenedDrafts(): Promise<number> {
    await this.#call("unopenedDrafts");
    return this.unopened;
  }

  async dropDraft(slot: Id): Promise<void> {
    await this.#call("dropDraft", slot);
    this.#drafts = this.#drafts.filter((one) => one.slot !== slot);
  }

  async makeId(): Promise<Id> {
    return `made${String(++this.#ids).padStart(17, "0")}A`;
  }

  // what the above is made of

  protected override called(name: keyof VaultApi, ...given: unknown[]): Promise<void> {
    return this.#call(name, ...given);
  }

  protected override confirmed(password: string, pin: string): void {
    this.#confirm(password, pin);
  }

  protected override receive(item: Item, files: ReadonlyMap<Id, Blob>): Kept {
    return this.#append(item, files);
  }

  protected override time(): number {
    return Math.floor(this.#now() / 1000);
  }

  async #call(name: keyof VaultApi, ...given: unknown[]): Promise<void> {
    this.calls.push([name, ...given]);
    await this.#wait(1);
    if (this.#hanging.delete(name)) await new Promise(() => undefined);
    const failures = this.#failures.get(name)?.length ? this.#failures.get(name) : this.#failures.get("any");
    const error = failures?.shift();
    if (error !== undefined) throw error;
  }

  async #wait(times: number): Promise<void> {
    if (this.#delay > 0) await new Promise((done) => setTimeout(done, this.#delay * times));
  }

  #account(): Account {
    if (this.#open === null) throw problem("not_open");
    return this.#open;
  }

  #confirm(password: string, pin: string): Account {
    const account = this.#account();
    if (account.password !== password) throw problem("login_refused");
    if (account.pin !== pin) throw problem("pin_wrong");
    return account;
  }

  #trusted(): void {
    if (this.opening.warnings.length > 0) throw problem("warned");
  }

  #row(id: Id, revision?: number, deleted = false): Row {
    const rows = this.#rows.filter((row) => row.item.id === id);
    const found = revision === undefined ? rows.at(-1) : rows.find((row) => row.item.revision === revision);
    if (found === undefined || (found.item.kind === "tombstone" && revision === undefined && !deleted)) {
      throw problem("item_unknown");
    }
    return found;
  }

  #shown(item: Item): Item {
    return item.sensitive && this.#sensitive === null ? { ...blank(item), state: "locked" } : item;
  }

  async #keep(
    id: Id, kind: Kind, draft: Draft, sensitive: boolean, files: readonly NewFile[], slot: Id | null,
    answers: Readonly<Record<string, boolean>> | null,
  ): Promise<Kept> {
    const before = this.#rows.filter((row) => row.item.id === id).at(-1);
    const added = new Map<Id, Blob>(before?.files ?? []);
    const contents = [...(before?.item.contents ?? [])];
    for (const { file, thumbnail } of files) {
      const blob = await this.makeId();
      added.set(blob, file);
      if (thumbnail !== null) this.#thumbnails.set(blob, thumbnail);
      contents.push({ blob, name: file.name, mime: file.type, size: file.size, sealed: HASH, sha256: HASH });
    }
    if (slot !== null) this.#drafts = this.#drafts.filter((one) => one.slot !== slot);
    const now = Math.floor(this.#now() / 1000);
    const revision = (before?.item.revision ?? 0) + 1;
    const [written, sent] = [draft.written ?? now, before?.item.sent ?? null];
    return this.#append(
      {
        ...draft, id, revision, deposited: now, sensitive, state: "open", kind, contents, answers, written, sent,
        of: null, masked: [],
      }, added,
    );
  }

  #append(item: Item, files: ReadonlyMap<Id, Blob>): Kept {
    const row = { item: { ...item, deposited: Math.floor(this.#now() / 1000) }, files };
    const index = this.#rows.push(row) - 1;
    return {
      id: item.id, revision: item.revision, deposited: row.item.deposited, receipt: RECEIPT,
      verified: verified(row.item.deposited, index), conflict: false,
    };
  }
}

/** The ledger that tests/vectors/receipts name. */
export const LEDGER = "ledger.example/2026+b616f002+ARhOMywBalF8XYDSK/dFoBSX/77MbQ2RGDoovPKZyxbx";
const HASH = Uint8Array.from({ length: 32 }, (_, n) => (n * 37 + 11) % 256);
const RECEIPT = "c2sp.org/tlog-proof@v1\n";

/** Only verifyReceipt makes one: this one is for the eye alone. */
function verified(deposited: number, index: number): VerifiedReceipt {
  const made = {
    outcome: "valid", index, entry: HASH, claimedTime: deposited, boundTime: null, cosignedBy: [],
    commitment: { nonce: HASH, time: deposited, size: 1536, sha256: HASH },
    checkpoint: { origin: "vault.example/ledger", size: index + 40, root: HASH },
  };
  return made as unknown as VerifiedReceipt;
}

function draftOf(item: Item): Draft {
  return {
    text: item.text ?? "", title: item.title ?? "", happened: item.happened, written: item.written, place: item.place,
    people: item.people, tags: item.tags, danger: item.danger, mood: item.mood, category: item.category,
  };
}

/** What is known of an item that isn't open. */
function blank(item: Item): Item {
  return {
    id: item.id, revision: item.revision, deposited: item.deposited, sensitive: item.sensitive, state: item.state,
    kind: null, title: null, text: null, happened: null, written: null, place: null, people: [], tags: [], danger: null,
    mood: null, category: null, contents: [], answers: null, of: null, masked: [], sent: null,
  };
}

function bare(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

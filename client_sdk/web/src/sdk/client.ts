// A person's vault, as the worker uses it: from user name, password and PIN to entries, files and verified receipts.
// Knows: the order of the steps (sdk/protocol). Refuses to know: pages, workers, and how a seal is made.
// After an opening nothing of password and PIN is kept; after a lock, no key.

import { parseB64url } from "../crypto_core/encoding.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import type { Restoration } from "../crypto_core/receipts/restoration.js";
import * as passphrase from "../crypto_core/sealing/passphrase.js";
import type { Language } from "../crypto_core/sealing/recovery.js";
import type { Account } from "./account.js";
import { ARGON_HERE, type Argon } from "./argon.js";
import type { Attachment, Writing } from "./attaching.js";
import type { Boxes } from "./boxes.js";
import type { Professionals } from "./directory.js";
import { Door, fetched, forgetKeys, forgetLogin } from "./door.js";
import type { Drafts } from "./drafts.js";
import { ItemUnknown, NotOpen, ServerFault } from "./errors.js";
import type { Redaction } from "./extract.js";
import type { Home, Pin } from "./home.js";
import type { Content, Deletion, Draft, Id, Item, Kept, KeptReceipt, Kind, Opening } from "./items.js";
import type { Unfinished } from "./journal.js";
import type { Credentials, NewAccount } from "./keychain.js";
import { OpenVault, type Ways } from "./open_vault.js";
import type { OwnPack } from "./packs/own.js";
import type { Office } from "./professional.js";
import { NO_PROGRESS, type Progress } from "./progress.js";
import { UnlockEvent, unlocking } from "./protocol/unlock.js";
import { recordPlace } from "./receipts.js";
import type { Recordings } from "./recorder.js";
import type { Recovered, Shown } from "./recovering.js";
import type { LostFile } from "./redeposit.js";
import type { Link, SharedItem, Shares, Sharing } from "./sharing.js";
import type { Transport } from "./transport.js";
import type { Sleep } from "./uploader.js";
import { requireOpen, type Answers, type Written } from "./writer.js";

/** How long a lock waits for the vault to take the account record and the farewell. */
const FAREWELL_MS = 5000;

/** What a VaultClient is made with besides its connection and its home. */
export interface ClientOptions {
  readonly argon?: Argon;
  /** Unix seconds, for the times that a person sees; nothing secret depends on it. */
  readonly clock?: () => number;
  /** Hears of files that are sent; `reading` of contents that are read. */
  readonly progress?: Progress;
  readonly reading?: Progress;
  readonly sleep?: Sleep;
  /** Milliseconds of a clock that nobody sets: how long a request took. */
  readonly now?: () => number;
  /** Called when the sensitive tier opens (until when, in milliseconds since 1970) or closes (null). */
  readonly onSensitive?: (until: number | null) => void;
}

/** One person's vault, locked at first. */
export class VaultClient {
  readonly #transport: Transport;
  readonly #progress: Progress;
  readonly #door: Door;
  readonly #machine = unlocking();
  readonly #ways: Ways;
  #open: OpenVault | null = null;

  constructor(transport: Transport, home: Home, options: ClientOptions = {}) {
    this.#transport = transport;
    this.#progress = options.progress ?? NO_PROGRESS;
    const clock = options.clock ?? (() => Math.floor(Date.now() / 1000));
    this.#door = new Door(transport, home, options.argon ?? ARGON_HERE, clock);
    this.#ways = {
      door: this.#door, machine: this.#machine, reading: options.reading ?? NO_PROGRESS,
      sleep: options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
      now: options.now ?? (() => performance.now()), onSensitive: options.onSensitive ?? (() => undefined),
    };
  }

  /** Locks, and lets go of the connection. */
  async close(): Promise<void> {
    try {
      await this.lock();
    } finally {
      this.#transport.close();
    }
  }

  /** Whether the vault is open. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** Trust in the pinned ledger of the open vault, as it is exported beside receipts. */
  get policy(): Policy {
    return this.#opened().session.trust.policy;
  }

  /** Codes of what a person is told of the vault: what stands against it, and what is no more than told. */
  get warnings(): readonly string[] {
    return this.#opened().session.told.map((one) => one.code);
  }

  /** How many versions the vault had lost, and has again from this device since it was opened. */
  get givenBack(): number {
    return this.#opened().givenBack;
  }

  /** Files that the vault has lost, and that items have gone on without since it was opened: to be told, so that whoever still
   * has one adds it again. What `account.acceptTrust` gives back is not among them. */
  get lostFiles(): readonly LostFile[] {
    return this.#opened().lostFiles;
  }

  /** What the ledger has signed of older copies that were put back. It excuses nothing. */
  async restorations(): Promise<readonly Restoration[]> {
    return (await this.#opened().redepositor()).restorations();
  }

  // getting in

  /** Everything that a new account needs, made here; nothing of it is sent. `.recoveryWords` are the 24 words.
   *
   * Throws SecretRefused, whose `detail` names the rule, or ArgonWrong. */
  makeAccount(typed: Credentials, language: Language = "english"): Promise<NewAccount> {
    return this.#door.makeAccount(typed, language);
  }

  /** Makes the account, and gives its id. After a NetworkError the same `made` is given again: the same bytes go.
   *
   * Throws Refused `account_exists` for a pair of name and password that can't be used. */
  register(made: NewAccount): Promise<Id> {
    return this.#door.register(made);
  }

  /** Opens the vault, sends what waited, synchronises, and says what a person should know.
   *
   * Throws Refused (`login_refused`, `pin_wrong`, `pin_locked`, …), SecretRefused, ArgonWrong, VaultChanged,
   * NetworkError. */
  async logIn(typed: Credentials): Promise<Opening> {
    await this.lock();
    passphrase.normalisePin(typed.pin);
    const pin = await this.#door.meet();
    const login = await typed.stretch(pin.vaultId, this.#door.argon.stretch);
    try {
      return await this.#enter(pin, typed.username, login, (account) =>
        passphrase.derivePinLogin(login.kPl, parseB64url(account), typed.pin));
    } finally {
      forgetLogin(login);
    }
  }

  /** What the vault says of recovery words; the first time, the waiting begins, and every open session is told.
   *
   * Throws Refused (`recovery_refused`, …), or SecretRefused, whose `detail` names the rule. */
  async showRecovery(words: string): Promise<Shown> {
    const { show } = await fetched(import("./recovering.js"));
    return show(this.#transport, this.#door, words);
  }

  /** What takes the place of lost credentials, made here; nothing of it is sent. `.recoveryWords` are the next 24 words.
   *
   * Throws SecretRefused, whose `detail` names the rule, or ArgonWrong. */
  async makeRecovered(shown: Shown, typed: Credentials, language: Language = "english"): Promise<Recovered> {
    const { make } = await fetched(import("./recovering.js"));
    return make(this.#door, shown, typed, language);
  }

  /** Puts it there: every session ends, and the old words open nothing any more. After a NetworkError the same `made` is
   * given again.
   *
   * Throws Refused (`recovery_waiting` where it was stopped and has begun anew, `recovery_refused`, `account_exists`). */
  async recover(made: Recovered): Promise<void> {
    const { send } = await fetched(import("./recovering.js"));
    await send(this.#transport, this.#door, made);
  }

  /** Opens an account that was just made, or got back, with what it was made with: nothing is stretched again. After a success
   * `made` and `pinLogin` are overwritten; after a failure they are given again. */
  async enterNew(
    made: Pick<NewAccount, "login">, username: string, pinLogin: passphrase.PinLogin,
  ): Promise<Opening> {
    await this.lock();
    const opening = await this.#enter(await this.#door.meet(), username, made.login, () => pinLogin);
    forgetLogin(made.login);
    forgetKeys(pinLogin.tag, pinLogin.wrapping);
    return opening;
  }

  /** Opens a closed or delayed PIN path with password and recovery code. Throws Refused, SecretRefused. */
  reopenPin(username: string, password: string, words: string): Promise<void> {
    return this.#door.reopenPin(username, password, words);
  }

  /** Opens the sensitive tier for two minutes. Throws Refused (`pin_wrong`, `pin_locked`, …). */
  async stepUp(pin: string): Promise<void> {
    const open = this.#opened();
    await open.sensitive.open(pin);
    await open.finishAnyhow();
  }

  /** Closes the sensitive tier. */
  dropSensitive(): void {
    this.#open?.sensitive.close();
  }

  /** Writes the account record if anything was written, ends the session, and forgets every key.
   *
   * A vault that can't be reached changes nothing: the record is then written at the end of the next session. */
  async lock(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    this.#machine.receive(UnlockEvent.LOCKED);
    open.sensitive.end();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, FAREWELL_MS)));
    await Promise.race([open.farewell().catch(() => undefined), patience]); // the keys go, whatever the vault says
    clearTimeout(timer);
    open.forget();
  }

  /** Another tab has erased an account: if it is the one that is open here, it is locked, the vault isn't asked, and what
   * was kept for it since goes. Whether it was. */
  async leaveErased(account: Id): Promise<boolean> {
    const open = this.#open;
    if (open?.account.id !== account) return false;
    this.#forget(open);
    await open.session.home.erase();
    return true;
  }

  // reading

  /** Sends what waits and brings what other devices wrote; gives how much still waits. */
  async synchronise(): Promise<number> {
    return this.#opened().synchronise();
  }

  /** Takes in what other tabs of this browser wrote. */
  refresh(): Promise<void> {
    return this.#opened().session.locked(() => Promise.resolve());
  }

  /** Whether anything came since this was asked last: written here or elsewhere. */
  get changed(): boolean {
    const open = this.#opened();
    const fresh = open.session.replica.since(open.shown);
    open.shown = fresh.at(-1)?.seq ?? open.shown;
    return fresh.length > 0;
  }

  /** What was written and is not kept yet, sealed on this device. */
  waiting(): Promise<readonly Item[]> {
    return this.#opened().writer.waiting();
  }

  /** The newest revision of every item that isn't deleted, of one kind if named. */
  items(kind: Kind | null = null): readonly Item[] {
    return this.#opened().reader.items(kind);
  }

  /** One revision, the newest if none is named. Throws ItemUnknown. */
  item(id: Id, revision: number | null = null): Item {
    return this.#opened().reader.item(id, revision);
  }

  /** Every revision of an item, the oldest first; a deletion has kind `tombstone`. Throws ItemUnknown. */
  history(id: Id): readonly Item[] {
    return this.#opened().reader.history(id);
  }

  /** A content of a revision. Throws ItemUnknown, also where the revision can't be opened now. */
  contentOf(id: Id, revision: number, blob: Id): Content {
    const content = this.#opened().reader.item(id, revision).contents.find((one) => one.blob === blob);
    if (content === undefined) throw new ItemUnknown();
    return content;
  }

  /** The original bytes of a content, or of the range [start, stop), verified piece by piece.
   *
   * Throws BlobSwapped or RangeInvalid; whoever gets one must not take what came before for the whole. */
  readContent(content: Content, start = 0, stop: number | null = null): AsyncGenerator<Uint8Array> {
    return this.#opened().reader.content(content, start, stop);
  }

  /** The verified receipt of an item's record; it also fixes the contents that the record names. */
  receipt(id: Id, revision: number): Promise<KeptReceipt> {
    const { reader } = this.#opened();
    return reader.receipts.at(recordPlace(reader.row(id, revision)));
  }

  /** An item's sealed record and contents with their verified receipts, as one archive.
   *
   * Throws NeedsPin or BlobSwapped. */
  async exportReceipts(id: Id, revision: number): Promise<Blob> {
    const { reader, session } = this.#opened();
    const { exportReceipts } = await fetched(import("./dossier.js"));
    return exportReceipts(reader.sealedBlobs(reader.row(id, revision)), session.trust.policy);
  }

  /** These revisions as an evidence pack of one's own, at most as many as a bundle names, for `writePack`. `signal`: nobody
   * wants it any more.
   *
   * Throws ItemUnknown, NeedsPin for a locked one, UnsupportedVersion, TamperedError, the signal's reason, or what
   * verifying throws. */
  async pack(items: readonly SharedItem[], signal: AbortSignal | null = null): Promise<OwnPack> {
    const { makePack } = await fetched(import("./packs/own.js")); // first: what is sensitive may close meanwhile
    const { session, reader } = this.#opened();
    return makePack(session, reader, items, signal);
  }

  /** Previews of contents, kept sealed on this device alone. */
  async thumbnail(content: Id): Promise<Blob | null> {
    return this.#opened().thumbnails.find(content);
  }

  /** Keeps one. Throws ItemUnknown for a content that no item names. */
  async keepThumbnail(content: Id, preview: Blob): Promise<void> {
    const { reader, session, thumbnails } = this.#opened();
    const row = session.replica.newestOfEach().flatMap((one) => session.replica.history(one.item))
      .find((one) => one.blobs.includes(content) && one.wrap !== null);
    if (row === undefined) throw new ItemUnknown();
    await thumbnails.keep(content, preview, reader.isSensitive(row));
  }

  /** What is being written on this device. */
  get drafts(): Drafts {
    return this.#opened().drafts;
  }

  // writing

  /** A new item. It takes no PIN to add a sensitive one.
   *
   * Throws NoteTooLong, ValueRefused, FileUnreadable, FileChanged, and NeedsPin for a sensitive one while this device
   * has never read an account record; after a NetworkError the sealed text waits here. */
  async add(draft: Draft, kind: Written, how: Writing = {}, answers: Answers | null = null): Promise<Kept> {
    const { attaching, writer } = this.#opened();
    const sensitive = how.sensitive ?? false;
    writer.requireKeepable(draft, kind, sensitive, answers);
    return attaching.write(how, sensitive, async (contents, keeping) => {
      const [kept] = await writer.add([draft], kind, sensitive, contents, answers, keeping);
      if (kept === undefined) throw new ServerFault("an answer about other revisions");
      return kept;
    });
  }

  /** A self-assessment: `answers` by question, and in `draft.text` the same in words. */
  writeAssessment(draft: Draft, answers: Answers, how: Writing = {}): Promise<Kept> {
    return this.add(draft, "assessment", how, answers);
  }

  /** A new journal entry. */
  writeEntry(draft: Draft, how: Writing = {}): Promise<Kept> {
    return this.add(draft, "journal", how);
  }

  /** Several journal entries, in as few requests as the wire allows. */
  async writeEntries(drafts: readonly Draft[], sensitive = false): Promise<readonly Kept[]> {
    const { attaching, writer } = this.#opened();
    return attaching.write({}, sensitive, () => writer.add(drafts, "journal", sensitive));
  }

  /** A file as a document; its title is the file's name unless the draft has one.
   *
   * After a NetworkError the same call goes on where it was cut. */
  addDocument(attachment: Attachment, draft: Draft, how: Writing = {}): Promise<Kept> {
    const { name = "" } = attachment.file as { readonly name?: string };
    const attachments = [attachment, ...(how.attachments ?? [])];
    return this.add({ ...draft, title: draft.title || name }, "document", { ...how, attachments });
  }

  /** An item's next revision with these changes. Earlier revisions stay in its history.
   *
   * Throws ItemUnknown, NeedsPin, UnsupportedVersion, Untrusted. */
  async editEntry(id: Id, changes: Partial<Draft>, how: Omit<Writing, "sensitive"> = {}): Promise<Kept> {
    const { attaching, writer } = this.#opened();
    const sensitive = writer.requireEditable(id, changes);
    return attaching.write(how, sensitive, (contents, keeping) => writer.edit(id, changes, contents, keeping));
  }

  /** A part of a revision, to be shared: an item of its own, with its own receipt. `covered`: by the blobs of its
   * pictures, what stands in their place.
   *
   * Throws ItemUnknown, NeedsPin, UnsupportedVersion, or ValueRefused (as `redact`). */
  async makeExtract(
    id: Id, revision: number, redaction: Redaction, covered: ReadonlyMap<Id, Blob> = new Map(),
    how: Pick<Writing, "waits"> = {},
  ): Promise<Kept> {
    const { redact } = await fetched(import("./extract.js"));
    const { attaching, reader, writer } = this.#opened();
    const item = requireOpen(reader.item(id, revision));
    const attachments = [...covered.values()].map((file) => ({ file, thumbnail: null }));
    return attaching.write({ ...how, attachments }, item.sensitive, (sent, keeping) => {
      const masked = new Map([...covered.keys()].map((blob, place) => [blob, sent[place] as Content]));
      return writer.extract(redact(item, redaction, masked), item.sensitive, keeping);
    });
  }

  /** Hides an item now; it is erased after seven days, and can be restored until then.
   *
   * Throws ItemUnknown, Untrusted, or Refused `revision_conflict` if another device changed it meanwhile. */
  async deleteItem(id: Id): Promise<Deletion> {
    const { attaching, writer } = this.#opened();
    return attaching.write({}, false, () => writer.delete(id));
  }

  /** Brings a deleted item back. Throws ItemUnknown if it isn't deleted or was erased, NeedsPin, Untrusted. */
  async restoreItem(id: Id): Promise<Kept> {
    const { attaching, writer } = this.#opened();
    return attaching.write({}, false, () => writer.restore(id));
  }

  /** Files of which a part may have left, and that no tab is sending: given again, they go on. */
  async unfinished(): Promise<readonly Unfinished[]> {
    return this.#opened().uploader.unfinished();
  }

  /** Gives one of them up. */
  giveUp(blob: Id): Promise<void> {
    return this.#opened().uploader.giveUp(blob);
  }

  // what has a module of its own

  /** The account itself: its person proven once more, its secrets, its sessions. */
  get account(): Account {
    return this.#opened().account;
  }

  /** What is recorded. */
  get recordings(): Recordings {
    return this.#opened().recordings;
  }

  /** Who is listed, and whose digits were compared here. */
  async professionals(): Promise<Professionals> {
    return this.#opened().professionals();
  }

  /** What is and was shared. */
  async shares(): Promise<Shares> {
    return this.#opened().shares();
  }

  /** What others may put in, and what they put in. */
  async boxes(): Promise<Boxes> {
    return this.#opened().boxes();
  }

  /** What this account is and receives as a professional. */
  async office(): Promise<Office> {
    return this.#opened().office();
  }

  /** Shares with somebody, with password and PIN given anew; gives link and code where there is no professional.
   *
   * After a NetworkError the same call sends the same bytes. Throws as `Shares.make` does, and Refused
   * (`login_refused`, `pin_wrong`, `professional_unknown`, …). */
  async share(password: string, pin: string, sharing: Sharing): Promise<Link | null> {
    const open = this.#opened();
    const { account, sensitive } = open;
    const shares = await open.shares();
    const wasOpen = sensitive.isOpen;
    if (!wasOpen && shares.needsPin(sharing.items)) await sensitive.open(pin);
    try {
      const made = await shares.make(sharing);
      await shares.send(made, await account.confirm(password, pin));
      return made.link;
    } finally {
      if (!wasOpen) sensitive.close();
    }
  }

  // what the above is made of

  async #enter(
    pin: Pin, username: string, login: passphrase.LoginKeys, pinLoginOf: (account: Id) => passphrase.PinLogin,
  ): Promise<Opening> {
    let open: OpenVault | null = null;
    try {
      const { session, told, answer } = await this.#door.enter(pin, login, pinLoginOf, this.#machine, this.#progress);
      open = new OpenVault(session, username, (vault) => this.#forget(vault), this.#ways);
      await this.#door.compareKeys(session);
      const waiting = await open.synchronise(answer);
      const recovery = await open.account.pendingRecovery();
      open.shown = session.replica.since(0).at(-1)?.seq ?? 0;
      this.#open = open;
      return {
        lastOpened: told.last_opened, wrongPins: told.wrong_pins, wrongTotal: told.wrong_total,
        adviseChange: told.advise_change, warnings: this.warnings, waiting, recovery, givenBack: open.givenBack,
      };
    } catch (error) {
      open?.forget();
      this.#machine.receive(UnlockEvent.LOCKED);
      throw error;
    }
  }

  #opened(): OpenVault {
    const open = this.#open;
    if (open === null) throw new NotOpen();
    open.sensitive.closeIfLate();
    return open;
  }

  #forget(open: OpenVault): void {
    if (this.#open === open) {
      this.#open = null;
      this.#machine.receive(UnlockEvent.LOCKED);
    }
    open.forget();
  }
}

// A person's vault, as the worker uses it: from user name, password and PIN to entries, files and verified receipts.
// Knows: the order of the steps (sdk/protocol). Refuses to know: pages, workers, and how a seal is made.
// After an opening nothing of password and PIN is kept; after a lock, no key.

import { parseB64url } from "../crypto_core/encoding.js";
import { CryptoCoreError, TemoinError, UnsupportedVersion } from "../crypto_core/errors.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import { Keyring } from "../crypto_core/sealing/keyring.js";
import * as passphrase from "../crypto_core/sealing/passphrase.js";
import type { Language } from "../crypto_core/sealing/recovery.js";
import type { Account, OpenStage, Session as SessionAnswer } from "../schemas/accounts.js";
import type { Inbox } from "../schemas/shares.js";
import { ARGON_HERE, type Argon } from "./argon.js";
import type { Boxes, NewBox } from "./boxes.js";
import { changeCredentials } from "./change.js";
import type { Professional, Professionals } from "./directory.js";
import { Door, fetched, forgetKeys, forgetLogin } from "./door.js";
import { Drafts, Thumbnails } from "./drafts.js";
import { ItemUnknown, LedgerForked, NetworkError, NotOpen, Refused, ServerFault } from "./errors.js";
import type { Redaction } from "./extract.js";
import type { Home, Pin } from "./home.js";
import type { Content, Deletion, Draft, Id, Item, Kept, KeptReceipt, Kind, Opening } from "./items.js";
import * as keychain from "./keychain.js";
import { AccountState, Credentials, type NewAccount } from "./keychain.js";
import type { OpenedBundle, Openings } from "./opening.js";
import type { Named, Standing } from "./professional.js";
import { NO_PROGRESS, type Progress } from "./progress.js";
import { Finding } from "./protocol/sync.js";
import { Unlock, UnlockEvent, unlocking } from "./protocol/unlock.js";
import { Reader } from "./reader.js";
import { Replica } from "./replica.js";
import { Session } from "./session.js";
import type { Link, Shares, Sharing } from "./sharing.js";
import { finishRecording, Recording, type Recorded, type Safe } from "./recorder.js";
import { Synchroniser } from "./synchroniser.js";
import type { Transport } from "./transport.js";
import { TrustStore, Warnings } from "./trust_store.js";
import type { Unfinished } from "./journal.js";
import { Uploader, type Sent, type Sleep, type Uploaded } from "./uploader.js";
import { requireOpen, Writer, type Answers, type Keeping, type Written } from "./writer.js";

/** How long the sensitive tier stays open after a step-up. */
export const SENSITIVE_SECONDS = 120;
/** How long a lock waits for the vault to take the account record and the farewell. */
const FAREWELL_MS = 5000;
const MERGES = 5;

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

/** A file of an entry; `thumbnail` is a small preview of it, kept on this device alone. */
export interface Attachment {
  readonly file: Blob;
  readonly thumbnail: Blob | null;
}

/** How something is written. Its draft, in `slot`, goes when it lies in the outbox, and `waits` is called then: it is
 * sent from there, whatever happens. `sent`: how its files go. */
export interface Writing {
  readonly sensitive?: boolean;
  readonly attachments?: readonly Attachment[];
  readonly slot?: Id | null;
  readonly sent?: Sent;
  readonly waits?: () => void;
}

/** What an open vault works with. */
interface Open {
  readonly session: Session;
  readonly reader: Reader;
  readonly synchroniser: Synchroniser;
  readonly writer: Writer;
  readonly uploader: Uploader;
  readonly drafts: Drafts;
  readonly thumbnails: Thumbnails;
  /** Made when sharing is first asked for: a login doesn't load what that takes. */
  sharing: { readonly professionals: Professionals; readonly shares: Shares } | null;
  /** The same of deposit boxes. */
  boxes: Boxes | null;
  username: string;
  /** While the sensitive tier is open: what closes it, and when (milliseconds since 1970). */
  timer: ReturnType<typeof setTimeout> | null;
  until: number;
  /** The last row that `changed` spoke of. */
  shown: number;
  /** What is being recorded, by its item. */
  readonly recordings: Map<Id, Recording>;
  /** What is being sent: two at once, so that a photograph doesn't wait for a long video. */
  sending: readonly Promise<unknown>[];
}

/** One person's vault, locked at first. */
export class VaultClient {
  readonly #transport: Transport;
  readonly #home: Home;
  readonly #argon: Argon;
  readonly #clock: () => number;
  readonly #progress: Progress;
  readonly #reading: Progress;
  readonly #sleep: Sleep;
  readonly #now: () => number;
  readonly #onSensitive: (until: number | null) => void;
  readonly #door: Door;
  readonly #machine = unlocking();
  #open: Open | null = null;

  constructor(transport: Transport, home: Home, options: ClientOptions = {}) {
    this.#transport = transport;
    this.#home = home;
    this.#argon = options.argon ?? ARGON_HERE;
    this.#clock = options.clock ?? (() => Math.floor(Date.now() / 1000));
    this.#door = new Door(transport, home, this.#argon, this.#clock);
    this.#progress = options.progress ?? NO_PROGRESS;
    this.#reading = options.reading ?? NO_PROGRESS;
    this.#sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.#now = options.now ?? (() => performance.now());
    this.#onSensitive = options.onSensitive ?? (() => undefined);
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
    const login = await typed.stretch(pin.vaultId, this.#argon.stretch);
    try {
      return await this.#enter(pin, typed.username, login, (account) =>
        passphrase.derivePinLogin(login.kPl, parseB64url(account), typed.pin));
    } finally {
      forgetLogin(login);
    }
  }

  /** Opens an account that was just made, with what it was made with: nothing is stretched again. After a success
   * `made` and `pinLogin` are overwritten; after a failure they are given again. */
  async enterNew(made: NewAccount, username: string, pinLogin: passphrase.PinLogin): Promise<Opening> {
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
    const { session, writer } = open;
    const { keyring } = session;
    const step = passphrase.derivePinStep(keyring.kPs, keyring.account, keyring.pinEpoch, pin);
    const answer = await session.ask("POST", "/v1/pin", { body: { purpose: "step", x: step.tag } });
    if (!("share_S" in answer)) throw new ServerFault("the answer to another question");
    keychain.openSensitive(keyring, step, answer, session.dropBox);
    forgetKeys(step.tag, step.wrapping, answer.share_S);
    this.#requireStill(open);
    this.#machine.receive(UnlockEvent.STEPPED_UP);
    this.#startTimer(open);
    try {
      await session.locked(() => writer.flush()); // what a conflict left to be sealed anew needs the PIN
    } catch (error) {
      if (!(error instanceof NetworkError || error instanceof ServerFault)) throw error;
    }
  }

  /** Closes the sensitive tier. */
  dropSensitive(): void {
    if (this.#open !== null) this.#dropSensitive(this.#open);
  }

  /** Writes the account record if anything was written, ends the session, and forgets every key.
   *
   * A vault that can't be reached changes nothing: the record is then written at the end of the next session. */
  async lock(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    this.#machine.receive(UnlockEvent.LOCKED);
    this.#closeSensitive(open);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, FAREWELL_MS)));
    await Promise.race([this.#farewell(open).catch(() => undefined), patience]); // the keys go, whatever the vault says
    clearTimeout(timer);
    forget(open);
  }

  /** Ends the warnings, with password and PIN given anew. What was seen stays among the evidence.
   *
   * A changed ledger key is believed from now on; an account record that could not be read is written anew. Throws
   * Refused if either secret is not right. */
  async acceptTrust(password: string, pin: string): Promise<void> {
    const open = this.#opened();
    const { session, synchroniser } = open;
    const { login } = await this.#door.confirm(session, open.username, password, pin);
    forgetLogin(login);
    const isLost = session.warnings.findings.has(Finding.ACCOUNT_RECORD_INVALID);
    const restored = isLost ? await this.#restored(open, pin) : null;
    const isForked = session.warnings.findings.has(Finding.DIRECTORY_FORKED);
    if (isForked) await (await this.#sharing(open)).professionals.startAnew();
    await session.locked(async () => {
      session.state = restored ?? session.state;
      await this.#accept(session);
      if (restored !== null) await this.#writeAccountRecord(session, synchroniser);
    });
  }

  /** Another user name, password or PIN, with the present password and PIN given anew. Every other session ends.
   *
   * What is kept, and the recovery code, stay as they are. Throws Refused (`login_refused`, `pin_wrong`,
   * `account_exists`, …), SecretRefused, ArgonWrong, or Untrusted while a warning stands. After a NetworkError or
   * ServerFault the vault is locked here, and nobody knows which pair holds: the new one is tried first. */
  async changeCredentials(password: string, pin: string, typed: Credentials): Promise<void> {
    const open = this.#opened();
    const { session, synchroniser } = open;
    session.warnings.requireNone();
    if (session.state.facts === null) throw new UnsupportedVersion();
    typed.requireNew(this.#door.thisYear);
    const samePin = passphrase.normalisePin(pin) === passphrase.normalisePin(typed.pin);
    await this.#argon.test();
    try {
      await this.stepUp(pin);
      const { login, token } = await this.#door.confirm(session, open.username, password, pin);
      await session.locked(() =>
        changeCredentials(session, synchroniser, login, token, typed, this.#argon.stretch, samePin));
      open.username = typed.username;
      forgetLogin(login);
    } catch (error) {
      if (error instanceof NetworkError || error instanceof ServerFault) this.#forget(open);
      throw error;
    } finally {
      this.#dropSensitive(open);
    }
  }

  /** The account's open sessions, the oldest first. */
  async sessions(): Promise<readonly SessionAnswer[]> {
    const { sessions } = await this.#opened().session.ask("GET", "/v1/sessions");
    return sessions.filter((one) => one.stage === "open");
  }

  /** Ends every session but this one, with password and PIN given anew; how many tokens stopped working. */
  async endOtherSessions(password: string, pin: string): Promise<number> {
    const { session, username } = this.#opened();
    const { login, token } = await this.#door.confirm(session, username, password, pin);
    forgetLogin(login);
    return (await this.#transport.ask("POST", "/v1/sessions/end-others", { token })).ended;
  }

  // reading

  /** Sends what waits and brings what other devices wrote; gives how much still waits. */
  async synchronise(): Promise<number> {
    const open = this.#opened();
    return open.session.locked(async () => {
      const reasons = await open.writer.flush();
      await this.#synchronise(open);
      await this.#tidy(open);
      return reasons.length;
    });
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
    return reader.receipt(reader.row(id, revision));
  }

  /** An item's sealed record and contents with their verified receipts, as one archive.
   *
   * Throws NeedsPin or BlobSwapped. */
  async exportReceipts(id: Id, revision: number): Promise<Blob> {
    const { reader, session } = this.#opened();
    const { exportReceipts } = await fetched(import("./dossier.js"));
    return exportReceipts(reader.sealedBlobs(reader.row(id, revision)), session.trust.policy);
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
    const sensitive = how.sensitive ?? false;
    this.#opened().writer.requireKeepable(draft, kind, sensitive, answers);
    return this.#writing(how, sensitive, async (open, contents) => {
      const [kept] = await open.writer.add([draft], kind, sensitive, contents, answers, keepingOf(open, how));
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
    return this.#writing({}, sensitive, (open) => open.writer.add(drafts, "journal", sensitive));
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
    const sensitive = this.#opened().writer.requireEditable(id, changes);
    return this.#writing(how, sensitive, (open, contents) =>
      open.writer.edit(id, changes, contents, keepingOf(open, how)));
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
    const item = requireOpen(this.#opened().reader.item(id, revision));
    const attachments = [...covered.values()].map((file) => ({ file, thumbnail: null }));
    return this.#writing({ attachments }, item.sensitive, (open, sent) => {
      const masked = new Map([...covered.keys()].map((blob, place) => [blob, sent[place] as Content]));
      return open.writer.extract(redact(item, redaction, masked), item.sensitive, keepingOf(open, how));
    });
  }

  /** Hides an item now; it is erased after seven days, and can be restored until then.
   *
   * Throws ItemUnknown, Untrusted, or Refused `revision_conflict` if another device changed it meanwhile. */
  deleteItem(id: Id): Promise<Deletion> {
    return this.#writing({}, false, (open) => open.writer.delete(id));
  }

  /** Brings a deleted item back. Throws ItemUnknown if it isn't deleted or was erased, NeedsPin, Untrusted. */
  restoreItem(id: Id): Promise<Kept> {
    return this.#writing({}, false, (open) => open.writer.restore(id));
  }

  /** A recording begins: gives its item. `tell` hears how much of it is safe.
   *
   * Throws as `add` does, but for the network: then it goes on here, and is sent when it can. */
  async beginRecording(what: Recorded, tell: (safe: Safe) => void): Promise<Id> {
    const open = this.#opened();
    open.writer.requireKeepable(what.draft, "document", what.sensitive, null);
    const recording = new Recording(open.session, open.writer, this.#sleep, what, tell);
    await recording.begin();
    open.recordings.set(recording.id, recording);
    return recording.id;
  }

  /** More of a recording, up to so many seconds: sealed on this device when it resolves. Gives the count of segments. */
  addSegment(id: Id, bytes: Uint8Array, seconds: number): Promise<number> {
    return this.#recording(id).add(bytes, seconds);
  }

  /** The end of a recording; null if there was nothing in it. After a NetworkError it is closed when the network is back. */
  async endRecording(id: Id): Promise<Kept | null> {
    const recording = this.#recording(id);
    this.#opened().recordings.delete(id);
    return recording.end();
  }

  /** Closes recordings that broke off, here or on another device; those behind the PIN while it is given. One of which
   * the vault gives other bytes than were sealed stands in the way of no other; its error is thrown in the end. */
  async finishRecordings(): Promise<void> {
    const { reader, session, writer } = this.#opened();
    if (session.warnings.any) return;
    let damaged: CryptoCoreError | null = null;
    for (const item of reader.items("document")) {
      try {
        await finishRecording(session, writer, item);
      } catch (error) {
        if (!(error instanceof CryptoCoreError)) throw error;
        damaged = error;
      }
    }
    if (damaged !== null) throw damaged;
  }

  /** Files of which a part may have left, and that no tab is sending: given again, they go on. */
  async unfinished(): Promise<readonly Unfinished[]> {
    return this.#opened().uploader.unfinished();
  }

  /** Gives one of them up. */
  giveUp(blob: Id): Promise<void> {
    return this.#opened().uploader.giveUp(blob);
  }

  // what others share

  /** How this account stands among the professionals. */
  async standing(): Promise<Standing> {
    const { session } = this.#opened();
    return (await professional()).standing(session);
  }

  /** Asks to be listed as a professional, with password and PIN given anew. Throws Refused, MalformedError. */
  async askToBeListed(named: Named, password: string, pin: string): Promise<Standing> {
    const { session, username } = this.#opened();
    const { login, token } = await this.#door.confirm(session, username, password, pin);
    forgetLogin(login);
    await (await this.professionals()).noteOwn(named.name);
    return (await professional()).askToBeListed(session, this.#transport, token, named);
  }

  /** What was sent to this account, the newest first. Throws Refused `professional_needed`. */
  async inbox(): Promise<Inbox["bundles"]> {
    const { session } = this.#opened();
    return (await professional()).inbox(session);
  }

  /** Whoever is listed under a name of this account with other keys. Throws as `Professionals.read`. */
  async listedOtherwise(): Promise<readonly Professional[]> {
    const { session } = this.#opened();
    return (await professional()).listedOtherwise(session, await this.professionals());
  }

  /** Opens one of them: that counts, and the person sees when. Throws Refused, and as `openReceived`. */
  async openReceived(bundle: Id, openings: Openings): Promise<OpenedBundle> {
    const { session } = this.#opened();
    const { inbox, openReceived } = await professional();
    const received = (await inbox(session)).find((one) => one.bundle === bundle);
    if (received === undefined) throw new ItemUnknown();
    return openReceived(session, received, openings);
  }

  // sharing

  /** Who is listed, and whose digits were compared here. */
  async professionals(): Promise<Professionals> {
    return (await this.#sharing(this.#opened())).professionals;
  }

  /** What is and was shared. */
  async shares(): Promise<Shares> {
    return (await this.#sharing(this.#opened())).shares;
  }

  /** Shares with somebody, with password and PIN given anew; gives link and code where there is no professional.
   *
   * After a NetworkError the same call sends the same bytes. Throws as `Shares.make` does, and Refused
   * (`login_refused`, `pin_wrong`, `professional_unknown`, …). */
  async share(password: string, pin: string, sharing: Sharing): Promise<Link | null> {
    const open = this.#opened();
    const { session, username } = open;
    const { shares } = await this.#sharing(open);
    const wasOpen = open.timer !== null;
    if (!wasOpen && shares.needsPin(sharing.items)) await this.stepUp(pin);
    try {
      const made = await shares.make(sharing);
      const { login, token } = await this.#door.confirm(session, username, password, pin);
      forgetLogin(login);
      await shares.send(made, token);
      return made.link;
    } finally {
      if (!wasOpen) this.#dropSensitive(open);
    }
  }

  // deposit boxes

  /** What others may put in, and what they put in. */
  async boxes(): Promise<Boxes> {
    const open = this.#opened();
    const { Boxes } = await fetched(import("./boxes.js"));
    return open.boxes ??= new Boxes(open.session, open.reader, this.#reading);
  }

  /** Makes a box, with password and PIN given anew; gives the end of its address, which nobody keeps.
   *
   * After a NetworkError the same call sends the same bytes. Throws ValueRefused and Refused. */
  async makeBox(password: string, pin: string, plan: NewBox): Promise<string> {
    const { session, username } = this.#opened();
    const boxes = await this.boxes();
    const made = boxes.make(plan);
    const { login, token } = await this.#door.confirm(session, username, password, pin);
    forgetLogin(login);
    await boxes.send(made, token);
    return made.fragment;
  }

  /** A deposit that was looked at becomes an item, which names its words and files as they were sent.
   *
   * Throws as `Boxes.proven` does. */
  async acceptDeposit(deposit: Id): Promise<Kept> {
    const { sent, contents } = await (await this.boxes()).proven(deposit);
    return this.#writing({}, false, (open) => open.writer.receive(sent, contents));
  }

  /** Erases a deposit at once, with password and PIN given anew. */
  async refuseNow(box: Id, deposit: Id, password: string, pin: string): Promise<void> {
    const { session, username } = this.#opened();
    const { login, token } = await this.#door.confirm(session, username, password, pin);
    forgetLogin(login);
    await (await this.boxes()).refuse(box, deposit, token);
  }

  // what the above is made of

  async #sharing(open: Open): Promise<NonNullable<Open["sharing"]>> {
    const [directory, sharing] = await fetched(Promise.all([import("./directory.js"), import("./sharing.js")]));
    if (open.sharing === null) {
      const professionals = new directory.Professionals(open.session);
      open.sharing = { professionals, shares: new sharing.Shares(open.session, open.reader, professionals) };
    }
    return open.sharing;
  }

  /** Password, then PIN, then the account's own sealed rows. All that is typed or derived dies with this call. */
  async #enter(
    pin: Pin, username: string, login: passphrase.LoginKeys, pinLoginOf: (account: Id) => passphrase.PinLogin,
  ): Promise<Opening> {
    this.#machine.receive(UnlockEvent.CHALLENGE);
    let open: Open | null = null;
    try {
      const { account, token } = await this.#door.provePassword(login);
      this.#machine.receive(UnlockEvent.PASSWORD_PROVEN);
      const pinLogin = pinLoginOf(account);
      const tried = { purpose: "login", x: pinLogin.tag } as const;
      const opened = await this.#transport.ask("POST", "/v1/pin", { body: tried, token });
      if (!("share_N" in opened)) throw new ServerFault("the answer to another question");
      const mkN = keychain.openMaster(login, pinLogin, account, opened);
      this.#machine.receive(UnlockEvent.PIN_PROVEN);
      const answer = await this.#transport.ask("GET", "/v1/account", { token: opened.token });
      const made = await this.#parts(pin, username, await this.#session(pin, account, mkN, login, opened, answer));
      open = made;
      forgetKeys(mkN, opened.share_N);
      const reasons = await made.session.locked(async () => {
        const waiting = await made.writer.flush();
        await this.#synchronise(made, answer);
        await this.#tidy(made);
        return waiting;
      });
      made.shown = made.session.replica.since(0).at(-1)?.seq ?? 0;
      this.#open = made;
      return {
        lastOpened: opened.last_opened, wrongPins: opened.wrong_pins, wrongTotal: opened.wrong_total,
        adviseChange: opened.advise_change, warnings: this.warnings, waiting: reasons.length,
      };
    } catch (error) {
      if (open !== null) forget(open);
      this.#machine.receive(UnlockEvent.LOCKED);
      throw error;
    }
  }

  async #session(
    pin: Pin, account: Id, mkN: Uint8Array, login: passphrase.LoginKeys, opened: OpenStage, answer: Account,
  ): Promise<Session> {
    const home = this.#home.account(pin.vaultId, account);
    const replica = await Replica.open(home);
    const state = rememberedState(replica, mkN, account);
    const pkS = state.facts?.pk_S ?? null;
    const keyring = new Keyring(parseB64url(account), mkN, login.kPs, opened.epoch, opened.pin_epoch, pkS);
    return new Session({
      transport: this.#transport, token: opened.token, keyring, state, dropBox: answer.drop_box, pin,
      keepPin: (moved) => this.#home.pin(this.#transport.host, moved), home, replica,
      trust: await TrustStore.load(home, pin.policy),
      warnings: await Warnings.load(home), clock: this.#clock, progress: this.#progress,
    });
  }

  async #parts(pin: Pin, username: string, session: Session): Promise<Open> {
    const offered = this.#door.offered ?? pin;
    if (offered.ledgerVkey !== session.pin.ledgerVkey) await session.learnRotations();
    if (offered.ledgerVkey !== session.pin.ledgerVkey || offered.directoryVkey !== session.pin.directoryVkey) {
      await session.warnings.add(Finding.LEDGER_KEY_CHANGED);
      await session.home.keepEvidence("ledger-key", new TextEncoder().encode(`${offered.ledgerVkey}\n`));
    }
    const reader = new Reader(session, this.#reading);
    const synchroniser = new Synchroniser(session);
    return {
      session, reader, synchroniser, username, writer: new Writer(session, reader, synchroniser),
      uploader: new Uploader(session, this.#sleep, this.#now), drafts: new Drafts(session.home, session.keyring),
      thumbnails: new Thumbnails(session.home, session.keyring), sharing: null, boxes: null,
      timer: null, until: 0, shown: 0, recordings: new Map(), sending: [],
    };
  }

  async #synchronise(open: Open, answer: Account | null = null): Promise<void> {
    try {
      await open.synchroniser.sync(answer);
    } catch (error) {
      if (!(error instanceof LedgerForked)) throw error; // the warning stands, and is told
    }
  }

  /** Lets go of what served its time: journals of files that are kept, previews of contents that are not. */
  async #tidy({ session, uploader, thumbnails }: Open): Promise<void> {
    await uploader.tidy();
    const named = new Set(session.replica.newestOfEach().flatMap((row) => session.replica.history(row.item))
      .filter((row) => row.record !== null && row.erases === null).flatMap((row) => row.blobs));
    await thumbnails.tidy((content) => named.has(content));
  }

  /** Files first, then, under the account's lock, what names them; then their journals go. */
  async #writing<T>(
    { attachments = [], sent: how }: Writing, sensitive: boolean,
    act: (open: Open, contents: readonly Content[]) => Promise<T>,
  ): Promise<T> {
    const open = this.#opened();
    const sent: Uploaded[] = [];
    try {
      await inTurn(open, async () => {
        for (const { file, thumbnail } of attachments) {
          const one = await open.uploader.send(file, sensitive, how);
          sent.push(one);
          if (thumbnail !== null) await open.thumbnails.keep(one.content.blob, thumbnail, sensitive);
        }
      });
      const result = await open.session.locked(() => act(open, sent.map((one) => one.content)));
      for (const one of sent) await one.journal.remove();
      return result;
    } finally {
      for (const one of sent) one.journal.close();
    }
  }

  async #farewell({ session, synchroniser, drafts }: Open): Promise<void> {
    await drafts.settled();
    try {
      if (session.replica.fact("dirty") && session.state.facts !== null && !session.warnings.any) {
        await session.locked(() => this.#writeAccountRecord(session, synchroniser));
      }
    } catch (error) {
      if (!(error instanceof TemoinError)) throw error;
    }
    await session.ask("POST", "/v1/logout");
  }

  /** Compare-and-swap; whoever was slower synchronises, so that the heads of both are in it. */
  async #writeAccountRecord(session: Session, synchroniser: Synchroniser): Promise<void> {
    for (let tries = 0; tries < MERGES; tries += 1) {
      const { heads } = await synchroniser.loadLinks();
      const facts = keychain.nextFacts(session.state, session.pin, heads, session.keyring);
      const record = keychain.sealAccountState(session.keyring.mkN, session.account, facts);
      try {
        await session.ask("PUT", "/v1/account/record", { body: { n: facts.n, account_record: record } });
        await session.keepState(facts.n, record);
        return;
      } catch (error) {
        if (!(error instanceof Refused) || error.code !== "record_conflict") throw error;
        await synchroniser.sync();
        if (session.warnings.any || session.state.facts === null) return;
      }
    }
  }

  /** What is to follow an account record that can't be read; null if the vault gives a good one by now. */
  async #restored(open: Open, pin: string): Promise<AccountState | null> {
    const { session, synchroniser } = open;
    const { state: known } = session;
    const answer = await session.ask("GET", "/v1/account");
    const { faults } = await session.locked(() => synchroniser.readAccount(answer));
    if (faults.size === 0) return null;
    const { offered } = session;
    if (known.facts !== null) { // where it is the lost one itself, what follows it is what other devices expect
      return known.n === offered.n ? known : new AccountState(offered.n, offered.blob, known.facts);
    }
    await this.stepUp(pin); // a device that has never read a good one
    try {
      const facts = keychain.restoreAccountFacts(session.keyring, session.pin, answer.identity);
      return new AccountState(offered.n, offered.blob, facts);
    } finally {
      this.#dropSensitive(open);
    }
  }

  async #accept(session: Session): Promise<void> {
    const { warnings, trust, replica } = session;
    if (warnings.findings.has(Finding.LEDGER_FORKED)) await trust.forget();
    const { offered } = this.#door;
    if (warnings.findings.has(Finding.LEDGER_KEY_CHANGED) && offered !== null) {
      await trust.forget();
      await this.#home.pin(this.#transport.host, offered);
      session.pin = offered;
      trust.policy = offered.policy;
    }
    await warnings.accept(session.links.accountN);
    await replica.writing(() => {
      replica.rememberAccount(session.state.n, session.state.hash, null);
      replica.setFact("dirty", true);
    });
  }

  #recording(id: Id): Recording {
    const recording = this.#opened().recordings.get(id);
    if (recording === undefined) throw new ItemUnknown();
    return recording;
  }

  #opened(): Open {
    const open = this.#open;
    if (open === null) throw new NotOpen();
    if (open.timer !== null && Date.now() >= open.until) this.#dropSensitive(open); // the device slept over its timer
    return open;
  }

  /** Throws NotOpen if the vault was locked while an answer was on its way; nothing may be opened then. */
  #requireStill(open: Open): void {
    if (this.#open === open) return;
    open.session.keyring.dropSensitive();
    throw new NotOpen();
  }

  #startTimer(open: Open): void {
    if (open.timer !== null) clearTimeout(open.timer);
    open.timer = setTimeout(() => this.#dropSensitive(open), SENSITIVE_SECONDS * 1000);
    open.until = Date.now() + SENSITIVE_SECONDS * 1000;
    this.#onSensitive(open.until);
  }

  #dropSensitive(open: Open): void {
    const wasOpen = this.#closeSensitive(open);
    if (wasOpen && this.#open === open && this.#machine.state === Unlock.SENSITIVE) {
      this.#machine.receive(UnlockEvent.SENSITIVE_DROPPED);
    }
  }

  /** Whether there was anything to close. */
  #closeSensitive(open: Open): boolean {
    if (open.timer === null) return false;
    clearTimeout(open.timer);
    open.timer = null;
    open.session.keyring.dropSensitive();
    this.#onSensitive(null);
    return true;
  }

  #forget(open: Open): void {
    if (this.#open === open) {
      this.#open = null;
      this.#machine.receive(UnlockEvent.LOCKED);
    }
    this.#closeSensitive(open);
    forget(open);
  }
}

/** The newest account record that this device could read; number 0, which says nothing, if there is none. */
function rememberedState(replica: Replica, mkN: Uint8Array, account: Id): AccountState {
  const blob = replica.fact("account_record");
  try {
    if (blob !== null) return keychain.openAccountState(mkN, account, replica.fact("account_record_n"), blob);
  } catch (error) {
    if (!(error instanceof CryptoCoreError)) throw error; // damaged here; the vault has another
  }
  return new AccountState(0, new Uint8Array());
}

function keepingOf({ drafts }: Open, { slot = null, waits }: Writing): Keeping {
  return async (keep) => {
    const entry = await (slot === null ? keep() : drafts.replace(slot, keep));
    waits?.();
    return entry;
  };
}

function professional(): Promise<typeof import("./professional.js")> {
  return fetched(import("./professional.js"));
}

const AT_ONCE = 2;

/** Does `act` when fewer than two others are under way. */
async function inTurn(open: Open, act: () => Promise<void>): Promise<void> {
  while (open.sending.length >= AT_ONCE) await Promise.race(open.sending);
  const mine = act();
  const ended = mine.catch(() => undefined).then(() => {
    open.sending = open.sending.filter((one) => one !== ended);
  });
  open.sending = [...open.sending, ended];
  return mine;
}

function forget({ session }: Open): void {
  session.keyring.forget();
  session.replica.close();
}

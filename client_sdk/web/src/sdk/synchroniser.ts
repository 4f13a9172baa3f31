// Brings the replica up to date, and judges the vault by it.
// Knows: the account record, the pages, and when a pass is repeated (protocol/sync.ts has the rules).
// Refuses to know: what records say, but for those that list what was deleted, or lost.

import * as v from "valibot";

import { formatB64url, formatJson, isSame, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError, OutOfOrder, TamperedError, UnsupportedVersion } from "../crypto_core/errors.js";
import { isSensitive, NeedsPin, unwrapRecordKey } from "../crypto_core/sealing/keyring.js";
import { openLink, openRecord, type Link } from "../crypto_core/sealing/records.js";
import type { Account as AccountAnswer } from "../schemas/accounts.js";
import { Loss, Tombstone } from "../schemas/documents.js";
import type { Revision, SyncPage } from "../schemas/items.js";
import { sha256 } from "./digest.js";
import { LedgerForked, ServerFault, VaultChanged } from "./errors.js";
import { AccountState, isEarlierAccountState, openAccountState, type ReadState } from "./keychain.js";
import {
  Finding, PASSES, Sync, SyncEvent, judge, missingIn, placeKey, synchronising, type Account, type Hash, type Links,
  type Pass, type PlaceKey, type Verdict,
} from "./protocol/sync.js";
import type { Row } from "./replica.js";
import type { Session } from "./session.js";

const MAX_PAGES = 1_000_000;
const LISTS = v.union([Tombstone, Loss]);

/** One account's synchronisation. Used under the account's lock. */
export class Synchroniser {
  readonly #session: Session;
  readonly #swapped = new Set<PlaceKey>();
  /** Rows of the replica that are not what their link, or their place, says. */
  #spoiled: Row[] = [];
  /** `placeKey` → record hash of its link. */
  readonly #hashes = new Map<PlaceKey, Hash>();
  /** The pass that was judged last, and its number. */
  #finished: { readonly pass: Pass; readonly number: number } | null = null;
  #loaded = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Passes until one is clean, three at most; what is still found then becomes a warning.
   *
   * `opened`: the answer of `GET /v1/account`, where it was asked for just now. */
  async sync(opened: AccountAnswer | null = null): Promise<void> {
    const session = this.#session;
    const machine = synchronising();
    machine.receive(SyncEvent.STARTED);
    for (let number = 1; number <= PASSES; number += 1) {
      const answer = number === 1 && opened !== null ? opened : await session.ask("GET", "/v1/account");
      const account = await this.readAccount(answer);
      machine.receive(SyncEvent.ACCOUNT_RECORD);
      for await (const more of this.#pages()) machine.receive(more ? SyncEvent.PAGE : SyncEvent.LAST_PAGE);
      const verdict = await this.#judge(account);
      if (verdict.findings.size === 0) {
        machine.receive(SyncEvent.CLEAN);
        await this.#accept(account);
        break;
      }
      if (machine.receive(number < PASSES ? SyncEvent.FOUND : SyncEvent.FOUND_STILL) === Sync.ACCOUNT) {
        await this.#beginAnew();
      } else {
        await this.#warn(verdict, account);
      }
    }
    await session.watchLedger();
  }

  /** As `sync`; a fork that is found stands as a warning, and stops nobody. */
  async syncAnyhow(opened: AccountAnswer | null = null): Promise<void> {
    try {
      await this.sync(opened);
    } catch (error) {
      if (!(error instanceof LedgerForked)) throw error;
    }
  }

  /** Every link of the replica that was not opened yet, opened; those that contradict their record are noted. */
  async loadLinks(): Promise<Links> {
    const { keyring, links, replica } = this.#session;
    for (const row of replica.since(this.#loaded)) {
      this.#loaded = row.seq;
      let link: Link;
      try {
        link = openLink(keyring.mkN, parseB64url(row.item), row.revision, row.link);
      } catch (error) {
        if (!(error instanceof CryptoCoreError)) throw error;
        await this.#spoil(row);
        continue;
      }
      if (!this.#isWhole(row, link.recordHash)) await this.#spoil(row);
      const place = [row.item, row.revision] as const;
      this.#hashes.set(placeKey(place), formatB64url(link.recordHash));
      links.add(place, link);
    }
    return links;
  }

  /** The record hash that a revision's link names; null if the link could not be opened. */
  async recordHash(row: Row): Promise<Hash | null> {
    await this.loadLinks();
    return this.#hashes.get(placeKey([row.item, row.revision])) ?? null;
  }

  /** The same as far as links are loaded; empty if there is none. */
  knownHash(row: Row): Hash {
    return this.#hashes.get(placeKey([row.item, row.revision])) ?? "";
  }

  /** Whether a sync has finished in this session, and none has begun anew since: only then is it known what is missing. */
  get isFinished(): boolean {
    return this.#finished?.number === this.#session.replica.fact("pass");
  }

  /** The record hashes that the last sync should have shown and didn't, accepted or not; and of `gone`, which stand nowhere
   * any more, those that nobody has written off. Only where it `isFinished`. */
  async missing(gone: ReadonlySet<Hash>): Promise<ReadonlySet<Hash>> {
    if (this.#finished === null || !this.isFinished) throw new OutOfOrder("no pass is finished");
    const finished = await this.#passed(this.#finished.pass.account);
    const nowhere = [...gone].filter((hash) => !finished.ended.has(hash) && !finished.lost.has(hash));
    return new Set([...missingIn(finished), ...nowhere]);
  }

  /** Whether record and wrapped key are those of this place; it takes no PIN to see. */
  #isWhole(row: Pick<Row, "item" | "revision" | "wrap" | "record">, recordHash: Uint8Array): boolean {
    if (row.record !== null && !isSame(sha256(row.record), recordHash)) return false;
    try {
      if (row.wrap !== null) isSensitive(this.#session.keyring, parseB64url(row.item), row.revision, row.wrap);
    } catch (error) {
      if (error instanceof TamperedError) return false;
      if (!(error instanceof MalformedError)) throw error; // sealed for this place by a version that knows more wraps
    }
    return true;
  }

  /** Whether a device of this account wrote it for this very place: then what is here is missing, not swapped. */
  #isOurs(revision: Revision): boolean {
    try {
      const link = openLink(this.#session.keyring.mkN, parseB64url(revision.item), revision.revision, revision.link);
      return this.#isWhole(revision, link.recordHash);
    } catch (error) {
      if (error instanceof CryptoCoreError) return false;
      throw error;
    }
  }

  async #spoil(row: Row): Promise<void> {
    this.#swapped.add(placeKey([row.item, row.revision]));
    this.#spoiled.push(row);
    for (const [name, data] of [["record", row.record], ["wrap", row.wrap], ["link", row.link]] as const) {
      if (data !== null) await this.#session.home.keepEvidence(name, data);
    }
  }

  /** The account record in an answer of `GET /v1/account`, as far as it can be read; what can't is evidence. */
  async readAccount(answer: AccountAnswer): Promise<Account> {
    const session = this.#session;
    const { keyring, replica } = session;
    const { n, account_record: blob } = answer;
    session.dropBox = answer.drop_box;
    const offered = (session.offered = new AccountState(n, blob));
    const seen = { seenN: replica.fact("account_n"), seenHash: replica.fact("account_hash") };
    const unread = { n, hash: offered.hash, previous: null, heads: [], seenN: 0, seenHash: null };
    try {
      const state = openAccountState(keyring.mkN, session.account, n, blob);
      session.state = session.offered = state;
      keyring.pkS = state.facts.pk_S;
      await this.#comparePins(state);
      const { previous, heads } = state.facts;
      return {
        n, hash: state.hash, previous: previous === null ? null : formatB64url(previous),
        heads: heads.map(formatB64url), ...seen, faults: new Set(),
      };
    } catch (error) {
      if (!(error instanceof CryptoCoreError)) throw error;
      if (error instanceof UnsupportedVersion) { // proven to be number n; whom it follows is not known, and not judged
        session.state = offered;
        return { ...unread, ...seen, previous: seen.seenHash, faults: new Set() };
      }
      await session.home.keepEvidence("account-record", blob);
      const isEarlier = isEarlierAccountState(keyring.mkN, session.account, n, blob);
      return {
        ...unread,
        faults: new Set([Finding.ACCOUNT_RECORD_INVALID, ...(isEarlier ? [Finding.ACCOUNT_RECORD_OLDER] : [])]),
      };
    }
  }

  async #comparePins({ facts }: ReadState): Promise<void> {
    const session = this.#session;
    if (facts.vault_id !== session.pin.vaultId) throw new VaultChanged("the account was made in another vault");
    if (!session.pin.knows(facts.ledger_vkey)) await session.learnRotations(); // another device may know more, or less
    if (!session.pin.knows(facts.ledger_vkey) || facts.directory_vkey !== session.pin.directoryVkey) {
      await session.warnings.add(Finding.LEDGER_KEY_CHANGED);
    }
  }

  async *#pages(): AsyncGenerator<boolean, void> {
    const { replica } = this.#session;
    const seen = new Set<string>();
    for (let count = 0; count < MAX_PAGES; count += 1) {
      const after = replica.fact("cursor");
      const page = await this.#session.ask("GET", "/v1/items", { query: { after } });
      seen.add(after);
      if (page.more && seen.has(page.cursor)) throw new ServerFault("a page that leads back");
      await this.#takeIn(page);
      yield page.more;
      if (!page.more) return;
    }
    throw new ServerFault("pages without end");
  }

  async #takeIn(page: SyncPage): Promise<void> {
    const { replica, home } = this.#session;
    const refused = await replica.writing(() => {
      if (replica.fact("generation") !== page.generation) { // a foreign cursor: the vault begins from the start
        replica.setFact("generation", page.generation);
        replica.setFact("pass", replica.fact("pass") + 1);
      }
      const contradicting = page.revisions.filter((one) => !replica.receive(one, replica.fact("pass")));
      if (replica.fact("cursor") !== page.cursor) replica.setFact("cursor", page.cursor);
      return contradicting;
    });
    for (const revision of refused) {
      if (!this.#isOurs(revision)) this.#swapped.add(placeKey([revision.item, revision.revision]));
      if (revision.record !== null) await home.keepEvidence("record", revision.record);
    }
  }

  async #judge(account: Account): Promise<Verdict> {
    const { replica, warnings } = this.#session;
    const pass = await this.#passed(account);
    this.#finished = { pass, number: replica.fact("pass") };
    return judge(pass, warnings.accepted);
  }

  async #passed(account: Account): Promise<Pass> {
    const { replica } = this.#session;
    const links = await this.loadLinks();
    const lists = replica.tombstones().map((row) => this.#readList(row));
    return {
      account, links, ended: new Set(lists.flatMap(({ ends }) => ends)), lost: new Set(lists.flatMap(({ lost }) => lost)),
      erased: replica.gone().map((row) => this.knownHash(row)),
      withheld: replica.notSeenIn(replica.fact("pass")).map((row) => this.knownHash(row)), swapped: this.#swapped,
    };
  }

  /** The next pass asks for everything: what one page left out or spoiled, another may bring. */
  async #beginAnew(): Promise<void> {
    const { replica } = this.#session;
    this.#swapped.clear();
    const spoiled = this.#spoiled;
    this.#spoiled = [];
    await replica.writing(() => {
      for (const row of spoiled) replica.drop(row);
      replica.setFact("cursor", "");
      replica.setFact("pass", replica.fact("pass") + 1);
    });
  }

  /** The record hashes that a tombstone ends, and those that a loss writes off; none if the vault calls something a tombstone
   * that is neither. */
  #readList(row: Row): { readonly ends: readonly Hash[]; readonly lost: readonly Hash[] } {
    const nothing = { ends: [], lost: [] };
    if (row.wrap === null || row.record === null) return nothing;
    try {
      const item = parseB64url(row.item);
      const [key] = unwrapRecordKey(this.#session.keyring, item, row.revision, row.wrap);
      const read = v.safeParse(LISTS, parseJson(openRecord(key, item, row.revision, row.record)));
      if (!read.success) return nothing;
      const { output } = read;
      return output.kind === "loss" ? { ...nothing, lost: output.lost.map(formatB64url) }
        : { ...nothing, ends: output.ends.map(formatB64url) };
    } catch (error) {
      if (error instanceof CryptoCoreError || error instanceof NeedsPin) return nothing;
      throw error;
    }
  }

  async #accept(account: Account): Promise<void> {
    const { replica, state } = this.#session;
    const explained = replica.gone().filter((row) => row.record !== null && (this.#finished?.pass.ended.has(this.knownHash(row)) ?? false));
    const readable = state.facts === null ? null : state.blob;
    const isKept = readable === null || isSame(replica.fact("account_record") ?? new Uint8Array(), readable);
    if (account.n === account.seenN && account.hash === account.seenHash && isKept && explained.length === 0) return;
    await replica.writing(() => {
      replica.rememberAccount(account.n, account.hash, readable);
      for (const row of explained) replica.erase(row);
    });
  }

  async #warn(verdict: Verdict, account: Account): Promise<void> {
    const { home, replica, warnings } = this.#session;
    for (const finding of verdict.findings) await warnings.add(finding, verdict.about);
    for (const row of replica.gone()) await home.keepEvidence("link", row.link);
    await home.keepEvidence("verdict", formatJson({
      findings: [...verdict.findings].sort(), about: [...verdict.about].sort(), n: account.n,
      account_record: account.hash, heads: [...account.heads].sort(),
    }));
  }
}

// The account of an open vault: its person proven once more, its secrets changed, its record kept.
// Knows: what password and PIN given anew allow, and what the account record says next. Refuses to know: what is kept in
// the vault, and how a secret is proven (sdk/door.ts).

import { UnsupportedVersion } from "../crypto_core/errors.js";
import * as passphrase from "../crypto_core/sealing/passphrase.js";
import { readyWords, type Language } from "../crypto_core/sealing/recovery.js";
import type { Session as SessionAnswer } from "../schemas/accounts.js";
import { changeCredentials } from "./change.js";
import type { Professionals } from "./directory.js";
import { chooseLanguage, fetched, forgetLogin, type Door } from "./door.js";
import { NetworkError, Refused, ServerFault } from "./errors.js";
import type { Id, Recovering, RecoveryWait } from "./items.js";
import * as keychain from "./keychain.js";
import { AccountState, type Credentials, type RecoveryWords } from "./keychain.js";
import { Finding } from "./protocol/sync.js";
import type { Redepositor, Settled } from "./redeposit.js";
import type { SensitiveTier } from "./sensitive.js";
import type { Session } from "./session.js";
import type { Synchroniser } from "./synchroniser.js";

const MERGES = 5;
/** What an erasure may be answered that was sent once more, because the first answer was lost. */
const PERHAPS_DONE: readonly string[] = ["unauthorized", "unavailable"];

/** What an account works with. */
export interface AccountParts {
  readonly door: Door;
  readonly session: Session;
  readonly synchroniser: Synchroniser;
  readonly sensitive: SensitiveTier;
  readonly professionals: () => Promise<Professionals>;
  readonly redepositor: () => Promise<Redepositor>;
  readonly username: string;
  /** Locks the vault here, and asks nobody. */
  readonly forget: () => void;
}

/** The account of one session. */
export class Account {
  readonly #parts: AccountParts;
  #username: string;

  constructor(parts: AccountParts) {
    this.#parts = parts;
    this.#username = parts.username;
  }

  get id(): Id {
    return this.#parts.session.account;
  }

  /** A token of stage `confirmed`, good for two minutes, for password and PIN given anew. Throws Refused (`login_refused`,
   * `pin_wrong`, …). */
  async confirm(password: string, pin: string): Promise<Uint8Array> {
    const { login, token } = await this.#parts.door.confirm(this.#parts.session, this.#username, password, pin);
    forgetLogin(login);
    return token;
  }

  /** Ends the warnings, with password and PIN given anew. What was seen stays among the evidence.
   *
   * A changed ledger key is believed from now on; an account record that could not be read is written anew; what the vault
   * had lost is settled (docs/spec/items.md), and what is said of it is given back. Throws Refused if either secret is not
   * right. After a NetworkError or ServerFault the same call goes on where it was cut. */
  async acceptTrust(password: string, pin: string): Promise<Settled> {
    const { session, professionals, synchroniser, sensitive } = this.#parts;
    await this.confirm(password, pin);
    const redepositor = await this.#parts.redepositor();
    const recordOlder = session.warnings.findings.has(Finding.ACCOUNT_RECORD_OLDER);
    const isLost = session.warnings.findings.has(Finding.ACCOUNT_RECORD_INVALID);
    const restored = isLost ? await this.#restored(pin) : null;
    if (session.warnings.findings.has(Finding.DIRECTORY_FORKED)) await (await professionals()).startAnew();
    await sensitive.open(pin);
    try {
      return await session.locked(async () => {
        session.state = restored ?? session.state;
        const settled = await redepositor.settle();
        await this.#accept();
        if (restored !== null) await this.writeRecord();
        await synchroniser.syncAnyhow();
        return { ...(session.warnings.any ? settled : await redepositor.complete(settled)), recordOlder };
      });
    } finally {
      sensitive.close();
    }
  }

  /** New recovery words, for `changeCredentials`; nothing of them is sent. `.text` is what is written down. */
  async makeWords(language: Language = "english"): Promise<RecoveryWords> {
    await fetched(readyWords());
    return keychain.makeWords(chooseLanguage(language));
  }

  /** Another user name, password or PIN, with the present password and PIN given anew. Every other session ends.
   *
   * What is kept stays as it is, and the recovery code unless there are new `words`. Throws Refused (`login_refused`, `pin_wrong`,
   * `account_exists`, …), SecretRefused, ArgonWrong, or Untrusted while a warning stands. After a NetworkError or
   * ServerFault the vault is locked here, and nobody knows which pair holds: the new one is tried first. */
  async changeCredentials(
    password: string, pin: string, typed: Credentials, words: RecoveryWords | null = null,
  ): Promise<void> {
    const { door, session, synchroniser, sensitive, forget } = this.#parts;
    session.warnings.requireNone();
    if (session.state.facts === null) throw new UnsupportedVersion();
    typed.requireNew(door.thisYear, pin);
    const samePin = passphrase.normalisePin(pin) === passphrase.normalisePin(typed.pin);
    await door.argon.test();
    try {
      await sensitive.open(pin);
      const { login, token } = await door.confirm(session, this.#username, password, pin);
      await session.locked(() =>
        changeCredentials(session, synchroniser, login, token, typed, door.argon.stretch, samePin, words));
      this.#username = typed.username;
      forgetLogin(login);
    } catch (error) {
      if (error instanceof NetworkError || error instanceof ServerFault) forget();
      throw error;
    } finally {
      sensitive.close();
    }
  }

  /** Erases the account, with password and PIN given anew: in the vault, then all that this browser keeps for it. Nobody
   * brings it back. The vault is locked here by then.
   *
   * Throws Refused (`login_refused`, `pin_wrong`, `account_listed`, …) or Untrusted while a warning stands, and nothing is
   * erased as long as the vault stays open here. Where it is locked after an error, nobody knows whether it was done; but
   * after DeviceFailed it was, and this browser can't remove its part. */
  async erase(password: string, pin: string): Promise<void> {
    const { door, session, forget } = this.#parts;
    session.warnings.requireNone();
    const { login, token } = await door.confirm(session, this.#username, password, pin);
    try {
      await session.transport.ask("DELETE", "/v1/account", { token });
    } catch (error) {
      if (!mayBeDone(error)) throw error;
      const isGone = await door.isGone(login).catch(() => null);
      if (isGone === null) forget();
      if (isGone !== true) throw error;
    } finally {
      forgetLogin(login);
    }
    forget();
    await session.home.erase();
  }

  /** The account's open sessions, the oldest first. */
  async sessions(): Promise<readonly SessionAnswer[]> {
    const { sessions } = await this.#parts.session.ask("GET", "/v1/sessions");
    return sessions.filter((one) => one.stage === "open");
  }

  /** Ends every session but this one, with password and PIN given anew; how many tokens stopped working. */
  async endOtherSessions(password: string, pin: string): Promise<number> {
    const token = await this.confirm(password, pin);
    return (await this.#parts.session.transport.ask("POST", "/v1/sessions/end-others", { token })).ended;
  }

  /** Whether somebody gets back in with the recovery words; null as well where the vault is too old to say. */
  async pendingRecovery(): Promise<Recovering | null> {
    try {
      return (await this.#parts.session.ask("GET", "/v1/recovery")).pending;
    } catch (error) {
      if (error instanceof Refused && error.code === "not_found") return null;
      throw error;
    }
  }

  /** Stops it, with password and PIN given anew. Whoever has the words may begin again, and waits again. Throws Refused. */
  async stopRecovery(password: string, pin: string): Promise<void> {
    const token = await this.confirm(password, pin);
    await this.#parts.session.transport.ask("DELETE", "/v1/recovery", { token });
  }

  /** How long whoever shows the recovery words waits. */
  async recoveryWait(): Promise<RecoveryWait> {
    return this.#parts.session.ask("GET", "/v1/recovery/wait");
  }

  /** Another waiting time, `wait` seconds (0 to 30 days), with password and PIN given anew. A shorter one holds only when the
   * present one is over; whoever waits already goes on as before. Throws Refused (`login_refused`, `pin_wrong`, …). */
  async setRecoveryWait(password: string, pin: string, wait: number): Promise<RecoveryWait> {
    const token = await this.confirm(password, pin);
    return this.#parts.session.transport.ask("PUT", "/v1/recovery/wait", { token, body: { wait } });
  }

  /** Compare-and-swap; whoever was slower synchronises, so that the heads of both are in it. Under the account's lock. */
  async writeRecord(): Promise<void> {
    const { session, synchroniser } = this.#parts;
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
        await synchroniser.syncAnyhow();
        if (session.warnings.any || session.state.facts === null) return;
      }
    }
  }

  /** What is to follow an account record that can't be read; null if the vault gives a good one by now. */
  async #restored(pin: string): Promise<AccountState | null> {
    const { session, synchroniser, sensitive } = this.#parts;
    const { state: known } = session;
    const answer = await session.ask("GET", "/v1/account");
    const { faults } = await session.locked(() => synchroniser.readAccount(answer));
    if (faults.size === 0) return null;
    const { offered } = session;
    if (known.facts !== null) { // where it is the lost one itself, what follows it is what other devices expect
      return known.n === offered.n ? known : new AccountState(offered.n, offered.blob, known.facts);
    }
    await sensitive.open(pin); // a device that has never read a good one
    try {
      const facts = keychain.restoreAccountFacts(session.keyring, session.pin, answer.identity);
      return new AccountState(offered.n, offered.blob, facts);
    } finally {
      sensitive.close();
    }
  }

  async #accept(): Promise<void> {
    const { door, session } = this.#parts;
    const { warnings, trust, replica } = session;
    if (warnings.findings.has(Finding.LEDGER_FORKED)) await trust.forget();
    const { offered } = door;
    if (warnings.findings.has(Finding.LEDGER_KEY_CHANGED) && offered !== null) {
      await trust.forget();
      await door.keepPin(offered);
      session.pin = offered;
      trust.policy = offered.policy;
    }
    await warnings.accept(session.links.accountN);
    await replica.writing(() => {
      replica.rememberAccount(session.state.n, session.state.hash, null);
      replica.setFact("dirty", true);
    });
  }
}

/** Whether the vault may have done what it was asked for, though it doesn't say so. */
function mayBeDone(error: unknown): boolean {
  if (error instanceof Refused) return PERHAPS_DONE.includes(error.code);
  return error instanceof NetworkError || error instanceof ServerFault;
}

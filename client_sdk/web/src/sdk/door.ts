// What a vault is asked before anybody is in, or to let somebody do more: who it is, and whether what was typed holds.
// Knows: challenges, what is signed for them, and which vault was met here before. Refuses to know: what is kept.

import { encodeText, formatB64url, formatJson, parseB64url } from "../crypto_core/encoding.js";
import { CryptoCoreError } from "../crypto_core/errors.js";
import { Keyring } from "../crypto_core/sealing/keyring.js";
import * as passphrase from "../crypto_core/sealing/passphrase.js";
import { LANGUAGES, deriveRecovery, parseWords, readyWords, type Language } from "../crypto_core/sealing/recovery.js";
import { pinReopenMessage } from "../crypto_core/signed_requests.js";
import { sodium } from "../crypto_core/sodium.js";
import type { Account, OpenStage } from "../schemas/accounts.js";
import { PROBLEMS } from "../schemas/problems.js";
import type { Vault } from "../schemas/vault.js";
import type { Argon } from "./argon.js";
import { HostDiffers, NetworkError, Refused, ServerFault, TrustError, ValueRefused, VaultChanged } from "./errors.js";
import { Pin, type Home } from "./home.js";
import type { Id } from "./items.js";
import * as keychain from "./keychain.js";
import { AccountState, Credentials, type NewAccount } from "./keychain.js";
import type { Progress } from "./progress.js";
import type { Machine } from "./protocol/machine.js";
import { Finding } from "./protocol/sync.js";
import { UnlockEvent, type Unlock } from "./protocol/unlock.js";
import { Replica } from "./replica.js";
import { Session } from "./session.js";
import type { Transport } from "./transport.js";
import { TrustStore, Warnings } from "./trust_store.js";

const CHALLENGE_TRIES = 2;

/** A session that has just begun. `told` is what the vault said of the tries at the PIN, and `answer` the account's own
 * rows. */
export interface Entered {
  readonly session: Session;
  readonly told: OpenStage;
  readonly answer: Account;
}

/** Whose password was right, and what is good for the PIN alone. */
interface PasswordProven {
  readonly account: Id;
  readonly token: Uint8Array;
}

/** The door of the vault at one address. */
export class Door {
  readonly argon: Argon;
  readonly #transport: Transport;
  readonly #home: Home;
  readonly #clock: () => number;
  #offered: Pin | null = null;

  constructor(transport: Transport, home: Home, argon: Argon, clock: () => number) {
    this.#transport = transport;
    this.#home = home;
    this.argon = argon;
    this.#clock = clock;
  }

  /** What the vault said of itself last; not believed where it differs from what was pinned. */
  get offered(): Pin | null {
    return this.#offered;
  }

  /** By this device's clock, for the rules of a new PIN. */
  get thisYear(): number {
    return new Date(this.#clock() * 1000).getUTCFullYear();
  }

  /** The vault's public facts, pinned at the first contact and compared ever after. */
  async meet(): Promise<Pin> {
    const answer = await this.#transport.ask("GET", "/v1/vault");
    try {
      return await this.#compare(answer);
    } catch (error) {
      if (error instanceof TrustError) await this.#home.keepEvidence("vault", formatJson(answer));
      throw error;
    }
  }

  /** What `VaultClient.makeAccount` gives. */
  async makeAccount(typed: Credentials, language: string): Promise<NewAccount> {
    const chosen = chooseLanguage(language);
    typed.requireNew(this.thisYear);
    const pin = await this.meet();
    await fetched(readyWords());
    await this.argon.test();
    return keychain.makeAccount(typed, pin, chosen, this.thisYear, this.argon.stretch);
  }

  /** What `VaultClient.register` does. */
  async register(made: NewAccount): Promise<Id> {
    for (let tries = 1; ; tries += 1) {
      if (made.sent === null) made.fill(await this.#challenge(made.login));
      const [body, signature] = [made.sent ?? new Uint8Array(), formatB64url(made.sign(this.#transport.host))];
      try {
        const headers = { "Temoin-Signature": signature };
        const { account } = await this.#transport.ask("POST", "/v1/accounts", { body, headers });
        if (account !== made.account) throw new ServerFault("another account than was asked for");
        return account;
      } catch (error) {
        const isOld = error instanceof Refused && error.code === "challenge_refused";
        if (!isOld || tries === CHALLENGE_TRIES) throw error;
        made.fill(null); // that challenge is too old by now; the account wasn't made
      }
    }
  }

  /** What `VaultClient.reopenPin` does. */
  async reopenPin(username: string, password: string, words: string): Promise<void> {
    await fetched(readyWords());
    const recovery = deriveRecovery(parseWords(words));
    const pin = await this.meet();
    const login = await new Credentials(username, password, "").stretch(pin.vaultId, this.argon.stretch);
    const { account, token } = await this.provePassword(login);
    const challenge = await this.#challenge(login);
    const message = pinReopenMessage(this.#transport.host, parseB64url(account), challenge);
    const sig = passphrase.signWithSeed(recovery.loginSeed, message);
    await this.#transport.ask("POST", "/v1/pin/reopen", { body: { rid: recovery.rid, challenge, sig }, token });
    forgetLogin(login);
  }

  /** Password, then PIN, then the account's own sealed rows. What is derived from the PIN dies with this call. */
  async enter(
    pin: Pin, login: passphrase.LoginKeys, pinLoginOf: (account: Id) => passphrase.PinLogin,
    machine: Machine<Unlock, UnlockEvent>, progress: Progress,
  ): Promise<Entered> {
    machine.receive(UnlockEvent.CHALLENGE);
    const { account, token } = await this.provePassword(login);
    machine.receive(UnlockEvent.PASSWORD_PROVEN);
    const pinLogin = pinLoginOf(account);
    const tried = { purpose: "login", x: pinLogin.tag } as const;
    const told = await this.#transport.ask("POST", "/v1/pin", { body: tried, token });
    if (!("share_N" in told)) throw new ServerFault("the answer to another question");
    const mkN = keychain.openMaster(login, pinLogin, account, told);
    machine.receive(UnlockEvent.PIN_PROVEN);
    const answer = await this.#transport.ask("GET", "/v1/account", { token: told.token });
    const home = this.#home.account(pin.vaultId, account);
    const replica = await Replica.open(home);
    const state = rememberedState(replica, mkN, account);
    const pkS = state.facts?.pk_S ?? null;
    const keyring = new Keyring(parseB64url(account), mkN, login.kPs, told.epoch, told.pin_epoch, pkS);
    forgetKeys(mkN, told.share_N);
    const session = new Session({
      transport: this.#transport, token: told.token, keyring, state, dropBox: answer.drop_box, pin,
      keepPin: (moved) => this.keepPin(moved), home, replica, trust: await TrustStore.load(home, pin.policy),
      warnings: await Warnings.load(home), clock: this.#clock, progress,
    });
    return { session, told, answer };
  }

  /** A ledger or directory key that is not the pinned one, nor one that its records lead to, is a warning. */
  async compareKeys(session: Session): Promise<void> {
    const offered = this.#offered;
    if (offered === null) return;
    if (offered.ledgerVkey !== session.pin.ledgerVkey) await session.learnRotations();
    if (offered.ledgerVkey !== session.pin.ledgerVkey || offered.directoryVkey !== session.pin.directoryVkey) {
      await session.warnings.add(Finding.LEDGER_KEY_CHANGED);
      await session.home.keepEvidence("ledger-key", encodeText(`${offered.ledgerVkey}\n`));
    }
  }

  /** From now on the vault at this address is known by it. */
  keepPin(pin: Pin): Promise<void> {
    return this.#home.pin(this.#transport.host, pin);
  }

  /** A token of stage `password`. A login that is refused is looked at twice: it may be this browser that errs. */
  async provePassword(login: passphrase.LoginKeys): Promise<PasswordProven> {
    try {
      return await this.#signIn(login);
    } catch (error) {
      if (error instanceof Refused && error.code === "login_refused") await this.argon.test();
      throw error;
    }
  }

  /** Whether these keys, which opened an account a moment ago, open none any more. Throws what `VaultClient.logIn` does
   * where the vault doesn't say. */
  async isGone(login: passphrase.LoginKeys): Promise<boolean> {
    let token: Uint8Array;
    try {
      ({ token } = await this.#signIn(login));
    } catch (error) {
      if (error instanceof Refused && error.code === "login_refused") return true;
      throw error;
    }
    await this.#transport.ask("POST", "/v1/logout", { token }).catch(() => undefined); // it ends by itself soon
    return false;
  }

  /** The login keys that the password gives, and a token of stage `confirmed`. Throws Refused. */
  async confirm(
    session: Session, username: string, password: string, pin: string,
  ): Promise<{ readonly login: passphrase.LoginKeys; readonly token: Uint8Array }> {
    const { keyring } = session;
    const login = await new Credentials(username, password, pin).stretch(session.pin.vaultId, this.argon.stretch);
    const challenge = await this.#challenge(login);
    const step = passphrase.derivePinStep(login.kPs, keyring.account, keyring.pinEpoch, pin);
    const sig = keychain.signConfirm(login, this.#transport.host, challenge);
    try {
      const { token } = await session.ask("POST", "/v1/confirm", { body: { challenge, sig, x: step.tag } });
      return { login, token };
    } catch (error) {
      throw error instanceof Refused && error.code === "challenge_refused" ? ofAnotherPair(error) : error;
    } finally {
      forgetKeys(step.tag, step.wrapping);
    }
  }

  async #compare(answer: Vault): Promise<Pin> {
    const { host } = this.#transport;
    keychain.requireArgon(answer.argon_newest);
    if (answer.host !== host) throw new HostDiffers();
    const offered = new Pin(answer.vault_id, answer.ledger_vkey, answer.directory_vkey);
    const [known, first] = [await this.#home.pinOf(offered.vaultId), await this.#home.vaultAt(host)];
    if (first !== null && first !== offered.vaultId) throw new VaultChanged();
    if (known === null || first === null) await this.keepPin(known ?? offered);
    this.#offered = offered;
    return known ?? offered;
  }

  async #signIn(login: passphrase.LoginKeys): Promise<PasswordProven> {
    const challenge = await this.#challenge(login);
    const sig = keychain.signLogin(login, this.#transport.host, challenge);
    return this.#transport.ask("POST", "/v1/login/finish", { body: { K_id: login.kId, challenge, sig } });
  }

  async #challenge(login: passphrase.LoginKeys): Promise<Uint8Array> {
    return (await this.#transport.ask("POST", "/v1/login/start", { body: { K_id: login.kId } })).challenge;
  }
}

/** Of recovery words. Throws ValueRefused. */
export function chooseLanguage(language: string): Language {
  const chosen = LANGUAGES.find((one) => one === language);
  if (chosen === undefined) throw new ValueRefused("the recovery words are English or French");
  return chosen;
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

/** A challenge of a moment ago that is not this account's was asked for under another user name or password. */
function ofAnotherPair({ retryAfter, extra }: Refused): Refused {
  const { status, sentence } = PROBLEMS.login_refused;
  return new Refused("login_refused", status, sentence, retryAfter, extra);
}

/** What a login doesn't load, once it is wanted: the word lists of a recovery code, sharing. Throws NetworkError. */
export function fetched<T>(part: Promise<T>): Promise<T> {
  return part.catch(() => {
    throw new NetworkError("a part of the page");
  });
}

/** Overwrites what a login derived, but for the lookup value. */
export function forgetLogin({ loginSeed, kPw, kPl, kPs }: passphrase.LoginKeys): void {
  forgetKeys(loginSeed, kPw, kPl, kPs);
}

/** Overwrites keys. */
export function forgetKeys(...keys: readonly Uint8Array[]): void {
  for (const key of keys) sodium.memzero(key);
}

// A device without a disk: a Home in memory, its network, and an account that a real vault keeps.
// Knows: the steps of sign-up and login, and no more than those. Refuses to know: pages, workers, readers and writers.

import { formatB64url, parseB64url } from "../src/crypto_core/encoding.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import { Keyring } from "../src/crypto_core/sealing/keyring.js";
import * as passphrase from "../src/crypto_core/sealing/passphrase.js";
import type { ConfirmedStage } from "../src/schemas/accounts.js";
import { sha256 } from "../src/sdk/digest.js";
import { Home, MemoryLocks, MemoryStore, Pin, type Store } from "../src/sdk/home.js";
import * as keychain from "../src/sdk/keychain.js";
import { Credentials, type NewAccount, type Stretch } from "../src/sdk/keychain.js";
import { NO_PROGRESS } from "../src/sdk/progress.js";
import { Replica } from "../src/sdk/replica.js";
import { Session } from "../src/sdk/session.js";
import { HttpTransport } from "../src/sdk/transport.js";
import { TrustStore, Warnings } from "../src/sdk/trust_store.js";
import { Network } from "./memory_network.js";

/** In Argon2id's place, for tests that log in often: a vault can't tell. */
export const QUICK: Stretch = (username, password, vaultId) => {
  const typed = new TextEncoder().encode(`${formatB64url(vaultId)} ${username} ${password}`);
  return Promise.resolve(new passphrase.Stretched(sha256(typed)));
};

/** A pair that nobody else has, and a PIN that isn't among the common ones. */
export function somebody(): Credentials {
  return new Credentials(`ana ${formatB64url(makeBytes(6))}`, "a long walk by the quiet river", "805193");
}

/** One browser and its network. */
export class Device {
  readonly network = new Network();
  readonly store: Store;
  readonly home: Home;
  readonly transport: HttpTransport;

  constructor(url: string, store: Store = new MemoryStore()) {
    this.store = store;
    this.home = new Home(store, new MemoryLocks());
    this.transport = new HttpTransport(url, { fetch: this.network.fetch, sleep: () => Promise.resolve() });
  }

  /** Signs somebody up. */
  async register(typed: Credentials): Promise<NewAccount> {
    const made = await keychain.makeAccount(typed, await this.meet(), "english", 2026, QUICK);
    made.fill(await this.challenge(made.login.kId));
    const signature = formatB64url(made.sign(this.transport.host));
    await this.transport.ask("POST", "/v1/accounts", { body: made.sent!, headers: { "Temoin-Signature": signature } });
    return made;
  }

  /** An open session; nothing is synchronised yet. */
  async logIn(typed: Credentials): Promise<Session> {
    const pin = await this.meet();
    const login = await typed.stretch(pin.vaultId, QUICK);
    const challenge = await this.challenge(login.kId);
    const proven = await this.transport.ask("POST", "/v1/login/finish", {
      body: { K_id: login.kId, challenge, sig: keychain.signLogin(login, this.transport.host, challenge) },
    });
    const account = parseB64url(proven.account);
    const pinLogin = passphrase.derivePinLogin(login.kPl, account, typed.pin);
    const opened = await this.transport.ask("POST", "/v1/pin", {
      body: { purpose: "login", x: pinLogin.tag }, token: proven.token,
    });
    if (!("W_N" in opened)) throw new Error("not what a login asks for");
    const mkN = keychain.openMaster(login, pinLogin, proven.account, opened);
    const answer = await this.transport.ask("GET", "/v1/account", { token: opened.token });
    const state = keychain.openAccountState(mkN, proven.account, answer.n, answer.account_record);
    const keyring = new Keyring(account, mkN, login.kPs, opened.epoch, opened.pin_epoch, state.facts.pk_S);
    const home = this.home.account(pin.vaultId, proven.account);
    return new Session({
      transport: this.transport, token: opened.token, keyring, state, dropBox: answer.drop_box, pin, home,
      replica: await Replica.open(home), trust: await TrustStore.load(home, pin.policy),
      warnings: await Warnings.load(home), clock: () => Math.floor(Date.now() / 1000), progress: NO_PROGRESS,
    });
  }

  /** Opens the sensitive tier. */
  async stepUp(session: Session, pin: string): Promise<void> {
    const { keyring } = session;
    const step = passphrase.derivePinStep(keyring.kPs, keyring.account, keyring.pinEpoch, pin);
    const answer = await session.ask("POST", "/v1/pin", { body: { purpose: "step", x: step.tag } });
    if (!("W_S" in answer)) throw new Error("not what a step-up asks for");
    keychain.openSensitive(keyring, step, answer, session.dropBox);
  }

  /** The login keys, and a token of stage `confirmed`. */
  async confirm(session: Session, typed: Credentials): Promise<readonly [passphrase.LoginKeys, ConfirmedStage]> {
    const { keyring } = session;
    const login = await typed.stretch(session.pin.vaultId, QUICK);
    const challenge = await this.challenge(login.kId);
    const step = passphrase.derivePinStep(login.kPs, keyring.account, keyring.pinEpoch, typed.pin);
    const sig = keychain.signConfirm(login, this.transport.host, challenge);
    return [login, await session.ask("POST", "/v1/confirm", { body: { challenge, sig, x: step.tag } })];
  }

  async meet(): Promise<Pin> {
    const answer = await this.transport.ask("GET", "/v1/vault");
    const pin = new Pin(answer.vault_id, answer.ledger_vkey, answer.directory_vkey);
    await this.home.pin(this.transport.host, pin);
    return pin;
  }

  async challenge(kId: Uint8Array): Promise<Uint8Array> {
    return (await this.transport.ask("POST", "/v1/login/start", { body: { K_id: kId } })).challenge;
  }
}

// Getting back in with the recovery words alone: shown, waited for, then replaced together with everything that was lost.
// Knows: protocol §8, "Recovery code", and what a lost answer leaves open. Refuses to know: what is kept; no blob is
// touched.

import { formatB64url, parseB64url } from "../crypto_core/encoding.js";
import type { Keyring } from "../crypto_core/sealing/keyring.js";
import * as passphrase from "../crypto_core/sealing/passphrase.js";
import { deriveRecovery, parseWords, readyWords, type RecoveryKeys } from "../crypto_core/sealing/recovery.js";
import { recoverChangeMessage, recoverMessage } from "../crypto_core/signed_requests.js";
import type { Identity, RecoveryStage } from "../schemas/accounts.js";
import { chooseLanguage, fetched, type Door } from "./door.js";
import { Refused } from "./errors.js";
import type { Id } from "./items.js";
import * as keychain from "./keychain.js";
import type { Credentials, ReadState, RecoveryWords } from "./keychain.js";
import { dumpBody, endpoint, type Transport } from "./transport.js";

export const START = "/v1/recovery/start";
export const FINISH = "/v1/recovery/finish";
export const KEYS = "/v1/recovery/keys";
export const CREDENTIALS = "/v1/recovery/credentials";
const TRIES = 5;
/** Another device wrote the account record meanwhile; or challenge or token were too old by the time they came. */
const PASSING: readonly string[] = ["credentials_conflict", "challenge_refused", "unauthorized"];

/** Words that are right, and what the vault said of them. Holds the code, and shows it to nobody. */
export class Shown {
  readonly account: Id;
  /** Unix seconds by the vault's clock: since when it waits, and from when on they open. */
  readonly begun: number;
  readonly due: number;
  /** Whether they open now. */
  readonly isDue: boolean;
  readonly #code: Uint8Array;

  constructor(code: Uint8Array, { account, begun, due }: RecoveryStage, isDue: boolean) {
    this.account = account;
    this.begun = begun;
    this.due = due;
    this.isDue = isDue;
    this.#code = code;
  }

  /** The code, 32 bytes. */
  get code(): Uint8Array {
    return this.#code;
  }
}

/** New credentials and new words for an account, made here and not yet sent. The sheet is written before they are. */
export class Recovered {
  readonly shown: Shown;
  readonly #typed: Credentials;
  readonly #login: passphrase.LoginKeys;
  readonly #words: RecoveryWords;
  #sent: Sent | null = null;

  constructor(shown: Shown, typed: Credentials, login: passphrase.LoginKeys, words: RecoveryWords) {
    this.shown = shown;
    this.#typed = typed;
    this.#login = login;
    this.#words = words;
  }

  /** The next 24 words, one space between. */
  get recoveryWords(): string {
    return this.#words.text;
  }

  get login(): passphrase.LoginKeys {
    return this.#login;
  }

  /** The exact bytes once sent, and what goes with them: the same go again after a lost answer. */
  get sent(): Sent | null {
    return this.#sent;
  }

  /** What the PIN opens the account with. */
  derivePinLogin(): passphrase.PinLogin {
    return passphrase.derivePinLogin(this.#login.kPl, parseB64url(this.shown.account), this.#typed.pin);
  }

  /** What to send, of what the old code opened, with a token and for a challenge, both of a moment ago. */
  fill(host: string, { keyring, state, identity }: Opened, token: Uint8Array, challenge: Uint8Array): Sent {
    const fields = keychain.makeRecovered(this.#login, this.#typed.pin, this.#words, keyring, state);
    const body = dumpBody(endpoint("POST", CREDENTIALS), { ...fields, identity, challenge });
    const message = recoverChangeMessage(host, challenge, body);
    const signed = (seed: Uint8Array): string => formatB64url(passphrase.signWithSeed(seed, message));
    const headers = {
      "Temoin-Signature": signed(deriveRecovery(this.shown.code).loginSeed),
      "Temoin-Signature-New": signed(this.#login.loginSeed),
    };
    return this.#sent = { body, token, headers };
  }

  /** Lets go of the bytes: they are too old to be taken. */
  empty(): void {
    this.#sent = null;
  }
}

/** One request, as it goes again. */
export interface Sent {
  readonly body: Uint8Array;
  readonly token: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** What an old code opens of its account. */
interface Opened {
  readonly keyring: Keyring;
  readonly state: ReadState;
  readonly identity: Identity;
}

/** What `VaultClient.showRecovery` gives. What is due is opened here already: whoever chooses a new password then knows
 * that it will do. */
export async function show(transport: Transport, door: Door, words: string): Promise<Shown> {
  await fetched(readyWords());
  const code = parseWords(words);
  await door.meet();
  const stage = await showCode(transport, deriveRecovery(code));
  try {
    (await open(transport, door, code, stage)).keyring.forget();
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "recovery_waiting") throw error;
    return new Shown(code, stage, false);
  }
  return new Shown(code, stage, true);
}

/** What `VaultClient.makeRecovered` gives. */
export async function make(door: Door, shown: Shown, typed: Credentials, language: string): Promise<Recovered> {
  const chosen = chooseLanguage(language);
  typed.requireNew(door.thisYear);
  const { vaultId } = await door.meet();
  await door.argon.test();
  const login = await typed.stretchNew(vaultId, door.argon.stretch);
  return new Recovered(shown, typed, login, keychain.makeWords(chosen));
}

/** What `VaultClient.recover` does. */
export async function send(transport: Transport, door: Door, made: Recovered): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await transport.ask("POST", CREDENTIALS, made.sent ?? (await filled(transport, door, made)));
      return;
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // it may have arrived: the same goes again
      if (made.sent !== null && error.code === "unauthorized" && !(await door.isGone(made.login))) return;
      made.empty();
      if (!PASSING.includes(error.code) || tries === TRIES) throw error;
    }
  }
}

/** Words take longer to be written down than a token lives, and the account may have moved on: all of it anew. */
async function filled(transport: Transport, door: Door, made: Recovered): Promise<Sent> {
  const recovery = deriveRecovery(made.shown.code);
  const stage = await showCode(transport, recovery);
  const opened = await open(transport, door, made.shown.code, { ...stage, account: made.shown.account });
  try {
    return made.fill(transport.host, opened, stage.token, await askChallenge(transport, recovery));
  } finally {
    opened.keyring.forget();
  }
}

async function showCode(transport: Transport, recovery: RecoveryKeys): Promise<RecoveryStage> {
  const { rid, loginSeed } = recovery;
  const challenge = await askChallenge(transport, recovery);
  const sig = passphrase.signWithSeed(loginSeed, recoverMessage(transport.host, rid, challenge));
  return transport.ask("POST", FINISH, { body: { rid, challenge, sig } });
}

async function askChallenge(transport: Transport, { rid }: RecoveryKeys): Promise<Uint8Array> {
  return (await transport.ask("POST", START, { body: { rid } })).challenge;
}

async function open(transport: Transport, door: Door, code: Uint8Array, stage: RecoveryStage): Promise<Opened> {
  const { account, token } = stage;
  const pin = await door.meet();
  const given = await transport.ask("GET", KEYS, { token });
  const [keyring, state] = keychain.openRecovered(account, code, given, pin);
  return { keyring, state, identity: given.identity };
}

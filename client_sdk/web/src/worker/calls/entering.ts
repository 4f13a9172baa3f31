// What the page asks of the worker about getting in, staying in and leaving.
// Knows: which call leads to which step of the client. Refuses to know: how a secret is proven, and the page.

import { formatB64url, parseB64url } from "../../crypto_core/encoding.js";
import { OutOfOrder } from "../../crypto_core/errors.js";
import * as passphrase from "../../crypto_core/sealing/passphrase.js";
import type { VaultClient } from "../../sdk/client.js";
import { Credentials, type NewAccount, type RecoveryWords } from "../../sdk/keychain.js";
import type { Shown } from "../../sdk/recovering.js";
import type { Answering } from "../answering.js";
import type { EnteringApi, Opening } from "../api.js";

/** New credentials between their words and the first opening. `send` is done once. */
interface Made {
  readonly of: Pick<NewAccount, "login" | "recoveryWords">;
  readonly send: (client: VaultClient) => Promise<unknown>;
  readonly username: string;
  readonly pinLogin: passphrase.PinLogin;
  isSent: boolean;
}

export function enteringCalls(by: Answering): EnteringApi {
  let made: Made | null = null;
  let shown: Shown | null = null;
  let renewed: RecoveryWords | null = null;
  by.atLock.push(() => (made = shown = renewed = null));
  const requireMade = (): Made => {
    if (made === null) throw new OutOfOrder("no account was made");
    return made;
  };
  const sendMade = (): Promise<Opening> => by.enter(async (client) => {
    const one = requireMade();
    if (!one.isSent) await one.send(client);
    one.isSent = true;
    const opening = await client.enterNew(one.of, one.username, one.pinLogin);
    made = shown = null;
    return by.entered(opening);
  });
  return {
    requireNew: (typed) => by.ask(() => {
      if (typed.username !== undefined) passphrase.normaliseUsername(typed.username, true);
      if (typed.password !== undefined) passphrase.normalisePassword(typed.password, true);
      if (typed.pin !== undefined) passphrase.normalisePin(typed.pin, true, new Date().getUTCFullYear());
    }),

    makeAccount: ({ username, password, pin }, language) => by.enter(async (client) => {
      made = null;
      const account = await client.makeAccount(new Credentials(username, password, pin), language);
      const pinLogin = passphrase.derivePinLogin(account.login.kPl, parseB64url(account.account), pin);
      made = { of: account, send: (again) => again.register(account), username, pinLogin, isSent: false };
      return account.recoveryWords.split(" ");
    }),

    checkWords: (places, words) => by.ask(() => {
      const given = (renewed?.text ?? requireMade().of.recoveryWords).split(" ").map(bare);
      return places.length === words.length && places.every((place, at) => given[place] === bare(words[at] ?? ""));
    }),

    register: sendMade,

    showRecovery: (words) => by.enter(async (client) => {
      made = shown = null;
      const found = await client.showRecovery(words);
      const { begun, due, isDue } = found;
      if (isDue) shown = found;
      return { begun, due, isDue };
    }),

    makeRecovered: ({ username, password, pin }, language) => by.enter(async (client) => {
      made = null;
      if (shown === null) throw new OutOfOrder("no words were shown that are due");
      const recovered = await client.makeRecovered(shown, new Credentials(username, password, pin), language);
      const pinLogin = recovered.derivePinLogin();
      made = { of: recovered, send: (again) => again.recover(recovered), username, pinLogin, isSent: false };
      return recovered.recoveryWords.split(" ");
    }),

    recover: sendMade,

    pendingRecovery: () => by.ask((client) => client.account.pendingRecovery()),

    stopRecovery: (password, pin) => by.enter((client) => client.account.stopRecovery(password, pin)),

    recoveryWait: () => by.ask((client) => client.account.recoveryWait()),

    setRecoveryWait: (password, pin, wait) =>
      by.enter((client) => client.account.setRecoveryWait(password, pin, wait)),

    logIn: ({ username, password, pin }) => by.enter(async (client) => {
      made = shown = null;
      return by.entered(await client.logIn(new Credentials(username, password, pin)));
    }),

    stepUp: (pin) => by.ask(async (client) => {
      await client.stepUp(pin);
      await by.count(client);
      by.finish();
    }),

    dropSensitive: () => by.ask((client) => client.dropSensitive()),

    lock: () => by.lock(),

    makeWords: (language) => by.ask(async (client) => {
      renewed = await client.account.makeWords(language);
      return renewed.text.split(" ");
    }),

    changeCredentials: (now, next, renew) => by.enter(async (client) => {
      if (renew && renewed === null) throw new OutOfOrder("no words were made");
      const typed = new Credentials(next.username, next.password, next.pin);
      await client.account.changeCredentials(now.password, now.pin, typed, renew ? renewed : null);
      renewed = null;
    }),

    erase: (password, pin) => by.erase(password, pin),

    acceptTrust: (password, pin) => by.enter(async (client) => {
      const settled = await client.account.acceptTrust(password, pin);
      by.finish();
      return { ...settled, left: settled.left?.code ?? null };
    }),

    restorations: () => by.ask(async (client) =>
      (await client.restorations()).map(({ time, size, was }) => ({ time, size, was }))),

    reopenPin: (username, password, words) => by.enter((client) => client.reopenPin(username, password, words)),

    sessions: () => by.ask(async (client) => (await client.account.sessions()).map((one) => ({
      id: formatB64url(one.session), begun: one.opened, lastUsed: one.last_used, mine: one.current,
    }))),

    endOtherSessions: (password, pin) => by.enter((client) => client.account.endOtherSessions(password, pin)),
  };
}

/** A word without its case and accents. */
function bare(word: string): string {
  return word.normalize("NFKD").replace(/\p{M}/gu, "").trim().toLowerCase();
}

// What the page asks of the worker about getting in, staying in and leaving.
// Knows: which call leads to which step of the client. Refuses to know: how a secret is proven, and the page.

import { formatB64url, parseB64url } from "../../crypto_core/encoding.js";
import { OutOfOrder } from "../../crypto_core/errors.js";
import * as passphrase from "../../crypto_core/sealing/passphrase.js";
import { Credentials, type NewAccount } from "../../sdk/keychain.js";
import type { Answering } from "../answering.js";
import type { EnteringApi } from "../api.js";

/** A new account between its words and its first opening. */
interface Made {
  readonly account: NewAccount;
  readonly username: string;
  readonly pinLogin: passphrase.PinLogin;
  isRegistered: boolean;
}

export function enteringCalls(by: Answering): EnteringApi {
  let made: Made | null = null;
  by.atLock.push(() => (made = null));
  const requireMade = (): Made => {
    if (made === null) throw new OutOfOrder("no account was made");
    return made;
  };
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
      made = { account, username, pinLogin, isRegistered: false };
      return account.recoveryWords.split(" ");
    }),

    checkWords: (places, words) => by.ask(() => {
      const given = requireMade().account.recoveryWords.split(" ").map(bare);
      return places.length === words.length && places.every((place, at) => given[place] === bare(words[at] ?? ""));
    }),

    register: () => by.enter(async (client) => {
      const one = requireMade();
      if (!one.isRegistered) await client.register(one.account);
      one.isRegistered = true;
      const opening = await client.enterNew(one.account, one.username, one.pinLogin);
      made = null;
      return by.entered(opening);
    }),

    logIn: ({ username, password, pin }) => by.enter(async (client) => {
      made = null;
      return by.entered(await client.logIn(new Credentials(username, password, pin)));
    }),

    stepUp: (pin) => by.ask(async (client) => {
      await client.stepUp(pin);
      await by.count(client);
      by.finish();
    }),

    dropSensitive: () => by.ask((client) => client.dropSensitive()),

    lock: () => by.lock(),

    changeCredentials: (now, next) => {
      const typed = new Credentials(next.username, next.password, next.pin);
      return by.enter((client) => client.account.changeCredentials(now.password, now.pin, typed));
    },

    erase: (password, pin) => by.erase(password, pin),

    acceptTrust: (password, pin) => by.enter((client) => client.account.acceptTrust(password, pin)),

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

// From what a person types to what opens their account, and back: pairs that undo each other, and refusals.
import fc from "fast-check";
import { inspect } from "node:util";
import * as v from "valibot";
import { beforeAll, describe, expect, test } from "vitest";

import { formatB64url, formatJson, parseB64url, parseJson } from "../src/crypto_core/encoding.js";
import { MalformedError, SecretRefused, TamperedError, UnsupportedVersion } from "../src/crypto_core/errors.js";
import { makeBytes, makeId } from "../src/crypto_core/randomness.js";
import { SignerKey, formatVkey } from "../src/crypto_core/receipts/note.js";
import { verifyEd25519 } from "../src/crypto_core/receipts/signatures.js";
import { Keyring, NeedsPin } from "../src/crypto_core/sealing/keyring.js";
import * as passphrase from "../src/crypto_core/sealing/passphrase.js";
import { sealAccountRecord } from "../src/crypto_core/sealing/records.js";
import { readyWords } from "../src/crypto_core/sealing/recovery.js";
import { ready } from "../src/crypto_core/sodium.js";
import { registerMessage } from "../src/crypto_core/signed_requests.js";
import { Register, type OpenStage } from "../src/schemas/accounts.js";
import { sha256 } from "../src/sdk/digest.js";
import { ArgonChanged } from "../src/sdk/errors.js";
import { Pin } from "../src/sdk/home.js";
import * as keychain from "../src/sdk/keychain.js";
import { Credentials, type NewAccount } from "../src/sdk/keychain.js";
import { QUICK, somebody } from "./memory_device.js";
import { runs } from "./runs.js";

let pin: Pin;
beforeAll(async () => {
  await Promise.all([ready(), readyWords()]);
  const vkey = (name: string): string => formatVkey(new SignerKey(name, makeBytes(32)).verifier);
  pin = new Pin(formatB64url(makeId()), vkey("ledger/test"), vkey("directory/test"));
});

interface Made {
  readonly typed: Credentials;
  readonly account: NewAccount;
  readonly sent: Register;
}

async function make(typed: Credentials = somebody()): Promise<Made> {
  const account = await keychain.makeAccount(typed, pin, "english", 2026, QUICK);
  account.fill(makeBytes(32));
  return { typed, account, sent: v.parse(Register, parseJson(account.sent!)) };
}

/** What a login opens from what a sign-up sent. */
async function opened({ typed, account, sent }: Made): Promise<Keyring> {
  const login = await typed.stretch(pin.vaultId, QUICK);
  const id = parseB64url(account.account);
  const pinLogin = passphrase.derivePinLogin(login.kPl, id, typed.pin);
  const stage = { share_N: sent.share_N, W_N: sent.W_N, epoch: 1, pin_epoch: 1 } as OpenStage;
  const mkN = keychain.openMaster(login, pinLogin, account.account, stage);
  const { facts } = keychain.openAccountState(mkN, account.account, 1, sent.account_record);
  return new Keyring(id, mkN, login.kPs, 1, 1, facts.pk_S);
}

function stepUp(keyring: Keyring, { typed, sent }: Made): void {
  const step = passphrase.derivePinStep(keyring.kPs, keyring.account, keyring.pinEpoch, typed.pin);
  const answer = { share_S: sent.share_S, W_S: sent.W_S, epoch: keyring.epoch, pin_epoch: keyring.pinEpoch };
  keychain.openSensitive(keyring, step, answer, sent.drop_box);
}

test("what a sign-up sends opens with what was typed, and with nothing else", async () => {
  const made = await make();
  const keyring = await opened(made);
  stepUp(keyring, made);
  expect(keyring.sensitiveOpen).toBe(true);
  const { username, password } = made.typed;
  await expect(opened({ ...made, typed: new Credentials(username, password, "805194") })).rejects.toThrow(TamperedError);
  await expect(opened({ ...made, typed: new Credentials(username, `${password}x`, "805193") })).rejects.toThrow(TamperedError);
  expect(passphrase.derivePublic(made.account.login.loginSeed)).toEqual(made.sent.login_pk);
});

test("a sign-up is signed over its exact bytes, again the same after a lost answer", async () => {
  const { account, sent } = await make();
  const message = registerMessage("vault.example", sent.challenge, account.sent!);
  verifyEd25519(sent.login_pk, message, account.sign("vault.example"));
  const before = account.sent;
  expect(account.sign("vault.example")).toEqual(account.sign("vault.example"));
  expect(account.sent).toBe(before);
  account.fill(null);
  expect(() => account.sign("vault.example")).toThrow(RangeError);
});

test("what a device computes wrongly locks nothing", async () => {
  let count = 0;
  const wrong: keychain.Stretch = async (username, password, vaultId) => {
    count += 1;
    return count === 2 ? new passphrase.Stretched(makeBytes(32)) : QUICK(username, password, vaultId);
  };
  await expect(keychain.makeAccount(somebody(), pin, "english", 2026, wrong)).rejects.toThrow(passphrase.ArgonWrong);
});

test("a new account may not have what is guessed first, and nothing is stretched for it", async () => {
  const never: keychain.Stretch = () => Promise.reject(new Error("stretched"));
  for (const typed of [
    new Credentials("ana", "a long walk by the quiet river", "1234"), new Credentials("ana", "short", "805193"),
    new Credentials("", "a long walk by the quiet river", "805193"),
  ]) {
    await expect(keychain.makeAccount(typed, pin, "english", 2026, never)).rejects.toThrow(SecretRefused);
  }
});

test("a vault that expects other parameters of Argon2id is not asked for anything", () => {
  keychain.requireArgon(passphrase.NEWEST_ARGON);
  expect(() => keychain.requireArgon(passphrase.NEWEST_ARGON + 1)).toThrow(ArgonChanged);
});

test("nothing that was typed or made is shown by what holds it", async () => {
  const made = await make();
  for (const one of [made.typed, made.account]) {
    const told = `${inspect(one, { depth: 9 })} ${JSON.stringify(one)} ${String(one)}`;
    for (const secret of [made.typed.username, made.typed.password, made.typed.pin, made.account.recoveryWords]) {
      expect(told).not.toContain(secret);
    }
  }
});

describe("an account record", () => {
  test("comes back as it was sealed, for its number and account alone", async () => {
    const made = await make();
    const { mkN } = await opened(made);
    const id = made.account.account;
    const first = keychain.openAccountState(mkN, id, 1, made.sent.account_record);
    fc.assert(fc.property(fc.integer({ min: 2, max: 2 ** 40 }), fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 20 }), (n, heads) => {
      const facts = { ...first.facts, n, previous: sha256(first.blob), heads: heads.map((one) => Uint8Array.from(one)) };
      const blob = keychain.sealAccountState(mkN, id, facts);
      const state = keychain.openAccountState(mkN, id, n, blob);
      expect(state.facts).toEqual(facts);
      expect([state.n, state.hash]).toEqual([n, formatB64url(sha256(blob))]);
      expect(() => keychain.openAccountState(mkN, id, n + 1, blob)).toThrow(TamperedError);
      expect(() => keychain.openAccountState(mkN, formatB64url(makeId()), n, blob)).toThrow(TamperedError);
      expect(keychain.isEarlierAccountState(mkN, id, n + 5, blob)).toBe(true);
      expect(keychain.isEarlierAccountState(mkN, id, n, blob)).toBe(false);
    }), { numRuns: runs(10) });
  });

  test("that is none, or of a newer version, is told apart", async () => {
    const made = await make();
    const { mkN, account } = await opened(made);
    const open = (json: unknown) => keychain.openAccountState(
      mkN, made.account.account, 1, sealAccountRecord(mkN, account, 1, formatJson(json)));
    const { facts } = keychain.openAccountState(mkN, made.account.account, 1, made.sent.account_record);
    expect(() => open({ v: 2, unheard: "of" })).toThrow(UnsupportedVersion);
    expect(() => open({})).toThrow(UnsupportedVersion);
    for (const json of [[], null, "text", { v: 1 }, { v: 1, n: 1 }]) expect(() => open(json)).toThrow(MalformedError);
    const other = keychain.sealAccountState(mkN, made.account.account, { ...facts, n: 2 });
    expect(() => keychain.openAccountState(mkN, made.account.account, 1, other)).toThrow(TamperedError);
    expect(() => keychain.openAccountState(mkN, made.account.account, 1, makeBytes(1096))).toThrow(TamperedError);
    expect(() => keychain.openAccountState(mkN, made.account.account, 1, new Uint8Array())).toThrow(MalformedError);
  });

  test("is followed by the next, which names its hash; one that says nothing is not written over", async () => {
    const made = await make();
    const { mkN } = await opened(made);
    const first = keychain.openAccountState(mkN, made.account.account, 1, made.sent.account_record);
    const head = formatB64url(makeBytes(32));
    const epochs = { epoch: 7, pinEpoch: 8 };
    const facts = keychain.nextFacts(first, pin, [head], epochs);
    expect([facts.n, formatB64url(facts.previous!), facts.heads.map(formatB64url)]).toEqual([2, first.hash, [head]]);
    expect(facts).toMatchObject({ epoch: 7, pin_epoch: 8 });
    const silent = new keychain.AccountState(2, makeBytes(1096));
    expect(() => keychain.nextFacts(silent, pin, [], epochs)).toThrow(UnsupportedVersion);
  });

  test("that is lost is restored from what else is sealed", async () => {
    const made = await make();
    const keyring = await opened(made);
    const first = keychain.openAccountState(keyring.mkN, made.account.account, 1, made.sent.account_record);
    expect(keychain.restoreAccountFacts(keyring, pin, made.sent.identity)).toEqual(first.facts);
  });
});

test("a change of credentials opens the same keys with the new pair, and needs the PIN", async () => {
  const made = await make();
  const keyring = await opened(made);
  const state = keychain.openAccountState(keyring.mkN, made.account.account, 1, made.sent.account_record);
  const typed = new Credentials("someone else", "a boat on the wide lake", "8051937");
  const login = await typed.stretch(pin.vaultId, QUICK);
  const change = () => keychain.makeChange(login, typed.pin, keyring, state, pin, [], false);
  expect(change).toThrow(NeedsPin);
  stepUp(keyring, made);
  const { fields } = change();
  expect(fields).toMatchObject({ epoch: 2, expected_epoch: 1, pin_epoch: 2, n: 2, recovery: null });
  const pinLogin = passphrase.derivePinLogin(login.kPl, keyring.account, typed.pin);
  const stage = { share_N: fields.share_N, W_N: fields.W_N, epoch: 2, pin_epoch: 2 } as OpenStage;
  const mkN = keychain.openMaster(login, pinLogin, made.account.account, stage);
  expect(mkN).toEqual(keyring.mkN);
  const again = new Keyring(keyring.account, mkN, login.kPs, 2, 2, keyring.pkS);
  const step = passphrase.derivePinStep(login.kPs, keyring.account, 2, typed.pin);
  keychain.openSensitive(again, step, { share_S: fields.share_S, W_S: fields.W_S, epoch: 2, pin_epoch: 2 }, fields.drop_box);
  expect([again.mkS, again.skS]).toEqual([keyring.mkS, keyring.skS]);
  expect(keychain.makeChange(login, typed.pin, keyring, state, pin, [], true).fields.pin_epoch).toBe(1);
});

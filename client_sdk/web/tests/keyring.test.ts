// The life of a keyring: made at sign-up, opened at login, stepped up, dropped, forgotten; that no secret shows itself;
// and that what TypeScript seals is, byte for byte, what Python sealed.

import { argon2Sync } from "node:crypto";
import { inspect } from "node:util";

import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import commonPins from "../../../crypto_core/sealing/common_pins.json";
import { OutOfOrder, SecretRefused, TamperedError, UnsupportedVersion } from "../src/crypto_core/errors.js";
import { Kind } from "../src/crypto_core/labels.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import {
  Credentials, isSensitive, Keyring, makeKeyring, NeedsPin, RECORD_WRAP_SIZE, unwrapRecordKey, wrapForCredentials,
  wrapRecordKey, type NewVault,
} from "../src/crypto_core/sealing/keyring.js";
import * as keys from "../src/crypto_core/sealing/keys.js";
import * as passphrase from "../src/crypto_core/sealing/passphrase.js";
import * as records from "../src/crypto_core/sealing/records.js";
import {
  deriveRecovery, formatWords, LANGUAGES, makeRecoveryKey, parseWords, readyWords,
} from "../src/crypto_core/sealing/recovery.js";
import { ready, sodium } from "../src/crypto_core/sodium.js";
import { runs } from "./runs.js";
import { ANY_SIGN } from "./signs.js";
import { bytesOf, readFacts, sha256Hex, toHex, type Fact } from "./vectors.js";

const { normalisePassword, normalisePin, normaliseUsername, stretch } = passphrase;
const ACCOUNT = Uint8Array.from({ length: 16 }, (_, i) => i);
const ITEM = ACCOUNT.toReversed();
let recoveryKey: Uint8Array;
let shareR: Uint8Array;
let credentials: Credentials;
let vault: NewVault;

/** Those of a password, without the cost of Argon2id. */
function makeCredentials(pin: string, pinEpoch: number): Credentials {
  const login = passphrase.deriveLogin(new passphrase.Stretched(makeBytes(32)));
  return new Credentials(
    login, passphrase.derivePinLogin(login.kPl, ACCOUNT, pin),
    passphrase.derivePinStep(login.kPs, ACCOUNT, pinEpoch, pin), makeBytes(32), makeBytes(32),
  );
}

function kekSOf(keyring: Keyring, given = credentials): Uint8Array {
  return keys.deriveKekS(keyring.mkN, given.pinStep.wrapping, given.shareS);
}

function stepUp(keyring = vault.keyring): void {
  keyring.unlockSensitive(kekSOf(keyring), vault.wS, vault.dropBox);
}

beforeAll(() => Promise.all([ready(), readyWords()]));
beforeEach(() => {
  [recoveryKey, shareR, credentials] = [makeRecoveryKey(), makeBytes(32), makeCredentials("4927", 1)];
  vault = makeKeyring(ACCOUNT, credentials, recoveryKey, shareR);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("a keyring", () => {
  test("sizes of what sign-up sends", () => {
    for (const wrap of [vault.wN, vault.wS, vault.wRn, vault.wRs, vault.identitySign, vault.identityBox]) {
      expect(wrap).toHaveLength(keys.WRAPPED_KEY_SIZE);
    }
    expect(vault.dropBox).toHaveLength(keys.DROP_BOX_SIZE);
    expect([vault.keyring.epoch, vault.keyring.pinEpoch]).toEqual([1, 1]);
  });

  test("login and step-up open what sign-up made", () => {
    const kekN = keys.deriveKekN(credentials.login.kPw, credentials.pinLogin.wrapping, credentials.shareN);
    const mkN = keys.unwrapMaster(kekN, "mk-n", ACCOUNT, 1, vault.wN);
    const again = new Keyring(ACCOUNT, mkN, credentials.login.kPs, 1, 1, vault.keyring.pkS);
    expect([toHex(again.mkN), toHex(again.kPs)]).toEqual([toHex(vault.keyring.mkN), toHex(vault.keyring.kPs)]);
    stepUp(again);
    expect([again.sensitiveOpen, vault.keyring.sensitiveOpen]).toEqual([true, false]);
    const signSeed = keys.openIdentity(mkN, Kind.IDENTITY_SIGN, ACCOUNT, vault.identitySign);
    const boxSeed = keys.openIdentity(mkN, Kind.IDENTITY_BOX, ACCOUNT, vault.identityBox);
    expect(toHex(passphrase.derivePublic(signSeed))).toBe(toHex(vault.pkSign));
    expect(toHex(keys.deriveBox(boxSeed)[0])).toBe(toHex(vault.pkBox));
  });

  test("the recovery code opens both tiers", () => {
    const kekR = keys.deriveKekR(recoveryKey, shareR);
    expect(toHex(keys.unwrapMaster(kekR, "rec-n", ACCOUNT, 1, vault.wRn))).toBe(toHex(vault.keyring.mkN));
    const mkS = keys.unwrapMaster(kekR, "rec-s", ACCOUNT, 1, vault.wRs);
    expect(toHex(keys.openDropBox(mkS, ACCOUNT, 1, vault.dropBox)[0])).toBe(toHex(vault.keyring.pkS));
  });

  test("a sensitive key is added without the PIN and read with it", () => {
    const [keyring, key] = [vault.keyring, records.makeRecordKey()];
    const wrap = wrapRecordKey(keyring, ITEM, 1, key, true);
    expect(wrap).toHaveLength(RECORD_WRAP_SIZE);
    expect(isSensitive(keyring, ITEM, 1, wrap)).toBe(true);
    expect(() => unwrapRecordKey(keyring, ITEM, 1, wrap)).toThrow(NeedsPin);
    stepUp();
    expect(unwrapRecordKey(keyring, ITEM, 1, wrap)).toEqual([key, true]);
    keyring.dropSensitive();
    expect(() => unwrapRecordKey(keyring, ITEM, 1, wrap)).toThrow(NeedsPin);
  });

  test("new credentials leave the master keys", () => {
    const { keyring } = vault;
    const changed = makeCredentials("8350", 2);
    stepUp();
    const wraps = wrapForCredentials(changed, ACCOUNT, 2, keyring.mkN, keyring.mkS);
    const dropBox = keys.sealDropBox(keyring.mkS, ACCOUNT, 2, keyring.pkS, keyring.skS);
    const kekN = keys.deriveKekN(changed.login.kPw, changed.pinLogin.wrapping, changed.shareN);
    const mkN = keys.unwrapMaster(kekN, "mk-n", ACCOUNT, 2, wraps.normal);
    const later = new Keyring(ACCOUNT, mkN, changed.login.kPs, 2, 2, keyring.pkS);
    expect(() => later.unlockSensitive(kekSOf(later), wraps.sensitive, dropBox)).toThrow(TamperedError);
    later.unlockSensitive(kekSOf(later, changed), wraps.sensitive, dropBox);
    expect([later.mkN, later.mkS, later.skS].map(toHex)).toEqual([keyring.mkN, keyring.mkS, keyring.skS].map(toHex));
    keyring.renew(changed.login.kPs, 2, 2);
    expect([keyring.epoch, keyring.pinEpoch, toHex(keyring.kPs)]).toEqual([2, 2, toHex(changed.login.kPs)]);
    expect(toHex(keyring.mkN)).toBe(toHex(mkN));
  });

  test("a failed step-up leaves the tier closed", () => {
    for (const [kekS, wS] of [[new Uint8Array(32), vault.wS], [kekSOf(vault.keyring), vault.wN]] as const) {
      expect(() => vault.keyring.unlockSensitive(kekS, wS, vault.dropBox)).toThrow(TamperedError);
      expect(vault.keyring.sensitiveOpen).toBe(false);
    }
  });

  test("another drop-box than the account record's stops the client", () => {
    const keyring = new Keyring(ACCOUNT, vault.keyring.mkN, credentials.login.kPs, 1, 1, makeBytes(32));
    expect(() => stepUp(keyring)).toThrow(/account record/);
    expect(keyring.sensitiveOpen).toBe(false);
  });

  test("of an account record that could not be read learns the drop-box's key from the drop-box, with the PIN", () => {
    const keyring = new Keyring(ACCOUNT, vault.keyring.mkN, credentials.login.kPs, 1, 1, null);
    const key = records.makeRecordKey();
    expect(() => keyring.pkS).toThrow(NeedsPin);
    expect(() => wrapRecordKey(keyring, ITEM, 1, key, true)).toThrow(NeedsPin);
    const wrap = wrapRecordKey(vault.keyring, ITEM, 1, key, true);
    expect(isSensitive(keyring, ITEM, 1, wrap)).toBe(true);
    expect(() => unwrapRecordKey(keyring, ITEM, 1, wrap)).toThrow(NeedsPin);
    stepUp(keyring);
    expect(unwrapRecordKey(keyring, ITEM, 1, wrap)).toEqual([key, true]);
    keyring.dropSensitive();
    expect(toHex(keyring.pkS)).toBe(toHex(vault.keyring.pkS));
    keyring.pkS = makeBytes(32); // a record that was read since names another
    expect(() => stepUp(keyring)).toThrow(/account record/);
    expect(() => (keyring.pkS = makeBytes(31))).toThrow(RangeError);
  });

  test("a forgotten one gives nothing, and what it held is overwritten", () => {
    const { keyring } = vault;
    const kekS = kekSOf(keyring);
    stepUp();
    const isZero = (key: Uint8Array) => key.every((byte) => byte === 0);
    const given = [keyring.mkN, keyring.kPs, keyring.mkS, keyring.skS, credentials.login.kPs];
    const overwritten = vi.spyOn(sodium, "memzero");
    keyring.forget();
    expect(overwritten.mock.calls.map(([key]) => [key.length, isZero(key)])).toEqual(Array(4).fill([32, true]));
    expect(given.filter(isZero), "what others hold stays what it was").toEqual([]);
    expect(keyring.sensitiveOpen).toBe(false);
    for (const use of [
      () => keyring.mkN,
      () => keyring.kPs,
      () => keyring.mkS,
      () => keyring.skS,
      () => wrapRecordKey(keyring, ITEM, 1, new Uint8Array(32), true),
      () => keyring.unlockSensitive(kekS, vault.wS, vault.dropBox),
    ]) {
      expect(use).toThrow(OutOfOrder);
    }
  });
});

test("no secret shows itself", () => {
  stepUp();
  const { keyring } = vault;
  const stretched = new passphrase.Stretched(makeBytes(32));
  const recovery = deriveRecovery(recoveryKey);
  const { login, pinLogin, pinStep } = credentials;
  const secrets = [
    keyring.mkN, keyring.kPs, keyring.mkS, keyring.skS, login.loginSeed, login.kPw, login.kPl, login.kPs, pinLogin.tag,
    pinLogin.wrapping, pinStep.tag, pinStep.wrapping, credentials.shareN, credentials.shareS, stretched.raw,
    recovery.loginSeed, recovery.wrapKey,
  ];
  for (const one of [vault, keyring, credentials, login, stretched, recovery]) {
    const shown = [JSON.stringify(one), inspect(one, { depth: 9 }), String(one), inspect(structuredClone({ ...one }))];
    for (const secret of secrets) {
      const bytes = [...secret.subarray(0, 8)];
      const named = bytes.map((byte, at) => `"${at}":${byte}`).join(",");
      const start = new RegExp(`${toHex(secret)}|${bytes.join(",\\s*")}|${named}`);
      expect(shown.filter((text) => start.test(text))).toEqual([]);
    }
  }
});

describe("Argon2id", () => {
  test("passes its self-test, whose answer OpenSSL gives too", () => {
    const hashed = vi.spyOn(sodium, "crypto_pwhash");
    passphrase.selfTestArgon();
    const [size, secret, salt, passes, memory] = hashed.mock.calls[0]!;
    const other = argon2Sync("argon2id", {
      message: secret as Uint8Array, nonce: salt, passes, memory: memory / 1024, parallelism: 1, tagLength: size,
    });
    expect(toHex(hashed.mock.results[0]!.value as Uint8Array)).toBe(toHex(other));
    const newest = passphrase.ARGON_SETS.get(passphrase.NEWEST_ARGON)!;
    expect([passes, memory]).toEqual([newest.ops, newest.memBytes]);
  });

  test("a browser that computes wrong keys is found out", () => {
    vi.spyOn(sodium, "crypto_pwhash").mockImplementation((() => new Uint8Array(32)) as never);
    expect(() => passphrase.selfTestArgon()).toThrow(passphrase.ArgonWrong);
  });

  test("too little memory is said", () => {
    vi.spyOn(sodium, "crypto_pwhash").mockImplementation(() => {
      throw new Error("invalid usage");
    });
    expect(() => stretch("anna", "korrekt Pferd", ACCOUNT)).toThrow(passphrase.NotEnoughMemory);
    expect(() => passphrase.selfTestArgon()).toThrow(passphrase.NotEnoughMemory);
  });

  test("has a floor, known sets, and a vault of 16 bytes", () => {
    for (const cost of passphrase.ARGON_SETS.values()) {
      expect(cost.ops).toBeGreaterThanOrEqual(3);
      expect(cost.memBytes).toBeGreaterThanOrEqual(64 * passphrase.MIB);
    }
    expect(() => stretch("anna", "korrekt Pferd", ACCOUNT, passphrase.NEWEST_ARGON + 1)).toThrow(UnsupportedVersion);
    for (const size of [0, 15, 17]) {
      expect(() => stretch("anna", "korrekt Pferd", new Uint8Array(size))).toThrow(RangeError);
      expect(() => passphrase.derivePinLogin(ACCOUNT, new Uint8Array(size), "4927")).toThrow(RangeError);
    }
  });
});

describe("what a person types", () => {
  const tricky = "aA\u00df\u1e9e\u03a3\u03c2\u0130\u0131\ufb01\u00a0\ufeff\u0345\u0301\u0308\u1fb3\u2126 \u3000";
  const texts = fc.oneof(
    fc.string({ unit: fc.constantFrom(...tricky), maxLength: 20 }), fc.string({ unit: "grapheme", maxLength: 70 }),
    fc.string({ unit: ANY_SIGN, maxLength: 70 }),
  );
  const orRefused = (normalise: (text: string, signUp?: boolean) => string, text: string, signUp = false) => {
    try {
      return normalise(text, signUp);
    } catch (error) {
      expect(error).toBeInstanceOf(SecretRefused);
      return null;
    }
  };
  const normalisers = [normaliseUsername, normalisePassword, normalisePin] as const;

  test.each(normalisers)("%o: twice is once, and sign-up only refuses", (normalise) => {
    fc.assert(fc.property(texts, fc.boolean(), (text, signUp) => {
      const once = orRefused(normalise, text, signUp);
      if (once !== null) {
        expect(normalise(once, signUp)).toBe(once);
        expect(normalise(text)).toBe(once);
      }
    }), { numRuns: runs(500) });
  });

  test("canonically equal texts are one secret", () => {
    fc.assert(fc.property(texts, fc.constantFrom("NFC", "NFD"), (text, form) => {
      for (const normalise of [normaliseUsername, normalisePassword]) {
        expect(orRefused(normalise, text)).toBe(orRefused(normalise, text.normalize(form)));
      }
    }), { numRuns: runs(500) });
  });

  test("a hundred common PINs, and every year of birth, are refused at sign-up alone", () => {
    expect(new Set(commonPins).size).toBe(100);
    for (const pin of [...commonPins, ...Array.from({ length: 127 }, (_, year) => String(1900 + year))]) {
      expect(normalisePin(pin)).toBe(pin);
      expect(() => normalisePin(pin, true, 2026)).toThrow(SecretRefused);
      expect(() => normalisePin(pin, true)).toThrow(SecretRefused);
    }
  });

  test("refusals name the rule and never the value", () => {
    const value = "zq".repeat(600);
    for (const refused of [
      () => normaliseUsername(value), () => normalisePassword(value), () => normalisePin("zq12"),
      () => parseWords(value), () => parseWords("zq ".repeat(24)),
    ]) {
      expect(refused).toThrow(SecretRefused);
      expect(refused).not.toThrow(/zq/);
    }
  });

  test("a PIN is bound to account, epoch and purpose", () => {
    const key = new Uint8Array(32);
    const [login, step] = [passphrase.derivePinLogin, passphrase.derivePinStep];
    const made = [
      login(key, ACCOUNT, "4927").tag, login(key, ACCOUNT, "4928").tag, login(key, new Uint8Array(16), "4927").tag,
      login(key, ACCOUNT, "4927").wrapping, step(key, ACCOUNT, 1, "4927").tag, step(key, ACCOUNT, 2, "4927").tag,
      step(key, ACCOUNT, 1, "4927").wrapping,
    ];
    expect(new Set(made.map(toHex)).size).toBe(7);
  });

  test("the words of a code give it back, however they are typed", () => {
    const spoilt = [
      (words: string) => words,
      (words: string) => words.toUpperCase().normalize("NFD"),
      (words: string) => words.normalize("NFD").replace(/\p{M}/gu, ""),
      (words: string) => words.split(" ").map((word, at) => `${at + 1}. ${word}\n`).join(""),
    ];
    fc.assert(fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom(...LANGUAGES), fc.constantFrom(...spoilt),
      (key, language, spoil) => {
        const words = formatWords(key, language);
        expect(words.split(" ")).toHaveLength(24);
        expect(words).toBe(words.normalize("NFC"));
        expect(toHex(parseWords(spoil(words)))).toBe(toHex(key));
      },
    ));
  });

  test("an unknown word is told by its number", () => {
    expect(() => parseWords(`${"abandon ".repeat(6)}qwerty ${"abandon ".repeat(17)}`)).toThrow(/word 7 /);
    expect(() => parseWords(`${"abaisser ".repeat(23)}qwerty`)).toThrow(/word 24 /);
  });
});

test("a link names at most 16 parents, each a hash", () => {
  const hash = new Uint8Array(32);
  const link = { accountN: 0n, recordHash: hash, parents: Array.from({ length: 16 }, () => hash) };
  expect(records.sealLink(hash, ITEM, 1, link)).toHaveLength(records.LINK_SIZE);
  for (const wrong of [{ parents: [...link.parents, hash] }, { parents: [ITEM] }, { recordHash: ITEM }]) {
    expect(() => records.formatLink({ ...link, ...wrong })).toThrow(RangeError);
  }
});

describe("given Python's salt, the bytes are Python's", () => {
  const FACTS = readFacts("sealing").filter(({ expect: expected }) => expected === "success");

  /** [what Python sealed, how TypeScript seals it], by op. */
  const SEALS: Readonly<Record<string, readonly [string, (i: Given, o: Given) => Uint8Array]>> = {
    unwrap_master: ["wrapped", (i, o) => (
      keys.wrapMaster(
        i.raw("kek"), i.text("which") as keys.MasterWrap, i.raw("account"), i.number("epoch"), o.raw("mk"),
      )
    )],
    open_identity: ["sealed", (i, o) => (
      keys.sealIdentity(i.raw("mk_n"), i.text("kind") as keys.IdentityKind, i.raw("account"), o.raw("seed"))
    )],
    open_drop_box: ["sealed", (i, o) => (
      keys.sealDropBox(i.raw("mk_s"), i.raw("account"), i.number("epoch"), o.raw("pk_s"), o.raw("sk_s"))
    )],
    open_record: ["blob", (i, o) => (
      records.sealRecord(i.raw("key"), i.raw("item"), i.number("revision"), o.raw("json"))
    )],
    open_account_record: ["blob", (i, o) => (
      records.sealAccountRecord(i.raw("mk_n"), i.raw("account"), i.number("n"), o.raw("json"))
    )],
    open_device_state: ["sealed", (i, o) => (
      records.sealDeviceState(i.raw("mk_n"), i.text("name"), i.raw("account"), o.raw("data"))
    )],
    open_link: ["sealed", (i, o) => (
      records.sealLink(i.raw("mk_n"), i.raw("item"), i.number("revision"), records.parseLink(o.raw("plain")))
    )],
    unwrap_record_key: ["wrap", (i, o) => {
      const ring = new Keyring(ACCOUNT, i.raw("mk_n"), new Uint8Array(32), 1, 1, i.raw("pk_s"));
      return wrapRecordKey(ring, i.raw("item"), i.number("revision"), o.raw("key"), false);
    }],
  };

  class Given {
    readonly #values: Readonly<Record<string, unknown>>;

    constructor(values: Fact["outputs"]) {
      this.#values = values!;
    }

    raw(name: string): Uint8Array {
      return bytesOf(this.#values[name]);
    }

    text(name: string): string {
      return this.#values[name] as string;
    }

    number(name: string): number {
      return this.#values[name] as number;
    }
  }

  const sealable = FACTS.filter(({ op, outputs }) => op in SEALS && outputs!["sensitive"] !== true);

  test("each of those ops is among them", () => {
    expect(new Set(sealable.map(({ op }) => op))).toEqual(new Set(Object.keys(SEALS)));
  });

  test.each(sealable.map((fact) => [fact.name, fact] as const))("%s", (_, fact) => {
    const [name, sealing] = SEALS[fact.op]!;
    const [inputs, outputs] = [new Given(fact.inputs), new Given(fact.outputs)];
    const sealed = inputs.raw(name);
    const drawn = vi.spyOn(sodium, "randombytes_buf").mockImplementation(((size: number) => {
      expect(size).toBe(24);
      return sealed.slice(0, 24);
    }) as never);
    expect(sha256Hex(sealing(inputs, outputs))).toBe(sha256Hex(sealed));
    expect(drawn).toHaveBeenCalledOnce();
  });
});

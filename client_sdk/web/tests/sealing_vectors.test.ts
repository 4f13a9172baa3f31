// Runs every fact of tests/vectors/sealing, by its op, against crypto_core, as tests/unit/test_sealing_vectors.py does.

import { beforeAll, describe, expect, test } from "vitest";

import { derive, kek } from "../src/crypto_core/derivation.js";
import { decodeText, formatJson, parseB64url, parseJson, parseTime } from "../src/crypto_core/encoding.js";
import { TemoinError } from "../src/crypto_core/errors.js";
import { context, type Kind } from "../src/crypto_core/labels.js";
import * as directory from "../src/crypto_core/receipts/directory.js";
import { formatPolicy } from "../src/crypto_core/receipts/policy.js";
import { verifyEd25519 } from "../src/crypto_core/receipts/signatures.js";
import * as backup from "../src/crypto_core/sealing/backup.js";
import * as boxes from "../src/crypto_core/sealing/boxes.js";
import * as envelope from "../src/crypto_core/sealing/envelope.js";
import * as keyring from "../src/crypto_core/sealing/keyring.js";
import * as keys from "../src/crypto_core/sealing/keys.js";
import * as padding from "../src/crypto_core/sealing/padding.js";
import * as passphrase from "../src/crypto_core/sealing/passphrase.js";
import * as records from "../src/crypto_core/sealing/records.js";
import * as recovery from "../src/crypto_core/sealing/recovery.js";
import * as sharing from "../src/crypto_core/sealing/sharing.js";
import * as requests from "../src/crypto_core/signed_requests.js";
import { ready } from "../src/crypto_core/sodium.js";
import { bytesOf, countByOp, fromHex, joined, readFacts, sha256Hex, toHex, total, type Fact } from "./vectors.js";

/** The inputs of one fact, each asked for by its type. */
class Inputs {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  raw(name: string): Uint8Array {
    return bytesOf(this.any(name));
  }

  text<T extends string = string>(name: string): T {
    return this.any(name) as T;
  }

  number(name: string): number {
    const value = this.any(name) as number;
    expect(Number.isSafeInteger(value), `${name} is beyond what JSON.parse reads rightly`).toBe(true);
    return value;
  }

  flag(name: string): boolean {
    return this.any(name) as boolean;
  }

  fields(name: string): Uint8Array[] {
    return (this.any(name) as string[]).map(fromHex);
  }

  any(name: string): unknown {
    expect(this.#values).toHaveProperty([name]);
    return this.#values[name];
  }
}

type Outputs = Readonly<Record<string, unknown>>;
type Run = (given: Inputs) => Outputs | Promise<Outputs>;

async function gathered(blocks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const block of blocks) {
    pieces.push(block);
  }
  return joined(pieces);
}

function sealed(given: Inputs): Uint8Array {
  return envelope.seal(given.raw("key"), given.raw("context"), given.raw("message"), given.raw("salt"));
}

/** Parts [start, stop] of the sealed message, and other bytes in between. */
function pieces(given: Inputs): Uint8Array[] {
  const whole = sealed(given);
  return (given.any("pieces") as (string | [number, number])[]).map((piece) => (
    typeof piece === "string" ? fromHex(piece) : whole.slice(...piece)
  ));
}

async function openStream(given: Inputs): Promise<Outputs> {
  const [header, body] = await envelope.splitOff(pieces(given), envelope.HEADER_SIZE);
  const opener = new envelope.Opener(given.raw("key"), given.raw("context"), header);
  return { message: await gathered(envelope.openStream(opener, body)) };
}

function openRange(given: Inputs): Outputs {
  const whole = joined(pieces(given));
  const [start, stop] = [given.number("start"), given.number("stop")];
  const [sealedStart, sealedStop] = envelope.sealedRange(start, stop);
  const opener = new envelope.Opener(
    given.raw("key"), given.raw("context"), whole.subarray(0, envelope.HEADER_SIZE),
  );
  const data = envelope.openRange(opener, start, stop, whole.subarray(sealedStart, sealedStop), whole.length);
  return { data, sealed_start: sealedStart, sealed_stop: sealedStop };
}

function loginChain(given: Inputs): Outputs {
  const account = given.raw("account");
  const pin = given.text("pin");
  const st = passphrase.stretch(
    given.text("username"), given.text("password"), given.raw("vault_id"), given.number("argon_set"),
  );
  const login = passphrase.deriveLogin(st);
  const byLogin = passphrase.derivePinLogin(login.kPl, account, pin);
  const byStep = passphrase.derivePinStep(login.kPs, account, given.number("pin_epoch"), pin);
  return {
    st: st.raw,
    k_id: login.kId,
    login_seed: login.loginSeed,
    login_pk: passphrase.derivePublic(login.loginSeed),
    k_pw: login.kPw,
    k_pl: login.kPl,
    k_ps: login.kPs,
    tag_l: byLogin.tag,
    pin_l: byLogin.wrapping,
    tag_s: byStep.tag,
    pin_s: byStep.wrapping,
  };
}

function requestMessage(given: Inputs): Uint8Array {
  const host = given.text("host");
  const challenge = given.raw("challenge");
  switch (given.text("request")) {
    case "register":
      return requests.registerMessage(host, challenge, given.raw("body"));
    case "change":
      return requests.changeMessage(host, challenge, given.raw("body"));
    case "login":
      return requests.loginMessage(host, given.raw("k_id"), challenge);
    case "confirm":
      return requests.confirmMessage(host, given.raw("k_id"), challenge);
    case "recover":
      return requests.recoverMessage(host, given.raw("rid"), challenge);
    case "recover_change":
      return requests.recoverChangeMessage(host, challenge, given.raw("body"));
    case "pin_reopen":
      return requests.pinReopenMessage(host, given.raw("account"), challenge);
    case "professional":
      return requests.professionalMessage(host, given.raw("account"), given.raw("body"));
    default:
      throw new Error("no such request");
  }
}

function signedRequest(given: Inputs): Outputs {
  const message = requestMessage(given);
  const seed = given.raw("seed");
  return {
    message,
    signature: passphrase.signWithSeed(seed, message),
    public: passphrase.derivePublic(seed),
  };
}

function openLabelled(given: Inputs): Outputs {
  const key = derive(given.raw("key"), given.text<Kind>("key_kind"), ...given.fields("key_fields"));
  const place = context(given.text<Kind>("kind"), ...given.fields("fields"));
  return { message: envelope.openSealed(key, place, given.raw("sealed")) };
}

function unwrapped(kek: Uint8Array, which: keys.MasterWrap, given: Inputs): Outputs {
  return { mk: keys.unwrapMaster(kek, which, given.raw("account"), given.number("epoch"), given.raw("wrapped")) };
}

function openIdentity(given: Inputs): Outputs {
  const kind = given.text<keys.IdentityKind>("kind");
  const seed = keys.openIdentity(given.raw("mk_n"), kind, given.raw("account"), given.raw("sealed"));
  return { seed, public: kind === "identity-sign" ? passphrase.derivePublic(seed) : keys.deriveBox(seed)[0] };
}

function stepUp(given: Inputs): Outputs {
  const ring = new keyring.Keyring(
    given.raw("account"), given.raw("mk_n"), new Uint8Array(32), given.number("epoch"), 1, given.raw("pk_s"),
  );
  ring.unlockSensitive(given.raw("kek_s"), given.raw("w_s"), given.raw("drop_box"));
  return { mk_s: ring.mkS, sk_s: ring.skS };
}

/** An open vault; its sensitive tier, too, where the fact gives sk_S. */
function ringOf(given: Inputs): keyring.Keyring {
  const [account, zero, pkS] = [new Uint8Array(16), new Uint8Array(32), given.raw("pk_s")];
  const ring = new keyring.Keyring(account, given.raw("mk_n"), zero, 1, 1, pkS);
  if (given.any("sk_s") !== null) {
    const dropBox = keys.sealDropBox(zero, account, 1, pkS, given.raw("sk_s"));
    ring.unlockSensitive(zero, keys.wrapMaster(zero, "mk-s", account, 1, zero), dropBox);
  }
  return ring;
}

function unwrapRecordKey(given: Inputs): Outputs {
  const wrap = given.raw("wrap");
  const [key, sensitive] = keyring.unwrapRecordKey(ringOf(given), given.raw("item"), given.number("revision"), wrap);
  expect(wrap).toHaveLength(keyring.RECORD_WRAP_SIZE);
  return { key, sensitive };
}

function openLink(given: Inputs): Outputs {
  const link = records.openLink(given.raw("mk_n"), given.raw("item"), given.number("revision"), given.raw("sealed"));
  return {
    plain: records.formatLink(link),
    account_n: link.accountN.toString(),
    record_hash: link.recordHash,
    parents: link.parents.map(toHex),
  };
}

async function openContent(given: Inputs): Promise<Outputs> {
  const [header, body] = await envelope.splitOff([given.raw("blob")], envelope.HEADER_SIZE);
  const opener = records.contentOpener(given.raw("key"), given.raw("blob_id"), header);
  return { plain: await gathered(envelope.openStream(opener, body)) };
}

function deriveRecovery(given: Inputs): Outputs {
  const derived = recovery.deriveRecovery(given.raw("key"));
  return { rid: derived.rid, login_seed: derived.loginSeed, wrap_key: derived.wrapKey };
}

function openDropBox(given: Inputs): Outputs {
  const [pkS, skS] = keys.openDropBox(
    given.raw("mk_s"), given.raw("account"), given.number("epoch"), given.raw("sealed"),
  );
  return { pk_s: pkS, sk_s: skS };
}

function parseEntry(given: Inputs): Outputs {
  const entry = directory.parseEntry(given.raw("data"));
  if (!(entry instanceof directory.Listed)) throw new Error("not an entry that lists");
  const { listing, since, replaces } = entry;
  return { name: listing.name, town: listing.town, since, replaces, fingerprint: listing.fingerprint };
}

function readDirectory(given: Inputs): Outputs {
  const found = directory.readDirectory(given.fields("entries"));
  const policy = found.policy === null ? null : decodeText(formatPolicy(found.policy));
  return { current: [...found.current.keys()], unread: found.unread, policy };
}

function openBundle(given: Inputs): Outputs {
  const [key, bundle] = [given.raw("bundle_key"), given.raw("bundle")];
  const reader = given.any("reader") === null ? null : given.raw("reader");
  const opened = sharing.openBundle(key, bundle, given.raw("sealed"), reader, given.number("now"));
  const { json, sender, expires } = opened;
  return { json, sender, expires, cap: sharing.deriveCap(key, bundle) };
}

function openByLink(given: Inputs): Outputs {
  const bundle = given.raw("bundle");
  const linkKey = sharing.deriveLink(given.raw("secret"), bundle);
  return {
    x: sharing.deriveCode(linkKey, bundle, given.text("code")),
    bundle_key: sharing.unwrapForLink(linkKey, given.raw("share"), bundle, given.raw("wrap")),
  };
}

const OPS: Readonly<Record<string, Run>> = {
  parse_entry: parseEntry,
  read_directory: readDirectory,
  open_bundle: openBundle,
  unwrap_for_professional: (i) => ({
    bundle_key: sharing.unwrapForProfessional(i.raw("pk_box"), i.raw("sk_box"), i.raw("bundle"), i.raw("wrap")),
  }),
  open_bundle_note: (i) => ({ json: sharing.openBundleNote(i.raw("mk_n"), i.raw("bundle"), i.raw("sealed")) }),
  parse_fragment: (i) => {
    const [bundle, secret] = sharing.parseFragment(i.text("text"));
    return { bundle, secret };
  },
  parse_code: (i) => ({ code: sharing.parseCode(i.text("text")) }),
  open_by_link: openByLink,
  parse_box_fragment: (i) => {
    const { box, secret, pkBox } = boxes.parseBoxFragment(i.text("text"));
    return { box, secret, pk_box: pkBox, cap: boxes.deriveDepositCap(secret, box) };
  },
  open_box: (i) => {
    const [pkBox, skBox] = boxes.openBox(i.raw("mk_n"), i.raw("box"), i.raw("sealed"));
    return { pk_box: pkBox, sk_box: skBox };
  },
  open_box_note: (i) => ({ json: boxes.openBoxNote(i.raw("mk_n"), i.raw("box"), i.raw("sealed")) }),
  open_deposit: (i) => ({ json: boxes.openDeposit(i.raw("key"), i.raw("box"), i.raw("deposit"), i.raw("sealed")) }),
  unwrap_deposit_key: (i) => ({
    key: boxes.unwrapDepositKey(i.raw("pk_box"), i.raw("sk_box"), i.raw("box"), i.raw("wrap")),
  }),
  parse_b64url: (i) => ({ data: parseB64url(i.text("text")) }),
  parse_time: (i) => ({ seconds: parseTime(i.text("text")) }),
  parse_json: (i) => ({ value: parseJson(i.raw("data")) }),
  context: (i) => ({ context: context(i.text<Kind>("kind"), ...i.fields("fields")) }),
  derive: (i) => ({ key: derive(i.raw("key"), i.text<Kind>("kind"), ...i.fields("fields")) }),
  open_labelled: openLabelled,
  kek: (i) => ({ key: kek(i.text("label"), i.raw("ikm")) }),
  seal: (i) => ({ sealed: sealed(i) }),
  open_sealed: (i) => ({ message: envelope.openSealed(i.raw("key"), i.raw("context"), i.raw("sealed")) }),
  open_pieces: (i) => ({ message: envelope.openSealed(i.raw("key"), i.raw("context"), joined(pieces(i))) }),
  open_stream: openStream,
  open_range: openRange,
  plain_size: (i) => ({ size: envelope.plainSize(i.number("sealed")) }),
  normalise_username: (i) => ({ username: passphrase.normaliseUsername(i.text("text"), i.flag("sign_up")) }),
  normalise_password: (i) => ({ password: passphrase.normalisePassword(i.text("text"), i.flag("sign_up")) }),
  normalise_pin: (i) => ({
    pin: passphrase.normalisePin(i.text("text"), i.flag("sign_up"), i.any("this_year") as number | null),
  }),
  login_chain: loginChain,
  signed_request: signedRequest,
  verify_request: (i) => ({ message: verifyEd25519(i.raw("public"), requestMessage(i), i.raw("signature")) }),
  derive_kek_n: (i) => ({ kek: keys.deriveKekN(i.raw("k_pw"), i.raw("pin"), i.raw("share")) }),
  derive_kek_s: (i) => ({ kek: keys.deriveKekS(i.raw("mk_n"), i.raw("pin"), i.raw("share")) }),
  derive_kek_r: (i) => ({ kek: keys.deriveKekR(i.raw("recovery_key"), i.raw("share")) }),
  unlock_normal: (i) => unwrapped(keys.deriveKekN(i.raw("k_pw"), i.raw("pin"), i.raw("share")), "mk-n", i),
  unlock_sensitive: (i) => unwrapped(keys.deriveKekS(i.raw("mk_n"), i.raw("pin"), i.raw("share")), "mk-s", i),
  unlock_recovery: (i) => unwrapped(keys.deriveKekR(i.raw("recovery_key"), i.raw("share")), "rec-n", i),
  unwrap_master: (i) => unwrapped(i.raw("kek"), i.text<keys.MasterWrap>("which"), i),
  open_identity: openIdentity,
  open_drop_box: openDropBox,
  step_up: stepUp,
  unwrap_record_key: unwrapRecordKey,
  is_sensitive: (i) => ({
    sensitive: keyring.isSensitive(ringOf(i), i.raw("item"), i.number("revision"), i.raw("wrap")),
  }),
  padme: (i) => ({ padded: padding.padme(i.number("length")) }),
  content_head: (i) => ({
    head: padding.contentHead(i.number("size")), whole: padding.contentPlainSize(i.number("size")),
  }),
  parse_content_head: (i) => ({ size: padding.parseContentHead(i.raw("head")) }),
  unpad_content: async (i) => ({ content: await gathered(padding.unpadContent([i.raw("padded")])) }),
  pad_record: (i) => ({ padded: padding.padRecord(i.raw("json")) }),
  unpad_record: (i) => ({ json: padding.unpadRecord(i.raw("padded")) }),
  open_record: (i) => ({
    json: records.openRecord(i.raw("key"), i.raw("item"), i.number("revision"), i.raw("blob")),
  }),
  open_account_record: (i) => ({
    json: records.openAccountRecord(i.raw("mk_n"), i.raw("account"), i.number("n"), i.raw("blob")),
  }),
  open_device_state: (i) => ({
    data: records.openDeviceState(i.raw("mk_n"), i.text("name"), i.raw("account"), i.raw("sealed")),
  }),
  open_content: openContent,
  parse_link: (i) => ({ link: records.parseLink(i.raw("plain")) }),
  open_link: openLink,
  format_words: (i) => ({ words: recovery.formatWords(i.raw("key"), i.text<recovery.Language>("language")) }),
  parse_words: (i) => ({ key: recovery.parseWords(i.text("words")) }),
  derive_recovery: deriveRecovery,
  seal_backup: async (i) => ({
    sealed: await gathered(backup.sealBackup(backup.backupSealer(i.raw("words_key"), i.raw("salt")), [i.raw("pack")])),
  }),
  open_backup: async (i) => ({ pack: await gathered(backup.openBackup(i.raw("words_key"), pieces(i))) }),
  unpad_backup: async (i) => ({ pack: await gathered(backup.unpadBackup([i.raw("padded")])) }),
  derive_segment: (i) => {
    const [blobId, key] = records.deriveSegment(i.raw("key"), i.number("number"));
    return { blob_id: blobId, content_key: key };
  },
};

/** Bytes as facts spell what comes out: hexadecimal, or hash and size where the fact says so; other values as JSON. */
function spelled(found: unknown, expected: unknown): unknown {
  if (!(found instanceof Uint8Array)) {
    return JSON.parse(new TextDecoder().decode(formatJson(found)));
  }
  return typeof expected === "object" ? { sha256: sha256Hex(found), size: found.length } : toHex(found);
}

async function check(fact: Fact): Promise<void> {
  expect(Object.keys(fact).sort()).toEqual(["expect", "inputs", "name", "op", "outputs", "why"]);
  const run = async () => OPS[fact.op]!(new Inputs(fact.inputs));
  if (fact.outputs === null) {
    expect(fact.expect).not.toBe("success");
    const refusal: unknown = await run().then(() => "nothing was refused", (error: unknown) => error);
    expect(refusal, fact.why).toBeInstanceOf(TemoinError);
    expect((refusal as TemoinError).code, fact.why).toBe(fact.expect);
    return;
  }
  const found = await run();
  expect(Object.keys(found).sort()).toEqual(Object.keys(fact.outputs).sort());
  for (const [name, expected] of Object.entries(fact.outputs)) {
    expect(spelled(found[name], expected), `${name}: ${fact.why}`).toEqual(expected);
  }
}

const FACTS = readFacts("sealing");

beforeAll(() => Promise.all([ready(), recovery.readyWords()]));

describe("a fact", () => {
  test.each(FACTS.map((fact) => [fact.name, fact] as const))("%s", (_, fact) => check(fact));
});

test("every op has facts, and four are refused for each that is not", () => {
  const [successes, refusals] = [countByOp(FACTS, true), countByOp(FACTS, false)];
  console.info(`sealing: ${total(successes)} successes, ${total(refusals)} refusals`);
  expect([...new Set([...successes.keys(), ...refusals.keys()])].sort()).toEqual(Object.keys(OPS).sort());
  expect(total(successes)).toBeGreaterThan(0);
  for (const [op, count] of refusals) {
    expect(count, op).toBeGreaterThanOrEqual(4 * (successes.get(op) ?? 0));
  }
});

test("a wrong fact is noticed", async () => {
  const fact = FACTS.find(({ name }) => name === "kek")!;
  await expect(check({ ...fact, outputs: { key: "00".repeat(32) } })).rejects.toThrow("HKDF-Extract");
  await expect(check({ ...fact, expect: "malformed", outputs: null })).rejects.toThrow();
});

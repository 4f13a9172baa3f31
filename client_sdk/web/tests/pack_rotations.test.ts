// A pack of a ledger that has had two keys: it brings the records that lead from each to the next, so that whoever was given
// one of them checks it alone, in the page that checks packs as at the command line.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { unzipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";

import { decodeText, encodeText } from "../src/crypto_core/encoding.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import { SignerKey, formatVkey } from "../src/crypto_core/receipts/note.js";
import { Policy, formatPolicy, parsePolicy } from "../src/crypto_core/receipts/policy.js";
import { signRotation } from "../src/crypto_core/receipts/rotation.js";
import { ready } from "../src/crypto_core/sodium.js";
import { Archive, InBlob } from "../src/sdk/archive.js";
import { sha256 } from "../src/sdk/digest.js";
import { verifyUnder } from "../src/sdk/opening.js";
import { formatSums, writePack } from "../src/sdk/packs/pack.js";
import { checkPack } from "../src/sdk/packs/check.js";
import { fetchContinuity, fetchRotations } from "../src/sdk/packs/ledger.js";
import { openSource } from "../src/sdk/packs/source.js";
import { Person, opens } from "./person.js";
import { RealVault, python } from "./real_vault.js";

type Files = Record<string, Uint8Array<ArrayBuffer>>;

let vault: RealVault;
let person: Person;
let folder: string;
let second: Policy;
let archive: Blob;
let files: Files;

beforeAll(async () => {
  await ready();
  vault = await RealVault.serve();
  person = await Person.writing(vault); // under the first key, which `person.ledger` is
  await vault.command("rotation", "announce", "--overlap", "0");
  await vault.command("rotation", "finish");
  await person.does(`
client.log_in(username, password, pin)
client.write_entry(Draft(title="Plus tard", text="Avec la deuxième clé."))
print("null")
`);
  const given = await person.share(null);
  const { ledger_vkey: key } = await fetch(`${vault.url}/v1/vault`).then((answer) => answer.json()) as Record<string, string>;
  second = Policy.forKey(key!);
  folder = mkdtempSync(join(tmpdir(), "pack-"));
  const by = person.reader();
  const [policy, rotations] = await fetchRotations(by.transport, second); // as a browser that met the vault today
  const into = new InBlob();
  const written = await writePack(await opens(given, { ...by, verify: verifyUnder(policy) }), {
    policy, rotations, continuity: (trees) => fetchContinuity(by.transport, policy, trees), verifier: null,
  }, new Archive(into.stream));
  expect([written.refused, written.unsaid, written.ledger]).toEqual([[], [], null]);
  archive = into.blob;
  files = unzipSync(new Uint8Array(await archive.arrayBuffer())) as Files;
}, 120_000);

afterAll(async () => {
  rmSync(folder, { recursive: true });
  person.remove();
  await vault.remove();
});

/** As the page checks a folder, with the policy in a file. */
async function checked(given: Files, policy: Policy | null = null): Promise<readonly [string, number, readonly string[]]> {
  const brought = Object.entries(given).map(([name, data]) => ({ path: `pack/${name}`, file: new Blob([data]) }));
  const { outcome, proven, findings } = await checkPack(await openSource(brought), policy && parsePolicy(formatPolicy(policy)));
  return [outcome, proven, [...new Set(findings.map(({ name, error }) => `${name.startsWith("sealed") ? "…" : name} ${error.code}`))]];
}

/** With these records, or none, and sums to match. */
function withRecords(records: Uint8Array | null): Files {
  const others = Object.entries(files).filter(([name]) => name !== "SHA256SUMS" && name !== "rotations");
  const changed: Files = { ...Object.fromEntries(others), ...(records === null ? {} : { rotations: new Uint8Array(records) }) };
  const sums = new Map(Object.entries(changed).map(([name, data]) => [name, sha256(data)] as const));
  return { ...changed, SHA256SUMS: new Uint8Array(formatSums(sums)) };
}

test("holds for whoever was given either key, or none", async () => {
  expect(decodeText(files["rotations"]!)).toBe(await (await fetch(`${vault.url}/ledger/rotations`)).text());
  expect(parsePolicy(files["policy.txt"]!).logs).toHaveLength(2);
  for (const policy of [null, person.ledger, second]) expect(await checked(files, policy)).toEqual(["valid", 3, []]);
});

test("is told the same by the command line's check, under the first key", async () => {
  const zip = join(folder, "pack.zip");
  writeFileSync(zip, new Uint8Array(await archive.arrayBuffer()));
  expect(await python(`
import json
from pathlib import Path
from client_sdk.packs.check import check_pack
from client_sdk.packs.source import ZipSource
from crypto_core.receipts.policy import parse_policy
with ZipSource(Path(${JSON.stringify(zip)})) as source:
    report = check_pack(source, parse_policy(${JSON.stringify(decodeText(formatPolicy(person.ledger)))}.encode()))
print(json.dumps([report.outcome, report.proven, len(report.findings)]))
`)).toEqual(["valid", 3, 0]);
}, 60_000);

test("holds without records as packs did before, but not under the first key alone", async () => {
  const older = withRecords(null);
  expect(await checked(older)).toEqual(["valid", 3, []]);
  const [outcome, , found] = await checked(older, person.ledger);
  expect([outcome, found]).toEqual(["not_yet", ["checkpoint note_key_unknown", "… receipt_key_unknown"]]);
});

test("names records that were changed, or are none", async () => {
  const records = decodeText(files["rotations"]!);
  const changed = encodeText(records.replace("\nsize ", "\nsize 9"));
  const [, , listed] = await checked({ ...files, rotations: new Uint8Array(changed) }, person.ledger);
  expect(listed).toContain("rotations pack_changed");
  const cases = [
    [changed, "rotation_unsigned"], [encodeText(records.slice(0, -1)), "pack_malformed"], [new Uint8Array(70_000), "pack_malformed"],
  ] as const;
  for (const [one, code] of cases) {
    const [outcome, , found] = await checked(withRecords(one), person.ledger);
    expect([outcome, found.includes(`rotations ${code}`)]).toEqual(["invalid", true]);
  }
});

test("names records of keys that nobody knows, which lead nowhere", async () => {
  const [one, other] = [1, 2].map(() => new SignerKey(second.logs[0]!.key.name, makeBytes(32))) as [SignerKey, SignerKey];
  const record = signRotation({ old: one.verifier, new: other.verifier, size: 0, time: 1, until: 1 }, one, other);
  expect(await checked(withRecords(encodeText(record)))).toEqual(["invalid", 3, ["rotations rotation_broken"]]);
  const [outcome, , found] = await checked(withRecords(encodeText(record)), person.ledger);
  expect([outcome, new Set(found)])
    .toEqual(["invalid", new Set(["rotations rotation_broken", "checkpoint note_key_unknown", "… receipt_key_unknown"])]);
});

test("has none where the vault publishes none that hold", async () => {
  for (const published of ["", "<html>\n"]) {
    const by = person.reader();
    by.network.answers = ({ path }) => (path === "/ledger/rotations" ? new Response(published) : null);
    const [policy, records] = await fetchRotations(by.transport, second);
    expect([records.length, policy.logs.map(({ key }) => formatVkey(key))])
      .toEqual([0, second.logs.map(({ key }) => formatVkey(key))]);
  }
});

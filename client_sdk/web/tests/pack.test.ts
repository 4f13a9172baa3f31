// Evidence packs: the page that Python writes to the byte, what is written here and checked here and by Python, and any
// file that was changed, taken out or added.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import fc from "fast-check";
import { unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { decodeText, encodeText, formatB64url, parseHex } from "../src/crypto_core/encoding.js";
import { Policy } from "../src/crypto_core/receipts/policy.js";
import { ready } from "../src/crypto_core/sodium.js";
import { Archive, InBlob } from "../src/sdk/archive.js";
import { sha256 } from "../src/sdk/digest.js";
import type { Item } from "../src/sdk/items.js";
import { formatSums, originalName, writePack } from "../src/sdk/packs/pack.js";
import { checkPack, type PackReport } from "../src/sdk/packs/check.js";
import { fetchContinuity } from "../src/sdk/packs/ledger.js";
import { formatPage, type Page, type Row } from "../src/sdk/packs/page.js";
import { openSource } from "../src/sdk/packs/source.js";
import { NO_PROGRESS } from "../src/sdk/progress.js";
import { Person, opens, type Given } from "./person.js";
import { ROOT, RealVault, python } from "./real_vault.js";
import { runs } from "./runs.js";

type Files = Record<string, Uint8Array<ArrayBuffer>>;

/** The page that checks packs is built elsewhere; any bytes do for it here. */
const VERIFIER = encodeText("<!doctype html>\n");

let vault: RealVault;
let person: Person;
let given: Given;
let folder: string;
let archive: Blob;
let files: Files;

beforeAll(async () => {
  await ready();
  vault = await RealVault.serve();
  person = await Person.writing(vault);
  given = await person.share(null);
  folder = mkdtempSync(join(tmpdir(), "pack-"));
  archive = await written();
  files = unzipSync(await bytesOf(archive)) as Files;
}, 120_000);

afterAll(async () => {
  rmSync(folder, { recursive: true });
  person.remove();
  await vault.remove();
});

async function written(by = person.reader(), verifier: Uint8Array | null = VERIFIER, what = given): Promise<Blob> {
  const into = new InBlob();
  const opened = await opens(what, by);
  const continuity: Parameters<typeof writePack>[1]["continuity"] = (trees) =>
    fetchContinuity(by.transport, person.ledger, trees);
  await writePack(opened, { policy: person.ledger, continuity, verifier }, new Archive(into.stream));
  return into.blob;
}

const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());

/** As a browser gives a folder that was chosen. */
async function checked(changed: Files, policy: Policy | null = null): Promise<PackReport> {
  const brought = Object.entries(changed).map(([name, data]) => ({ path: `pack/${name}`, file: new Blob([data]) }));
  return checkPack(await openSource(brought), policy);
}

const found = ({ findings }: PackReport): readonly (readonly [string, string])[] =>
  findings.map(({ name, error }) => [name, error.code]);

const flipped = (data: Uint8Array, at: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(data, (byte, place) => (place === at ? byte ^ 1 : byte));

/** A row of the golden pages, where sets are lists. */
type GoldenRow = Omit<Row, "masked" | "sent" | "unproven"> & {
  readonly masked: readonly string[];
  readonly unproven: readonly string[];
  readonly sent: Omit<NonNullable<Row["sent"]>, "files"> & { readonly files: readonly string[] } | null;
};

const idOf = (hex: string): string => formatB64url(parseHex(hex));

/** An item of the golden pages, whose bytes stand there in hex. */
const itemOf = (item: Item): Item => ({
  ...item, contents: item.contents.map((one) => ({
    ...one, blob: idOf(one.blob), sha256: parseHex(one.sha256 as unknown as string),
  })),
});

/** The sums of what is there now, as somebody who can change a file can change them as well. */
function summed(changed: Files): Files {
  const sums = Object.entries(changed).filter(([name]) => name !== "SHA256SUMS").map(([name, data]) => [name, sha256(data)] as const);
  return { ...changed, SHA256SUMS: new Uint8Array(formatSums(new Map(sums))) };
}

describe("the page", () => {
  const golden = JSON.parse(readFileSync(join(ROOT, "tests/vectors/pack_page.json"), "utf-8")) as
    Readonly<Record<string, { readonly given: Record<string, never>; readonly lines: readonly string[] }>>;

  test.each(Object.entries(golden))("is Python's to the byte: %s", (_, { given: told, lines }) => {
    const { rows, sender, ...rest } = told as unknown as Omit<Page, "rows" | "sender"> & {
      readonly rows: readonly GoldenRow[]; readonly sender: string;
    };
    const page = {
      ...rest, sender: parseHex(sender),
      rows: rows.map((row) => ({
        ...row, item: itemOf(row.item), masked: new Set(row.masked.map(idOf)), unproven: new Set(row.unproven.map(idOf)),
        sent: row.sent && { ...row.sent, files: new Set(row.sent.files.map(idOf)) },
      })),
    };
    expect(decodeText(formatPage(page))).toBe(lines.join(""));
  });

});

describe("an original's name", () => {
  test.each([
    ["photo.jpg", "photo.jpg"], [' ../a:b*?"<>|\\c. ', "_a_b_______c"], ["", "file"], ["...", "file"],
    ["\u202egpj.exe", "_gpj.exe"], ["😀".repeat(120), "😀".repeat(50)], [`${"x".repeat(150)}.txt`, `${"x".repeat(96)}.txt`],
  ])("%j becomes %j", (name, kept) => {
    expect(originalName(7, 3, { name })).toBe(`originals/007-03-${kept}`);
  });
});

describe("a pack", () => {
  test("holds everything under the names of the format, and verifies", async () => {
    const report = await checked(files);
    expect(found(report)).toEqual([]);
    expect([report.outcome, report.items, report.proven, report.beyond]).toEqual(["valid", 2, 2, 0]);
    expect(report.read.map(({ item }) => item.title).sort()).toEqual(["Devant l’école", "La porte"]);
    expect([report.checkpoint!.size > 0, report.receipts.size]).toEqual([true, 3]);
    expect(Object.keys(files)).toContain("originals/002-01-photograph.jpg");
  });

  test("is the same as a ZIP file, also when somebody has packed it anew with a folder around", async () => {
    expect(found(await checkPack(await openSource(archive)))).toEqual([]);
    const anew = zipSync({ pack: files as never }, { level: 6 });
    expect(found(await checkPack(await openSource(new Blob([anew as Uint8Array<ArrayBuffer>]))))).toEqual([]);
  });

  test("packed anew on a Mac is still read: what that puts beside the folder is named, and nothing else", async () => {
    const beside = "__MACOSX/pack/._index.html";
    const anew = zipSync({ pack: files as never, [beside]: VERIFIER });
    const report = await checkPack(await openSource(new Blob([anew as Uint8Array<ArrayBuffer>])));
    expect([found(report), report.proven]).toEqual([[[beside, "pack_extra"]], 2]);
  });

  test("written by either language is verified by the other", async () => {
    const [zip, own] = [join(folder, "ours.zip"), join(folder, "theirs")];
    writeFileSync(zip, await bytesOf(archive));
    const said = await python(`
import json
from pathlib import Path
from client_sdk.client import VaultClient
from client_sdk.packs.pack import write_pack
from client_sdk.packs.check import check_pack
from client_sdk.packs.sink import open_sink
from client_sdk.packs.source import ZipSource
with ZipSource(Path(${JSON.stringify(zip)})) as source:
    report = check_pack(source)
with VaultClient.connect(${JSON.stringify(vault.url)}, Path(${JSON.stringify(join(folder, "reader"))})) as client:
    opened = client.open_link(${JSON.stringify(given.fragment)}, ${JSON.stringify(given.code)})
    with open_sink(Path(${JSON.stringify(own)})) as sink:
        write_pack(opened, client.known_policy(), sink)
print(json.dumps([[[one.name, one.error.code] for one in report.findings], report.proven]))
`);
    expect(said).toEqual([[], 2]);
    const theirs = Object.fromEntries(readdirSync(own, { recursive: true, withFileTypes: true }).flatMap((one) => {
      const path = join(one.parentPath, one.name);
      return one.isFile() ? [[relative(own, path), new Uint8Array(readFileSync(path))]] : [];
    })) as Files;
    const report = await checked(theirs);
    expect([found(report), report.proven]).toEqual([[], 2]);
    // Python puts the page that checks packs into its own where it was built; then both do.
    const ours = unzipSync(await bytesOf(await written(person.reader(), theirs["verify.html"] ?? null))) as Files;
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
    for (const name of Object.keys(ours)) expect(Buffer.compare(ours[name]!, theirs[name]!), name).toBe(0);
  }, 60_000);

  test("names each file of which any byte was changed", async () => {
    for (const [name, data] of Object.entries(files)) {
      await fc.assert(fc.asyncProperty(fc.nat(data.length - 1), async (at) => {
        const named = found(await checked({ ...files, [name]: flipped(data, at) })).map(([one]) => one);
        if (name === "SHA256SUMS") expect(named).not.toEqual([]); // or the file whose sum it was, if nothing else holds it
        else expect(named).toContain(name);
      }), { numRuns: runs(2) });
    }
  }, 120_000);

  test("names what was changed although the sums were changed with it", async () => {
    const known = new Set(["index.html", "verify.html"]); // nothing but the sums holds these: docs/spec/pack.md
    for (const [name, data] of Object.entries(files)) {
      if (name === "SHA256SUMS" || known.has(name)) continue;
      const report = await checked(summed({ ...files, [name]: flipped(data, data.length >> 1) }));
      expect(report.findings.length, name).toBeGreaterThan(0);
    }
  }, 120_000);

  test("names what is missing, and what was added", async () => {
    for (const name of Object.keys(files)) {
      const { [name]: _, ...rest } = files;
      expect(found(await checked(rest)).map(([one]) => one), name).toContain(name);
    }
    const more = { ...files, "originals/003-01-more.jpg": VERIFIER as Uint8Array<ArrayBuffer> };
    expect(found(await checked(more))).toEqual([["originals/003-01-more.jpg", "pack_extra"]]);
    expect(found(await checked(summed(more)))).toEqual([["originals/003-01-more.jpg", "pack_extra"]]);
  }, 60_000);

  test("of which an item was taken out with its sums says so", async () => {
    const { item } = (await checked(files)).read.find((one) => one.item.kind === "journal")!;
    const kept = Object.entries(files).filter(([name]) => !name.includes(Buffer.from(item.id, "base64url").toString("hex")));
    const report = await checked(summed(Object.fromEntries(kept)));
    expect([report.outcome, report.items, report.proven]).toEqual(["not_yet", 2, 1]);
    expect(found(report).map(([, code]) => code)).toEqual(["pack_incomplete"]);
  });

  test("under another ledger's key proves no time, and says at which receipts", async () => {
    const other = await RealVault.serve();
    const { ledger_vkey: key } = await fetch(`${other.url}/v1/vault`).then((answer) => answer.json()) as Record<string, string>;
    await other.remove();
    const report = await checked(files, Policy.forKey(key!));
    expect([report.proven, new Set(found(report).map(([, code]) => code))])
      .toEqual([0, new Set(["receipt_key_unknown", "note_key_unknown"])]);
  }, 60_000);

  test("is written although the ledger says nothing more, and says so", async () => {
    const by = person.reader();
    by.network.answers = ({ path }) => (path === "/ledger/checkpoint" ? new Response(null, { status: 404 }) : null);
    const without = unzipSync(await bytesOf(await written(by))) as Files;
    expect(Object.keys(without).filter((name) => /^check|^consis/.test(name))).toEqual([]);
    expect(decodeText(without["index.html"]!)).toContain("the ledger gave no signed state");
    const report = await checked(without);
    expect([found(report), report.checkpoint]).toEqual([[], null]);
  }, 60_000);

  test("with an older state of the ledger says how many receipts are newer", async () => {
    await person.does(`
client.log_in(username, password, pin)
client.write_entry(Draft(title="Plus tard", text="Encore."))
print("null")
`);
    const later = unzipSync(await bytesOf(await written(person.reader(), VERIFIER, await person.share(null)))) as Files;
    const kept = Object.entries(later).filter(([name]) => !name.startsWith("consistency/"));
    const report = await checked(summed({ ...Object.fromEntries(kept), checkpoint: files["checkpoint"]! }));
    expect([found(report), report.proven, report.checkpoint!.size, report.beyond]).toEqual([[], 3, 3, 4]);
  }, 60_000);

  test("of which the vault swaps a file has the rest, and says what is missing", async () => {
    const by = person.reader();
    by.network.spoils = (sent, body) => (sent.path.includes("/blobs/") && !sent.path.endsWith("receipt") ? flipped(body, 20_000) : body);
    const without = unzipSync(await bytesOf(await written(by))) as Files;
    const report = await checked(without);
    expect([report.outcome, report.proven, found(report).map(([, code]) => code)])
      .toEqual(["not_yet", 1, ["pack_incomplete", "pack_incomplete"]]);
    expect(found(report).map(([name]) => name)).toContain("originals/002-01-photograph.jpg");
    expect(decodeText(without["index.html"]!)).toContain("This file is not in this folder");
  }, 60_000);

  test("whose sums know nothing of a file that is signed is never valid, and misses it", async () => {
    const signed = Object.keys(files).filter((name) => /^(sealed|originals)\//u.test(name));
    expect(signed).toHaveLength(7);
    for (const name of signed) {
      const { [name]: _, ...rest } = files;
      const report = await checked(summed(rest));
      expect([report.outcome, report.proven, found(report)]).toEqual(["not_yet", 1, [[name, "pack_incomplete"]]]);
    }
  }, 60_000);

  test("that nobody wants any more is left off", async () => {
    const [stop, into] = [new AbortController(), new InBlob()];
    const opened = await opens(given, person.reader());
    const continuity = (): Promise<never> => Promise.reject(new Error("not asked"));
    const progress = { ...NO_PROGRESS, advance: () => stop.abort() };
    const archive = new Archive(into.stream, stop.signal);
    await expect(writePack(opened, { policy: person.ledger, continuity, verifier: null }, archive, progress))
      .rejects.toMatchObject({ name: "AbortError" });
  }, 60_000);

  test("asks for each file once", async () => {
    const by = person.reader();
    await written(by);
    const blobs = by.network.seen.filter(({ path }) => /\/blobs\/[\w-]+$/.test(path));
    expect(blobs).toHaveLength(1);
  }, 60_000);
});

describe("what is no pack", () => {
  test.each([["nothing", ""], ["a text", "hello"], ["half a ZIP file", "PK\u0003\u0004"]])("%s is refused as a ZIP file", async (_, text) => {
    await expect(openSource(new Blob([text]))).rejects.toMatchObject({ code: "pack_malformed" });
  });

  test("a folder without anything of it says what is missing", async () => {
    expect(found(await checked({ "a.txt": VERIFIER as Uint8Array<ArrayBuffer> })).map(([name]) => name))
      .toEqual(["SHA256SUMS", "bundle.json", "bundle.sig", "index.html", "policy.txt"]);
  });

  test("a name that leaves the folder is named, and not read", async () => {
    const brought = zipSync({ "../SHA256SUMS": VERIFIER, "a/b.txt": VERIFIER });
    const source = await openSource(new Blob([brought as Uint8Array<ArrayBuffer>]));
    expect([[...source.odd.keys()], [...source.names.keys()]]).toEqual([["../SHA256SUMS"], ["a/b.txt"]]);
  });

  test("a ZIP file that unpacks to far more than it is is refused", async () => {
    const bomb = zipSync({ "a": new Uint8Array(80 * 1024 * 1024) });
    await expect(openSource(new Blob([bomb as Uint8Array<ArrayBuffer>]))).rejects.toMatchObject({ code: "pack_malformed" });
  });
});

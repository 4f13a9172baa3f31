// What Python's SDK shares, the browser's opens, through a real vault: by a link and by a professional's inbox. And a
// vault that lies to the reader.
import { readFileSync } from "node:fs";

import { afterAll, beforeAll, expect, test } from "vitest";

import { formatB64url, formatHex } from "../src/crypto_core/encoding.js";
import { ready } from "../src/crypto_core/sodium.js";
import type { VaultClient } from "../src/sdk/client.js";
import { Link, Openings, openLink } from "../src/sdk/opening.js";
import { collected, registered } from "./clients.js";
import type { Network, Sent } from "./memory_network.js";
import { PHOTOGRAPH, Person, opens, type Given } from "./person.js";
import { RealVault, python } from "./real_vault.js";

const DIGITS = /^\d{5}( \d{5}){7}$/;
const NAMED = { name: "Claire Martin", org: "Association Rive", town: "Lyon", kind: "association" } as const;

let vault: RealVault;
let person: Person;

const share: Person["share"] = (...asked) => person.share(...asked);
const reader: Person["reader"] = (...asked) => person.reader(...asked);
const does: Person["does"] = (what) => person.does(what);

beforeAll(async () => {
  await ready();
  vault = await RealVault.serve();
  person = await Person.writing(vault);
}, 90_000);

afterAll(async () => {
  person.remove();
  await vault.remove();
});

test("a link and its code open everything: words, the file to the last byte, ranges, every receipt", async () => {
  const bundle = await opens(await share(null), reader());
  expect(bundle.message).toBe("Merci de lire avant jeudi.");
  expect(bundle.items.map(({ item, refused, doubt }) => [item.state, refused, doubt]))
    .toEqual([["open", null, null], ["open", null, null]]);
  const ids = await does(`
client.log_in(username, password, pin)
print(json.dumps(sorted(format_b64url(item.id) for item in client.items())))
`);
  expect(bundle.items.map(({ item }) => item.id).sort()).toEqual(ids);
  const entry = bundle.items.find(({ item }) => item.kind === "journal")!;
  expect([entry.item.title, entry.item.text, entry.item.danger]).toEqual(["Devant l’école", "Il a crié mon nom.", 7]);
  expect(entry.item.deposited).toBe(entry.proof!.verified.claimedTime);
  const { item: picture } = bundle.items.find(({ item }) => item.kind === "document")!;
  const content = bundle.contentOf(picture.id, picture.revision, picture.contents[0]!.blob);
  const original = readFileSync(PHOTOGRAPH);
  expect(Buffer.compare(await collected(bundle.content(content)), original)).toBe(0);
  expect(Buffer.compare(await collected(bundle.content(content, 10_000, 40_000)), original.subarray(10_000, 40_000))).toBe(0);
  const [kept, ...more] = await bundle.receipts(content);
  expect(more).toEqual([]);
  expect(formatHex(kept!.verified.commitment.sha256)).toBe(formatHex(content.sealed));
}, 60_000);

test("a wrong code says how many tries are left; the fifth ends it for the right one, too", async () => {
  const given = await share(null);
  const wrong = given.code === "0000 0000" ? "11111111" : "00000000";
  for (let left = 4; left >= 0; left -= 1) {
    await expect(opens({ ...given, code: wrong }, reader())).rejects.toMatchObject({ code: "code_wrong", extra: { left } });
  }
  await expect(opens(given, reader())).rejects.toMatchObject({ code: "bundle_over" });
}, 60_000);

test("a code that isn't one, and a link that isn't whole, are refused before anything is sent", async () => {
  const by = reader();
  const whole = `#b${"A".repeat(64)}`;
  await expect(opens({ bundle: "", fragment: whole, code: "1234567" }, by)).rejects.toMatchObject({ code: "secret_refused" });
  for (const fragment of ["", "#b", whole.slice(0, -1), `${whole}A`, whole.replace("#b", "#c"), `#b${"=".repeat(64)}`]) {
    expect(() => Link.parse(fragment)).toThrow(expect.objectContaining({ code: "link_malformed" }));
  }
  expect(by.network.seen).toEqual([]);
});

test("an answer that is lost on its way is one opening; opening it again is another", async () => {
  const given = await share(null, { openings: 2 });
  const [link, openings, by] = [Link.parse(given.fragment), new Openings(), reader()];
  by.network.cutAfter = ({ path }) => path.endsWith("/open");
  await expect(openLink(link, given.code, openings, by)).rejects.toMatchObject({ code: "network" });
  by.network.cutAfter = () => false;
  await openLink(link, given.code, openings, by);
  expect(await opened(given)).toBe(1);
  await openLink(link, given.code, openings, by);
  expect(await opened(given)).toBe(2);
  await expect(openLink(link, given.code, openings, by)).rejects.toMatchObject({ code: "openings_used" });
}, 60_000);

test("what is ended is refused in the middle of reading", async () => {
  const given = await share(null);
  const bundle = await opens(given, reader());
  const { item } = bundle.items.find((one) => one.item.kind === "document")!;
  const content = bundle.contentOf(item.id, item.revision, item.contents[0]!.blob);
  await collected(bundle.content(content, 0, 100));
  await does(`
client.log_in(username, password, pin)
client.shares.revoke(parse_b64url("${given.bundle}"))
print("null")
`);
  await expect(collected(bundle.content(content, 0, 100))).rejects.toMatchObject({ code: "bundle_over" });
  await expect(bundle.receipts(content)).rejects.toMatchObject({ code: "bundle_over" });
  await expect(opens(given, reader())).rejects.toMatchObject({ code: "bundle_over" });
}, 60_000);

test("by the reader's own clock it is over, whatever the vault says", async () => {
  const given = await share(null, { seconds: 3600 });
  const late = { ...reader(), clock: () => Math.floor(Date.now() / 1000) + 3601 };
  await expect(opens(given, late)).rejects.toMatchObject({ code: "bundle_expired" });
}, 60_000);

test("another bundle's seal in the place of this one's opens nothing", async () => {
  const [one, other] = [await share(null), await share(null)];
  const by = reader();
  const seals: string[] = [];
  by.network.rewrites.set(`POST /v1/bundles/${other.bundle}/open`, (said) => {
    seals.push((said as { seal: string }).seal);
    return said;
  });
  await opens(other, by);
  by.network.rewrites.set(`POST /v1/bundles/${one.bundle}/open`, (said) => ({ ...(said as object), seal: seals[0] }));
  await expect(opens(one, by)).rejects.toMatchObject({ code: "tampered" });
}, 60_000);

/** Whether a request is for the receipt of a record. */
const isReceipt = ({ path }: Sent): boolean => /\/revisions\/\d+\/receipt$/.test(path);

test("a vault that lies about a thing is told of at that thing, and the rest is read", async () => {
  const given = await share(null);
  const { items } = await opens(given, reader());
  const path = (place: number): string =>
    `/v1/bundles/${given.bundle}/items/${items[place]!.item.id}/revisions/${items[place]!.item.revision}`;
  const answer = async (spoil: (network: Network) => void): Promise<readonly unknown[]> => {
    const by = reader();
    spoil(by.network);
    const bundle = await opens(given, by);
    return bundle.items.map(({ item, refused, doubt }) => [item.state, refused, doubt]);
  };
  const whole = ["open", null, null];
  const gone = new Response(JSON.stringify({
    type: "about:blank", title: "Not found", status: 404, code: "not_found", detail: "There is nothing here.",
  }), { status: 404, headers: { "Content-Type": "application/problem+json" } });
  expect(await answer((network) => {
    network.answers = (sent) => (sent.path === path(0) ? gone.clone() : null);
  })).toEqual([["missing", "bundle_incomplete", null], whole]);
  expect(await answer((network) => {
    network.spoils = (sent, body) => (sent.path === path(1) ? body.map((byte, at) => (at === 90 ? byte ^ 1 : byte)) : body);
  })).toEqual([whole, ["missing", "bundle_swapped", null]]);
  expect(await answer((network) => {
    network.spoils = (sent, body) => (sent.path === path(1) ? Uint8Array.of(...body, 0) : body);
  })).toEqual([whole, ["missing", "bundle_swapped", null]]);
  const receipts = new Map<string, string>();
  const keep = reader();
  for (const place of [0, 1]) {
    keep.network.rewrites.set(`GET ${path(place)}/receipt`, (said) => {
      receipts.set(path(place), (said as { receipt: string }).receipt);
      return said;
    });
  }
  await opens(given, keep);
  expect(keep.network.seen.filter(isReceipt)).toHaveLength(2);
  expect(await answer((network) => {
    network.rewrites.set(`GET ${path(0)}/receipt`, (said) => ({ ...(said as object), receipt: receipts.get(path(1)) }));
  })).toEqual([["open", null, "receipt_other_bytes"], whole]);
  expect(await answer((network) => {
    network.answers = (sent) => (sent.path === `${path(0)}/receipt` ? gone.clone() : null);
  })).toEqual([["open", null, "bundle_incomplete"], whole]);
}, 90_000);

test("a swapped file is refused, and never taken for whole", async () => {
  const given = await share(null);
  const by = reader();
  const bundle = await opens(given, by);
  const { item } = bundle.items.find((one) => one.item.kind === "document")!;
  const content = bundle.contentOf(item.id, item.revision, item.contents[0]!.blob);
  by.network.spoils = (sent, body) => (sent.path.includes("/blobs/") ? body.map((byte, at) => (at === 20_000 ? byte ^ 1 : byte)) : body);
  await expect(collected(bundle.content(content))).rejects.toMatchObject({ code: "bundle_swapped" });
  await expect(collected(bundle.sealed(content))).rejects.toMatchObject({ code: "bundle_swapped" });
  by.network.spoils = null;
  const wrongly = { ...content, key: new Uint8Array(32) };
  await expect(collected(bundle.content(wrongly))).rejects.toMatchObject({ code: "content_broken" }); // whoever sealed it did
  const otherwise = { ...content, sha256: new Uint8Array(32) };
  await expect(collected(bundle.content(otherwise))).rejects.toMatchObject({ code: "content_differs" });
  expect(() => bundle.contentOf(item.id, item.revision, item.id)).toThrow(expect.objectContaining({ code: "bundle_incomplete" }));
}, 60_000);

test("a professional asks to be listed, is approved, finds what was sent and opens it; nobody else does", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const office = await client.office();
  expect(await office.standing()).toMatchObject({ state: "none", listing: null, asked: null });
  await expect(office.inbox()).rejects.toMatchObject({ code: "professional_needed" });
  const asked = await office.askToBeListed(await client.account.confirm(browser.typed.password, browser.typed.pin), NAMED);
  expect(asked).toMatchObject({ state: "pending", asked: NAMED, fingerprint: expect.stringMatching(DIGITS) as string });
  await expect(client.account.confirm(browser.typed.password, "000000")).rejects.toMatchObject({ code: "pin_wrong" });
  const entry = await approve(client);
  const given = await share(entry);
  const [received, ...more] = await office.inbox();
  expect(more).toEqual([]);
  expect(await office.listedOtherwise()).toEqual([]);
  expect([received!.bundle, received!.openings, received!.opened]).toEqual([given.bundle, 10, 0]);
  const openings = new Openings();
  const bundle = await office.open(given.bundle, openings);
  expect(bundle.items.map(({ item, refused, doubt }) => [item.state, refused, doubt]))
    .toEqual([["open", null, null], ["open", null, null]]);
  expect((await office.inbox())[0]!.opened).toBe(1);
  const another = await registered(vault.url);
  const stranger = await another.logIn();
  const theirs = await stranger.office();
  const confirmed = await stranger.account.confirm(another.typed.password, another.typed.pin);
  await theirs.askToBeListed(confirmed, { ...NAMED, name: "CLAIRE Martín" });
  await approve(stranger);
  expect(await theirs.inbox()).toEqual([]);
  expect((await office.listedOtherwise()).map(({ listing }) => listing.name)).toEqual(["CLAIRE Martín"]);
  await expect(theirs.open(given.bundle, openings)).rejects.toMatchObject({ code: "item_unknown" });
  // a vault that passes on what was wrapped for somebody else
  another.network.rewrites.set("GET /v1/inbox", () => ({
    bundles: [{ ...received, wrap: formatB64url(received!.wrap), created: spelled(received!.created), expires: spelled(received!.expires) }],
  }));
  await expect(theirs.open(given.bundle, openings)).rejects.toMatchObject({ code: "tampered" });
  expect((await office.inbox())[0]!.opened).toBe(1);
}, 120_000);

test("an older bundle's key, wrapped in the place of the new one's, opens nothing and counts nothing", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const office = await client.office();
  const confirmed = await client.account.confirm(browser.typed.password, browser.typed.pin);
  await office.askToBeListed(confirmed, { ...NAMED, name: "Inès Carrel" });
  const entry = await approve(client);
  const [old, given] = [await share(entry), await share(entry)];
  browser.network.rewrites.set("GET /v1/inbox", (said) => {
    const { bundles } = said as { readonly bundles: readonly { readonly bundle: string; readonly wrap: string }[] };
    const wrap = bundles.find(({ bundle }) => bundle === old.bundle)!.wrap;
    return { bundles: bundles.map((one) => (one.bundle === given.bundle ? { ...one, wrap } : one)) };
  });
  await expect(office.open(given.bundle, new Openings())).rejects.toMatchObject({ code: "bundle_other" });
  browser.network.rewrites.clear();
  expect((await office.inbox()).map(({ opened }) => opened)).toEqual([0, 0]);
  expect((await office.open(given.bundle, new Openings())).items).toHaveLength(2);
}, 120_000);

test("what the person erased since is told, and the rest is read", async () => {
  const given = await share(null);
  const before = await opens(given, reader());
  const { item } = before.items.find((one) => one.item.kind === "journal")!;
  await does(`
client.log_in(username, password, pin)
client.delete_item(parse_b64url("${item.id}"))
print("null")
`);
  expect((await opens(given, reader())).items.map((one) => one.refused)).toEqual([null, null]); // it may be restored
  await python(`
import time
from pathlib import Path
from server.config import ServerConfig
from server.items.service import collect  # what is shared would be over by then, too: it stays
from server.parts import open_parts

class AWeekLater:
    def now(self):
        return int(time.time()) + 7 * 86_400 + 1

collect(open_parts(ServerConfig.from_environ({}, Path(${JSON.stringify(vault.folder)})), clock=AWeekLater()))
print("null")
`);
  const after = await opens(given, reader());
  expect(after.items.map((one) => [one.item.id === item.id, one.item.state, one.refused]).sort())
    .toEqual([[false, "open", null], [true, "missing", "bundle_incomplete"]]);
}, 90_000);

/** How often it was opened, as the person sees it. */
async function opened(given: Given): Promise<unknown> {
  return does(`
client.log_in(username, password, pin)
found, = [one for one in client.shares.list() if one.facts["bundle"] == parse_b64url("${given.bundle}")]
print(json.dumps(len(found.facts["opened"])))
`);
}

/** The operator has compared the digits; gives the entry. */
async function approve(client: VaultClient): Promise<number> {
  const office = await client.office();
  const { fingerprint } = await office.standing();
  const all = JSON.parse(await vault.command("professionals", "list", "--json")) as readonly {
    readonly account: string; readonly asked: { readonly fingerprint: string } | null;
  }[];
  const { account } = all.find(({ asked }) => asked?.fingerprint === fingerprint)!;
  await vault.command("professionals", "approve", account, "--fingerprint", fingerprint);
  const after = await office.standing();
  expect(after).toMatchObject({ state: "approved", asked: null });
  return after.entry!;
}

function spelled(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000", "");
}

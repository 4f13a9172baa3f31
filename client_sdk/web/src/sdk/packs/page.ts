// The page of an evidence pack: what was shared, or kept, as it happened, in French and English, offline.
// Knows: HTML, and the words in words.json. Refuses to know: files, and whether anything is true. It runs no script
// and asks no network for anything. Python and TypeScript write the same bytes (tests/vectors/pack_page.json).

import WORDS from "../../../../packs/words.json";
import { encodeText, formatHex } from "../../crypto_core/encoding.js";
import type { Checkpoint } from "../../crypto_core/receipts/checkpoint.js";
import type { Content, Id, Item } from "../items.js";

/** Kinds of pictures that are shown on the page. */
export const SHOWN: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/** Kinds of items of which the page says that they aren't the person's own as they were. */
export const MARKED = ["extract", "received"] as const;

/** What a receipt says: when, in Unix seconds by the ledger's operator, and its place in which ledger. */
export interface Stamp {
  readonly deposited: number;
  readonly index: number;
  readonly origin: string;
}

/** What whoever put an item in said with it, by their own word and clock.
 *
 * `stamp` is that of their own sealed words, if these are in the pack. `doubt` is told of words that aren't there with a
 * receipt, or that the item contradicts. `files` are the blobs of what came with the words. */
export interface SentRow {
  readonly name: string;
  readonly message: string;
  readonly written: number;
  readonly stamp: Stamp | null;
  readonly doubt: "words_missing" | "words_differ" | null;
  readonly files: ReadonlySet<Id>;
}

/** An item, what its receipt says (`deposited` in Unix seconds), and where each of its files lies, null for one that isn't
 * here. `masked` are the blobs among its files of which parts were covered, `unproven` those that are here without a
 * receipt; `sent` is of an item that somebody else put in. */
export interface Row {
  readonly item: Item;
  readonly deposited: number;
  readonly index: number;
  readonly origin: string;
  readonly places: readonly (string | null)[];
  readonly masked: ReadonlySet<Id>;
  readonly sent: SentRow | null;
  readonly unproven: ReadonlySet<Id>;
}

/** All that the page says. `created` in Unix seconds; `sender` is the key that signed, 32 bytes; `missing` is how many
 * items were shared and aren't here; `checkpoint` the ledger's state beside the receipts, if it could be had; `verifier`:
 * verify.html lies beside it; `own`: the person made it of what they keep, for nobody in particular. */
export interface Page {
  readonly message: string;
  readonly created: number;
  readonly sender: Uint8Array;
  readonly rows: readonly Row[];
  readonly missing: number;
  readonly checkpoint: Checkpoint | null;
  readonly verifier: boolean;
  readonly own: boolean;
}

type Told = { readonly fr: string; readonly en: string };
type Fact = readonly [name: keyof typeof WORDS.facts, value: string | null | false];

/** The whole page, UTF-8. */
export function formatPage(page: Page): Uint8Array {
  const { checkpoint: at, missing } = page;
  const parts = [
    ...WORDS.head, `<h1>${both(page.own ? WORDS.title_own : WORDS.title)}</h1>`,
    facts([
      [page.own ? "made" : "shared", time(page.created)], ["items", String(page.rows.length)],
      ["missing", missing > 0 && String(missing)],
      ["sender", `<code>${formatHex(page.sender)}</code>`], ["ledger", at && `${escape(at.origin)} · ${at.size}`],
    ]),
    ...prose(page.message),
    ...(missing > 0 ? [told(page.own ? WORDS.missing_own : WORDS.missing)] : []),
    ...(at === null ? [told(WORDS.no_checkpoint)] : []),
    ...inOrder(page.rows).map(article),
  ];
  for (const [language, mark] of [["fr", ""], ["en", ' lang="en"']] as const) {
    const verifier = page.verifier ? [WORDS.verifier[language]] : [];
    parts.push(`<section${mark}>`, ...WORDS.proofs[language], ...verifier, "</section>");
  }
  return encodeText([...parts, ...WORDS.foot].map((part) => `${part}\n`).join(""));
}

function article(row: Row): string {
  const { item } = row;
  return [
    "<article>", `<h2>${escape(item.title || "–")}</h2>`,
    ...(isMarked(item.kind) ? [told(WORDS[item.kind])] : []),
    facts([
      ["happened", item.happened && escape(item.happened.words)],
      ["written", item.written !== null && time(item.written)],
      ["deposited", time(row.deposited)],
      ["place", item.place && escape(item.place)],
      ["people", escape(item.people.join(", "))],
      ["danger", item.danger !== null && `${item.danger} / 10`],
      ["receipt", `${row.index} · ${escape(row.origin)}`],
    ]),
    ...prose(item.text),
    ...(row.sent === null ? [] : sent(row.sent)),
    ...item.contents.flatMap((content, at) => file(row, content, row.places[at] ?? null)),
    "</article>",
  ].join("\n");
}

function sent({ name, message, written, stamp, doubt }: SentRow): readonly string[] {
  return [
    `<h3>${both(WORDS.words)}</h3>`,
    facts([
      ["sent_by", escape(name)], ["written", time(written)], ["deposited", stamp && time(stamp.deposited)],
      ["receipt", stamp && `${stamp.index} · ${escape(stamp.origin)}`],
    ]),
    ...prose(message),
    ...(doubt === null ? [] : [told(WORDS[doubt])]),
  ];
}

function file(row: Row, content: Content, place: string | null): readonly string[] {
  const { fr, en } = WORDS.bytes;
  const facts = [`${content.size} ${fr}/${en}<br>`, `SHA-256 <code>${formatHex(content.sha256)}</code></p>`] as const;
  if (place === null) return [told(WORDS.file_missing), `<p>${escape(content.name)} · ${facts[0]}`, facts[1]];
  const address = escape(place.split("/").map(encodeURIComponent).join("/"));
  const [tag] = content.mime.split("/");
  const shown: string[] = [];
  if (SHOWN.has(content.mime)) shown.push(`<p><img src="${address}" alt=""></p>`);
  else if (tag === "audio" || tag === "video") shown.push(`<p><${tag} src="${address}" controls preload="none"></${tag}></p>`);
  if (row.masked.has(content.blob)) shown.push(told(WORDS.masked));
  if (row.unproven.has(content.blob)) shown.push(told(WORDS.file_unproven));
  if (row.sent?.files.has(content.blob)) shown.push(told(WORDS.sent_file));
  return [...shown, `<p><a href="${address}">${escape(content.name)}</a> · ${facts[0]}`, facts[1]];
}

/** The second of each pair is HTML already; what says nothing is left out. */
function facts(pairs: readonly Fact[]): string {
  const rows = pairs.flatMap(([name, value]) => (value ? [`<dt>${both(WORDS.facts[name])}</dt><dd>${value}</dd>`] : []));
  return ["<dl>", ...rows, "</dl>"].join("\n");
}

function prose(text: string | null): readonly string[] {
  return text ? [`<p class="text">${escape(text)}</p>`] : [];
}

function told(text: Told): string {
  return `<p class="told">${both(text)}</p>`;
}

function both({ fr, en }: Told): string {
  return `${fr} <span lang="en">· ${en}</span>`;
}

const SIGNS: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => SIGNS[sign]!);
}

/** As it happened, or else as it was written; of the same moment, as it was written, and then as it comes. */
function inOrder(rows: readonly Row[]): readonly Row[] {
  const order = ({ item: { happened, written } }: Row): readonly [number, number] =>
    [happened?.from ?? written ?? 0, written ?? 0];
  return [...rows].sort((one, other) => {
    const [[a, b], [c, d]] = [order(one), order(other)];
    return a - c || b - d;
  });
}

/** `2024-03-01 21:30 UTC`. */
function time(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function isMarked(kind: Item["kind"]): kind is (typeof MARKED)[number] {
  return MARKED.some((marked) => marked === kind);
}

// What a space may hold after some months: for looking at the views, and for their tests. Everything is invented.
// Knows: items of every kind and state. Refuses to know: who keeps them.

import { zlibSync } from "fflate";

import { answered } from "../src/app/views/assess/weigh.js";
import { parseHappened } from "../src/sdk/happened.js";
import type { Content, Id, Item, Kind } from "../src/worker/api.js";

const DAY = 86_400;
/** Every question of the self-assessment, unticked. */
const NO = answered(new Set());

/** The id of the sample with this number, 22 characters. */
export function sampleId(n: number): Id {
  return `sample${String(n).padStart(15, "0")}A`;
}

/** An item with what is given, and nothing else in it. */
export function sampleItem(n: number, given: Partial<Item>): Item {
  return {
    id: sampleId(n), revision: 1, deposited: 0, sensitive: false, state: "open", kind: "journal" as Kind, title: "",
    text: "", happened: null, written: given.deposited ?? 0, place: null, people: [], tags: [], danger: null,
    mood: null, category: null, contents: [], answers: null, of: null, masked: [], sent: null, ...given,
  };
}

/** Items of every kind; the newest revision stands last. `now` is Unix seconds. */
export function sampleItems(now: number): readonly Item[] {
  const ago = (days: number): number => now - days * DAY;
  const date = (days: number): string => new Date(ago(days) * 1000).toISOString().slice(0, 10);
  return [
    sampleItem(1, {
      deposited: ago(140), title: "La première fois",
      text: "Au printemps, la porte de la cuisine.\n\nJe n’en ai parlé à personne.",
      happened: { from: null, to: null, precision: "words", words: "printemps 2019" }, danger: 4, tags: ["cuisine"],
    }),
    sampleItem(2, {
      deposited: ago(92), title: "Le téléphone", happened: parseHappened(date(93)), danger: 5, mood: "peur",
      text: "Il a regardé tous mes messages, puis il a gardé le téléphone jusqu’au matin.", people: ["mon conjoint"],
      place: "à la maison", tags: ["téléphone", "contrôle"],
    }),
    sampleItem(3, {
      deposited: ago(60), title: "Une bonne journée", happened: parseHappened(date(60)), danger: 1, mood: "calme",
      text: "Au parc avec les enfants et ma sœur. J’ai ri. Je le note aussi.", people: ["ma sœur", "les enfants"],
    }),
    sampleItem(4, {
      deposited: ago(41), title: "Devant l’école", happened: parseHappened(`${date(41)}T16:35`), danger: 7,
      text: "Il attendait dans la voiture. Il a crié mon nom devant tout le monde, puis il nous a suivis jusqu’à "
        + "l’arrêt du bus. Une mère d’élève a tout vu ; elle s’appelle Nadia et elle a bien voulu donner son numéro.",
      people: ["mon conjoint", "Nadia"], place: "rue de l’École", tags: ["menace", "école"], mood: "colère",
    }),
    sampleItem(5, {
      deposited: ago(30), sensitive: true, title: "Ce que je n’ai dit à personne", text: "…", danger: 9,
    }),
    sampleItem(6, {
      deposited: ago(22), kind: "document", title: "Certificat du médecin", category: "medical certificate",
      happened: parseHappened(date(23)), contents: [sampleContent(6, "certificat.pdf", "application/pdf", 1180)],
    }),
    sampleItem(7, {
      deposited: ago(21), kind: "document", title: "La porte", category: "injury", happened: parseHappened(date(22)),
      text: "La porte de la salle de bain, le lendemain.",
      contents: [sampleContent(7, "IMG_2043.png", "image/png", 3_482_112)],
    }),
    sampleItem(8, {
      deposited: ago(15), kind: "assessment", title: "", danger: 6,
      answers: { ...NO, belittle: true, control: true },
    }),
    sampleItem(9, { deposited: ago(12), state: "newer_version", kind: null, title: null, text: null }),
    sampleItem(10, { deposited: ago(9), state: "missing", kind: null, title: null, text: null }),
    sampleItem(11, {
      deposited: ago(8), kind: "document", title: "Messages du 12", category: "message",
      contents: [sampleContent(11, "messages.txt", "text/plain", 310)], tags: ["menace"],
    }),
    sampleItem(12, {
      deposited: ago(5), title: "Hier soir", text: "Il a cassé une assiette.", happened: parseHappened(date(6)),
      danger: 6,
    }),
    sampleItem(12, {
      deposited: ago(4), revision: 2, title: "Hier soir", happened: parseHappened(`${date(6)}T21:10`), danger: 7,
      text: "Il a cassé une assiette, puis le cadre avec la photo de ma mère. Les enfants étaient dans leur chambre. "
        + "Il a dit : « la prochaine fois, c’est toi ».",
      people: ["mon conjoint", "les enfants"], place: "à la maison", tags: ["menace"], mood: "peur",
      contents: [sampleContent(12, "assiette.png", "image/png", 912_331)],
    }),
    sampleItem(13, {
      deposited: ago(2), kind: "document", sensitive: true, title: "Photo",
      contents: [sampleContent(13, "a.png", "image/png", 40_000)],
    }),
    sampleItem(14, {
      deposited: ago(1), kind: "assessment", danger: 8, answers: { ...NO, belittle: true, watch: true, kill: true },
    }),
  ];
}

export function sampleContent(n: number, name: string, mime: string, size: number): Content {
  const hash = Uint8Array.from({ length: 32 }, (_, place) => (place * 29 + n * 53) % 256);
  return { blob: `blob${String(n).padStart(17, "0")}A`, name, mime, size, sealed: hash, sha256: hash };
}

/** Bytes that show as what the content says it is. */
export function samplePicture(content: Content): Blob {
  if (content.mime === "image/png") return new Blob([door ??= png(480, 320)], { type: content.mime });
  if (content.mime === "application/pdf") return new Blob([PDF], { type: content.mime });
  return new Blob(["« Réponds. »\n« Réponds tout de suite. »\n« Tu vas le regretter. »\n"], { type: content.mime });
}

const PDF = [
  "%PDF-1.4", "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj", "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj",
  "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj",
  "4 0 obj<</Length 44>>stream", "BT /F 18 Tf 40 120 Td (Certificat medical) Tj ET", "endstream endobj",
  "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj", "trailer<</Root 1 0 R>>", "%%EOF",
].join("\n");

let door: Uint8Array<ArrayBuffer> | undefined;

/** A picture of a door, as far as stripes go. */
function png(width: number, height: number): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array(height * (width * 3 + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const door = x > width / 3 && x < (2 * width) / 3 && y > height / 6;
      rows.set(door ? [120 - y / 8, 84, 60] : [206, 198 - y / 6, 184], y * (width * 3 + 1) + 1 + x * 3);
    }
  }
  const size = new Uint8Array(13);
  new DataView(size.buffer).setUint32(0, width);
  new DataView(size.buffer).setUint32(4, height);
  size.set([8, 2, 0, 0, 0], 8);
  const magic = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
  const parts = [magic, chunk("IHDR", size), chunk("IDAT", zlibSync(rows)), chunk("IEND", new Uint8Array())];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((place, part) => (whole.set(part, place), place + part.length), 0);
  return whole;
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const made = new Uint8Array(12 + data.length);
  const view = new DataView(made.buffer);
  view.setUint32(0, data.length);
  made.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  made.set(data, 8);
  view.setUint32(8 + data.length, crc32(made.subarray(4, 8 + data.length)));
  return made;
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

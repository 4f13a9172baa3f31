// @vitest-environment happy-dom
// A sound or film: from ranges where that can be, whole where it can't and is small, and a clear sentence otherwise.
import { cleanup, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import Document from "../src/app/views/documents/Document.js";
import { LARGEST } from "../src/app/views/documents/kinds.js";
import type { Content, Item } from "../src/worker/api.js";
import { type Addresses, watchAddresses } from "./app_documents_scene.js";
import { callsOf, openVault, show, until } from "./app_journal_scene.js";
import type { MemoryVault } from "./memory_vault.js";
import { sampleItem } from "./samples.js";

const hash = new Uint8Array(32);
const film = (n: number, size: number): Item => sampleItem(n, {
  kind: "document", deposited: 1_700_000_000 + n, title: `Film ${n}`,
  contents: [{ blob: `blob ${n}`, name: `${n}.mp4`, mime: "video/mp4", size, sealed: hash, sha256: hash } satisfies Content],
});
const SHORT = film(1, 2_000), LONG = film(2, LARGEST.video + 1);
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

let vault: MemoryVault;
let addresses: Addresses;
let registered: string[] = [];
let forbidden = false;

beforeEach(async () => {
  vault = await openVault([SHORT, LONG]);
  addresses = watchAddresses();
  registered = [];
  forbidden = false;
  (window as unknown as { happyDOM: { settings: { disableIframePageLoading: boolean } } })
    .happyDOM.settings.disableIframePageLoading = true;
  vi.spyOn(console, "error").mockImplementation(() => undefined); // it loads no frames, and says so each time
  const worker = Object.assign(new EventTarget(), { state: "activated" });
  const registration = { installing: null, waiting: null, active: worker, unregister: async () => void registered.pop() };
  Object.defineProperty(navigator, "serviceWorker", {
    configurable: true, value: {
      register: async (_: string, { scope }: { scope: string }) => {
        if (forbidden) throw new DOMException("no", "SecurityError");
        registered.push(scope);
        return registration;
      },
      getRegistration: async (scope: string) => registered.includes(scope) ? registration : undefined,
    },
  });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  Reflect.deleteProperty(navigator, "serviceWorker");
});

const said = (): string => document.body.textContent ?? "";
const press = (name: RegExp): void => void fireEvent.click(screen.getByRole("button", { name }));
const shown = async (item: Item): Promise<void> => {
  show(<Document id={item.id} />);
  await until(() => screen.queryByRole("heading", { level: 1 }));
};
const inFirefox = (): void => void vi.spyOn(navigator, "userAgent", "get").mockReturnValue(FIREFOX);

test.each([SHORT, LONG])("it plays in a frame of its own that is named after it, and nothing is fetched whole", async (item) => {
  await shown(item);
  press(/^Ouvrir la vidéo/);
  await until(() => document.querySelector("iframe"));
  expect(document.querySelector("iframe")?.title).toBe(item.contents[0]?.name);
  expect(registered).toEqual(["/a/p/"]);
  expect(callsOf(vault, "readContent")).toEqual([]);
  press(/^Cacher/);
  await until(() => document.querySelector("iframe") === null && registered.length === 0);
  expect(addresses.made).toEqual([]);
});

test("with the view go the frame and the service worker", async () => {
  await shown(LONG);
  press(/^Ouvrir la vidéo/);
  await until(() => document.querySelector("iframe"));
  cleanup();
  expect(document.querySelector("iframe")).toBeNull();
  await until(() => registered.length === 0);
});

test("where service workers are forbidden a short one plays from memory, and a long one says what to do", async () => {
  forbidden = true;
  await shown(SHORT);
  press(/^Ouvrir la vidéo/);
  await until(() => document.querySelector("video"));
  expect(callsOf(vault, "readContent")).toHaveLength(1);
  cleanup();
  expect([...addresses.open]).toEqual([]);
  await shown(LONG);
  press(/^Ouvrir la vidéo/);
  await until(() => /plus de 50\sMo/.test(said()));
  expect(said()).toContain("ordinaire");
  expect(screen.queryByRole("button", { name: /^Ouvrir/ })).toBeNull();
  expect(screen.getByRole("button", { name: /^Télécharger/ })).toBeTruthy();
  expect(callsOf(vault, "readContent")).toHaveLength(1);
});

test("in Firefox, which writes down what it plays in ranges, a short one plays from memory and a long one says so", async () => {
  inFirefox();
  await shown(SHORT);
  expect(said()).not.toContain("fichier temporaire");
  press(/^Ouvrir la vidéo/);
  await until(() => document.querySelector("video"));
  expect(registered).toEqual([]);
  cleanup();
  await shown(LONG);
  expect(said()).toContain("fichier temporaire");
  press(/^Ouvrir la vidéo/);
  await until(() => document.querySelector("iframe"));
});

test("a frame that did not come says so, and can be asked for again", async () => {
  await shown(LONG);
  press(/^Ouvrir la vidéo/);
  await until(() => document.querySelector("iframe"));
  fireEvent.load(document.querySelector("iframe")!); // an error page has no service worker
  await until(() => screen.queryByRole("alert"));
  expect(document.querySelector("iframe")).toBeNull();
  expect(screen.getByRole("button", { name: /^Ouvrir la vidéo/ })).toBeTruthy();
});

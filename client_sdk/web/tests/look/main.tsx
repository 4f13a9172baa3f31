// The real pages with the memory twin for a vault, to be looked at while they are made: `npm run look`, then open
// http://127.0.0.1:5173/tests/look/ . The name, the password and the PIN are those of ../memory_vault.ts:
//     camille · lune verte sur le toit · 271828     (recovery code: WORDS there)
// A row of switches at the end of the page makes calls fail and the vault speak: an error for the next call, no
// network, a warning, wrong PINs, something waiting, a session that ends, another device that writes. From a script the
// twin is `look.vault`, and `look.open()` logs in at once; `?delay=0` takes the waiting away.
// Knows: the twin. Refuses to know: anything real.

import { render, type JSX } from "preact";

import { enter, hear } from "../../src/app/state.js";
import { IDLE_MS, lockNow, WARNING_MS, watch } from "../../src/app/lock.js";
import { askPin } from "../../src/app/parts/index.js";
import { beginVault, type Running } from "../../src/app/vault.js";
import { startShell } from "../../src/app/shell.js";
import { MemoryVault, NAME, PASSWORD, PIN, problem } from "../memory_vault.js";
import { sampleId, sampleItem } from "../samples.js";

const delay = Number(new URLSearchParams(location.search).get("delay") ?? 120);
const vault = new MemoryVault({ delay });

startShell((): Running => ({ api: vault, end: () => undefined }));

async function open(): Promise<void> {
  const api = beginVault((notice) => hear(notice, (why) => void lockNow(why)));
  watch();
  enter(api, NAME, await api.logIn({ username: NAME, password: PASSWORD, pin: PIN }));
}

/** The warning before a lock: the clock is said to have run on. */
function soon(): void {
  const now = Date.now;
  Date.now = () => now() + IDLE_MS - WARNING_MS + 1000;
}

Object.assign(globalThis, { look: { vault, open, problem, lockNow, askPin, soon, sampleItem, sampleId } });

const CODES = ["network", "pin_locked", "pin_closed", "pin_wrong", "login_refused", "quota_full", "revision_conflict",
  "warned", "device_full", "unexpected"];
let others = 100;

function Switches(): JSX.Element {
  const fail = (code: string): void =>
    vault.fail("any", problem(code, { retryAfter: code === "pin_locked" ? 75 : null }));
  const far = { name: "IMG_2043.jpg", done: 4, total: 9 };
  const other = (): void =>
    vault.add(sampleItem(others++, { title: "From elsewhere", deposited: Math.floor(Date.now() / 1000) }));
  return (
    <p style="padding: 8px 16px; font: 14px monospace; opacity: .8">
      <select onChange={(event) => event.currentTarget.value && fail(event.currentTarget.value)}>
        <option value="">next call fails with…</option>
        {CODES.map((code) => <option key={code}>{code}</option>)}
      </select>{" "}
      <button onClick={() => void open()}>open</button>{" "}
      <button onClick={() => vault.tell({ kind: "network", reachable: false })}>no network</button>{" "}
      <button onClick={() => vault.tell({ kind: "network", reachable: true })}>network</button>{" "}
      <button onClick={() => vault.tell({ kind: "waiting", count: 2 })}>waiting</button>{" "}
      <button
        onClick={() => {
          vault.opening = { ...vault.opening, warnings: ["items_missing", "ledger_forked"] };
          vault.setBack = [{ time: Math.floor(Date.now() / 1000) - 3600, size: 812, was: 829 }];
          vault.settled = {
            givenBack: 2, anew: [sampleId(1), sampleId(2)], writtenOff: 4, left: "quota_full", recordOlder: false,
            files: [{ item: sampleId(3), title: "The hall", name: "hall.jpg" }],
          };
          vault.tell({ kind: "given_back", count: 3 });
          vault.tell({ kind: "warnings", codes: vault.opening.warnings });
        }}
      >
        warnings
      </button>{" "}
      <button onClick={() => (vault.opening = { ...vault.opening, wrongPins: 3, wrongTotal: 12, adviseChange: true })}>
        wrong PINs at the next opening
      </button>{" "}
      <button onClick={() => vault.tell({ kind: "progress", sending: true, ...far })}>progress</button>{" "}
      <button onClick={() => vault.tell({ kind: "session_ended", code: "unauthorized" })}>session ends</button>{" "}
      <button onClick={other}>another device writes</button>
    </p>
  );
}

if (!new URLSearchParams(location.search).has("bare")) {
  render(<Switches />, document.body.appendChild(document.createElement("aside")));
}

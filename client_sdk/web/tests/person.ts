// Somebody who writes and shares at the command line's side: Python's SDK, on a real vault. Knows: one account, and what
// stands in it. Refuses to know: who reads.

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { Policy } from "../src/crypto_core/receipts/policy.js";
import { Link, Openings, openLink, verifyUnder, type OpenedBundle, type ReadingWith } from "../src/sdk/opening.js";
import { NO_PROGRESS } from "../src/sdk/progress.js";
import { HttpTransport } from "../src/sdk/transport.js";
import { Network } from "./memory_network.js";
import { ROOT, pythonThatStays, type RealVault } from "./real_vault.js";

export const PHOTOGRAPH = join(ROOT, "docs", "demo", "photograph.jpg");
const TYPED = ["marche", "lune verte sur le toit", "271828"] as const;

/** Does what it is told, line by line, and prints a line of each. Argon2id runs once: the vault and the password stay. */
const PROGRAM = `
import json, sys, time
from functools import cache
from pathlib import Path
from client_sdk.client import VaultClient
from client_sdk.items import Draft
from client_sdk.sharing import Sharing
from crypto_core.encoding import format_b64url, parse_b64url
from crypto_core.sealing import passphrase
passphrase.stretch = cache(passphrase.stretch)
username, password, pin = ${JSON.stringify(TYPED)}
for told in sys.stdin:
    exec(json.loads(told))
    sys.stdout.flush()
`;

/** What was shared; `fragment` and `code` where it was by a link. */
export interface Given {
  readonly bundle: string;
  readonly fragment: string;
  readonly code: string;
}

export class Person {
  readonly vault: RealVault;
  readonly folder = mkdtempSync(join(tmpdir(), "person-"));
  /** The key of the ledger, as the vault names it. */
  readonly ledger: Policy;
  readonly #python: ChildProcessWithoutNullStreams = pythonThatStays(PROGRAM);
  readonly #printed = createInterface(this.#python.stdout)[Symbol.asyncIterator]();
  #complaint = "";

  private constructor(vault: RealVault, ledger: Policy) {
    this.vault = vault;
    this.ledger = ledger;
    this.#python.stderr.on("data", (data: Buffer) => (this.#complaint += data.toString("utf8")));
  }

  /** An account with an entry and a photograph. */
  static async writing(vault: RealVault): Promise<Person> {
    const { ledger_vkey: key } = await fetch(`${vault.url}/v1/vault`).then((answer) => answer.json()) as Record<string, string>;
    const person = new Person(vault, Policy.forKey(key!));
    await person.does(`
client.register(client.make_account(username, password, pin))
client.log_in(username, password, pin)
client.write_entry(Draft(title="Devant l’école", text="Il a crié mon nom.", danger=7))
client.add_document(Path(${JSON.stringify(PHOTOGRAPH)}), title="La porte")
print("null")
`);
    return person;
  }

  /** What is printed when `what` was done with `client`, a new one each time. */
  async does(what: string): Promise<unknown> {
    const program = `
with VaultClient.connect(${JSON.stringify(this.vault.url)}, Path(${JSON.stringify(this.folder)})) as client:
    ${what.trim().replaceAll("\n", "\n    ")}
`;
    this.#python.stdin.write(`${JSON.stringify(program)}\n`);
    const printed = await this.#printed.next();
    if (printed.done === true) throw new Error(`Python has ended: ${this.#complaint}`);
    return JSON.parse(printed.value);
  }

  /** Everything that the person keeps, shared until `seconds` from now. */
  async share(to: number | null, { openings = 10, seconds = 3600 } = {}): Promise<Given> {
    return await this.does(`
client.log_in(username, password, pin)
items = [(item.id, item.revision) for item in client.items()]
made = client.shares.make(Sharing(
    items, ${to ?? "None"}, int(time.time()) + ${seconds}, ${openings}, "Merci de lire avant jeudi."))
client.shares.send(made, client.account.confirm(password, pin))
link = made.link
print(json.dumps({
    "bundle": format_b64url(made.bundle), "fragment": link and link.fragment, "code": link and link.code}))
`) as Given;
  }

  /** How somebody without an account reads, over a network that can lie. */
  reader(network = new Network()): ReadingWith & { readonly network: Network } {
    const transport = new HttpTransport(this.vault.url, { fetch: network.fetch, sleep: () => Promise.resolve() });
    const clock = (): number => Math.floor(Date.now() / 1000);
    return { transport, clock, progress: NO_PROGRESS, verify: verifyUnder(this.ledger), network };
  }

  remove(): void {
    this.#python.stdin.end();
    rmSync(this.folder, { recursive: true });
  }
}

export function opens(given: Given, by: ReadingWith, openings = new Openings()): Promise<OpenedBundle> {
  return openLink(Link.parse(given.fragment), given.code, openings, by);
}

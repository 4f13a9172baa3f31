// Somebody who writes and shares at the command line's side: Python's SDK, on a real vault. Knows: one account, and what
// stands in it. Refuses to know: who reads.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Policy } from "../src/crypto_core/receipts/policy.js";
import { Link, Openings, openLink, verifyUnder, type OpenedBundle, type ReadingWith } from "../src/sdk/opening.js";
import { NO_PROGRESS } from "../src/sdk/progress.js";
import { HttpTransport } from "../src/sdk/transport.js";
import { Network } from "./memory_network.js";
import { ROOT, python, type RealVault } from "./real_vault.js";

export const PHOTOGRAPH = join(ROOT, "docs", "demo", "photograph.jpg");
const TYPED = ["marche", "lune verte sur le toit", "271828"] as const;

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

  private constructor(vault: RealVault, ledger: Policy) {
    this.vault = vault;
    this.ledger = ledger;
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

  /** What the person's program says, when it has done `what` with `client`. */
  async does(what: string): Promise<unknown> {
    return python(`
import json, time
from pathlib import Path
from client_sdk.client import VaultClient
from client_sdk.items import Draft
from client_sdk.sharing import Sharing
from crypto_core.encoding import format_b64url, parse_b64url
username, password, pin = ${JSON.stringify(TYPED)}
with VaultClient.connect(${JSON.stringify(this.vault.url)}, Path(${JSON.stringify(this.folder)})) as client:
    ${what.trim().replaceAll("\n", "\n    ")}
`);
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
    rmSync(this.folder, { recursive: true });
  }
}

export function opens(given: Given, by: ReadingWith, openings = new Openings()): Promise<OpenedBundle> {
  return openLink(Link.parse(given.fragment), given.code, openings, by);
}

// A real vault for tests: `temoin-server` in processes of its own, on loopback, in a folder of its own.
// Knows: how a person starts it. Refuses to know: what is inside.
//
// The commands are those of the environment in which this Node is installed, or of TEMOIN_BIN.

import { execFile, spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const BIN = process.env["TEMOIN_BIN"] ?? binAbove(process.execPath);
const RATE = "100000 per minute";
/** Rates that no test meets by accident; and the ledger's public state moves at once. */
const ENVIRONMENT = {
  TEMOIN_LOGIN_RATE: RATE, TEMOIN_CONFIRM_RATE: RATE, TEMOIN_VISIT_RATE: RATE, TEMOIN_SIGNUP_RATE: RATE,
  TEMOIN_CHECKPOINT_INTERVAL: "0",
};
const PATIENCE_MS = 60_000;
const GRACE_MS = 1000;
const PORTS = 1000;
const FIRST_PORT = 10_000 + PORTS * (Number(process.env["VITEST_POOL_ID"] ?? "0") % 10);
let turn = process.pid;

/** The root of the project, where Python finds its own modules. */
export const ROOT = join(import.meta.dirname, "..", "..", "..");

/** What `code` prints as JSON, run by the Python of the same environment. */
export async function python(code: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(join(BIN, "python"), ["-c", code], { cwd: ROOT, env: environment() });
  return JSON.parse(stdout);
}

/** The same Python, told by its input what to do, until that ends. */
export function pythonThatStays(code: string): ChildProcessWithoutNullStreams {
  return spawn(join(BIN, "python"), ["-c", code], { cwd: ROOT, env: environment() });
}

/** A vault in a new folder. `start`, then `stop`; `remove` at the end. */
export class RealVault {
  readonly folder = mkdtempSync(join(tmpdir(), "vault-"));
  readonly port: number;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | null = null;

  private constructor(port: number, settings: Readonly<Record<string, string>>) {
    this.port = port;
    this.#settings = settings;
  }

  /** A new vault, served. `settings` are its environment, beside rates that no test meets. */
  static async serve(settings: Readonly<Record<string, string>> = {}): Promise<RealVault> {
    const vault = new RealVault(await freePort(), settings);
    await vault.command("init");
    await vault.start();
    return vault;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What `temoin-server` prints, with these arguments, on this vault. */
  async command(...words: readonly string[]): Promise<string> {
    const run = promisify(execFile)(join(BIN, "temoin-server"), [...words, "--data", this.folder], { env: this.#env() });
    return (await run).stdout;
  }

  /** A copy of the database as it is now, while the vault runs. */
  async backUp(): Promise<string> {
    const copy = join(this.folder, `copy-${turn++}.db`);
    const [from, to] = [join(this.folder, "vault.db"), copy].map((path) => JSON.stringify(path));
    await python(`import sqlite3; sqlite3.connect(${from}).backup(sqlite3.connect(${to})); print(1)`);
    return copy;
  }

  /** The copy in the place of what there is, put right and served: the files that came since are lost. */
  async setBack(copy: string): Promise<void> {
    await this.stop();
    const database = join(this.folder, "vault.db");
    for (const end of ["-wal", "-shm"]) rmSync(`${database}${end}`, { force: true });
    copyFileSync(copy, database);
    await this.command("restore");
    await this.start();
  }

  /** It knows of no file any more, while it runs: what it does in the end with files that nothing names. */
  async loseFiles(): Promise<void> {
    const path = JSON.stringify(join(this.folder, "vault.db"));
    await python(`
import sqlite3
with sqlite3.connect(${path}, timeout=30) as db:
    print(db.execute("DELETE FROM blobs").rowcount)
`);
  }

  async start(): Promise<void> {
    const log = openSync(this.#log, "a");
    const words = ["run", "--data", this.folder, "--host", "127.0.0.1", "--port", String(this.port), "--workers", "2"];
    const started = spawn(join(BIN, "temoin-server"), words, {
      env: this.#env(), stdio: ["ignore", log, log], detached: true, // a group of its own
    });
    closeSync(log);
    process.once("exit", () => started.exitCode === null && started.pid !== undefined && endGroup(started.pid));
    this.#process = started;
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline && started.exitCode === null) {
      if (await fetch(`${this.url}/v1/health`).then((answer) => answer.ok, () => false)) return;
      await sleep(50);
    }
    await this.stop();
    throw new Error(readFileSync(this.#log, "utf8"));
  }

  /** Ends the server, and whatever of it is left after a moment; does nothing if it is not running. */
  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running?.pid === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGTERM");
    await Promise.race([ended, sleep(GRACE_MS)]); // connections that were left open would hold it for many seconds
    endGroup(running.pid);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, maxRetries: 3 }); // what was killed may be letting go of its last file
  }

  get #log(): string {
    return join(this.folder, "server.log");
  }

  #env(): NodeJS.ProcessEnv {
    return environment({ ...ENVIRONMENT, ...this.#settings });
  }
}

/** Ends every process of a group that this process started; those that are gone already are fine. */
function endGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The folder of commands of the environment that a file lies in. */
function binAbove(file: string): string {
  const folder = dirname(file);
  const bin = join(folder, "bin");
  if (existsSync(join(bin, "temoin-server"))) return bin;
  if (folder === file) throw new Error("no temoin-server in the environment of this Node; TEMOIN_BIN names its folder");
  return binAbove(folder);
}

/** This process's environment without any setting of ours, and with `extra`. */
function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("TEMOIN_"));
  return { ...Object.fromEntries(kept), ...extra };
}

/**
 * A port that nobody listens at. It is none of those that a system gives out by itself: one that it chose may be
 * somebody else's before the server for which it was asked is there. Each worker has a thousand of its own.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + (turn++ % PORTS);
    const listener = createServer();
    const isFree = new Promise<boolean>((resolve) => {
      listener.once("listening", () => resolve(true)).once("error", () => resolve(false));
    });
    listener.listen(port, "127.0.0.1");
    if (!(await isFree)) continue;
    listener.close();
    await once(listener, "close");
    return port;
  }
}

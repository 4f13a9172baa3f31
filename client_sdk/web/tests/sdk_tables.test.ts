// What stands in a table here stands in Python's, too: machines, errors, endpoints. Both are read.
import { beforeAll, describe, expect, test } from "vitest";

import { OutOfOrder } from "../src/crypto_core/errors.js";
import { ENDPOINTS } from "../src/schemas/endpoints.js";
import * as accounts from "../src/schemas/accounts.js";
import * as boxes from "../src/schemas/boxes.js";
import * as directory from "../src/schemas/directory.js";
import * as items from "../src/schemas/items.js";
import * as receipts from "../src/schemas/receipts.js";
import * as shares from "../src/schemas/shares.js";
import * as uploads from "../src/schemas/uploads.js";
import * as vault from "../src/schemas/vault.js";
import * as errors from "../src/sdk/errors.js";
import * as audit from "../src/sdk/protocol/audit.js";
import { Machine, type Transitions } from "../src/sdk/protocol/machine.js";
import * as sync from "../src/sdk/protocol/sync.js";
import * as unlock from "../src/sdk/protocol/unlock.js";
import * as upload from "../src/sdk/protocol/upload.js";
import { ERRORS } from "../src/sdk/trust_store.js";
import { python } from "./real_vault.js";

type Table = Readonly<Record<string, string>>;
interface Tried {
  readonly states: Table;
  readonly events: Table;
  readonly table: Transitions<string, string>;
  readonly start: string;
  readonly ends: readonly string[];
}

const MACHINES: readonly (readonly [string, Tried])[] = [
  ["unlock", {
    states: unlock.Unlock, events: unlock.UnlockEvent, table: unlock.TRANSITIONS, start: unlock.unlocking().state,
    ends: [],
  }],
  ["upload", {
    states: upload.Upload, events: upload.UploadEvent, table: upload.TRANSITIONS, start: upload.uploading().state,
    ends: [upload.Upload.KEPT, upload.Upload.ABANDONED],
  }],
  ["sync", {
    states: sync.Sync, events: sync.SyncEvent, table: sync.TRANSITIONS, start: sync.synchronising().state,
    ends: [sync.Sync.TRUSTED, sync.Sync.WARNED],
  }],
  ["audit", {
    states: audit.Audit, events: audit.AuditEvent, table: audit.TRANSITIONS, start: audit.auditing(false).state,
    ends: [],
  }],
];

interface Facts {
  readonly machines: Readonly<Record<string, readonly (readonly [string, string, string])[]>>;
  readonly enums: Readonly<Record<string, Table>>;
  readonly errors: Readonly<Record<string, readonly [code: string, sentence: string, base: string]>>;
  readonly findings: Table;
  readonly endpoints: readonly (readonly [string, string, string, string | null, readonly string[], number])[];
}

let facts: Facts;
beforeAll(async () => {
  facts = (await python(`
import inspect, json
from client_sdk import errors
from client_sdk.protocol import audit, sync, unlock, upload
from client_sdk.trust_store import ERRORS
from schemas.endpoints import ENDPOINTS
modules = {"audit": audit, "sync": sync, "unlock": unlock, "upload": upload}
enums = [audit.Audit, audit.AuditEvent, sync.Sync, sync.SyncEvent, sync.Finding, unlock.Unlock, unlock.UnlockEvent,
         upload.Upload, upload.UploadEvent]
named = lambda one: one if one is None or isinstance(one, str) else one.__name__
print(json.dumps({
    "machines": {name: [[a.value, b.value, c.value] for (a, b), c in one.TRANSITIONS.items()]
                 for name, one in modules.items()},
    "enums": {one.__name__: {member.name: member.value for member in one} for one in enums},
    "errors": {name: [one.code, one.sentence, one.__bases__[0].__name__] for name, one in vars(errors).items()
               if inspect.isclass(one) and issubclass(one, errors.SdkError) and hasattr(one, "code")},
    "findings": {finding.value: error.__name__ for finding, error in ERRORS.items()},
    "endpoints": [[row.method, row.path, row.stage.value, named(row.takes), [named(one) for one in row.gives],
                   row.status] for row in ENDPOINTS],
}))`)) as Facts;
});

describe.each(MACHINES)("the machine %s", (name, { states, events, table, start, ends }) => {
  test("has Python's steps, and no other", () => {
    const spelled = (rows: Transitions<string, string>): string[] => rows.map((row) => row.join(" → ")).sort();
    expect(spelled(table)).toEqual(spelled(facts.machines[name]!));
    expect(new Set(table.map(([before, event]) => `${before} ${event}`)).size).toBe(table.length);
  });

  test("takes every step of its table, and refuses all others", () => {
    for (const state of Object.values(states)) {
      for (const event of Object.values(events)) {
        const machine = new Machine(state, table);
        const step = table.find(([before, what]) => before === state && what === event);
        if (step === undefined) {
          expect(() => machine.receive(event)).toThrow(OutOfOrder);
          expect(machine.state).toBe(state);
        } else {
          expect(machine.receive(event)).toBe(step[2]);
          expect(machine.state).toBe(step[2]);
        }
      }
    }
  });

  test("reaches every state, and leaves it unless it is an end", () => {
    const reached = new Set([start]);
    for (const _ of Object.values(states)) {
      for (const [before, , after] of table) if (reached.has(before)) reached.add(after);
    }
    expect(reached).toEqual(new Set(Object.values(states)));
    expect(new Set([...table.map(([before]) => before), ...ends])).toEqual(new Set(Object.values(states)));
    expect(new Set(table.map(([, event]) => event))).toEqual(new Set(Object.values(events)));
  });
});

test("a step is required by the state it needs", () => {
  const machine = unlock.unlocking();
  machine.require(unlock.Unlock.LOCKED, unlock.Unlock.OPEN);
  expect(() => machine.require(unlock.Unlock.OPEN)).toThrow(OutOfOrder);
});

test("every state and event is called as in Python", () => {
  const here = { ...audit, ...sync, ...unlock, ...upload } as unknown as Readonly<Record<string, Table>>;
  for (const [name, members] of Object.entries(facts.enums)) expect(here[name]).toEqual(members);
});

test("a PIN is never proven before the password", () => {
  const before = unlock.TRANSITIONS.filter(([, event]) => event === unlock.UnlockEvent.PIN_PROVEN);
  expect(before.map(([state]) => state)).toEqual([unlock.Unlock.PASSWORD]);
});

test("kept is reached from a verified receipt alone", () => {
  const into = (state: string) => upload.TRANSITIONS.filter(([, , after]) => after === state);
  expect(into(upload.Upload.KEPT).map(([before]) => before)).toEqual([upload.Upload.RECEIPTED]);
  expect(into(upload.Upload.RECEIPTED).map(([, event]) => event)).toEqual([upload.UploadEvent.RECEIPT_VERIFIED]);
});

test("only a finished pass is judged", () => {
  const judging: readonly string[] = [sync.SyncEvent.CLEAN, sync.SyncEvent.FOUND, sync.SyncEvent.FOUND_STILL];
  const before = sync.TRANSITIONS.filter(([, event]) => judging.includes(event)).map(([state]) => state);
  expect(new Set(before)).toEqual(new Set([sync.Sync.FINISHED]));
});

test("width doubles to the limit and halves to one", () => {
  const width = new upload.Width();
  const seen = [width.units];
  for (let count = 0; count < 6; count += 1) {
    width.succeeded();
    seen.push(width.units);
  }
  expect(seen).toEqual([1, 2, 4, 8, 16, 32, 32]);
  for (let count = 0; count < 5; count += 1) width.failed();
  expect([width.units, width.requests]).toEqual([1, 2]);
  width.failed();
  expect([width.units, width.requests]).toEqual([1, 1]);
  width.succeeded();
  expect(width.requests).toBe(2);
  expect([...width.split(5)]).toEqual([[0, 2], [2, 4], [4, 5]]);
});

test("what takes long makes requests narrower, and where one unit takes long they go alone", () => {
  const width = new upload.Width();
  for (let count = 0; count < 3; count += 1) width.succeeded(upload.BRIEF);
  expect([width.units, width.requests]).toEqual([8, 2]);
  width.succeeded(upload.BRIEF + 1);
  expect(width.units).toBe(8);
  width.succeeded(upload.LONG + 1);
  expect(width.units).toBe(4);
  for (let count = 0; count < 2; count += 1) width.succeeded(upload.LONG + 1);
  expect([width.units, width.requests]).toEqual([1, 2]);
  width.succeeded(upload.LONG + 1);
  expect([width.units, width.requests]).toEqual([1, 1]);
  width.succeeded(upload.LONG);
  expect(width.requests).toBe(1);
  width.succeeded(upload.BRIEF);
  expect([width.units, width.requests]).toEqual([2, 2]);
});

test("every error has Python's code, sentence and place in the tree", () => {
  const here = errors as unknown as Readonly<Record<string, { code: string; sentence: string; prototype: object }>>;
  expect(Object.keys(facts.errors).length).toBeGreaterThan(15);
  for (const [name, [code, sentence, base]] of Object.entries(facts.errors)) {
    const one = here[name]!;
    expect([name, one.code, one.sentence]).toEqual([name, code, sentence]);
    expect(Object.getPrototypeOf(one)).toBe(here[base]);
  }
  expect(Object.fromEntries(Object.entries(ERRORS).map(([finding, error]) => [finding, error.name]))).toEqual(
    facts.findings);
});

test("the table of endpoints is Python's", () => {
  const names = new Map<unknown, string>(
    [accounts, boxes, directory, items, receipts, shares, uploads, vault].flatMap((module) =>
      Object.entries(module).map(([name, schema]) => [schema, name] as const)));
  const named = (one: unknown): string | null => (one === null ? null : typeof one === "string" ? one : names.get(one)!);
  const here = ENDPOINTS.map(({ method, path, stage, takes, gives, status }) =>
    [method, path, stage, named(takes), gives.map(named), status]);
  const key = (row: readonly unknown[]): string => `${row[0]} ${row[1]}`;
  const sorted = (rows: readonly (readonly unknown[])[]) => [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  expect(sorted(here)).toEqual(sorted(facts.endpoints));
});

// The schemas of the wire against the types that OpenAPI gives: names and kinds of every value. tsc judges them.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import type * as v from "valibot";
import { expect, expectTypeOf, test } from "vitest";

import * as accounts from "../src/schemas/accounts.js";
import * as boxes from "../src/schemas/boxes.js";
import * as directory from "../src/schemas/directory.js";
import { ENDPOINTS, type Answer, type Body } from "../src/schemas/endpoints.js";
import * as items from "../src/schemas/items.js";
import * as receipts from "../src/schemas/receipts.js";
import * as shares from "../src/schemas/shares.js";
import * as uploads from "../src/schemas/uploads.js";
import * as vault from "../src/schemas/vault.js";
import type { components, paths } from "../src/schemas/wire.js";

const { PROFESSIONS: _professions, Problem: _problem, ...closed } = {
  ...accounts, ...boxes, ...directory, ...items, ...receipts, ...shares, ...uploads, ...vault,
};
type Ours = typeof closed;
type Wire = Omit<components["schemas"], "Problem">;

/** Without `readonly`. */
type Bare<T> = T extends readonly (infer One)[] ? Bare<One>[] : T extends object ? { [N in keyof T]: Bare<T[N]> } : T;
type Said<S> = S extends v.GenericSchema ? Bare<v.InferInput<S>> : never;

test("the types of the wire are as they are generated", async () => {
  const web = join(import.meta.dirname, "..");
  await promisify(execFile)("npm", ["run", "--silent", "wire", "--", "--check"], { cwd: web });
});

test("every message of the wire has its schema, with the same names and kinds of values", () => {
  expectTypeOf<keyof Ours>().toEqualTypeOf<keyof Wire>();
  expectTypeOf<{ [N in Exclude<keyof Ours, "Nothing">]: Said<Ours[N]> }>().toEqualTypeOf<
    { [N in Exclude<keyof Wire, "Nothing">]: Bare<Wire[N]> }
  >();
});

test("every endpoint of the wire stands in the table", () => {
  type Spelled<P extends string> = P extends `${infer Head}<${string}:${infer Name}>${infer Rest}` ? `${Head}{${Name}}${Spelled<Rest>}` : P;
  expectTypeOf<Spelled<(typeof ENDPOINTS)[number]["path"]>>().toEqualTypeOf<keyof paths>();
  expect(ENDPOINTS.length).toBe(new Set(ENDPOINTS.map(({ method, path }) => `${method} ${path}`)).size);
});

test("what is loaded is bytes, seconds and spelled ids", () => {
  expectTypeOf<Answer<"GET", "/v1/items">["revisions"][number]>().toExtend<
    { readonly item: string; readonly deposited: number; readonly record: Uint8Array | null }
  >();
  expectTypeOf<Body<"POST", "/v1/pin">>().toEqualTypeOf<{ purpose: "login" | "step"; x: Uint8Array }>();
  expectTypeOf<Answer<"GET", "/v1/blobs/<id:blob>">>().toBeNever();
});

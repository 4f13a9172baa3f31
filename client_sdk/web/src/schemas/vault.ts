// What a vault says of itself, and how it says no.
// Knows: `GET /v1/vault`, health, and the shape of a problem. Refuses to know: accounts.

import * as v from "valibot";

import { id, strict, text, whole } from "./fields.js";
import * as limits from "./limits.js";

/** Public facts that a client needs before it has an account, and pins when it makes one. */
export const Vault = strict({
  vault_id: id(),
  host: text(255, 1),
  ledger_vkey: text(limits.VKEY, 1),
  directory_vkey: text(limits.VKEY, 1),
  argon_newest: whole(1, 1000),
  generation: id(),
});
export type Vault = v.InferOutput<typeof Vault>;

/** Alive, and able to read its database. */
export const Health = strict({ status: text(20) });
export type Health = v.InferOutput<typeof Health>;

/** RFC 9457 problem details; `code` is stable, other names may stand beside these. */
export const Problem = v.looseObject({
  type: v.string(),
  title: v.string(),
  status: whole(400, 599),
  code: v.string(),
  detail: v.string(),
});
export type Problem = v.InferOutput<typeof Problem>;

// The sharing part of the memory twin: a directory of three, and what was shared.
// Knows: what the contract says of each call. Refuses to know: keys, seals, and who is in.

import type { Redaction } from "../src/sdk/extract.js";
import type { Id, Kept } from "../src/sdk/items.js";
import type { Covered, Link, Listed, Professional, Shared, Sharing, SharingApi } from "../src/worker/sharing.js";
import { Failure } from "../src/worker/problems.js";

const DAY = 86_400;
/** 1 October 2026. */
const LISTED = 1_790_812_800;

export const LINK: Link = { fragment: `#b${"mEmory0".repeat(9)}A`, code: "1234 5678" };

const someone = (entry: number, name: string, org: string, town: string, kind: string): Professional => ({
  entry, name, org, town, kind, since: LISTED + entry * DAY, compared: "no",
  fingerprint: Array.from({ length: 8 }, (_, n) => String((entry + 1) * 10_000 + n * 1117)).join(" "),
});

export abstract class MemoryShares implements SharingApi {
  /** Who is listed; change it to see a key that changed. */
  listed: Professional[] = [
    someone(0, "Claire Martin", "Association Rive", "Lyon", "association"),
    someone(1, "Maître Anne Élan", "", "Grenoble", "lawyer"),
    someone(3, "Dr Yasmine Haddad", "Hôpital du Parc", "Lyon", "doctor"),
  ];
  /** What is shared; change it to see openings and ends. */
  shared: Shared[] = [];

  protected abstract called(name: keyof SharingApi, ...given: unknown[]): Promise<void>;
  /** Throws unless both are the open account's. */
  protected abstract confirmed(password: string, pin: string): void;
  /** Unix seconds. */
  protected abstract time(): number;

  abstract makeExtract(item: Id, revision: number, redaction: Redaction, covered: readonly Covered[]): Promise<Kept>;

  async professionals(): Promise<Listed> {
    await this.called("professionals");
    return { professionals: this.listed, unread: 0 };
  }

  async noteCompared(entry: number): Promise<void> {
    await this.called("noteCompared", entry);
    this.listed = this.listed.map((one) => (one.entry === entry ? { ...one, compared: "yes" } : one));
  }

  async share(password: string, pin: string, sharing: Sharing): Promise<Link | null> {
    await this.called("share", password, pin, sharing);
    this.confirmed(password, pin);
    const { bundle, items, to, expires, openings, replaces } = sharing;
    const reader = this.listed.find((one) => one.entry === to);
    if (to !== null && reader === undefined) throw refusal("professional_unknown");
    if (reader?.compared === "changed") throw refusal("pro_key_changed");
    const before = this.shared.find((one) => one.bundle === replaces);
    const now = this.time();
    this.shared = this.shared.map((one) =>
      (one === before ? { ...one, ended: now, why: "replaced", replacedBy: bundle } : one));
    this.shared.unshift({
      bundle, created: now, expires, openings, opened: before?.opened ?? [], entry: to, name: reader?.name ?? null,
      items, wrongCodes: 0, ended: null, why: null, replacedBy: null,
    });
    return to === null ? LINK : null;
  }

  async shares(): Promise<readonly Shared[]> {
    await this.called("shares");
    return this.shared;
  }

  async revokeShare(bundle: Id): Promise<void> {
    await this.called("revokeShare", bundle);
    const now = this.time();
    this.shared = this.shared.map((one) => (one.bundle === bundle ? { ...one, ended: now, why: "revoked" } : one));
  }
}

function refusal(code: string): Failure {
  return new Failure({ code, detail: "", retryAfter: null, extra: {} });
}

// Professionals and shares as the page speaks of them. Knows: words. Refuses to know: who may be trusted.

import { knows, say } from "../../i18n.js";
import { extracts, items } from "../../state.js";
import { hasAll, fold, wordsOf } from "../../text/fold.js";
import type { Id, Item } from "../../../worker/api.js";
import type { Professional, Shared } from "../../../worker/sharing.js";
import { titleOf } from "../journal/facts.js";

export const KINDS = ["association", "lawyer", "doctor", "police", "other"] as const;

/** What kind of professional somebody is; a word that this version doesn't know is an "other". */
export function kindOf({ kind }: Pick<Professional, "kind">): string {
  return say(knows(`share.kind.${kind}`) ? `share.kind.${kind}` : "share.kind.other");
}

/** What stands below a name: kind, organisation, town. */
export function aboutOf(one: Professional): string {
  return [kindOf(one), one.org, one.town].filter((part) => part !== "").join(" · ");
}

/** Those in whose name, organisation or town every word stands, of one kind if it is named. All on this device. */
export function find(all: readonly Professional[], typed: string, kind: string): readonly Professional[] {
  const words = wordsOf(typed);
  return all.filter((one) =>
    (kind === "" || one.kind === kind) && hasAll(fold(`${one.name}\n${one.org}\n${one.town}`), words));
}

/** With whom something is shared. */
export function whomOf({ entry, name, items }: Shared): string {
  if (items === null) return say("share.list.unreadable");
  return entry === null ? say("share.list.by_link") : name ?? "";
}

/** An item, or a part that was made of one; null if neither is here. */
export function found(id: Id): Item | null {
  return [...items.value ?? [], ...extracts.value].find((one) => one.id === id) ?? null;
}

/** What is shared, by its titles as they are now. */
export function titlesOf({ items: shared }: Pick<Shared, "items">): readonly string[] {
  return (shared ?? []).map(({ item }) => {
    const one = found(item);
    if (one === null) return say("share.list.gone");
    if (one.state !== "open") return say(`journal.state.${one.state}`);
    return one.kind === "extract" ? say("share.list.part", { title: titleOf(one) }) : titleOf(one);
  });
}

/** The digits in two lines of four groups, as they are read out. */
export function linesOf(fingerprint: string): readonly string[] {
  const groups = fingerprint.split(" ");
  return [groups.slice(0, 4).join(" "), groups.slice(4).join(" ")];
}

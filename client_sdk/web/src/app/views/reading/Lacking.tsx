// What a saved pack is without. Knows: what stands in it all the same, and how each of them is called. Refuses to know: why, and
// whose pack it is.

import type { ComponentChildren, JSX } from "preact";

import { say } from "../../i18n.js";
import { Notice } from "../../parts/index.js";
import type { Item, SavedPack } from "../../../worker/api.js";
import { calledOf } from "../journal/facts.js";
import { fileOf } from "../journal/LostFiles.js";

/** Nothing where it is whole. `items`: those that it was made of; `children`: what is said of items that aren't in it. */
export function Lacking({ pack: { left, lost, unsaid, isContinued }, items, children }: {
  pack: SavedPack; items: readonly Item[]; children: ComponentChildren;
}): JSX.Element | null {
  if (left.length + lost.length + unsaid === 0 && isContinued) return null;
  const named = ({ item: id, name }: SavedPack["lost"][number]): JSX.Element => {
    const item = items.find((one) => one.id === id);
    return <>{fileOf(item, name)} <cite>{item === undefined ? say("journal.untitled") : calledOf(item)}</cite></>;
  };
  const [missing, unproven] = [false, true].map((isThere) => lost.filter((file) => file.isThere === isThere).map(named));
  return (
    <Notice care>
      {children}
      <Named said="pack.save.files" names={missing!} />
      <Named said="pack.save.unproven" names={unproven!} />
      {unsaid > 0 && <p>{say("pack.save.unsaid", { count: unsaid })}</p>}
      {!isContinued && <p>{say("pack.save.no_ledger")}</p>}
    </Notice>
  );
}

/** A sentence about several, and each of them; nothing where there are none. */
export function Named({ said, names }: { said: string; names: readonly ComponentChildren[] }): JSX.Element | null {
  if (names.length === 0) return null;
  return (
    <>
      <p>{say(said, { count: names.length })}</p>
      <ul>{names.map((name, at) => <li key={at}>{name}</li>)}</ul>
    </>
  );
}

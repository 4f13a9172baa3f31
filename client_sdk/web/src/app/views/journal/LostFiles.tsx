// Files that the service has lost, or a part of, and what goes on without them. Knows: where each stands. Refuses to know: how it was found.

import type { JSX } from "preact";

import { say } from "../../i18n.js";
import { clock, lasting } from "../../parts/index.js";
import { address } from "../../router.js";
import { items } from "../../state.js";
import type { Id, Item, LostFile } from "../../../worker/api.js";
import { calledOf, viewOf } from "./facts.js";

/** Nothing where there are none. */
export function LostFiles({ files }: { files: readonly LostFile[] }): JSX.Element {
  const whole = files.filter(({ gap }) => gap === undefined);
  return (
    <>
      {whole.length > 0 && (
        <>
          <p>{say("account.trust.files", { count: whole.length })}</p>
          <ul>
            {whole.map(({ item, title, name }, at) => (
              <li key={at}>{fileOf(listed(item), name)} <ItemLink id={item} title={title} /></li>
            ))}
          </ul>
          <p>{say("account.trust.add_again", { count: whole.length })}</p>
        </>
      )}
      {files.map(({ item, title, gap }) => gap !== undefined && (
        <p key={item}>{missing(gap)} <ItemLink id={item} title={title} /></p>
      ))}
    </>
  );
}

function missing({ first, count }: NonNullable<LostFile["gap"]>): string {
  return say(`documents.record.gap.${first === 0 ? "start" : "later"}`, { wait: lasting(count), from: clock(first) });
}

/** `title`: where the item isn't listed. */
export function ItemLink({ id, title: known = "" }: { id: Id; title?: string }): JSX.Element {
  const item = listed(id);
  if (item === undefined) return <>{known || say("journal.untitled")}</>;
  return <a href={address(viewOf(item), id)}>{calledOf(item)}</a>;
}

/** Before what its item is called. A file has no name while its item is behind the PIN. */
export function fileOf(item: Item | undefined, name: string): string {
  return say(name === "" || item?.state === "locked" ? "account.trust.unnamed" : "account.trust.file", { name });
}

function listed(id: Id): Item | undefined {
  return items.value?.find((one) => one.id === id);
}

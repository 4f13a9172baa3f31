// Files that the service has lost, and what goes on without them. Knows: where each stands. Refuses to know: how it was found.

import type { JSX } from "preact";

import { say } from "../../i18n.js";
import { address } from "../../router.js";
import { items } from "../../state.js";
import type { Id, Item, LostFile } from "../../../worker/api.js";
import { calledOf, viewOf } from "./facts.js";

/** Nothing where there are none. */
export function LostFiles({ files }: { files: readonly LostFile[] }): JSX.Element | null {
  if (files.length === 0) return null;
  return (
    <>
      <p>{say("account.trust.files", { count: files.length })}</p>
      <ul>
        {files.map(({ item, title, name }, at) => (
          <li key={at}>{fileOf(listed(item), name)} <ItemLink id={item} title={title} /></li>
        ))}
      </ul>
      <p>{say("account.trust.add_again", { count: files.length })}</p>
    </>
  );
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

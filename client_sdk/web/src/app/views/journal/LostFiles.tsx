// Files that the service has lost, and what goes on without them. Knows: where each stands. Refuses to know: how it was found.

import type { JSX } from "preact";

import { say } from "../../i18n.js";
import { address } from "../../router.js";
import { items } from "../../state.js";
import type { Id, LostFile } from "../../../worker/api.js";
import { titleOf, viewOf } from "./facts.js";

/** Nothing where there are none. */
export function LostFiles({ files }: { files: readonly LostFile[] }): JSX.Element | null {
  if (files.length === 0) return null;
  return (
    <>
      <p>{say("account.trust.files", { count: files.length })}</p>
      <ul>
        {files.map(({ item, title, name }, at) => (
          <li key={at}>{say("account.trust.file", { name })} <ItemLink id={item} title={title} /></li>
        ))}
      </ul>
      <p>{say("account.trust.add_again")}</p>
    </>
  );
}

/** `title`: where the item isn't listed. */
export function ItemLink({ id, title: known = "" }: { id: Id; title?: string }): JSX.Element {
  const item = items.value?.find((one) => one.id === id);
  if (item === undefined) return <>{known || say("journal.untitled")}</>;
  const title = item.state === "open" ? titleOf(item) : say(`journal.state.${item.state}`);
  return <a href={address(viewOf(item), id)}>{title}</a>;
}

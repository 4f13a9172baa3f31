// Reading one item: what is said while it comes, and where it can't be shown. Knows: the states of an item.
// Refuses to know: how an open one looks.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Notice, Problem, Title, Waiting } from "../../parts/index.js";
import { items, vault } from "../../state.js";
import type { Id, Item } from "../../../worker/api.js";
import { Locked } from "./Locked.js";

/** The item of a view, from what is known already, else from the vault. */
export function useItem(id: Id | null): { readonly item: Item | null; readonly error: unknown } {
  const known = items.value?.find((one) => one.id === id) ?? null;
  const [fetched, setFetched] = useState<Item | null>(null);
  const [error, setError] = useState<unknown>(null);
  const listed = items.value !== null;
  useEffect(() => {
    if (id !== null && known === null && listed) vault().item(id).then(setFetched, setError);
  }, [id, known === null, listed]);
  return { item: known ?? fetched, error };
}

/** An item that is open, shown by `children`; else what there is to say instead. */
export function Reading(props: { id: Id | null; children: (item: Item) => JSX.Element }): JSX.Element {
  const { item, error } = useItem(props.id);
  if (error !== null) return <><Title>{say("journal.closed.title")}</Title><Problem error={error} /></>;
  if (item === null) return <Waiting>{say("journal.opening")}</Waiting>;
  if (item.state === "open") return props.children(item);
  if (item.state === "locked") return <Locked title={say("journal.state.locked")} />;
  return (
    <>
      <Title>{say(`journal.state.${item.state}`)}</Title>
      <Notice><p>{say(`journal.closed.${item.state}`)}</p></Notice>
    </>
  );
}

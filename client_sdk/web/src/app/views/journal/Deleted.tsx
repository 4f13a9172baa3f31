// What was deleted and can still be had back. Knows: the seven days. Refuses to know: what was erased.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { day, say } from "../../i18n.js";
import { askPin, Button, focusHeading, Notice, Problem, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { items, refreshItems, sensitiveUntil, vault } from "../../state.js";
import type { Item } from "../../../worker/api.js";
import { calledOf } from "./facts.js";
import "./journal.css";

/** Seconds between a deletion and the erasure. */
const WEEK = 604_800;

interface Gone {
  readonly tombstone: Item;
  /** The last version, null if it was erased. */
  readonly last: Item | null;
}

export default function Deleted(): JSX.Element {
  const [gone, setGone] = useState<readonly Gone[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [said, setSaid] = useState<string | null>(null);
  const open = sensitiveUntil.value !== null, known = items.value;
  useEffect(() => {
    let here = true;
    findGone().then((found) => here && setGone(found), (failed: unknown) => here && setError(failed));
    return () => {
      here = false;
    };
  }, [open, known]);
  const restore = async ({ tombstone, last }: Gone): Promise<void> => {
    setError(null);
    try {
      if (last?.state === "locked" && !(await askPin())) return;
      await vault().restoreItem(tombstone.id);
      setSaid(say("journal.deleted.restored"));
      await refreshItems();
      focusHeading();
    } catch (failed) {
      setError(failed);
    }
  };
  return (
    <>
      <Title>{say("journal.deleted.name")}</Title>
      <p>{say("journal.deleted.lead")}</p>
      <div role="status">{said && <Notice><p>{said}</p></Notice>}</div>
      <Problem error={error} />
      {gone === null && error === null && <Waiting>{say("journal.opening")}</Waiting>}
      {gone?.length === 0 && <p>{say("journal.deleted.none")}</p>}
      <ul class="row-list">
        {gone?.map((one) => (
          <li key={one.tombstone.id} class="row">
            <span class="row-when">{say("journal.deleted.until", { day: day(one.tombstone.deposited + WEEK) })}</span>
            <b>{nameOf(one.last)}</b>
            {one.last !== null && (
              <span class="actions">
                <Button plain onClick={() => void restore(one)}>
                  {say("journal.deleted.restore")}<span class="unseen"> {nameOf(one.last)}</span>
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
      <p class="actions"><a class="button plain" href={address("home")}>{say("journal.waiting.back")}</a></p>
    </>
  );
}

function nameOf(item: Item | null): string {
  if (item === null) return say("journal.deleted.erased");
  return calledOf(item);
}

async function findGone(): Promise<readonly Gone[]> {
  const tombstones = (await vault().items("tombstone")).filter(({ kind }) => kind === "tombstone");
  const found = await Promise.all(tombstones.map(async (tombstone) => {
    const versions = await vault().history(tombstone.id);
    const last = versions.filter(({ kind, state }) => kind !== "tombstone" && state !== "missing").at(-1) ?? null;
    return { tombstone, last };
  }));
  return found.sort((one, other) => other.tombstone.deposited - one.tombstone.deposited);
}

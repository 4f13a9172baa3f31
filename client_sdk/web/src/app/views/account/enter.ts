// From a closed page to an open vault, and from an open one back. Knows: who has to be told.
// Refuses to know: what was typed.

import { useEffect } from "preact/hooks";

import { lockNow, watch } from "../../lock.js";
import { go } from "../../router.js";
import { enter, hear, session } from "../../state.js";
import { beginVault, endVault } from "../../vault.js";
import type { Opening, VaultApi } from "../../../worker/api.js";

/** The vault, started now if it isn't yet; from then on the time without activity is measured. */
export function begin(): VaultApi {
  const vault = beginVault((notice) => hear(notice, (why) => void lockNow(why)));
  watch();
  return vault;
}

/** Whoever leaves this view half-way leaves no key behind. */
export function useEnding(): void {
  useEffect(() => () => {
    if (session.value === null) endVault();
  }, []);
}

/** The vault is open: everything behind the door may be shown. */
export function getIn(vault: VaultApi, username: string, opening: Opening): void {
  enter(vault, username, opening);
  go("home", null, true);
}

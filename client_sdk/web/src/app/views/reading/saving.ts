// How a pack is saved. Knows: where a browser lets a file be written as it comes, and that nobody waits for it who has gone.
// Refuses to know: what is in it, and what is said of it.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SavedPack } from "../../../worker/api.js";
import { saveFile } from "../documents/addresses.js";

/** Asks where to; not in every browser. */
type Picker = (asked: {
  readonly suggestedName: string; readonly types?: readonly { readonly accept: Readonly<Record<string, readonly string[]>> }[];
}) => Promise<FileSystemFileHandle>;

const ZIP = ".zip";
/** Code of what was left off by the person. */
const LEFT = "paused";

/** What has become of it. `saved`: under which name, and what; `save` gives whether it was. */
export interface Saving {
  readonly busy: boolean;
  readonly error: unknown;
  readonly saved: readonly [name: string, pack: SavedPack] | null;
  readonly save: (name: string, write: (into: FileSystemFileHandle | null) => Promise<SavedPack>) => Promise<boolean>;
}

/** `leave` leaves off what is being written, where its view goes meanwhile. */
export function useSaving(leave: () => void): Saving {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [saved, setSaved] = useState<Saving["saved"]>(null);
  const revoke = useRef<() => void>(() => undefined);
  const here = useRef(true);
  const begun = useRef(false);
  useLayoutEffect(() => () => {
    here.current = false;
    revoke.current();
    if (begun.current) leave();
  }, []);
  const save: Saving["save"] = async (name, write) => {
    if (begun.current) return false; // pressed twice in one moment
    begun.current = true;
    setError(null);
    try {
      const into = await chosen(name);
      if (into === undefined || !here.current) return false;
      setBusy(true);
      const pack = await write(into);
      if (!here.current) return false;
      revoke.current();
      if (pack.blob !== null) revoke.current = saveFile(pack.blob, name);
      setSaved([into?.name ?? name, pack]);
      return true;
    } catch (failed) {
      if ((failed as { readonly code?: unknown }).code !== LEFT) setError(failed);
      return false;
    } finally {
      begun.current = false;
      setBusy(false);
    }
  };
  return { busy, error, saved, save };
}

/** The file to write to; null where this browser lets a page write to none, undefined where the person chose none. */
async function chosen(suggestedName: string): Promise<FileSystemFileHandle | null | undefined> {
  const { showSaveFilePicker: pick } = globalThis as { readonly showSaveFilePicker?: Picker };
  if (pick === undefined) return null;
  try {
    return await pick({ suggestedName, ...(suggestedName.endsWith(ZIP) ? { types: [{ accept: { "application/zip": [ZIP] } }] } : {}) });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    return null;
  }
}

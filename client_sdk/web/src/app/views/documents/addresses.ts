// Addresses under which the page itself finds bytes that it holds. Knows: when each is taken back.
// Refuses to know: what the bytes are.

import { useLayoutEffect, useState } from "preact/hooks";

/** Milliseconds after which a download has surely begun. */
const BEGUN = 60_000;

/** The address of a blob while it is shown, null before. It is taken back in the moment in which the view goes. */
export function useObjectUrl(blob: Blob | null): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useLayoutEffect(() => {
    if (blob === null) return setAddress(null);
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return address;
}

/** Hands a file to the browser's downloads. Gives how to take its address back earlier than in a minute. */
export function saveFile(blob: Blob, name: string): () => void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  const revoke = (): void => {
    clearTimeout(timer);
    URL.revokeObjectURL(address);
  };
  const timer = setTimeout(revoke, BEGUN);
  return revoke;
}

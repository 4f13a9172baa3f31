// Which scripts the page may start, under its one policy of Trusted Types: our own workers, whatever anybody says.
// Knows: their addresses. Refuses to know: what they do.

import PDF from "pdfjs-dist/legacy/build/pdf.worker.min.mjs?worker&url";
import PLAYER from "../worker/player.worker.ts?worker&url";
import VAULT from "../worker/vault.worker.ts?worker&url";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): {
    createScriptURL(url: string): URL;
  };
}

let policy: ReturnType<TrustedTypes["createPolicy"]> | null = null;

/** A worker's address, as the browser asks for it. Throws a TypeError for any other address, where it does ask. */
export function trusted(address: string): URL | string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  if (types === undefined) return address;
  policy ??= types.createPolicy("app", {
    createScriptURL: (url) => {
      if (![VAULT, PDF, PLAYER].includes(url)) throw new TypeError("not our worker");
      return url;
    },
  });
  return policy.createScriptURL(address);
}

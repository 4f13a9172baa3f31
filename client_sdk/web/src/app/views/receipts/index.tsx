// The views of receipts, by the names that the shell calls them. Knows: the list. Refuses to know: anything else.

export { Dossier } from "./Dossier.js";
export { default as Receipt } from "./Receipt.js";
export { default as Verify } from "./Verify.js";

// The view of a receipt, by the name that the shell calls it. Knows: the list. Refuses to know: anything else.

export { default as Receipt } from "./Receipt.js";

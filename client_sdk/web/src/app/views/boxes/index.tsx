// The views of deposit boxes, by the names that the shell calls them. Knows: the list. Refuses to know: anything else.

export { default as Boxes } from "./Boxes.js";
export { default as NewBox } from "./NewBox.js";
export { default as Box } from "./Box.js";
export { default as Looked } from "./Looked.js";
export { default as Deposit } from "./Deposit.js";

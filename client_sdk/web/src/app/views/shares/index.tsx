// The views of sharing, by the names that the shell calls them. Knows: the list. Refuses to know: anything else.

export { default as Share } from "./Share.js";
export { default as Shares } from "./Shares.js";

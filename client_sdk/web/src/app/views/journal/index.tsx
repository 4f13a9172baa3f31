// The views of the journal, by the names that the shell calls them. Knows: the list. Refuses to know: anything else.

export { default as Home } from "./Timeline.js";
export { Edit, default as Write } from "./Write.js";
export { default as Entry } from "./Entry.js";
export { default as History } from "./History.js";
export { default as Calendar } from "./Calendar.js";
export { default as Search } from "./Search.js";
export { default as Deleted } from "./Deleted.js";

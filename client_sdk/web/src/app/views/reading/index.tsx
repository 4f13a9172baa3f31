// The views of whoever reads what somebody shared, by the names that the shell calls them. Knows: the list.
// Refuses to know: anything else.

export { default as Link } from "./Link.js";
export { default as Inbox } from "./Inbox.js";
export { default as Shared } from "./Shared.js";
export { default as Summary } from "./Summary.js";
export { default as Listing } from "./Listing.js";

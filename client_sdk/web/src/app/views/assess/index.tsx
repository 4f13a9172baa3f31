// The views of the self-assessment, by the names that the shell calls them. Knows: the list. Refuses to know: more.

export { default as Assess } from "./Assess.js";
export { default as Assessment } from "./Assessment.js";
export { default as Curve } from "./Curve.js";

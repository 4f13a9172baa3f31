// The views of the documents, by the names that the shell calls them. Knows: the list. Refuses to know: anything else.

export { default as Documents } from "./Documents.js";
export { default as AddDocument } from "./AddDocument.js";
export { default as Document } from "./Document.js";
export { default as Record } from "./Record.js";
export { default as Uploads } from "./Uploads.js";

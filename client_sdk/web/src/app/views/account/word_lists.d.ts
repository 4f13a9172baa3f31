// The lists of zxcvbn-ts one by one: whole packages would be four times as large as what is asked of them.

declare module "@zxcvbn-ts/language-common/dist/adjacencyGraphs.json.mjs" {
  const graphs: typeof import("@zxcvbn-ts/language-common").adjacencyGraphs;
  export default graphs;
}

declare module "@zxcvbn-ts/*.json.mjs" {
  const words: string[];
  export default words;
}

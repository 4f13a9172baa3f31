// The common words and names of a page in French.

import commonWords from "@zxcvbn-ts/language-fr/dist/commonWords.json.mjs";
import firstnames from "@zxcvbn-ts/language-fr/dist/firstnames.json.mjs";
import lastnames from "@zxcvbn-ts/language-fr/dist/lastnames.json.mjs";

export const WORDS = { "commonWords-fr": commonWords, "firstnames-fr": firstnames, "lastnames-fr": lastnames };

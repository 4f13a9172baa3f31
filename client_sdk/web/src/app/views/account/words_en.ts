// The common words and names of a page in English.

import firstnames from "@zxcvbn-ts/language-en/dist/firstnames.json.mjs";
import wikipedia from "@zxcvbn-ts/language-en/dist/wikipedia.json.mjs";

export const WORDS = { "wikipedia-en": wikipedia, "firstnames-en": firstnames };

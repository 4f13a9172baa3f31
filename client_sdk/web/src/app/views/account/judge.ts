// Asks zxcvbn. Knows: its word lists, of which the page's own language is loaded, and what it may be shown.
// Refuses to know: any way to send or keep it. Loaded only where somebody chooses a password.

import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import graphs from "@zxcvbn-ts/language-common/dist/adjacencyGraphs.json.mjs";
import passwords from "@zxcvbn-ts/language-common/dist/passwords.json.mjs";

import type { Strength } from "./strength.js";

/** Characters that are judged; what follows them can only add strength. */
const JUDGED = 72;
/** What the place itself suggests. */
const NEAR = ["temoin", "témoin", "carnet"];

const judges = new Map<string, Promise<ZxcvbnFactory>>();

/** How strong a password is for somebody of this user name; `language` says whose common words are known. */
export async function judgeStrength(password: string, username: string, language: string): Promise<Strength> {
  const known = judges.get(language) ?? makeJudge(language);
  judges.set(language, known);
  known.catch(() => judges.delete(language)); // a list that didn't come is asked for again
  const judge = await known;
  const { score, feedback } = judge.check(password.slice(0, JUDGED), [username, ...NEAR]);
  judge.check("", []); // it holds on to what it judged last
  return { score, advice: [feedback.warning, ...feedback.suggestions].filter((one): one is string => !!one) };
}

async function makeJudge(language: string): Promise<ZxcvbnFactory> {
  const { WORDS } = await (language === "fr" ? import("./words_fr.js") : import("./words_en.js"));
  return new ZxcvbnFactory({ dictionary: { "passwords-common": passwords, ...WORDS }, graphs });
}

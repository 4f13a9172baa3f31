// What kind of paper or picture a document is. Knows: the words that the command line uses, and how they are shown.
// Refuses to know: which of them matter. What anybody typed instead stays as it was typed.

import { say } from "../../i18n.js";
import { fold } from "../../text/fold.js";

/** As they are kept: the same words in every language, as `temoin documents add --category` has them. */
export const CATEGORIES = [
  "injury", "threat", "medical certificate", "judgment", "identity paper", "message", "other",
] as const;

/** A category in the reader's language; an unknown one as it was typed. */
export function spellCategory(category: string): string {
  const known = CATEGORIES.find((one) => one === fold(category).trim());
  return known === undefined ? category : say(`documents.category.${known.replace(" ", "_")}`);
}

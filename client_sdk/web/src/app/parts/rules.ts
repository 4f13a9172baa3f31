// Which rule a refused secret broke, by the words in which crypto_core and the SDK name it.
// Knows: those words, and the key of each rule under problem.rule. Refuses to know: the secret.

export interface Rule {
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
}

const RULES: readonly (readonly [RegExp, string])[] = [
  [/^the user name has 1 to 64/, "name_length"],
  [/^the user name (is not valid|has a character)/, "name_characters"],
  [/^the password has 8 to/, "password_length"],
  [/^the password (is not valid|has)/, "password_characters"],
  [/^the password is too easy/, "password_easy"],
  [/^the PIN has 4 to 12/, "pin_length"],
  [/^the PIN has digits only/, "pin_digits"],
  [/^the PIN is one of the commonest/, "pin_common"],
  [/^the PIN looks like a year/, "pin_year"],
  [/^the PIN is one digit repeated/, "pin_sequence"],
  [/^there are 24 words/, "words_count"],
  [/^word (?<count>\d+) is in neither list/, "word_unknown"],
  [/^a word is another one/, "words_wrong"],
  [/^a code has eight digits/, "code_digits"],
];

/** The rule that a `detail` names, null if it is none of them. */
export function ruleOf(detail: string): Rule | null {
  for (const [words, name] of RULES) {
    const found = words.exec(detail);
    if (found) return { name, values: found.groups?.["count"] ? { place: Number(found.groups["count"]) } : {} };
  }
  return null;
}

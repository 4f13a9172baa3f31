// The recovery code: 32 bytes, 24 words to write down, and what derives from them (docs/spec/recovery.md).
// Knows: BIP-39's two word lists that we print, and the three labels of protocol §8. Refuses to know: the share that
// the server keeps back until the waiting time is over.

import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";

import { derive, KEY_SIZE, requireKey } from "../derivation.js";
import { OutOfOrder, SecretRefused } from "../errors.js";
import { Kind } from "../labels.js";
import { makeBytes } from "../randomness.js";

export const WORDS = 24;
export type Language = "english" | "french";
export const LANGUAGES: readonly Language[] = ["english", "french"];

const lists = new Map<Language, string[]>();

/** Resolves when the word lists are here, which a login does without. Rejects if their files can't be had.
 *
 * `formatWords` and `parseWords` throw OutOfOrder before. */
export async function readyWords(): Promise<void> {
  const [english, french] = await Promise.all([
    import("@scure/bip39/wordlists/english.js"), import("@scure/bip39/wordlists/french.js"),
  ]);
  lists.set("english", english.wordlist).set("french", french.wordlist);
}

function list(language: Language): string[] {
  const found = lists.get(language);
  if (found === undefined) {
    throw new OutOfOrder("the word lists aren't loaded");
  }
  return found;
}

/** 32 bytes each. Only `rid` may leave the device; `wrapKey` is what `deriveKekR` joins to the share. */
export class RecoveryKeys {
  readonly rid: Uint8Array;
  readonly #loginSeed: Uint8Array;
  readonly #wrapKey: Uint8Array;

  constructor(rid: Uint8Array, loginSeed: Uint8Array, wrapKey: Uint8Array) {
    this.rid = rid;
    this.#loginSeed = loginSeed;
    this.#wrapKey = wrapKey;
  }

  get loginSeed(): Uint8Array {
    return this.#loginSeed;
  }

  get wrapKey(): Uint8Array {
    return this.#wrapKey;
  }
}

/** A new recovery code, 32 bytes. */
export function makeRecoveryKey(): Uint8Array {
  return makeBytes(KEY_SIZE);
}

/** The id, the Ed25519 login seed and the wrapping key of a recovery code. */
export function deriveRecovery(key: Uint8Array): RecoveryKeys {
  return new RecoveryKeys(
    derive(key, Kind.RECOVERY_ID), derive(key, Kind.RECOVERY_LOGIN), derive(key, Kind.RECOVERY_WRAP),
  );
}

/** The code as 24 words of BIP-39 (256 bits and 8 of checksum), NFC, one space between. */
export function formatWords(key: Uint8Array, language: Language = "english"): string {
  return entropyToMnemonic(requireKey(key), list(language)).normalize("NFC");
}

/** The 32 bytes of 24 words in either language. Case, accents, and whatever stands between words don't matter.
 *
 * Throws SecretRefused; `detail` says which rule, or which word by its number, never the word. */
export function parseWords(text: string): Uint8Array {
  const typed: string[] = bare(text).match(/[a-z]+/g) ?? [];
  if (typed.length !== WORDS) {
    throw new SecretRefused(`there are ${WORDS} words`);
  }
  const spelled = LANGUAGES.map((language) => ({ language, words: typed.map((word) => bareList(language).get(word)) }));
  const unknown = spelled.map(({ words }) => words.indexOf(undefined));
  if (!unknown.includes(-1)) { // the language that fits longest is the one meant
    throw new SecretRefused(`word ${Math.max(...unknown) + 1} is in neither list`);
  }
  for (const { language, words } of spelled) {
    if (!words.includes(undefined)) {
      try {
        return mnemonicToEntropy(words.join(" "), list(language));
      } catch {
        continue;
      }
    }
  }
  throw new SecretRefused("a word is another one, or two have changed places");
}

const bareLists = new Map<Language, ReadonlyMap<string, string>>();

/** Each word without its accents, and as BIP-39 spells it. No two words of a list differ by accents only. */
function bareList(language: Language): ReadonlyMap<string, string> {
  const known = bareLists.get(language) ?? new Map(list(language).map((word) => [bare(word), word]));
  bareLists.set(language, known);
  return known;
}

function bare(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

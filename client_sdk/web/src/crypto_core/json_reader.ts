// Reads one JSON text (RFC 8259) as strictly as Python's parse_json: JSON.parse can't see a name that stands twice.
// Knows: the grammar. Refuses to know: bytes, and what a text means. Its messages never quote the text.

import { MalformedError } from "./errors.js";

/** Far above what any schema takes, and far below where a small stack ends. */
const MAX_DEPTH = 500;

const SPACE = /[\t\n\r ]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

export class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value that the whole text spells. Throws MalformedError. */
  read(): unknown {
    const value = this.#value(0);
    if (this.#at !== this.#text.length) {
      throw notJson();
    }
    return value;
  }

  /** One value, and the space on both its sides. */
  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) {
      throw new MalformedError("nested too deeply");
    }
    this.#skipSpace();
    const value = this.#bare(depth);
    this.#skipSpace();
    return value;
  }

  #bare(depth: number): unknown {
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): unknown {
    const result = Object.create(null) as Record<string, unknown>;
    this.#list("}", () => {
      this.#skipSpace();
      const name = this.#string();
      this.#skipSpace();
      if (!this.#take(":")) {
        throw notJson();
      }
      if (Object.hasOwn(result, name)) {
        throw new MalformedError("a name stands twice in one object");
      }
      result[name] = this.#value(depth + 1);
    });
    return result;
  }

  #array(depth: number): unknown {
    const result: unknown[] = [];
    this.#list("]", () => result.push(this.#value(depth + 1)));
    return result;
  }

  /** What stands between an opening bracket and `end`, with commas between. */
  #list(end: string, readOne: () => void): void {
    this.#at++;
    this.#skipSpace();
    if (this.#take(end)) {
      return;
    }
    do {
      readOne();
    } while (this.#take(","));
    if (!this.#take(end)) {
      throw notJson();
    }
  }

  /** A string is short work for JSON.parse, once it is known where it ends. */
  #string(): string {
    const start = this.#at;
    let end = start;
    if (this.#text[start] !== '"') {
      throw notJson();
    }
    do {
      end = this.#text.indexOf('"', end + 1);
      if (end < 0) {
        throw notJson();
      }
    } while (this.#isEscaped(end));
    this.#at = end + 1;
    const text = parsedString(this.#text.slice(start, end + 1));
    if (LONE_SURROGATE.test(text)) { // an escape can smuggle one past the UTF-8 decoder
      throw new MalformedError("a lone surrogate");
    }
    return text;
  }

  /** Whether an odd number of backslashes stands before `at`. */
  #isEscaped(at: number): boolean {
    let before = at;
    while (this.#text[before - 1] === "\\") {
      before--;
    }
    return (at - before) % 2 === 1;
  }

  #number(): number {
    const [spelled, fraction, exponent] = this.#match(NUMBER);
    const value = Number(spelled);
    const isPlain = fraction === undefined && exponent === undefined;
    if (isPlain ? !Number.isSafeInteger(value) : !Number.isFinite(value)) {
      throw new MalformedError("a number too large");
    }
    if (isPlain ? Object.is(value, -0) : Number.isInteger(value)) { // 1.0 and 1e0, which Python doesn't take for 1
      throw new MalformedError("a whole number spelled otherwise");
    }
    return value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) {
      throw notJson();
    }
    this.#at += word.length;
    return value;
  }

  #take(one: string): boolean {
    const found = this.#text[this.#at] === one;
    this.#at += found ? 1 : 0;
    return found;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) {
      throw notJson();
    }
    this.#at = pattern.lastIndex;
    return match;
  }
}

/** Refuses what a string may not hold: control characters, and escapes that JSON doesn't know. */
function parsedString(spelled: string): string {
  try {
    return JSON.parse(spelled) as string;
  } catch {
    throw notJson();
  }
}

function notJson(): MalformedError {
  return new MalformedError("not JSON");
}

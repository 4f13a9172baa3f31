// Any sign that a text may hold, for properties that are tried on any text.
// Knows: which code points there are. Refuses to know: what is asked of a text.
import fc from "fast-check";

const [SURROGATES, BEYOND, LAST] = [0xd800, 0xe000, 0x10ffff] as const;

/** As fast-check's unit "binary", which makes a map of all of them, for over a second, in every file that asks for one. */
export const ANY_SIGN: fc.Arbitrary<string> = fc.nat(LAST - (BEYOND - SURROGATES)).map(
  (place) => String.fromCodePoint(place < SURROGATES ? place : place + (BEYOND - SURROGATES)),
  (sign) => {
    if (typeof sign !== "string" || !/^\P{Surrogate}$/su.test(sign)) throw new TypeError("not one sign");
    const point = sign.codePointAt(0)!;
    return point < SURROGATES ? point : point - (BEYOND - SURROGATES);
  },
);

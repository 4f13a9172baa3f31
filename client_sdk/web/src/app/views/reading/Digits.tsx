// The digits of a key, in groups that can be read out. Knows: how they are laid out. Refuses to know: whose they are.

import type { JSX } from "preact";

export function Digits({ digits }: { digits: string }): JSX.Element {
  return <>{digits.split(" ").map((group, place) => <span key={place}>{group} </span>)}</>;
}

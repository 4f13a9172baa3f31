// A text of which sentences or words are marked to be cut, by a tap, a click or keys. Knows: which are marked.
// Refuses to know: what becomes of them.

import { Fragment, type JSX, type TargetedKeyboardEvent } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { sentencesIn, type Piece, type Sentence } from "../../text/pieces.js";

const BACK = ["ArrowLeft", "ArrowUp"], ON = ["ArrowRight", "ArrowDown"];

export function Cutting(props: {
  words: readonly Piece[]; cut: ReadonlySet<number>; onChange: (cut: ReadonlySet<number>) => void;
}): JSX.Element {
  const { words, cut, onChange } = props;
  const [unit, setUnit] = useState<"sentences" | "words">("sentences");
  const units = useMemo<readonly Sentence[]>(
    () => (unit === "sentences" ? sentencesIn(words) : words.map((_, place) => [place, place + 1])), [words, unit],
  );
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const isCut = ([first, after]: Sentence): boolean => {
    for (let place = first; place < after; place += 1) if (!cut.has(place)) return false;
    return true;
  };
  const mark = (from: number, to: number, gone: boolean): void => {
    const next = new Set(cut);
    const [first, after] = [units[Math.min(from, to)]![0], units[Math.max(from, to)]![1]];
    for (let place = first; place < after; place += 1) {
      if (gone) next.add(place);
      else next.delete(place);
    }
    onChange(next);
  };
  const goTo = (place: number): void => {
    setAt(place);
    (list.current?.children[place] as HTMLElement | undefined)?.focus();
  };
  const press = (event: TargetedKeyboardEvent<HTMLElement>, place: number): void => {
    const { key, shiftKey } = event;
    const last = units.length - 1;
    if (key === " " || key === "Enter") mark(place, place, !isCut(units[place]!));
    else if (BACK.includes(key) || ON.includes(key)) {
      const next = Math.max(0, Math.min(last, place + (ON.includes(key) ? 1 : -1)));
      if (shiftKey) mark(place, next, isCut(units[place]!));
      goTo(next);
    } else if (key === "Home" || key === "End") goTo(key === "Home" ? 0 : last);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div class="switch" role="group" aria-label={say("share.part.unit")}>
        {(["sentences", "words"] as const).map((one) => (
          <button
            key={one} type="button" aria-pressed={unit === one}
            onClick={() => {
              setUnit(one);
              setAt(0);
            }}
          >
            {say(`share.part.${one}`)}
          </button>
        ))}
      </div>
      <div class="cutting" role="listbox" aria-multiselectable="true" aria-label={say("share.part.marked")} ref={list}>
        {units.map((one, place) => {
          const own = words.slice(...one);
          const gone = isCut(one);
          return (
            <span
              key={`${unit}${place}`} role="option" aria-selected={gone} tabIndex={place === at ? 0 : -1}
              onKeyDown={(event) => press(event, place)}
              onClick={(event) => {
                if (event.shiftKey) mark(at, place, isCut(units[at]!));
                else mark(place, place, !gone);
                goTo(place);
              }}
            >
              {own.map(({ text, gap }, n) => {
                if (!cut.has(one[0] + n)) return text + gap;
                const goesOn = n < own.length - 1 && cut.has(one[0] + n + 1);
                return <Fragment key={n}><del>{text}{goesOn && gap}</del>{!goesOn && gap}</Fragment>;
              })}
            </span>
          );
        })}
      </div>
    </>
  );
}

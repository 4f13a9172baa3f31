// Items as rows, also thousands of them. Knows: how to draw a few dozen at a time, so that the page never stands still.
// Refuses to know: why these and in which order.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { day, say } from "../../i18n.js";
import { address } from "../../router.js";
import { excerpt, type Piece } from "../../text/fold.js";
import { byMonth } from "../../text/order.js";
import { spellMonth } from "../../text/when.js";
import type { Item } from "../../../worker/api.js";
import { marksOf, titleOf, viewOf, whenOf } from "./facts.js";

/** Rows that are drawn first. */
const BLOCK = 30;
/** How many times as many come with each step after that, since every step waits for a frame. */
const STEP = 4;

/** Rows under headings of months, if `months`; with the found words, if there are any. The list grows by itself. */
export function Rows(props: { items: readonly Item[]; months?: boolean; words?: readonly string[] }): JSX.Element {
  const { items, months, words } = props;
  // The same elements each time: what was drawn is not looked at again when the list grows.
  const blocks = useMemo(() => blocksOf(items, months ?? false, words ?? []), [items, months, words]);
  const [drawn, setDrawn] = useState(1);
  useEffect(() => setDrawn(1), [items, words]);
  useEffect(() => {
    if (drawn >= blocks.length) return;
    const timer = setTimeout(() => setDrawn(drawn + STEP));
    return () => clearTimeout(timer);
  }, [drawn, blocks]);
  return <div class="rows" aria-busy={drawn < blocks.length}>{blocks.slice(0, drawn)}</div>;
}

function blocksOf(items: readonly Item[], months: boolean, words: readonly string[]): readonly JSX.Element[] {
  const groups = months ? byMonth(items) : [{ month: "", items }];
  const blocks: JSX.Element[] = [];
  for (const { month, items: all } of groups) {
    for (let start = 0; start < all.length; start += BLOCK) {
      const part = all.slice(start, start + BLOCK);
      blocks.push(<Block key={blocks.length} month={start === 0 ? month : ""} items={part} words={words} />);
    }
  }
  return grouped(blocks);
}

/** Small months are drawn together, or years would come month by month. All but the first and the last group, whose
 * height is not known beforehand, are left out by the browser while they are far from the screen. */
function grouped(blocks: readonly JSX.Element[]): readonly JSX.Element[] {
  const groups: JSX.Element[][] = [];
  let rows = BLOCK;
  for (const block of blocks) {
    const count = (block.props as { items: readonly Item[] }).items.length;
    if (rows + count > BLOCK) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(block);
    rows += count;
  }
  return groups.map((group, place) => (
    <div key={place} class={place > 0 && place < groups.length - 1 ? "row-group" : undefined}>{group}</div>
  ));
}

function Block(props: { month: string; items: readonly Item[]; words: readonly string[] }): JSX.Element {
  return (
    <section>
      {props.month && <h2>{spellMonth(props.month)}</h2>}
      <ul class="row-list">{props.items.map((item) => <Row key={item.id} item={item} words={props.words} />)}</ul>
    </section>
  );
}

function Row({ item, words }: { item: Item; words: readonly string[] }): JSX.Element {
  if (item.state !== "open") {
    return (
      <li>
        <a class="row row-closed" href={address("entry", item.id)}>
          <span class="row-when">{say("journal.deposited_on", { day: day(item.deposited) })}</span>{" "}
          <b>{say(`journal.state.${item.state}`)}</b>
        </a>
      </li>
    );
  }
  const marks = marksOf(item);
  return (
    <li>
      <a class="row" href={address(viewOf(item), item.id)}>
        <span class="row-when">{whenOf(item)}</span>{" "}
        <b><Found pieces={excerpt(titleOf(item), words, 500)} /></b>{" "}
        {words.length > 0 && <span class="row-found"><Found pieces={excerpt(item.text ?? "", words)} /></span>}
        {marks.length > 0 && <span class="row-marks">{marks.map((mark) => <span key={mark}>{mark}</span>)}</span>}
      </a>
    </li>
  );
}

function Found({ pieces }: { pieces: readonly Piece[] }): JSX.Element {
  return (
    <>{pieces.map((piece, place) => (piece.found ? <mark key={place}>{piece.text}</mark> : piece.text))}</>
  );
}

// The feeling of danger over time, beside what happened. Knows: the 0 to 10 of entries and of self-assessments.
// Refuses to know: a trend, an average, a forecast: a quiet month says nothing about the next one.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { day, number, say } from "../../i18n.js";
import { askPin, Button, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { items } from "../../state.js";
import { newestFirst } from "../../text/order.js";
import { secondOf } from "../../text/when.js";
import type { Item } from "../../../worker/api.js";
import { titleOf, viewOf, whenOf } from "../journal/facts.js";
import "../journal/journal.css";
import { NAMES } from "./Result.js";
import { weigh } from "./weigh.js";

const HEIGHT = 260, LEFT = 34, RIGHT = 12, TOP = 14, BOTTOM = 34;
/** Rows of the table that are shown before more are asked for. */
const ROWS = 60;

interface Point {
  readonly item: Item;
  readonly second: number;
  readonly danger: number;
}

export default function Curve(): JSX.Element {
  const all = items.value;
  const sorted = useMemo(() => newestFirst(all ?? []).filter(({ state }) => state === "open"), [all]);
  const points = useMemo(() => [...sorted].reverse().flatMap((item) =>
    item.danger === null ? [] : [{ item, second: secondOf(item), danger: item.danger }]), [sorted]);
  const locked = (all ?? []).filter(({ state }) => state === "locked").length;
  return (
    <>
      <Title>{say("assess.curve.name")}</Title>
      {all === null && <Waiting>{say("journal.opening")}</Waiting>}
      {all !== null && points.length === 0 && (
        <>
          <p>{say("assess.curve.empty")}</p>
          <p class="actions">
            <a class="button" href={address("assess")}>{say("assess.name")}</a>
            <a class="button plain" href={address("write")}>{say("journal.write.name")}</a>
          </p>
        </>
      )}
      {points.length > 0 && <><p>{say("assess.curve.lead")}</p><Drawn points={points} events={sorted} /></>}
      {locked > 0 && (
        <p class="locked-note">
          {say("assess.curve.locked", { count: locked })}{" "}
          <Button plain onClick={() => void askPin()}>{say("journal.locked.open")}</Button>
        </p>
      )}
      {points.length > 0 && <Table events={sorted} />}
    </>
  );
}

/** The drawing, as wide as there is room; its words are in the table. */
function Drawn({ points, events }: { points: readonly Point[]; events: readonly Item[] }): JSX.Element {
  const frame = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(328);
  useEffect(() => {
    const element = frame.current;
    if (!element || typeof ResizeObserver === "undefined") return;
    const watcher = new ResizeObserver(() => setWidth(Math.max(240, Math.floor(element.clientWidth))));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  const seconds = events.map(secondOf);
  const [first, newest] = bounds(seconds);
  const last = Math.max(newest, first + 86_400);
  const x = (second: number): number => LEFT + ((second - first) / (last - first)) * (width - LEFT - RIGHT);
  const y = (danger: number): number => TOP + (1 - danger / 10) * (HEIGHT - TOP - BOTTOM);
  const line = points.map(({ second, danger }) => `${x(second).toFixed(1)},${y(danger).toFixed(1)}`).join(" ");
  const quiet = apart(events.filter(({ danger }) => danger === null), (item) => `${Math.round(x(secondOf(item)) / 3)}`);
  const marked = apart(points, ({ item, second, danger }) =>
    `${Math.round(x(second) / 6)} ${danger} ${item.kind === "assessment"}`);
  return (
    <figure class="curve" ref={frame}>
      <svg role="img" aria-labelledby="curve-said" width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`}>
        {[0, 2, 4, 6, 8, 10].map((step) => (
          <g key={step}>
            <line class="curve-grid" x1={LEFT} x2={width - RIGHT} y1={y(step)} y2={y(step)} />
            <text class="curve-word" x={LEFT - 8} y={y(step) + 5} text-anchor="end">{number(step)}</text>
          </g>
        ))}
        <text class="curve-word" x={LEFT} y={HEIGHT - 8}>{day(first)}</text>
        <text class="curve-word" x={width - RIGHT} y={HEIGHT - 8} text-anchor="end">{day(last)}</text>
        <polyline class="curve-line" points={line} />
        {quiet.map((item) => (
          <line
            key={item.id} class="curve-event" x1={x(secondOf(item))} x2={x(secondOf(item))} y1={y(0) - 7} y2={y(0) + 7}
          />
        ))}
        {marked.map(({ item, second, danger }) => (
          item.kind === "assessment"
            ? <path key={item.id} class="curve-stock" d={diamond(x(second), y(danger))} />
            : <circle key={item.id} class="curve-point" cx={x(second)} cy={y(danger)} r={5} />
        ))}
      </svg>
      <figcaption>
        <p id="curve-said" class="unseen">
          {say("assess.curve.said", { count: points.length, first: day(first), last: day(last) })}
        </p>
        <ul class="curve-key">
          <li><Sign><circle class="curve-point" cx={9} cy={9} r={5} /></Sign> {say("assess.curve.point")}</li>
          <li><Sign><path class="curve-stock" d={diamond(9, 9)} /></Sign> {say("assess.curve.stock")}</li>
          <li><Sign><line class="curve-event" x1={9} x2={9} y1={2} y2={16} /></Sign> {say("assess.curve.event")}</li>
        </ul>
      </figcaption>
    </figure>
  );
}

function Sign({ children }: { children: JSX.Element }): JSX.Element {
  return <svg width={18} height={18} aria-hidden="true">{children}</svg>;
}

const COLUMNS = ["when", "danger", "what"] as const;

function Table({ events }: { events: readonly Item[] }): JSX.Element {
  const [shown, setShown] = useState(ROWS);
  return (
    <section class="curve-words">
      <h2>{say("assess.curve.table")}</h2>
      <table class="curve-table" role="table">
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map((name) => <th key={name} role="columnheader" scope="col">{say(`assess.curve.${name}`)}</th>)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {events.slice(0, shown).map((item) => (
            <tr key={item.id} role="row">
              <td role="cell" data-name={say("assess.curve.when")}>{whenOf(item)}</td>
              <td role="cell" data-name={say("assess.curve.danger")}>
                {item.danger === null ? <span class="hint">{say("assess.curve.unsaid")}</span> : number(item.danger)}
              </td>
              <td role="cell" data-name={say("assess.curve.what")}>
                <a href={address(viewOf(item), item.id)}>{titleOf(item)}</a>
                {item.kind === "assessment" && item.answers && (
                  <> – {say(`site.check.${NAMES[weigh(item.answers)]}.title`)}</>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown < events.length && (
        <p class="actions"><Button plain onClick={() => setShown(shown + ROWS)}>{say("assess.curve.more")}</Button></p>
      )}
    </section>
  );
}

/** One for each place: of thousands, most would be drawn on top of another. */
function apart<Value>(values: readonly Value[], place: (value: Value) => string): readonly Value[] {
  return [...new Map(values.map((value) => [place(value), value])).values()];
}

function diamond(x: number, y: number): string {
  return `M${x.toFixed(1)} ${(y - 7).toFixed(1)}l7 7l-7 7l-7 -7z`;
}

/** The smallest and the largest: spreading thousands of numbers as arguments is what some engines refuse. */
function bounds(numbers: readonly number[]): readonly [number, number] {
  return numbers.reduce<readonly [number, number]>(
    ([least, most], one) => [Math.min(least, one), Math.max(most, one)], [Infinity, -Infinity]);
}

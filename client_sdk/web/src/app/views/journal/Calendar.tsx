// A month on the wall: how many entries each day has. Knows: days that were named; a day is where it happened, else
// where it was written. Refuses to know: a day for what only has a month or a year; it stands below.

import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { number, say } from "../../i18n.js";
import { Button, Title } from "../../parts/index.js";
import { items } from "../../state.js";
import { addDays, addMonths, type Day, dayAt, weeksOf, weekday } from "../../text/calendar.js";
import { newestFirst } from "../../text/order.js";
import { spanOf, spellDay, spellMonth, spellWeekdays } from "../../text/when.js";
import type { Item } from "../../../worker/api.js";
import "./journal.css";
import { Rows } from "./Rows.js";

/** What the keys do to the day that has the focus. */
const MOVES: Readonly<Record<string, (day: Day) => Day>> = {
  ArrowLeft: (day) => addDays(day, -1), ArrowRight: (day) => addDays(day, 1), ArrowUp: (day) => addDays(day, -7),
  ArrowDown: (day) => addDays(day, 7), PageUp: (day) => addMonths(day, -1), PageDown: (day) => addMonths(day, 1),
  Home: (day) => addDays(day, -weekday(day)), End: (day) => addDays(day, 6 - weekday(day)),
};

export default function Calendar(): JSX.Element {
  const all = items.value;
  const bySpan = useMemo(() => groupBySpan(all ?? []), [all]);
  const today = dayAt(Date.now() / 1000);
  const [at, setAt] = useState(today);
  const [chosen, setChosen] = useState<Day | null>(null);
  const grid = useRef<HTMLTableElement>(null);
  const byKey = useRef(false);
  useLayoutEffect(() => { // before another key can be pressed: the focus is never a key behind
    if (byKey.current) grid.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
    byKey.current = false;
  }, [at]);
  const month = at.slice(0, 7);
  const inMonth = bySpan.get(month) ?? [], inYear = bySpan.get(month.slice(0, 4)) ?? [];
  const move = (count: number): void => {
    setAt(addMonths(at, count));
    setChosen(null);
  };
  return (
    <>
      <Title>{say("journal.calendar.name")}</Title>
      <div class="month-bar">
        <Button plain onClick={() => move(-1)}>
          <span aria-hidden="true">←</span><span class="unseen">{say("journal.calendar.before")}</span>
        </Button>
        <h2 id="month" aria-live="polite">{spellMonth(month)}</h2>
        <Button plain onClick={() => move(1)}>
          <span aria-hidden="true">→</span><span class="unseen">{say("journal.calendar.after")}</span>
        </Button>
      </div>
      <table
        role="grid" class="month" aria-labelledby="month" ref={grid}
        onKeyDown={(event) => {
          const to = MOVES[event.key];
          if (!to || event.altKey || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          byKey.current = true;
          setAt(to);
        }}
      >
        <thead>
          <tr>{spellWeekdays().map(([short, long]) => <th key={long} scope="col" abbr={long}>{short}</th>)}</tr>
        </thead>
        <tbody>
          {weeksOf(at).map((week, place) => (
            <tr key={place}>
              {week.map((day, square) => (
                <td key={square}>
                  {day && (
                    <Square
                      day={day} count={bySpan.get(day)?.length ?? 0} stop={day === at} today={day === today}
                      chosen={day === chosen} onChoose={() => {
                        setAt(day);
                        setChosen(day);
                      }}
                    />
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">{say("journal.calendar.keys")}</p>
      <div role="status">
        {chosen && (
          <p class="unseen">
            {say("journal.calendar.day", { day: spellDay(chosen), count: bySpan.get(chosen)?.length ?? 0 })}
          </p>
        )}
      </div>
      {chosen && (
        <section>
          <h2>{spellDay(chosen)}</h2>
          <Rows items={bySpan.get(chosen) ?? NOTHING} />
          {!bySpan.has(chosen) && <p>{say("journal.calendar.none")}</p>}
        </section>
      )}
      {inMonth.length > 0 && (
        <section>
          <h2>{say("journal.calendar.in_month", { month: spellMonth(month) })}</h2>
          <Rows items={inMonth} />
        </section>
      )}
      {inYear.length > 0 && (
        <section>
          <h2>{say("journal.calendar.in_year", { year: month.slice(0, 4) })}</h2>
          <Rows items={inYear} />
        </section>
      )}
    </>
  );
}

const NOTHING: readonly Item[] = [];

function groupBySpan(all: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of newestFirst(all)) {
    const span = spanOf(item);
    const group = groups.get(span);
    if (group) group.push(item);
    else groups.set(span, [item]);
  }
  return groups;
}

function Square(props: {
  day: Day; count: number; stop: boolean; today: boolean; chosen: boolean; onChoose: () => void;
}): JSX.Element {
  const { day, count, stop, today, chosen, onChoose } = props;
  return (
    <button
      type="button" class={count > 0 ? "square has" : "square"} tabIndex={stop ? 0 : -1} aria-pressed={chosen}
      aria-current={today ? "date" : undefined} data-count={count > 0 ? number(count) : undefined}
      aria-label={say("journal.calendar.day", { day: spellDay(day), count })} onClick={onChoose}
    >
      <span>{Number(day.slice(8))}</span>
    </button>
  );
}

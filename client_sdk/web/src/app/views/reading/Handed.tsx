// What somebody handed over, as its reader sees it: the words beside it, then everything in the order in which it happened.
// Knows: items and their three times. Refuses to know: bundles, and where files and receipts come from.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { say } from "../../i18n.js";
import { newestFirst } from "../../text/order.js";
import type { Content, Item } from "../../../worker/api.js";
import { Ticked } from "../assess/Ticked.js";
import { FileFacts } from "../documents/FileOf.js";
import "../documents/documents.css";
import { Facts, headingOf, Prose, SentWords, whenOf } from "../journal/facts.js";
import "../journal/journal.css";
import "./reading.css";

export interface HandedProps {
  readonly items: readonly Item[];
  readonly message: string;
  /** How a file of an item is shown. */
  readonly fileOf: (item: Item, content: Content) => JSX.Element;
  /** What its receipt comes to, where there is one. */
  readonly receiptOf: (item: Item) => JSX.Element | null;
}

export function Handed({ items, message, fileOf, receiptOf }: HandedProps): JSX.Element {
  const sorted = useMemo(() => oldestFirst(items), [items]);
  return (
    <>
      {message !== "" && (
        <section class="handed-message">
          <h2>{say("reading.message")}</h2>
          <Prose text={message} />
        </section>
      )}
      <h2>{say("reading.timeline", { count: sorted.length })}</h2>
      <ol class="handed">
        {sorted.map((item) => (
          <li key={`${item.id}.${item.revision}`}><One item={item} fileOf={fileOf} receiptOf={receiptOf} /></li>
        ))}
      </ol>
    </>
  );
}

function One({ item, fileOf, receiptOf }: { item: Item } & Pick<HandedProps, "fileOf" | "receiptOf">): JSX.Element {
  if (item.state !== "open") {
    return (
      <article class="entry">
        <h3>{say(item.state === "newer_version" ? "journal.state.newer_version" : "reading.not_given")}</h3>
        {receiptOf(item)}
      </article>
    );
  }
  const heading = headingOf(item), when = whenOf(item);
  const copies = item.contents.filter(({ blob }) => item.masked.includes(blob));
  const originals = item.contents.filter((content) => !copies.includes(content));
  return (
    <article class="entry">
      {heading !== when && <p class="handed-when">{when}</p>}
      <h3>{heading}</h3>
      {item.kind === "extract" && <p class="notice">{say("reading.extract")}</p>}
      {item.kind === "assessment" ? <Ticked item={item} /> : item.text && <Prose text={item.text} within />}
      {item.sent && <SentWords sent={item.sent} within />}
      {item.contents.map((content) => (
        <div key={content.blob}>
          {fileOf(item, content)}
          {item.masked.includes(content.blob) && <p class="hint">{say("reading.masked")}</p>}
        </div>
      ))}
      <Facts item={item} others />
      {originals.length > 0 && <h4>{say("documents.originals", { count: originals.length })}</h4>}
      {originals.map((content) => <FileFacts key={content.blob} content={content} />)}
      {copies.length > 0 && <h4>{say("reading.copies", { count: copies.length })}</h4>}
      {copies.map((content) => <FileFacts key={content.blob} content={content} />)}
      {receiptOf(item)}
    </article>
  );
}

/** In the order in which it happened; what can't be shown stands at the end. */
export function oldestFirst(items: readonly Item[]): readonly Item[] {
  const open = [...newestFirst(items.filter(({ state }) => state === "open"))].reverse();
  return [...open, ...items.filter(({ state }) => state !== "open")];
}

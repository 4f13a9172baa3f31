// What is said about an item beside its text: in a line of marks, and in full. Knows: which facts there are, in words.
// Refuses to know: which of them matter.

import type { JSX } from "preact";
import { knows, moment, say } from "../../i18n.js";
import { address, type View } from "../../router.js";
import { spellHappened } from "../../text/when.js";
import type { Fact } from "../../../sdk/extract.js";
import type { Item } from "../../../worker/api.js";
import { spellCategory } from "../documents/categories.js";
import { dangerSaid } from "./Danger.js";

/** The view in which an item is read. What is locked has no kind, and is opened as an entry first. */
export function viewOf(item: Item): View {
  return item.kind === "document" ? "document" : item.kind === "assessment" ? "assessment" : "entry";
}

/** What something is called, whatever its words are; null if it has no name but its words. */
function nameOf({ title, kind, sent }: Parameters<typeof titleOf>[0]): string | null {
  if (title) return title;
  if (kind === "assessment") return say("assess.title");
  return kind === "received" ? fromOf(sent ?? null) : null;
}

/** A title, else the first words, else what kind of thing it is. */
export function titleOf(item: Pick<Item, "title" | "text" | "kind"> & Partial<Pick<Item, "sent">>): string {
  const name = nameOf(item);
  if (name !== null) return name;
  const first = (item.text ?? "").trim().split("\n").find((line) => line.trim() !== "" && !questions().includes(line));
  if (!first) return say(knows(`journal.untitled_${item.kind}`) ? `journal.untitled_${item.kind}` : "journal.untitled");
  return first.length > 90 ? `${first.slice(0, 88).replace(/\s+\S*$/u, "")} …` : first;
}

/** The same of anything that is listed: of what isn't open, why. */
export function calledOf(item: Item): string {
  return item.state === "open" ? titleOf(item) : say(`journal.state.${item.state}`);
}

/** What stands above something whose words are all shown: its name, else when it was; the words needn't stand twice. */
export function headingOf(item: Item): string {
  return nameOf(item) ?? (item.text ? whenOf(item) : titleOf(item));
}

/** Whose something is, by their own word. */
export function fromOf(sent: Item["sent"]): string {
  return sent?.name ? say("boxes.from", { name: sent.name }) : say("boxes.from_unnamed");
}

/** When it was, as a row says it. */
export function whenOf(item: Item): string {
  if (item.happened) return spellHappened(item.happened);
  return say("journal.written_on", { moment: moment(item.written ?? item.deposited) });
}

/** What guides a text, in order; they are its headings. */
export function questions(): readonly string[] {
  return ["what", "when", "where", "who", "injuries", "medical", "children", "said"]
    .map((name) => say(`journal.questions.${name}`));
}

/** The small words of a row. */
export function marksOf(item: Item): readonly string[] {
  const { kind, danger, mood, contents, revision, sensitive } = item;
  return [
    kind !== null && knows(`journal.mark.${kind}`) ? say(`journal.mark.${kind}`) : null,
    danger === null ? null : say("journal.mark.danger", { step: danger }),
    mood, contents.length > 0 && kind !== "document" ? say("journal.mark.files", { count: contents.length }) : null,
    revision > 1 ? say("journal.mark.version", { revision }) : null, sensitive ? say("journal.mark.sensitive") : null,
  ].filter((mark): mark is string => mark !== null && mark !== "");
}

/** One fact of an item, in words; nothing where nothing is said. */
export function spellFact(item: Item, name: Fact | "files"): string {
  switch (name) {
    case "category": return item.category ? spellCategory(item.category) : "";
    case "happened": return item.happened ? spellHappened(item.happened) : "";
    case "people": return item.people.join(", ");
    case "tags": return item.tags.join(", ");
    case "danger": return item.danger === null ? "" : dangerSaid(item.danger);
    case "files": return item.contents.map((content) => content.name).join(", ");
    default: return item[name] ?? "";
  }
}

/** Every fact of an item, with the three times apart. `others`: somebody else's, whose receipt is not asked for here. */
export function Facts({ item, others }: { item: Item; others?: boolean }): JSX.Element {
  const facts: (readonly [string, string | null])[] = [
    ["happened", item.happened && spellHappened(item.happened)],
    ["place", item.place], ["people", item.people.join(", ")],
    ["danger", item.danger === null ? null : dangerSaid(item.danger)],
    ["mood", item.mood], ["tags", item.tags.join(", ")],
    ["files", item.kind === "journal" || item.kind === "received" ? item.contents.map(({ name }) => name).join(", ") : null],
    ["sent", item.sent && moment(item.sent.written)],
    ["written", item.written === null ? null : moment(item.written)],
    ["deposited", item.deposited === 0 ? null : moment(item.deposited)],
  ];
  return (
    <dl class="facts-list">
      {facts.filter(([, value]) => value).map(([name, value]) => (
        <div key={name}><dt>{say(`journal.fact.${name}`)}</dt><dd>{value}</dd></div>
      ))}
      {item.deposited !== 0 && !others && (
        <div class="not-on-paper">
          <dt>{say("journal.fact.receipt")}</dt>
          <dd><a href={address("receipt", item.id)}>{say("journal.receipt")}</a></dd>
        </div>
      )}
    </dl>
  );
}

/** What somebody else sent, as they sent it, apart from what the person says of it; `within` a list of items. */
export function SentWords(props: { sent: NonNullable<Item["sent"]>; within?: boolean }): JSX.Element {
  const { sent, within } = props;
  const Heading = within ? "h4" : "h2";
  return (
    <section class="sent-words">
      <Heading tabIndex={-1}>{say("boxes.as_sent")}</Heading>
      <p><b>{fromOf(sent)}</b></p>
      {sent.message === "" ? <p class="hint">{say("boxes.no_words")}</p>
        : <Prose text={sent.message} within={within ?? false} />}
      <p class="hint">{say("boxes.unproven")}</p>
    </section>
  );
}

/** A text as it was written, with the questions that guided it as headings; `within` a list of items. */
export function Prose({ text, within }: { text: string; within?: boolean }): JSX.Element {
  const Heading = within ? "h4" : "h2";
  const asked = questions();
  const parts: { readonly asked: boolean; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const last = parts.at(-1);
    if (asked.includes(line)) parts.push({ asked: true, lines: [line] });
    else if (last && !last.asked) last.lines.push(line);
    else parts.push({ asked: false, lines: [line] });
  }
  return (
    <div class="entry-text">
      {parts.map((part, place) => {
        const words = part.lines.join("\n").trim();
        return part.asked ? <Heading key={place}>{words}</Heading> : words && <p key={place}>{words}</p>;
      })}
    </div>
  );
}

// What is being sent, file by file, and what can be done about it. Knows: pace, pause, going on, letting go.
// Refuses to know: what a file says. Numbers are seen, and not read aloud at each step.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say, size } from "../../i18n.js";
import { Button, FileName, lasting, sentenceOf, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { paceOf, type Upload, uploads } from "../../uploads.js";
import "./documents.css";
import { kindOf } from "./kinds.js";
import { giveUp, pause } from "./sending.js";
import { SmallPicture } from "./Thumb.js";
import { Begun, GiveUp } from "./Unfinished.js";

export default function Uploads(): JSX.Element {
  const all = uploads.value;
  return (
    <>
      <Title>{say("documents.uploads.name")}</Title>
      {all.length === 0 && <p>{say("documents.uploads.none")}</p>}
      {all.length > 0 && <p class="hint">{say("documents.add.meanwhile")}</p>}
      <ul class="chosen" aria-label={say("documents.uploads.name")}>
        {all.map((one) => (
          <li key={one.key}>
            <span class="thumb">
              <SmallPicture
                blob={one.small} word={say(`documents.kind.${kindOf({ mime: one.file.type, name: one.file.name })}`)}
              />
            </span>
            <div class="chosen-words">
              <p class="file-name"><FileName file={one.file} /></p>
              <CourseOf one={one} />
            </div>
          </li>
        ))}
      </ul>
      <Begun />
      <p class="actions">
        <a class="button plain" href={address("addDocument")}>{say("documents.add.name")}</a>
        <a class="button plain" href={address("documents")}>{say("documents.results.all")}</a>
      </p>
    </>
  );
}

/** The same of one file, where it was chosen. */
export function UploadCourse({ file }: { file: File }): JSX.Element | null {
  const one = uploads.value.findLast((upload) => upload.file === file);
  return one === undefined ? null : <CourseOf one={one} />;
}

function CourseOf({ one }: { one: Upload }): JSX.Element {
  const { course } = one;
  if (course.kind === "failed") return <p class="fate">{sentenceOf(course.error)}</p>;
  if (course.kind === "waits") return <p class="fate" role="status">{say("documents.fate.waits")}</p>;
  if (course.kind === "kept") {
    return (
      <p class="fate" role="status">
        {say("documents.fate.kept")}{" "}<a href={address("document", course.id)}>{say("documents.fate.see")}</a>
      </p>
    );
  }
  return <Going one={one} />;
}

function Going({ one }: { one: Upload }): JSX.Element {
  const { course: { kind }, done, total, file: { name } } = one;
  const [, look] = useState(0);
  useEffect(() => {
    const looking = setInterval(() => look((count) => count + 1), 1000); // nothing is told while nothing leaves
    return () => clearInterval(looking);
  }, []);
  const { rate, left, silent } = paceOf(one);
  const sending = kind === "sending";
  const said = say(`documents.uploads.${sending && silent ? "silent" : kind}`);
  const whole = sending && total > 0 && done >= total;
  return (
    <div class="going">
      <p class={sending && !silent ? "waiting" : undefined} role="status">
        {whole ? say("documents.uploads.checking") : said}
      </p>
      {total > 0 && <progress value={done} max={total} aria-label={`${said} ${name}`} />}
      {total > 0 && (
        <p class="hint">
          {say("documents.going", { done: size(done), total: size(total) })}
          {sending && rate !== null && left !== null && !whole && (
            <> · {say("documents.uploads.pace", { rate: size(Math.round(rate)), wait: lasting(left) })}</>
          )}
        </p>
      )}
      <Controls one={one} />
    </div>
  );
}

function Controls({ one }: { one: Upload }): JSX.Element | null {
  const { course: { kind }, goOn, total, file: { name } } = one;
  const stands = kind === "paused" || kind === "cut";
  if (!stands && total === 0) return null; // nothing of it has gone
  return (
    <p class="actions">
      <Button // one and the same, so that it keeps the focus
        plain busy={stands ? goOn === null : kind === "queued"} onClick={() => (stands ? goOn?.() : pause(one))}
      >
        {say(`documents.uploads.${!stands ? "pause" : kind === "cut" ? "now" : "go_on"}`)}
        <span class="unseen"> {name}</span>
      </Button>
      {goOn !== null && <GiveUp name={name} giveUp={() => giveUp(one)} />}
    </p>
  );
}

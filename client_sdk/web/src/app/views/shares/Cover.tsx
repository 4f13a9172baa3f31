// Covering parts of a picture, with a finger, a mouse or keys. Knows: boxes, and the picture beneath them while it is
// shown. Refuses to know: what is on it, and to undo anything in a copy: another one is made of the original.

import type { JSX, TargetedPointerEvent } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { number, say } from "../../i18n.js";
import { Button, Notice, Problem, Title } from "../../parts/index.js";
import { vault } from "../../state.js";
import type { Content, Item } from "../../../worker/api.js";
import { useObjectUrl } from "../documents/addresses.js";
import { Going } from "../documents/Going.js";
import {
  boxAmid, boxBetween, copySize, coverPicture, moved, MOVES, SIDE, type Box, type Move, type Size,
} from "./boxes.js";

/** What the keys do to the chosen box; with Shift they change its size. */
const KEYS: Readonly<Record<string, readonly [Move, Move]>> = {
  ArrowLeft: ["left", "narrower"], ArrowRight: ["right", "wider"],
  ArrowUp: ["up", "shorter"], ArrowDown: ["down", "taller"],
};

export function Cover(props: {
  item: Item; content: Content; done: (copy: Blob) => void; back: () => void;
}): JSX.Element {
  const { item, content, done, back } = props;
  const [bytes, setBytes] = useState<Blob | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let here = true;
    vault().readContent(item.id, item.revision, content.blob).then((whole) => here && setBytes(whole), setError);
    return () => {
      here = false;
    };
  }, [content.blob]);
  return (
    <>
      <p class="tools"><button class="link" type="button" onClick={back}>← {say("account.back")}</button></p>
      <Title>{say("share.cover.title")}</Title>
      <p>{say("share.cover.lead")}</p>
      <p class="hint">{say("share.cover.copy", { side: number(SIDE) })}</p>
      <Problem error={error} />
      {bytes === null && error === null && <Going said={say("documents.file.fetching")} />}
      {bytes !== null && <Area bytes={bytes} name={content.name} done={done} />}
    </>
  );
}

function Area({ bytes, name, done }: { bytes: Blob; name: string; done: (copy: Blob) => void }): JSX.Element | null {
  const address = useObjectUrl(bytes);
  const picture = useRef<HTMLImageElement>(null);
  const adding = useRef<HTMLParagraphElement>(null);
  const removed = useRef(false);
  const [size, setSize] = useState<Size | null>(null);
  const [broken, setBroken] = useState(false);
  const [boxes, setBoxes] = useState<readonly Box[]>([]);
  const [chosen, setChosen] = useState(0);
  const [busy, setBusy] = useState(false);
  const [empty, setEmpty] = useState(false);
  useLayoutEffect(() => { // a box takes its own button along, the last one all of them
    if (removed.current && document.activeElement === document.body) adding.current?.querySelector("button")?.focus();
    removed.current = false;
  }, [boxes]);
  if (address === null) return null;
  if (broken) return <Notice care><p>{say("share.cover.broken")}</p></Notice>;
  const add = (box: Box): void => {
    setEmpty(false);
    setBoxes([...boxes, box]);
    setChosen(boxes.length);
  };
  const change = (how: Move): void => {
    if (size !== null) setBoxes(boxes.map((box, place) => (place === chosen ? moved(box, how, size) : box)));
  };
  const remove = (): void => {
    setBoxes(boxes.filter((_, place) => place !== chosen));
    setChosen(Math.max(0, chosen - 1));
    removed.current = true;
  };
  const cover = async (): Promise<void> => {
    setEmpty(boxes.length === 0);
    if (boxes.length === 0 || picture.current === null) return;
    setBusy(true);
    try {
      done(await coverPicture(picture.current, boxes));
    } catch {
      setBroken(true);
    }
  };
  const box = boxes[chosen];
  return (
    <>
      <div class="cover">
        <img
          ref={picture} src={address} alt={say("documents.file.picture", { name })} draggable={false}
          onError={() => setBroken(true)}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setSize(copySize({ width: naturalWidth, height: naturalHeight }))}
        />
        {size !== null && <Drawn size={size} boxes={boxes} chosen={chosen} add={add} />}
      </div>
      {size !== null && (
        <p class="actions" ref={adding}>
          <Button plain onClick={() => add(boxAmid(size))}>{say("share.cover.add")}</Button>
        </p>
      )}
      {boxes.length > 0 && (
        <div
          role="group" aria-label={say("share.cover.boxes")}
          onKeyDown={(event) => {
            const keys = KEYS[event.key];
            if (keys === undefined && event.key !== "Delete") return;
            event.preventDefault();
            if (keys === undefined) remove();
            else change(keys[event.shiftKey ? 1 : 0]);
          }}
        >
          <p class="switch">
            {boxes.map((_, place) => (
              <button key={place} type="button" aria-pressed={place === chosen} onClick={() => setChosen(place)}>
                {say("share.cover.box", { number: place + 1 })}
              </button>
            ))}
          </p>
          <p class="hint">{say("share.cover.keys")}</p>
          <p class="switch">
            {MOVES.map((how) => (
              <button key={how} type="button" onClick={() => change(how)}>{say(`share.cover.${how}`)}</button>
            ))}
            <button type="button" onClick={remove}>{say("share.cover.remove")}</button>
          </p>
          <p class="unseen" role="status">{box && size && say("share.cover.where", {
            number: chosen + 1, left: percent(box.x, size.width), top: percent(box.y, size.height),
            width: percent(box.width, size.width), height: percent(box.height, size.height),
          })}</p>
        </div>
      )}
      {empty && <p class="error" role="alert">{say("share.cover.empty")}</p>}
      <p class="actions"><Button busy={busy} onClick={() => void cover()}>{say("share.cover.do")}</Button></p>
    </>
  );
}

/** The boxes as they will be, and the one that is being drawn. Everything here can be done with the buttons below, too. */
function Drawn(props: { size: Size; boxes: readonly Box[]; chosen: number; add: (box: Box) => void }): JSX.Element {
  const { size, boxes, chosen, add } = props;
  const [from, setFrom] = useState<Pick<Box, "x" | "y"> | null>(null);
  const [to, setTo] = useState<Pick<Box, "x" | "y"> | null>(null);
  const at = (event: TargetedPointerEvent<SVGSVGElement>): Pick<Box, "x" | "y"> => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    return { x: ((event.clientX - left) / width) * size.width, y: ((event.clientY - top) / height) * size.height };
  };
  const drawn = from && to && boxBetween(from, to, size);
  return (
    <svg
      viewBox={`0 0 ${size.width} ${size.height}`} preserveAspectRatio="none" aria-hidden="true"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setFrom(at(event));
      }}
      onPointerMove={(event) => from && setTo(at(event))}
      onPointerUp={(event) => {
        const box = from && boxBetween(from, at(event), size);
        if (box) add(box);
        setFrom(null);
        setTo(null);
      }}
      onPointerCancel={() => {
        setFrom(null);
        setTo(null);
      }}
    >
      {[...boxes, ...(drawn ? [drawn] : [])].map((box, place) => (
        <rect key={place} {...box} class={place === chosen ? "chosen" : ""} vector-effect="non-scaling-stroke" />
      ))}
    </svg>
  );
}

function percent(part: number, whole: number): number {
  return Math.round((100 * part) / whole);
}

// A sound or a film while it is open. Knows: the frame in which it is, and that both go in the moment in which the view
// does. Refuses to know: how its bytes come.

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Content, Item } from "../../../worker/api.js";
import { FRAME, playIn } from "./playing.js";
import { useSource } from "./source.js";

interface Given {
  readonly item: Item;
  readonly content: Content;
  readonly kind: "audio" | "video";
  /** The frame is there, or goes. */
  readonly onCame: () => void;
  /** How far it was, in seconds; kept up to date. */
  readonly at: { current: number };
  /** It can't go on: a Problem, or null where this browser doesn't understand the file. */
  readonly onFailed: (error: unknown) => void;
}

export function Playing({ item, content, kind, at, onCame, onFailed }: Given): JSX.Element {
  const source = useSource();
  const frame = useRef<HTMLIFrameElement>(null);
  const end = useRef<() => void>(() => undefined);
  useLayoutEffect(() => () => {
    end.current();
    end.current = () => undefined; // a view that went may be held for a while, and what played in it isn't
    onCame();
  }, []);
  const fill = async (): Promise<void> => {
    const id = await source.makeId();
    if (frame.current === null) return;
    const media = {
      kind, id, name: content.name, mime: content.mime, size: content.size,
      read: (start: number, stop: number) => source.readPiece(item.id, item.revision, content.blob, start, stop),
    };
    end.current();
    end.current = playIn(frame.current, media, at.current, {
      at: (seconds) => void (at.current = seconds), failed: onFailed,
    });
    onCame();
  };
  return (
    <iframe
      ref={frame} class={`player ${kind}`} src={FRAME} title={content.name}
      allow="fullscreen 'none'; picture-in-picture 'none'" onLoad={() => void fill().catch(onFailed)}
    />
  );
}

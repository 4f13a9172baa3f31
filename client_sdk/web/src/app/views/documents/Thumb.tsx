// A file, small: its picture if one was made on this device, else what it is in a word. Knows: to ask only for what is
// on the screen. Refuses to know: the file itself; nothing is fetched for a list.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { vault } from "../../state.js";
import type { Content } from "../../../worker/api.js";
import { useObjectUrl } from "./addresses.js";
import { kindOf } from "./kinds.js";

export function Thumb({ content }: { content: Content }): JSX.Element {
  const place = useRef<HTMLSpanElement>(null);
  const [small, setSmall] = useState<Blob | null>(null);
  const kind = kindOf(content);
  useEffect(() => {
    if (kind !== "image" || place.current === null) return;
    let here = true;
    const ask = (): void => {
      vault().thumbnail(content.blob).then((found) => here && setSmall(found), () => undefined); // the word stays
    };
    const stop = whenSeen(place.current, ask);
    return () => {
      here = false;
      stop();
    };
  }, [content.blob]);
  return <span class="thumb" ref={place}><SmallPicture blob={small} word={say(`documents.kind.${kind}`)} /></span>;
}

/** A small picture, or the word that stands for it. Beside it stands what it is called. */
export function SmallPicture({ blob, word }: { blob: Blob | null; word: string }): JSX.Element {
  const address = useObjectUrl(blob);
  return address === null ? <span class="thumb-word">{word}</span> : <img src={address} alt="" />;
}

/** Calls once, as soon as an element comes near the screen. Gives how to stop waiting for it. */
function whenSeen(element: Element, call: () => void): () => void {
  if (typeof IntersectionObserver === "undefined") {
    call();
    return () => undefined;
  }
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    call();
  }, { rootMargin: "200px" });
  observer.observe(element);
  return () => observer.disconnect();
}

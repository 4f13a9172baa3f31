// A file of a document: shown where the browser can, and described. Knows: how to ask for its bytes, and that they are
// whole and verified when they come. Refuses to know: how it was sealed. No clear copy is written by being looked at.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { formatHex } from "../../../crypto_core/encoding.js";
import { say, size } from "../../i18n.js";
import { Button, Problem } from "../../parts/index.js";
import type { Content, Item } from "../../../worker/api.js";
import { makeThumbnail } from "../journal/thumbnail.js";
import { useObjectUrl } from "./addresses.js";
import { DownloadFile } from "./DownloadFile.js";
import { Going } from "./Going.js";
import { kindOf, LARGEST, TEXT_SHOWN } from "./kinds.js";
import { NotShown } from "./NotShown.js";
import { Pdf } from "./Pdf.js";
import { Playing } from "./Playing.js";
import { comesInRanges, startPlayer, writesWhatItPlays } from "./playing.js";
import { useSource, type Source } from "./source.js";
import { decodeText } from "./text.js";

export function FileOf({ item, content }: { item: Item; content: Content }): JSX.Element {
  const kind = kindOf(content);
  const source = useSource();
  const [small, setSmall] = useState<Blob | null>(null);
  const [opened, setOpened] = useState<Blob | null>(null);
  const plays = kind === "audio" || kind === "video";
  const [playing, setPlaying] = useState<"no" | "yes" | "broken">("no");
  const fits = content.size <= LARGEST[kind];
  const [inRanges, setInRanges] = useState(plays && comesInRanges(fits));
  const at = useRef(0);
  const here = useRef(true);
  const came = useRef<() => void>(() => undefined);
  useLayoutEffect(() => () => {
    here.current = false;
    came.current();
  }, []);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (kind !== "image") return;
    let here = true;
    source.thumbnail(content.blob).then((found) => here && setSmall(found), () => undefined); // there is a button, too
    return () => {
      here = false;
    };
  }, [content.blob]);
  const open = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const started = inRanges ? await startPlayer().catch(() => null) : null;
      if (!here.current) return started?.(); // it was locked, or left, meanwhile
      if (started !== null) {
        came.current = started;
        setPlaying("yes");
      } else if (!fits) setInRanges(false);
      else {
        const range = kind === "text" && content.size > TEXT_SHOWN ? [0, TEXT_SHOWN] as const : undefined;
        const whole = await source.readContent(item.id, item.revision, content.blob, range);
        setOpened(whole);
        if (kind === "image" && small === null) void keepSmall(source, content, whole).then(setSmall, () => undefined);
      }
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  const stop = (why: unknown): void => {
    setPlaying(why === null ? "broken" : "no");
    setError(why);
  };
  const hide = (): void => {
    setOpened(null);
    setPlaying("no");
    at.current = 0;
  };
  const [empty, unclosed] = [content.size === 0, content.isOpen === true]; // nothing is named before the end
  const shows = !empty && (inRanges || (kind !== "other" && fits));
  const isOpen = opened !== null || playing !== "no";
  return (
    <div class="file" role="group" aria-label={content.name}>
      {opened !== null && <Shown content={content} bytes={opened} />}
      {plays && playing === "yes" && (
        <Playing item={item} content={content} kind={kind} at={at} onCame={() => came.current()} onFailed={stop} />
      )}
      {playing === "broken" && <NotShown />}
      {opened === null && small !== null && (
        <Picture blob={small} alt={say("documents.file.small", { name: content.name })} />
      )}
      {busy && <Going said={say("documents.file.fetching")} />}
      {!shows && (
        <p class="hint not-on-paper">
          {empty ? say(unclosed ? "documents.file.unclosed" : "documents.file.empty") : kind === "other" ? say("documents.file.not_shown")
            : say(plays ? "documents.file.too_large_here" : "documents.file.too_large", { size: size(LARGEST[kind]) })}
        </p>
      )}
      {content.hasGap === true && <p class="hint">{say("documents.record.gap.there")}</p>}
      {inRanges && writesWhatItPlays() && <p class="hint not-on-paper">{say("documents.file.temporary")}</p>}
      <Problem error={error} />
      <p class="actions">
        {shows && ( // one and the same button, so that it keeps the focus
          <Button plain={isOpen} busy={busy} onClick={() => (isOpen ? hide() : void open())}>
            {say(isOpen ? "documents.file.hide" : busy ? "documents.file.opening" : `documents.open.${kind}`)}
            <span class="unseen"> {content.name}</span>
          </Button>
        )}
        {!unclosed && <DownloadFile item={item} content={content} />}
      </p>
    </div>
  );
}

async function keepSmall(source: Source, content: Content, whole: Blob): Promise<Blob | null> {
  const made = await makeThumbnail(whole);
  if (made) await source.keepThumbnail(content.blob, made);
  return made;
}

/** The bytes as what they are. Where the browser can't, it says so, and the download stands beside it. */
function Shown({ content, bytes }: { content: Content; bytes: Blob }): JSX.Element {
  switch (kindOf(content)) {
    case "image": return <Picture blob={bytes} alt={say("documents.file.picture", { name: content.name })} />;
    case "pdf": return <Pdf bytes={bytes} name={content.name} />;
    case "text": return <Text bytes={bytes} name={content.name} cut={content.size > TEXT_SHOWN} />;
    case "audio": return <Player kind="audio" blob={bytes} name={content.name} />;
    case "video": return <Player kind="video" blob={bytes} name={content.name} />;
    case "other": return <NotShown />;
  }
}

/** An image, for as long as it is shown. */
export function Picture({ blob, alt }: { blob: Blob; alt: string }): JSX.Element | null {
  const address = useObjectUrl(blob);
  const [broken, setBroken] = useState(false);
  if (broken) return <NotShown />;
  return address === null ? null : <img class="picture" src={address} alt={alt} onError={() => setBroken(true)} />;
}

function Player({ kind, blob, name }: { kind: "audio" | "video"; blob: Blob; name: string }): JSX.Element | null {
  const address = useObjectUrl(blob);
  const [broken, setBroken] = useState(false);
  if (broken) return <NotShown />;
  if (address === null) return null;
  const both = { src: address, controls: true, "aria-label": name, onError: () => setBroken(true) };
  return kind === "audio" ? <audio class="player" {...both} /> : <video class="player" playsInline {...both} />;
}

function Text({ bytes, name, cut }: { bytes: Blob; name: string; cut: boolean }): JSX.Element | null {
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    let here = true;
    void bytes.arrayBuffer().then((read) => here && setText(decodeText(new Uint8Array(read), cut)));
    return () => {
      here = false;
    };
  }, [bytes]);
  if (text === null) return null;
  return (
    <>
      <pre class="file-text" tabIndex={0} role="group" aria-label={name}>{text}</pre>
      {cut && <p class="hint">{say("documents.file.cut")}</p>}
    </>
  );
}

/** What the original was, to the last byte; of a recording that isn't closed, what is known: not its fingerprint. */
export function FileFacts({ content }: { content: Content }): JSX.Element {
  const [empty, unclosed] = [content.size === 0, content.isOpen === true];
  const facts = [
    ["name", content.name], ["type", content.mime], ...(empty && unclosed ? [] : [["size", size(content.size)] as const]),
  ] as const;
  return (
    <dl class="facts-list">
      {facts.map(([name, value]) => <div key={name}><dt>{say(`documents.fact.${name}`)}</dt><dd>{value}</dd></div>)}
      {!unclosed && (
        <div>
          <dt>{say("documents.fact.hash")}</dt>
          <dd><Hash bytes={content.sha256} /><span class="hint">{say("documents.fact.hash_hint")}</span></dd>
        </div>
      )}
    </dl>
  );
}

/** A hash in groups that can be compared by eye, or read out. */
export function Hash({ bytes }: { bytes: Uint8Array }): JSX.Element {
  return <code class="hash">{formatHex(bytes).match(/.{1,4}/g)?.join(" ")}</code>;
}

// Where sound, video and photographs are taken in the page, so that nothing of them is ever in a gallery.
// Knows: how far what was recorded is safe, and that it stops when this view goes. Refuses to know: seals.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { Button, clock, focusHeading, InSight, lasting, Notice, Problem, Tick, Title } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { beforeLock, refreshItems, safe, vault } from "../../state.js";
import { EMPTY_DRAFT } from "../../../sdk/items.js";
import { kept as told } from "../journal/told.js";
import "./documents.css";
import { canRecord, type Described, type Medium, Recorder, WANTED } from "./recorder.js";

type Wanted = Medium | "photograph";
const WAYS: readonly Wanted[] = ["sound", "video", "photograph"];
/** By which a browser says that it may not; by other names, that nothing answers. */
const FORBIDDEN = ["NotAllowedError", "SecurityError"];

export default function Record(): JSX.Element {
  const [sensitive, setSensitive] = useState(false);
  const [asking, setAsking] = useState<Wanted | null>(null);
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const here = useRef(true);
  const held = useRef<MediaStream | null>(null);
  useEffect(() => () => {
    here.current = false;
    held.current?.getTracks().forEach((track) => track.stop());
  }, []);

  const begin = async (wanted: Wanted): Promise<void> => {
    setAsking(wanted);
    setRefused(null);
    try {
      const found = await navigator.mediaDevices.getUserMedia(WANTED[wanted]);
      if (!here.current) return found.getTracks().forEach((track) => track.stop());
      held.current = found;
      if (wanted === "photograph") { // a recording looks after its end itself
        found.getVideoTracks()[0]?.addEventListener("ended", () => {
          over();
          setRefused(say("documents.record.missing.photograph"));
        });
      }
      setStream(found);
    } catch (error) {
      const why = FORBIDDEN.includes((error as Error).name) ? "forbidden" : "missing";
      setRefused(say(`documents.record.${why}.${wanted}`));
      setAsking(null);
    }
  };
  const over = (): void => {
    held.current?.getTracks().forEach((track) => track.stop());
    setStream(null);
    setAsking(null);
    focusHeading();
  };

  return (
    <>
      <Title>{say("documents.record.name")}</Title>
      {!canRecord() && <Notice care><p>{say("documents.record.unfit")}</p></Notice>}
      {stream === null && canRecord() && (
        <>
          <p>{say("documents.record.sign")}</p>
          <div class="behind">
            <Tick
              label={say("documents.sensitive.label")} hint={say("documents.sensitive.hint")} checked={sensitive}
              onChange={setSensitive}
            />
          </div>
          <InSight refused={refused}>
            <p class="actions">
              {WAYS.map((one) => (
                <Button key={one} plain={one !== "sound"} busy={asking === one} onClick={() => void begin(one)}>
                  {say(`documents.record.${one}`)}
                </Button>
              ))}
            </p>
          </InSight>
          <p class="hint">{say("documents.record.why")}</p>
          <p class="actions"><a class="button plain" href={address("documents")}>{say("documents.results.all")}</a></p>
        </>
      )}
      {stream !== null && asking === "photograph" && <Photograph stream={stream} sensitive={sensitive} over={over} />}
      {stream !== null && (asking === "sound" || asking === "video") && (
        <Going stream={stream} medium={asking} sensitive={sensitive} over={over} />
      )}
    </>
  );
}

/** What a person finds it by later, until they say more. */
function describe(wanted: Wanted, sensitive: boolean): Described {
  const now = Math.floor(Date.now() / 1000);
  const title = say(`documents.record.titled.${wanted}`, { moment: moment(now) });
  const happened = { from: now, to: now, precision: "minute", words: moment(now) } as const;
  return { draft: { ...EMPTY_DRAFT, title, happened, written: now }, sensitive, stem: String(now) };
}

function Going(props: {
  stream: MediaStream; medium: Medium; sensitive: boolean; over: () => void;
}): JSX.Element {
  const { stream, medium, sensitive, over } = props;
  const [recorder] = useState(() => new Recorder(stream, medium, describe(medium, sensitive)));
  const [, tick] = useState(0);
  const stop = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const halt = (): Promise<void> => recorder.halt();
    const ticking = setInterval(() => tick((count) => count + 1), 500);
    beforeLock.add(halt);
    recorder.start();
    stop.current?.querySelector("button")?.focus();
    return () => {
      clearInterval(ticking);
      beforeLock.delete(halt);
      void recorder.stop();
    };
  }, []);
  const course = recorder.course.value;
  const { taken } = recorder;
  useEffect(() => {
    if (course === "waits" || course === "failed" || (course === "ended" && taken)) focusHeading();
    if (course !== "ended") return;
    void refreshItems().then(() => {
      if (taken) return; // nobody asked for the end: it is told here
      const [id, ...more] = recorder.items;
      if (more.length === 0) told.value = recorder.kept; // of several parts, one that came before may still wait
      if (id) go("document", id, true);
      else go("documents");
    });
  }, [course]);
  const seconds = Math.floor((performance.now() - recorder.begun) / 1000);
  const { here, kept } = safe.value ?? { here: 0, kept: 0 };
  return (
    <div ref={stop}>
      {medium === "video" && <Seen stream={stream} />}
      {course === "recording" && (
        <>
          <p class="recording"><span role="status">{say(`documents.record.going.${medium}`)}</span>{" "}
            <span role="timer">{clock(seconds)}</span></p>
          <p>{say(kept >= here ? "documents.record.kept" : "documents.record.here", { time: clock(Math.floor(here)) })}</p>
          <InSight>
            <p class="actions"><Button onClick={() => void recorder.stop()}>{say("documents.record.stop")}</Button></p>
          </InSight>
          <p class="hint">{say("documents.record.locks")}</p>
        </>
      )}
      {course !== "recording" && taken && (
        <Notice care>
          <p role="alert">{say(`documents.record.taken.${medium}`)}</p>
          {course === "ended" && <p>{say(`documents.record.${recorder.items.length > 0 ? "taken_kept" : "taken_none"}`)}</p>}
        </Notice>
      )}
      {course === "ending" && <p role="status" class="waiting">{say("documents.record.ending")}</p>}
      {course === "waits" && <Notice><p role="status">{say("documents.record.waits")}</p></Notice>}
      {course === "failed" && (
        <>
          <Problem error={recorder.error.value} />
          {here > 0 && <p>{say("documents.record.so_far", { wait: lasting(Math.max(1, Math.floor(here))) })}</p>}
        </>
      )}
      {(course === "waits" || course === "failed" || (course === "ended" && taken)) && (
        <p class="actions">
          <Button onClick={over}>{say("documents.record.again")}</Button>
          <a class="button plain" href={address("documents")}>{say("documents.results.all")}</a>
        </p>
      )}
    </div>
  );
}

function Photograph(props: { stream: MediaStream; sensitive: boolean; over: () => void }): JSX.Element {
  const { stream, sensitive, over } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.querySelector("button")?.focus(), []);
  const take = async (): Promise<void> => {
    const video = place.current?.querySelector("video");
    if (!video || video.videoWidth === 0) return;
    setBusy(true);
    setError(null);
    try {
      const blob = await pictureOf(video);
      const { draft, stem } = describe("photograph", sensitive);
      const file = new File([blob], `${stem}.jpeg`, { type: blob.type });
      const { id, revision, conflict } = await vault().addDocument(file, draft, { sensitive, files: [], slot: null });
      await refreshItems();
      over();
      told.value = { id, revision, conflict };
      go("document", id, true);
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return (
    <div ref={place}>
      <Seen stream={stream} />
      <Problem error={error} />
      <InSight>
        <p class="actions">
          <Button busy={busy} onClick={() => void take()}>
            {say(busy ? "documents.record.keeping" : "documents.record.take")}
          </Button>
          {!busy && <Button plain onClick={over}>{say("documents.record.leave")}</Button>}
        </p>
      </InSight>
    </div>
  );
}

/** What the camera sees. */
function Seen({ stream }: { stream: MediaStream }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element !== null) element.srcObject = stream;
    return () => {
      if (element !== null) element.srcObject = null;
    };
  }, [stream]);
  return <video ref={video} class="player seen" muted autoplay playsInline aria-label={say("documents.record.seen")} />;
}

async function pictureOf(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  canvas.width = canvas.height = 0; // its pixels go now
  if (blob === null) throw new Error("no picture");
  return blob;
}

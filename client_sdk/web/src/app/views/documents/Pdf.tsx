// A PDF, page below page. Knows: how many pages are drawn, and to let go of them. Refuses to know: how they are drawn.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, Waiting } from "../../parts/index.js";
import { NotShown } from "./NotShown.js";
import type { OpenPdf } from "./pdf.js";

/** Pages that are drawn before somebody asks for more. */
const DRAWN = 5;

export function Pdf({ bytes, name }: { bytes: Blob; name: string }): JSX.Element {
  const [opened, setOpened] = useState<OpenPdf | null>(null);
  const [failed, setFailed] = useState<"no" | "broken" | "locked">("no");
  const [drawn, setDrawn] = useState(DRAWN);
  useLayoutEffect(() => {
    let here = true;
    let mine: OpenPdf | null = null;
    const open = async (): Promise<void> => {
      const { asksForPassword, openPdf } = await import("./pdf.js");
      try {
        mine = await openPdf(bytes);
      } catch (error) {
        if (here) setFailed(asksForPassword(error) ? "locked" : "broken");
        return;
      }
      if (here) setOpened(mine);
      else mine.close();
    };
    open().catch(() => here && setFailed("broken"));
    return () => {
      here = false;
      mine?.close();
    };
  }, [bytes]);
  if (failed !== "no") return <NotShown locked={failed === "locked"} />;
  if (opened === null) return <Waiting>{say("documents.file.drawing")}</Waiting>;
  const count = Math.min(drawn, opened.pages);
  return (
    <div class="pdf" role="group" aria-label={name}>
      {Array.from({ length: count }, (_, place) => <Page key={place} opened={opened} page={place + 1} />)}
      {count < opened.pages && (
        <Button plain onClick={() => setDrawn(drawn + DRAWN)}>
          {say("documents.file.more_pages", { count, total: opened.pages })}
        </Button>
      )}
    </div>
  );
}

function Page({ opened, page }: { opened: OpenPdf; page: number }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [text, setText] = useState("");
  const [failed, setFailed] = useState(false);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    let here = true;
    opened.draw(page, element, element.clientWidth || 640).then(
      (words) => here && setText(words), () => here && setFailed(true),
    );
    return () => {
      here = false;
      element.width = element.height = 0; // its pixels go now, not when somebody collects them
    };
  }, []);
  if (failed) return <NotShown />;
  return (
    <>
      <canvas ref={canvas} role="img" aria-label={say("documents.file.page", { page, total: opened.pages })} />
      {text.trim() !== "" && <p class="unseen pdf-words">{text}</p>}
    </>
  );
}

// A sealed backup, opened with its 24 words. Knows: where they are typed, and that what comes out is handed over readable.
// Refuses to know: what is in it, and whether it holds: that is checked as any pack is.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { say } from "../app/i18n.js";
import { Button, FileName, Notice, Problem, TextArea } from "../app/parts/index.js";
import { More } from "../app/parts/more.js";
import { openBackup } from "../crypto_core/sealing/backup.js";
import { parseWords, readyWords } from "../crypto_core/sealing/recovery.js";
import { blocksOf, InBlob } from "../sdk/archive.js";
import type { Progress } from "../sdk/progress.js";
import { Pick } from "./Pick.js";

/** The pack in a sealed file, once all of it was found unchanged; `progress` hears of the sealed bytes.
 *
 * Rejects with SecretRefused for words that can't be the file's, and as `openBackup` throws. */
export async function openSealed(file: Blob, words: string, progress: Progress): Promise<Blob> {
  await readyWords();
  const [key, into] = [parseWords(words), new InBlob()];
  const writer = into.stream.getWriter();
  progress.start("", file.size);
  for await (const block of openBackup(key, counted(blocksOf(file.stream()), progress))) await writer.write(block);
  return into.blob;
}

/** `open` rejects with why it can't be opened. */
export function Sealed({ busy, open }: { busy: boolean; open: (file: File, words: string) => Promise<void> }): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [words, setWords] = useState("");
  const [error, setError] = useState<unknown>(null);
  const submit = async (): Promise<void> => {
    if (file === null || busy) return;
    setError(null);
    try {
      await open(file, words);
      setWords("");
      setFile(null);
    } catch (failed) {
      setError(failed);
    }
  };
  return (
    <More name={say("pack.open.name")}>
      <p>{say("pack.open.what")}</p>
      <p class="actions"><Pick label={say("pack.open.file")} onPick={([one]) => one && setFile(one)} busy={busy} plain /></p>
      <div role="status">{file !== null && <p><FileName file={file} /></p>}</div>
      {file !== null && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          <TextArea label={say("pack.open.words")} hint={say("pack.open.words_hint")} rows={7} value={words} onInput={setWords} />
          <Notice care><p>{say("pack.open.care")}</p></Notice>
          <Problem error={error} />
          <p class="actions"><Button type="submit" busy={busy}>{say(busy ? "pack.open.busy" : "pack.open.do")}</Button></p>
        </form>
      )}
    </More>
  );
}

/** What came out, to be kept and read. */
export function Opened({ pack }: { pack: Blob }): JSX.Element {
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(pack);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [pack]);
  return (
    <Notice care>
      <p>{say("pack.open.opened")}</p>
      <p class="actions"><a class="button" href={address} download={say("pack.save.file")}>{say("pack.open.save")}</a></p>
      <p>{say("pack.own.read")}</p>
      <p>{say("pack.open.after")}</p>
    </Notice>
  );
}

async function* counted(blocks: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    progress.advance(block.length);
    yield block;
  }
}

// Bytes as somebody's text. Knows: UTF-8, the marks of UTF-16, and what old programs of Western Europe wrote.
// Refuses to know: what the text says.

/** The text of a file. `cut`: these are its first bytes only, and the last letter may be half there. */
export function decodeText(bytes: Uint8Array, cut: boolean): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes, { stream: cut });
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes, { stream: cut });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

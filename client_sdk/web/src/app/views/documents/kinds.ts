// What a file is to whoever looks at it. Knows: media types, endings of names, and how much of a file a page may hold.
// Refuses to know: the bytes. What can act (a page, a drawing with scripts) is text, or nothing that is shown.

import type { Content } from "../../../worker/api.js";

export type FileKind = "image" | "pdf" | "text" | "audio" | "video" | "other";

const MB = 1_000_000;
/** Bytes up to which a file is opened whole in the page. Of a text the beginning is shown, however long it is, and a
 * sound or film that comes in ranges has no limit. */
export const LARGEST: Readonly<Record<FileKind, number>> = {
  image: 100 * MB, pdf: 100 * MB, text: Infinity, audio: 50 * MB, video: 50 * MB, other: 0,
};
/** Bytes of a text that are shown. */
export const TEXT_SHOWN = MB;

const ENDINGS: readonly (readonly [RegExp, FileKind])[] = [
  [/\.(jpe?g|png|gif|webp|avif|heic|heif|bmp)$/i, "image"],
  [/\.pdf$/i, "pdf"],
  [/\.(mp4|m4v|mov|webm|mkv|3gp|3g2|ogv)$/i, "video"],
  [/\.(mp3|m4a|aac|ogg|oga|opus|wav|flac|amr)$/i, "audio"],
  [/\.(txt|md|csv|log|json|xml|html?|eml|vcf|srt)$/i, "text"],
];
const TEXTS = /^(text\/|message\/|application\/(json|xml|xhtml\+xml|csv)$)/;

export function kindOf({ mime, name }: Pick<Content, "mime" | "name">): FileKind {
  const type = mime.toLowerCase();
  if (type.startsWith("image/")) return type.startsWith("image/svg") ? "other" : "image";
  if (type.startsWith("audio/")) return "audio";
  if (type.startsWith("video/")) return "video";
  if (type === "application/pdf") return "pdf";
  if (TEXTS.test(type)) return "text";
  if (type !== "" && type !== "application/octet-stream") return "other";
  return ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? "other";
}

/** A name that tells nothing, with the ending that opens it. */
export function neutralName(name: string, neutral: string): string {
  const ending = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1];
  return ending === undefined ? neutral : `${neutral}.${ending.toLowerCase()}`;
}

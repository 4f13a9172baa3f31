// A small picture of a picture, made on the page. Knows: canvas. Refuses to know: what is on it, and anything that is
// no image: for that there is none, and none for an image that this browser can't open.

/** The longer side, in pixels. */
export const SIDE = 320;

/** A WebP or JPEG of at most SIDE pixels a side; null where there can't be one. */
export async function makeThumbnail(file: Blob): Promise<Blob | null> {
  if (!file.type.startsWith("image/") || typeof createImageBitmap !== "function") return null;
  try {
    const image = await createImageBitmap(file);
    const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    return await new Promise((done) => canvas.toBlob(done, "image/webp", 0.8));
  } catch {
    return null;
  }
}

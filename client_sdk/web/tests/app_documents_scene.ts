// Object URLs as they are made and taken back, in a page that has none. Knows: counts. Refuses to know: bytes.
import { vi } from "vitest";

export interface Addresses {
  readonly made: readonly string[];
  /** Addresses that still lead somewhere. */
  readonly open: ReadonlySet<string>;
  readonly blobs: ReadonlyMap<string, Blob>;
}

/** Watches URL.createObjectURL and revokeObjectURL until mocks are restored. */
export function watchAddresses(): Addresses {
  const made: string[] = [];
  const open = new Set<string>();
  const blobs = new Map<string, Blob>();
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    const address = `blob:test/${made.length}`;
    made.push(address);
    open.add(address);
    blobs.set(address, blob as Blob);
    return address;
  });
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((address) => void open.delete(address));
  return { made, open, blobs };
}

/** What the browser was asked to download, by name, until mocks are restored. */
export function watchDownloads(): { readonly name: string; readonly address: string }[] {
  const asked: { name: string; address: string }[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    if (this.download !== "") asked.push({ name: this.download, address: this.href });
  });
  return asked;
}

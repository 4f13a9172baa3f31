// Where the bytes of a file come from that is shown: the open vault, unless it is said otherwise around it.
// Knows: what a shown file asks for. Refuses to know: how it is answered.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { vault } from "../../state.js";
import type { VaultApi } from "../../../worker/api.js";

export type Source = Pick<VaultApi, "readContent" | "readPiece" | "thumbnail" | "keepThumbnail" | "makeId">;

export const From = createContext<Source | null>(null);

export function useSource(): Source {
  return useContext(From) ?? vault();
}

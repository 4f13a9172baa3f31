// Builds the page that measures; nothing of it is served by a vault. Knows: its entry. Refuses to know: the app's.
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  build: { outDir: "../../../build/bench-web", emptyOutDir: true, target: "es2022" },
  worker: { format: "es" },
});

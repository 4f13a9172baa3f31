// How the web client is built and tested. Knows: entries and the folder that the server serves.
// Refuses to know: addresses of any vault; everything is served by the one that serves /app.
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/a/",
  publicDir: false,
  build: {
    outDir: "../../server/shell/static",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // The largest script of a page reads PDF and comes when somebody opens one: 501 kB of it are pdf.js as it is.
    chunkSizeWarningLimit: 520,
    rollupOptions: {
      input: "src/app/main.tsx",
      checks: { bundlerTimings: false },
      // Addresses say nothing about what they are for.
      output: { entryFileNames: "[hash].js", chunkFileNames: "[hash].js", assetFileNames: "[hash][extname]" },
    },
  },
  worker: {
    format: "es",
    rollupOptions: {
      output: {
        // The player's has another policy than those with wasm, and so another first letter (server/headers.py).
        entryFileNames: ({ name }) => (name === "player.worker" ? "s[hash].js" : "w[hash].js"),
        chunkFileNames: "w[hash].js",
      },
    },
  },
  test: { include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"], testTimeout: 30_000, maxWorkers: "100%" },
});

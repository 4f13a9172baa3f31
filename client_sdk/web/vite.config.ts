// How the web client is built and tested. Knows: entries and the folder that the server serves.
// Refuses to know: addresses of any vault; everything is served by the one that serves /app.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { defineConfig, type Plugin } from "vitest/config";

/** Beside every file the same one by brotli (RFC 7932), once: a vault would take seconds for it at each start. */
const packed: Plugin = {
  name: "packed",
  apply: "build",
  writeBundle({ dir }) {
    for (const name of readdirSync(dir!).filter((one) => /\.(js|css|wasm|svg|mjs)$/.test(one))) {
      writeFileSync(`${dir}/${name}.br`, brotliCompressSync(readFileSync(`${dir}/${name}`)));
    }
  },
};

export default defineConfig({
  plugins: [packed],
  base: "/a/",
  publicDir: false,
  build: {
    outDir: "../../server/shell/static",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // The largest scripts come when somebody needs them: one reads PDF, and one is the page that checks packs, as text.
    chunkSizeWarningLimit: 850,
    rollupOptions: {
      input: "src/app/main.tsx",
      checks: { bundlerTimings: false },
      // Addresses say nothing about what they are for, but for the first letter: whether a worker runs it (below).
      output: { entryFileNames: "p[hash].js", chunkFileNames: "p[hash].js", assetFileNames: "p[hash][extname]" },
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
  test: {
    include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"], setupFiles: ["tests/runs.ts"],
    globalSetup: ["tests/together.ts"], testTimeout: 30_000,
    maxWorkers: "100%", expect: { poll: { timeout: 10_000 } },
  },
});

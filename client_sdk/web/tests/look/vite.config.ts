// Serves the real pages with a memory twin (main.tsx says how to look at them). Knows: where the public looks lie.

import { resolve } from "node:path";
import { defineConfig } from "vite";

const web = resolve(import.meta.dirname, "../..");
const repository = resolve(web, "../..");
const looks = resolve(repository, "server/help/static");

export default defineConfig({
  root: web,
  publicDir: false,
  cacheDir: "node_modules/.vite-look",
  server: { host: "127.0.0.1", port: 5173, fs: { allow: [repository] } },
  optimizeDeps: { entries: ["tests/look/main.tsx", "src/app/views/**/*.{ts,tsx}"] },
  plugins: [{
    name: "looks of the public pages",
    configureServer(server) {
      server.middlewares.use((request, _answer, next) => {
        request.url = request.url
          ?.replace(/^\/looks\//, `/@fs${looks}/`)
          .replace(/^\/tests\/look\/?(?=$|\?)/, "/tests/look/index.html");
        next();
      });
    },
  }],
});

// How the page that checks packs is built: one file that asks for nothing, since it is opened from a disk.
// Knows: the page, and the policy that lets exactly this style and this script run. Refuses to know: where it goes next.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

const PAGE = "src/verifier/page.html";
const NAME = "verify.html";

/** Script and style into the page, and their hashes into its policy. */
const oneFile: Plugin = {
  name: "one file",
  apply: "build",
  generateBundle: {
    order: "post", // after Vite has put something in the place of its marks for imports
    handler(_, bundle) {
      const files = Object.values(bundle);
      const script = files.flatMap((file) => (file.type === "chunk" ? [inScript(file.code)] : []));
      const style = files.flatMap((file) => (file.type === "asset" ? [String(file.source).trim()] : []));
      if (script.length !== 1 || style.length !== 1) this.error("more than one script or style");
      const policy = [
        "default-src 'none'", "base-uri 'none'", "form-action 'none'", "connect-src 'none'",
        `script-src ${hashOf(script[0]!)} 'wasm-unsafe-eval'`, `style-src ${hashOf(style[0]!)}`,
        "require-trusted-types-for 'script'", "trusted-types 'none'",
      ].join("; ");
      for (const name of Object.keys(bundle)) delete bundle[name];
      const parts: Readonly<Record<string, string>> = { POLICY: policy, STYLE: style[0]!, SCRIPT: script[0]! };
      const source = readFileSync(PAGE, "utf-8").replace(/%([A-Z]+)%/g, (_, name: string) => parts[name]!);
      this.emitFile({ type: "asset", fileName: NAME, source });
    },
  },
};

/** Nothing in a script may end it early. */
function inScript(code: string): string {
  return code.trim().replace(/<(?=\/script|!--)/gi, "\\x3c");
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text, "utf-8").digest("base64")}'`;
}

export default defineConfig({
  plugins: [oneFile],
  publicDir: false,
  build: {
    outDir: "../verifier",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200, // libsodium's wasm is in it
    rollupOptions: {
      input: "src/verifier/main.tsx",
      checks: { bundlerTimings: false },
      output: { codeSplitting: false },
    },
  },
});

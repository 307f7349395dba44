/** Builds the explorer's page into dist/explorer: one script, one style sheet, no outside request. Part of `npm run build`. */
import { cpSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** From dist/node. */
const SOURCE = fileURLToPath(new URL("../../explorer", import.meta.url));
const OUTPUT = fileURLToPath(new URL("../explorer", import.meta.url));
const COPIED = ["index.html", "icon.svg"];

await build({
  absWorkingDir: SOURCE,
  entryPoints: { page: "main.tsx" },
  outdir: OUTPUT,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
});
await build({ absWorkingDir: SOURCE, entryPoints: ["page.css"], outdir: OUTPUT, bundle: true, minify: true });
mkdirSync(OUTPUT, { recursive: true });
for (const name of COPIED) cpSync(`${SOURCE}/${name}`, `${OUTPUT}/${name}`);

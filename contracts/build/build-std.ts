/** Build step: bundles `chain:std` into dist/image/std.js. See specs/vm/contract/machine.md#chainstd. */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { STD_PATH } from "../../node/std-image.ts";
import { checkStd } from "../../vm/contract/std.ts";

mkdirSync(dirname(STD_PATH), { recursive: true });
await build({
  // The compiled modules, so that the bundle does not depend on how esbuild reads types.
  entryPoints: [fileURLToPath(new URL("../std/chain-std.js", import.meta.url))],
  outfile: STD_PATH,
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2023",
  charset: "ascii",
  legalComments: "none",
  logLevel: "warning",
});
checkStd(readFileSync(STD_PATH, "utf8"));

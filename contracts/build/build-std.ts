/** Build step: bundles `chain:std` into dist/image/std.js and boots the engine with it into dist/image/boot.bin. See specs/vm/contract/machine.md#chainstd. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { readEngineImage } from "../../node/engine-image.ts";
import { BOOT_PATH, STD_PATH } from "../../node/std-image.ts";
import { checkBoot, checkStd } from "../../vm/contract/std.ts";
import { createEngine } from "../../vm/engine/engine.ts";

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
const std = readFileSync(STD_PATH, "utf8");
checkStd(std);

const boot = createEngine({ wasm: readEngineImage(), std }).exportBoot();
checkBoot(boot);
writeFileSync(BOOT_PATH, boot);

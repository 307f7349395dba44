/** Build step: meters the published QuickJS binary into dist/image/engine.wasm. specs/vm/engine/engine.md#the-binary */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { checkImage, checkSource, ImageError } from "../vm/engine/image.ts";
import { meter } from "../vm/engine/meter.ts";
import { ENGINE_IMAGE_PATH } from "./engine-image.ts";

const SOURCE = "@jitl/quickjs-wasmfile-release-sync/wasm";

if (!isBuilt()) {
  const source = readFileSync(fileURLToPath(import.meta.resolve(SOURCE)));
  checkSource(source);
  const image = meter(source);
  checkImage(image);
  mkdirSync(dirname(ENGINE_IMAGE_PATH), { recursive: true });
  writeFileSync(ENGINE_IMAGE_PATH, image);
}

function isBuilt(): boolean {
  if (!existsSync(ENGINE_IMAGE_PATH)) return false;
  try {
    checkImage(readFileSync(ENGINE_IMAGE_PATH));
    return true;
  } catch (error) {
    if (error instanceof ImageError) return false;
    throw error;
  }
}

/** Where the engine's metered binary lies on disk. specs/vm/engine/engine.md#the-binary */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** dist/image/engine.wasm, which the build writes. */
export const ENGINE_IMAGE_PATH = fileURLToPath(new URL("../image/engine.wasm", import.meta.url));

/** The bytes as they lie on disk; `createEngine` checks them. @throws Error when the build has not run. */
export function readEngineImage(): Uint8Array {
  return readFileSync(ENGINE_IMAGE_PATH);
}

/** Where the bundled module `chain:std` lies on disk. See specs/vm/contract/machine.md#chainstd. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkBoot, checkStd } from "../vm/contract/std.ts";

/** dist/image/std.js, which the build writes. */
export const STD_PATH = fileURLToPath(new URL("../image/std.js", import.meta.url));

/** @throws StdError when the build made another module; Error when it has not run. */
export function readStdImage(): string {
  const source = readFileSync(STD_PATH, "utf8");
  checkStd(source);
  return source;
}

/** dist/image/boot.bin: the engine after it has evaluated that module. The build writes it. */
export const BOOT_PATH = fileURLToPath(new URL("../image/boot.bin", import.meta.url));

/** @throws StdError when this machine came to another state; Error when the build has not run. */
export function readBootImage(): Uint8Array {
  const image = readFileSync(BOOT_PATH);
  checkBoot(image);
  return image;
}

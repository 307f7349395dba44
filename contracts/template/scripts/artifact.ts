/** What `npm run build` made. */
import { readFileSync } from "node:fs";
import type { Hex } from "viem";

export function bytecodeOf(name: string): Hex {
  return JSON.parse(readFileSync(`artifacts/${name}.json`, "utf8")).bytecode;
}

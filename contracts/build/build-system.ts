/** Build step: packs the system contracts into dist/image/system-contracts.json. See specs/contracts/system.md. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Hex } from "../../primitives/bytes.ts";
import { buildContract } from "./build-contract.ts";
import { SYSTEM_CONTRACTS, SYSTEM_IMAGE_PATH } from "./system-image.ts";

const allocation: Record<string, { nonce: 1; code: Hex }> = {};
for (const [address, file] of Object.entries(SYSTEM_CONTRACTS)) {
  const path = fileURLToPath(new URL(`../../../contracts/system/${file}`, import.meta.url));
  // Their types are checked by a spec; the build of every node need not wait for it.
  const { bytecode } = await buildContract(path, { typeCheck: false });
  allocation[address] = { nonce: 1, code: bytecode };
}
writeFileSync(SYSTEM_IMAGE_PATH, `${JSON.stringify(allocation, null, 2)}\n`);

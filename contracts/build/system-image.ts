/** System contracts as accounts of the genesis allocation. See specs/contracts/system.md. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Address, Hex } from "../../primitives/bytes.ts";
import {
  BEACON_ROOTS_ADDRESS,
  BLOCK_HASHES_ADDRESS,
  DEPOSIT_CONTRACT_ADDRESS,
  EXIT_CONTRACT_ADDRESS,
} from "../../vm/chain-config.ts";

/** Where viem and others expect it on every chain. */
export const MULTICALL3_ADDRESS: Address = "0xca11bde05977b3631167028862be2a173976ca11";
/** The deployer that deployment tools expect on every chain. */
export const CREATE2_DEPLOYER_ADDRESS: Address = "0x4e59b44847b379578588920ca78fbf26c0b4956c";

/** Sources in contracts/system, by address. */
export const SYSTEM_CONTRACTS: Readonly<Record<Address, string>> = {
  [BEACON_ROOTS_ADDRESS]: "beacon-roots.ts",
  [BLOCK_HASHES_ADDRESS]: "block-hashes.ts",
  [DEPOSIT_CONTRACT_ADDRESS]: "deposit.ts",
  [EXIT_CONTRACT_ADDRESS]: "withdrawal-requests.ts",
  [MULTICALL3_ADDRESS]: "multicall3.ts",
  [CREATE2_DEPLOYER_ADDRESS]: "create2-deployer.ts",
};

/** dist/image/system-contracts.json, which the build writes. */
export const SYSTEM_IMAGE_PATH = fileURLToPath(new URL("../../image/system-contracts.json", import.meta.url));

/** Accounts as a chain spec's `alloc` has them. EIP-161: a contract begins at nonce 1. */
export type SystemAllocation = Readonly<Record<Address, { readonly nonce: 1; readonly code: Hex }>>;

/** @throws Error when the build has not run. */
export function readSystemAllocation(): SystemAllocation {
  return JSON.parse(readFileSync(SYSTEM_IMAGE_PATH, "utf8")) as SystemAllocation;
}

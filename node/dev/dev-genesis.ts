/** The first block of a development chain, and the record that lets it be opened again. See specs/node/dev.md#genesis. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { type Address, fromHex } from "../../primitives/bytes.ts";
import { DEV_BALANCE_WEI, deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { CodedError } from "../../primitives/errors.ts";
import {
  type ChainConfig,
  DEPOSIT_CONTRACT_ADDRESS,
  EXIT_CONTRACT_ADDRESS,
  GAS_LIMIT_DEFAULT,
  GAS_LIMIT_MINIMUM,
} from "../../vm/chain-config.ts";
import { buildGenesis, type GenesisAccount } from "../../vm/genesis.ts";
import type { ExecutionGenesis } from "../execution/chain-states.ts";
import { makeFolder } from "../make-folder.ts";
import { EDITOR_ADDRESS, EDITS_ADDRESS, EDITS_CODE } from "./state-edits.ts";

export type DevIdentity = { readonly chainId: number; readonly genesisTime: number };

const Identity = z.object({ chainId: z.int().positive(), genesisTime: z.int().positive() });

/** The folder holds no development chain, or that of another chain id. */
export class DevDirectoryError extends CodedError<{
  readonly code: "DEV_WRONG_CHAIN_ID" | "DEV_RECORD_UNREADABLE";
  readonly directory: string;
  readonly hint: string;
}> {
  override readonly message = `${this.detail.directory}: ${this.detail.hint}`;
}

/**
 * What the folder was begun with; a new one is begun.
 * @throws DevDirectoryError
 */
export function openIdentity(directory: string, chainId: number, genesisTime: number): DevIdentity {
  makeFolder(directory);
  const path = join(directory, "dev.json");
  if (!existsSync(path)) writeFileSync(path, `${JSON.stringify({ chainId, genesisTime })}\n`);
  const identity = readIdentity(directory, path);
  if (identity.chainId !== chainId) {
    const hint = `holds chain ${identity.chainId}; ask for it with --chain-id, or take another folder`;
    throw new DevDirectoryError({ code: "DEV_WRONG_CHAIN_ID", directory, hint });
  }
  return identity;
}

function readIdentity(directory: string, path: string): DevIdentity {
  try {
    return Identity.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    const hint = "dev.json cannot be read; take another folder";
    throw new DevDirectoryError({ code: "DEV_RECORD_UNREADABLE", directory, hint }, { cause });
  }
}

export function devChainConfig({ chainId }: DevIdentity): ChainConfig {
  return {
    chainId: BigInt(chainId),
    gasLimitMinimum: GAS_LIMIT_MINIMUM,
    gasLimitMaximum: GAS_LIMIT_DEFAULT,
    depositContract: undefined,
    exitContract: undefined,
    allowsContractSenders: true,
  };
}

/** Ten funded accounts, the system contracts but for those of stakers, and what edits need. */
export function buildDevGenesis({ genesisTime }: DevIdentity): ExecutionGenesis {
  const allocation = new Map<Address, GenesisAccount>();
  for (const [address, { code }] of Object.entries(readSystemAllocation())) {
    // There is no consensus that would take stake in or pay it out: a deposit would only burn its value.
    if (address === DEPOSIT_CONTRACT_ADDRESS || address === EXIT_CONTRACT_ADDRESS) continue;
    allocation.set(address as Address, { balance: 0n, nonce: 1n, code: fromHex(code) });
  }
  for (const { address } of deriveDevAccounts()) allocation.set(address, { balance: DEV_BALANCE_WEI });
  allocation.set(EDITOR_ADDRESS, { balance: 1n << 128n });
  allocation.set(EDITS_ADDRESS, { balance: 0n, nonce: 1n, code: EDITS_CODE });
  return buildGenesis({ allocation, timestamp: genesisTime, gasLimit: GAS_LIMIT_DEFAULT });
}

/** What the testnet keeps on disk: its description, the chain spec all nodes share, a folder per node. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Hex } from "../primitives/bytes.ts";
import { buildChainSpec } from "./chain-spec.ts";
import type { TestnetOptions } from "./options.ts";

/** What was fixed when the chain began. Flags that contradict it are refused. */
export type NetworkDescription = {
  readonly chainId: number;
  readonly nodes: number;
  readonly validatorsPerNode: number;
  readonly slotSeconds: number;
  /** Seconds since 1970. */
  readonly genesisTime: number;
};

/** Raised when --dir holds something else than the flags say. */
export class OtherChainError extends Error {
  override readonly name = "OtherChainError";
}

const DESCRIPTION_FILE = "testnet.json";

export type NetworkFiles = {
  readonly description: NetworkDescription;
  readonly specPath: string;
  readonly isNew: boolean;
};

/**
 * Opens the network in `dir` or makes a new one whose genesis is at `genesisTime`.
 * @param preset of a new one's chain spec, instead of the testnet's.
 * @throws OtherChainError when the folder is not a testnet's, or one that other flags began.
 */
export function prepareNetwork(
  options: TestnetOptions,
  genesisTime: number,
  systemAllocation: Readonly<Record<Hex, unknown>>,
  preset?: string,
): NetworkFiles {
  const { dir } = options;
  const descriptionPath = join(dir, DESCRIPTION_FILE);
  const specPath = join(dir, "chain-spec.json");
  if (existsSync(dir) && !existsSync(descriptionPath)) {
    throw new OtherChainError(
      `${dir} exists and is no testnet's folder (it has no ${DESCRIPTION_FILE}): choose another --dir`,
    );
  }
  if (options.reset) rmSync(dir, { recursive: true, force: true });
  if (existsSync(descriptionPath)) {
    const description = JSON.parse(readFileSync(descriptionPath, "utf8")) as NetworkDescription;
    assertSameNetwork(description, options);
    return { description, specPath, isNew: false };
  }
  mkdirSync(dir, { recursive: true });
  const { chainId, nodes, validatorsPerNode, slotSeconds } = options;
  const description = { chainId, nodes, validatorsPerNode, slotSeconds, genesisTime };
  const spec = buildChainSpec(description, systemAllocation, preset);
  writeFileSync(specPath, `${JSON.stringify(spec, null, 2)}\n`);
  // Written last: a folder with a description is complete.
  writeFileSync(descriptionPath, `${JSON.stringify(description, null, 2)}\n`);
  return { description, specPath, isNew: true };
}

const FLAGS = {
  chainId: "--chain-id",
  nodes: "--nodes",
  validatorsPerNode: "--validators-per-node",
  slotSeconds: "--slot-seconds",
} as const;

function assertSameNetwork(found: NetworkDescription, options: TestnetOptions): void {
  for (const name of Object.keys(FLAGS) as (keyof typeof FLAGS)[]) {
    if (found[name] === options[name]) continue;
    throw new OtherChainError(
      `${options.dir} holds a chain that began with ${FLAGS[name]} ${found[name]}, not ${options[name]}: ` +
        `use that value, another --dir, or --reset to start a new chain`,
    );
  }
}

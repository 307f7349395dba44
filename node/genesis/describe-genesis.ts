/** What a chain begins with, for people and programs to compare. See specs/consensus/genesis.md#checking. */
import type { Genesis } from "../../consensus/genesis.ts";
import { computeForkDigest } from "../../consensus/signing-root.ts";
import { getStateRoot } from "../../consensus/state.ts";
import { validatorSetRoot } from "../../light/validator-set.ts";
import { fromHex, type Hash, type Hex, toHex } from "../../primitives/bytes.ts";
import type { Block } from "../../vm/block.ts";
import type { ChainSpec } from "../chain-spec.ts";
import { validatorSetOf } from "../light/light-server.ts";

/** Two operators whose descriptions are equal start the same chain. */
export type GenesisDescription = {
  readonly name: string;
  readonly chainId: number;
  readonly preset: string;
  readonly genesisTime: number;
  readonly slotSeconds: number;
  readonly forks: readonly {
    readonly version: Hex;
    readonly firstSlot: number;
    readonly firstEpoch: number;
    readonly slotsPerEpoch: number;
    /** Names gossip topics and tells peers apart. */
    readonly digest: Hex;
  }[];
  readonly validators: number;
  /** Decimal. */
  readonly stakeGwei: string;
  readonly accounts: number;
  readonly executionBlockHash: Hash;
  readonly genesisValidatorsRoot: Hash;
  readonly stateRoot: Hash;
  readonly blockRoot: Hash;
  /** What a light client may start from. */
  readonly validatorSetRoot: Hash;
};

export function describeGenesis(
  spec: ChainSpec,
  executionBlock: Block,
  genesis: Genesis,
): GenesisDescription {
  const { params, validators } = spec;
  const { genesisValidatorsRoot } = genesis.state;
  return {
    ...{ name: spec.name, chainId: spec.chainId, preset: spec.preset },
    ...{ genesisTime: spec.genesisTime, slotSeconds: params.slotSeconds },
    forks: params.forks.map((fork) => ({
      ...fork,
      digest: toHex(computeForkDigest(fromHex(fork.version), genesisValidatorsRoot)),
    })),
    validators: validators.length,
    stakeGwei: String(validators.reduce((sum, { amountGwei }) => sum + amountGwei, 0n)),
    accounts: Object.keys(spec.alloc).length,
    executionBlockHash: executionBlock.hash,
    genesisValidatorsRoot: toHex(genesisValidatorsRoot),
    stateRoot: toHex(getStateRoot(genesis.state)),
    blockRoot: toHex(genesis.blockRoot),
    validatorSetRoot: toHex(validatorSetRoot(validatorSetOf(genesis.state, 0, params))),
  };
}

/** One fact per line. */
export function genesisLines(description: GenesisDescription): readonly string[] {
  const { forks, genesisTime, ...facts } = description;
  const named: readonly (readonly [string, string])[] = [
    ["name", facts.name],
    ["chain id", String(facts.chainId)],
    ["preset", `${facts.preset}, slots of ${facts.slotSeconds} s`],
    ["genesis time", `${genesisTime} (${new Date(genesisTime * 1000).toISOString()})`],
    ...forks.map(
      (fork) =>
        [
          "fork",
          `${fork.version} from slot ${fork.firstSlot} (epoch ${fork.firstEpoch}), ` +
            `${fork.slotsPerEpoch} slots per epoch, digest ${fork.digest}`,
        ] as const,
    ),
    ["validators", `${facts.validators} with ${facts.stakeGwei} Gwei`],
    ["accounts", String(facts.accounts)],
    ["execution block", facts.executionBlockHash],
    ["validators root", facts.genesisValidatorsRoot],
    ["state root", facts.stateRoot],
    ["block root", facts.blockRoot],
    ["light client", facts.validatorSetRoot],
  ];
  return named.map(([name, text]) => `${name.padEnd(16)} ${text}`);
}

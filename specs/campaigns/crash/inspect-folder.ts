/** Reads the three databases of a killed node as they were left: nothing is repaired, nothing is written. */
import { join } from "node:path";
import { containersOf } from "../../../consensus/chain-containers.ts";
import { createBlockCodec } from "../../../node/chain/block-codec.ts";
import type { ChainSpec } from "../../../node/chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../../../node/genesis.ts";
import { ConsensusBlocks } from "../../../node/storage/consensus-blocks.ts";
import { type Database, openDatabase } from "../../../node/storage/database.ts";
import type { DatabaseRole } from "../../../node/storage/database-error.ts";
import { FinalizedState } from "../../../node/storage/finalized-state.ts";
import { SlashingProtection } from "../../../node/storage/slashing-protection.ts";
import { verifyStoredState } from "../../../node/storage/verify-state.ts";
import { blsPublicKey } from "../../../primitives/bls.ts";
import { type Hash, toHex } from "../../../primitives/bytes.ts";
import { interopSecretKey } from "../../../primitives/interop-keys.ts";
import type { SignedMessages } from "./signed-messages.ts";

/** What a node knows of its chain; the same for every folder of it. */
export type FolderIdentity = {
  readonly spec: ChainSpec;
  readonly consensusChain: Hash;
  readonly executionChain: Hash;
};

export function identityOf(spec: ChainSpec): FolderIdentity {
  const { block } = buildExecutionGenesis(spec);
  return {
    spec,
    executionChain: block.hash,
    consensusChain: toHex(buildConsensusGenesis(spec, block).blockRoot),
  };
}

/** @returns one sentence for each thing that should not be; finalized block number for what must be kept. */
export async function inspectFolder(
  dir: string,
  identity: FolderIdentity,
  validators: readonly number[],
  seen: SignedMessages,
): Promise<{
  readonly finalizedNumber: number;
  readonly faults: readonly string[];
  readonly unrecorded: readonly string[];
}> {
  const execution = await openRole(dir, "execution", identity.executionChain);
  const consensus = await openRole(dir, "consensus", identity.consensusChain);
  const validator = await openRole(dir, "validator", identity.consensusChain);
  try {
    const faults = [...verifyStoredState(execution), ...finalityFaults(execution, consensus, identity.spec)];
    const unrecorded = validators.flatMap((index) => unrecordedOf(validator, index, seen));
    return { finalizedNumber: new FinalizedState(execution).finalized()?.number ?? 0, faults, unrecorded };
  } finally {
    await Promise.all([execution.close(), consensus.close(), validator.close()]);
  }
}

const openRole = (dir: string, role: DatabaseRole, chain: Hash) =>
  openDatabase({ directory: join(dir, role), role, chain, readOnly: true });

/** The execution side may lag behind the consensus side, never lead. */
function finalityFaults(execution: Database, consensus: Database, { params }: ChainSpec): readonly string[] {
  const finalized = new FinalizedState(execution).finalized();
  const blocks = new ConsensusBlocks(consensus);
  const root = blocks.finality()?.root;
  const bytes = root === undefined ? undefined : blocks.get(root);
  if (finalized === undefined || bytes === undefined)
    return finalized?.number ? ["no finalized beacon block"] : [];
  const { blockNumber } = createBlockCodec(containersOf(params)).decode(bytes).message.body.executionPayload;
  return finalized.number > blockNumber
    ? [`the execution side is final at ${finalized.number}, the consensus side at ${blockNumber}`]
    : [];
}

/** Whatever was seen signed must have been on record before. */
function unrecordedOf(database: Database, index: number, seen: SignedMessages): readonly string[] {
  const protection = new SlashingProtection(database);
  const publicKey = toHex(blsPublicKey(interopSecretKey(index)));
  const votes = protection.attestationWatermark(publicKey);
  const slot = protection.blockWatermark(publicKey)?.slot ?? -1;
  const highest = seen.highest(index);
  const faults: string[] = [];
  if (highest.target > (votes?.targetEpoch ?? -1) || highest.source > (votes?.sourceEpoch ?? -1)) {
    faults.push(
      `validator ${index} voted ${highest.source}→${highest.target}, on record is ${JSON.stringify(votes)}`,
    );
  }
  if (highest.slot > slot)
    faults.push(`validator ${index} proposed slot ${highest.slot}, on record is ${slot}`);
  return faults;
}

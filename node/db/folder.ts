/** A node's three databases, opened without the node. See specs/node/db.md. */
import { join } from "node:path";
import { type ChainContainers, containersOf } from "../../consensus/chain-containers.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import { toHex } from "../../primitives/bytes.ts";
import { type BlockCodec, createBlockCodec } from "../chain/block-codec.ts";
import { type ChainSpec, readChainSpec } from "../chain-spec.ts";
import type { ExecutionGenesis } from "../execution/chain-states.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../genesis.ts";
import { installNativeBackends } from "../native/install.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import type { DatabaseRole } from "../storage/database-error.ts";
import type { FolderConfig } from "./db-config.ts";

export type Folder = {
  readonly dir: string;
  readonly spec: ChainSpec;
  readonly genesis: Genesis;
  readonly executionGenesis: ExecutionGenesis;
  readonly containers: ChainContainers;
  readonly codec: BlockCodec;
  readonly consensus: Database;
  readonly execution: Database;
  close(): Promise<void>;
};

export const ROLES = ["consensus", "execution", "validator"] as const satisfies readonly DatabaseRole[];

/**
 * @param readOnly takes no lock: a running node goes on, and what is read may be of different moments.
 * @throws DatabaseError, ChainSpecError
 */
export async function openFolder({ dir, chainSpec }: FolderConfig, readOnly: boolean): Promise<Folder> {
  await installNativeBackends();
  const spec = readChainSpec(chainSpec);
  const executionGenesis = buildExecutionGenesis(spec);
  const genesis = buildConsensusGenesis(spec, executionGenesis.block);
  const containers = containersOf(spec.params);
  const opened: Database[] = [];
  const open = async (role: DatabaseRole, chain: `0x${string}`) => {
    const database = await openDatabase({ directory: join(dir, role), role, chain, readOnly });
    opened.push(database);
    return database;
  };
  const close = async () => {
    for (const database of opened) await database.close();
  };
  try {
    const consensus = await open("consensus", toHex(genesis.blockRoot));
    const execution = await open("execution", executionGenesis.block.hash);
    const codec = createBlockCodec(containers);
    return { dir, spec, genesis, executionGenesis, containers, codec, consensus, execution, close };
  } catch (error) {
    await close();
    throw error;
  }
}

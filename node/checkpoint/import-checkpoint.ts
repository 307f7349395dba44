/** Makes a verified checkpoint what a new node begins with. See specs/node/checkpoint-sync.md#the-beginning. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { Blocks } from "../storage/blocks.ts";
import { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import { openDatabase } from "../storage/database.ts";
import { FinalizedState } from "../storage/finalized-state.ts";
import type { VerifiedCheckpoint } from "./verify-checkpoint.ts";

/** Where a node keeps its chain, and which chain it is. */
export type NodeDirectory = {
  readonly dir: string;
  readonly genesisRoot: Hash;
  readonly executionGenesisHash: Hash;
};

/** Whether the folder has no chain yet: only then is a checkpoint begun with. */
export async function hasNoChain({ dir, genesisRoot }: NodeDirectory): Promise<boolean> {
  const database = await openDatabase({
    directory: join(dir, "consensus"),
    role: "consensus",
    chain: genesisRoot,
  });
  try {
    return new ConsensusBlocks(database).isEmpty();
  } finally {
    await database.close();
  }
}

/**
 * Writes the execution side first: the consensus record of finality is what makes the import count, so that one that
 * was interrupted is done again from the start.
 */
export async function importCheckpoint(
  checkpoint: VerifiedCheckpoint,
  directory: NodeDirectory,
): Promise<void> {
  await importExecution(checkpoint, directory);
  const { dir, genesisRoot } = directory;
  const database = await openDatabase({
    directory: join(dir, "consensus"),
    role: "consensus",
    chain: genesisRoot,
  });
  const { epoch, root, slot, state, blocks } = checkpoint;
  const stored = new ConsensusBlocks(database);
  await stored.putFinalized(
    blocks.map((block) => ({ root: block.root, slot: block.signed.message.slot, bytes: block.bytes })),
  );
  const anchor = { root, slot, epoch, bytes: state.serialize() };
  await stored.record({
    finality: { checkpoint: { epoch, root, slot }, canonical: [{ root, slot }], anchor },
  });
  await database.close();
}

async function importExecution(
  { blocks, diff }: VerifiedCheckpoint,
  directory: NodeDirectory,
): Promise<void> {
  const path = join(directory.dir, "execution");
  // Nothing but genesis, or what an interrupted import left: without a chain on the consensus side it is of no use.
  rmSync(path, { recursive: true, force: true });
  const chain = directory.executionGenesisHash;
  const database = await openDatabase({ directory: path, role: "execution", chain });
  const [block] = blocks;
  assert(block !== undefined, "a verified checkpoint has its block");
  const { hash, header } = block.executionBlock;
  database.write(() => {
    const stored = new Blocks(database);
    for (const { executionBlock } of blocks) stored.putCheckpoint(executionBlock);
    stored.putForkchoice({ head: hash, safe: hash, finalized: hash });
    new FinalizedState(database).merge([{ number: header.number, hash, diff }]);
  });
  await database.flushed();
  await database.close();
}

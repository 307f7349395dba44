/** Whether a stopped node's folder is whole: every hash computed anew. See specs/node/db.md#verify. */
import { toHex } from "../../primitives/bytes.ts";
import { computeTransactionsRoot } from "../../vm/block-roots.ts";
import { headerHash } from "../../vm/header.ts";
import { Blocks } from "../storage/blocks.ts";
import { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import { FinalizedState } from "../storage/finalized-state.ts";
import { verifyStoredState } from "../storage/verify-state.ts";
import type { Folder } from "./folder.ts";

/** One sentence for each thing that should not be. Reads everything: minutes for a large folder. */
export function verifyFolder(folder: Folder): readonly string[] {
  return [
    ...verifyStoredState(folder.execution),
    ...verifyExecutionChain(folder),
    ...verifyBeaconChain(folder),
    ...verifyOrder(folder),
  ];
}

/** Blocks by number, from the oldest kept to the finalized one: each is what its hash says, and follows the one before. */
function verifyExecutionChain({ execution }: Folder): readonly string[] {
  const blocks = new Blocks(execution);
  const last = new FinalizedState(execution).finalized()?.number ?? -1;
  const faults: string[] = [];
  let parentHash: string | undefined;
  for (let number = blocks.oldest(); number <= last; number++) {
    const hash = blocks.canonicalHash(number);
    const block = hash === undefined ? undefined : blocks.get(hash);
    if (hash === undefined || block === undefined) {
      faults.push(`block ${number} is missing`);
    } else {
      const { header, transactions } = block;
      if (headerHash(header) !== hash) faults.push(`block ${number} is not what its hash ${hash} says`);
      if (computeTransactionsRoot(transactions.map(({ raw }) => raw)) !== header.transactionsRoot) {
        faults.push(`the transactions of block ${number} are not those of its header`);
      }
      if (parentHash !== undefined && header.parentHash !== parentHash) {
        faults.push(`block ${number} does not follow block ${number - 1}`);
      }
    }
    parentHash = hash;
  }
  return faults;
}

function verifyBeaconChain({ consensus, codec }: Folder): readonly string[] {
  const blocks = new ConsensusBlocks(consensus);
  const finalizedSlot = blocks.finality()?.slot ?? -1;
  const faults: string[] = [];
  let before: { readonly slot: number; readonly root: string } | undefined;
  for (const stored of blocks.finalizedBlocks(0, finalizedSlot + 1)) {
    try {
      const { slot, root, parentRoot } = codec.read(stored.bytes);
      if (root !== stored.root || slot !== stored.slot) {
        faults.push(`the beacon block of slot ${stored.slot} is not what its root ${stored.root} says`);
      }
      if (before !== undefined && parentRoot !== before.root) {
        faults.push(`the beacon block of slot ${slot} does not follow that of slot ${before.slot}`);
      }
    } catch {
      faults.push(`the beacon block of slot ${stored.slot} cannot be read`);
    }
    before = stored;
  }
  return faults;
}

/** The execution side may lag behind the consensus side, never lead. */
function verifyOrder({ consensus, execution, codec }: Folder): readonly string[] {
  const number = new FinalizedState(execution).finalized()?.number ?? 0;
  const blocks = new ConsensusBlocks(consensus);
  const root = blocks.finality()?.root;
  const bytes = root === undefined ? undefined : blocks.get(root);
  if (bytes === undefined)
    return number === 0 ? [] : [`there is no finalized beacon block, but block ${number} is final`];
  const { blockNumber, blockHash } = codec.decode(bytes).message.body.executionPayload;
  if (number > blockNumber) return [`block ${number} is final, but finality is at block ${blockNumber}`];
  const hash = new Blocks(execution).canonicalHash(blockNumber);
  if (number === blockNumber && hash !== toHex(blockHash))
    return [`the finalized block ${number} is another`];
  return [];
}

/** What a node's folder holds, in numbers. See specs/node/db.md#inspect. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "../../primitives/bytes.ts";
import { Blocks } from "../storage/blocks.ts";
import { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import { FinalizedState } from "../storage/finalized-state.ts";
import { type Folder, ROLES } from "./folder.ts";

export type FolderReport = ReturnType<typeof inspectFolder>;

export function inspectFolder({ dir, spec, genesis, consensus, execution }: Folder) {
  const beacon = new ConsensusBlocks(consensus);
  const blocks = new Blocks(execution);
  const state = new FinalizedState(execution);
  const finality = beacon.finality();
  const merged = state.finalized();
  const unfinalized = [...beacon.unfinalizedBlocks()].map(({ slot }) => slot);
  return {
    chain: { name: spec.name, chainId: Number(spec.chainId), genesisRoot: toHex(genesis.blockRoot) },
    bytes: Object.fromEntries(ROLES.map((role) => [role, sizeOf(join(dir, role, "data.mdb"))])),
    consensus: {
      finalizedEpoch: finality?.epoch ?? 0,
      finalizedSlot: finality?.slot ?? 0,
      finalizedRoot: finality?.root ?? toHex(genesis.blockRoot),
      anchorSlot: beacon.anchor()?.slot ?? 0,
      oldestSlot: beacon.earliestAvailableSlot() ?? 0,
      highestSlot: unfinalized.at(-1) ?? finality?.slot ?? 0,
      unfinalizedBlocks: unfinalized.length,
    },
    execution: {
      finalizedNumber: merged?.number ?? 0,
      finalizedHash: merged?.hash ?? "0x",
      stateRoot: merged?.stateRoot ?? "0x",
      oldestBlock: blocks.oldest(),
      oldestState: state.oldest(),
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

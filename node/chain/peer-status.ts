/** Status messages: what we tell peers of the engine's view, and what the engine hears of theirs. */
import type { PeerStatus } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { fromHex, toHex } from "../../primitives/bytes.ts";
import type { Status } from "../network/messages.ts";
import type { ConsensusBlocks } from "../storage/consensus-blocks.ts";

/** Everything of our status but the clock, which the network adds when it sends. */
export function localStatusOf(
  { store, blocks, chain }: Engine,
  stored: ConsensusBlocks,
  forkDigest: Uint8Array,
): Omit<Status, "clockMs"> {
  const { finalized, justified } = store;
  return {
    forkDigest,
    genesisBlockRoot: fromHex(chain.genesisRoot),
    finalized: { epoch: finalized.epoch, root: fromHex(finalized.root) },
    justified: { epoch: justified.epoch, root: fromHex(justified.root) },
    justifiedProofRoot: fromHex(store.justifiedProof),
    headSlot: blocks.get(store.headRoot)?.slot ?? 0,
    headRoot: fromHex(store.headRoot),
    earliestAvailableSlot: stored.earliestAvailableSlot() ?? 0,
  };
}

export function toPeerStatus(status: Status): PeerStatus {
  const { finalized, justified } = status;
  return {
    finalized: { epoch: finalized.epoch, root: toHex(finalized.root) },
    justified: { epoch: justified.epoch, root: toHex(justified.root) },
    justifiedProofRoot: toHex(status.justifiedProofRoot),
    headRoot: toHex(status.headRoot),
    headSlot: status.headSlot,
  };
}

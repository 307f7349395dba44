/** How far behind the network this node is, as eth_syncing tells it. See specs/rpc/objects.md#syncing. */
import type { ChainView } from "./chain-view.ts";
import type { JsonObject } from "./json.ts";
import { toQuantity } from "./schema.ts";

/**
 * False when in sync. Peers tell the slot of their head, not its block number: the highest block is
 * the most it can be, as if no slot had been empty.
 */
export function encodeSyncing(chain: ChainView): JsonObject | false {
  const { syncTargetSlot, headSlot } = chain.consensusStatus();
  if (syncTargetSlot === undefined) return false;
  const current = chain.head().header.number;
  return {
    startingBlock: toQuantity(chain.oldestBlock()),
    currentBlock: toQuantity(current),
    highestBlock: toQuantity(current + Math.max(0, syncTargetSlot - headSlot)),
  };
}

/** jurat_status: one look at a node, for the testnet's table and for operators. See specs/rpc/methods.md#jurat_status. */
import type { Hash } from "../../primitives/bytes.ts";
import type { BlockTag, ChainView } from "../chain-view.ts";
import { HEX, type JsonSchema } from "../json-schema.ts";
import { method } from "../method.ts";
import { asJson } from "../schema.ts";

/** Slots, epochs, block numbers and counts are plain JSON numbers: this method is ours. */
export type NodeStatus = {
  readonly slot: number;
  readonly headSlot: number;
  readonly headRoot: Hash;
  readonly headNumber: number;
  readonly justifiedEpoch: number;
  readonly justifiedNumber: number;
  readonly finalizedEpoch: number;
  readonly finalizedNumber: number;
  readonly finalityLagSlots: number;
  readonly peers: number;
  readonly syncing: boolean;
  readonly pendingTransactions: number;
  readonly queuedTransactions: number;
  readonly localValidators: number;
  readonly localVotes: number;
  /** Where the beacon API listens; missing when this node serves none. */
  readonly beaconPort?: number;
  readonly residentBytes: number;
  readonly cpuMs: number;
};

/** Numbers but for the root and one flag. */
const STATUS_SHAPE: JsonSchema = {
  type: "object",
  properties: { headRoot: HEX.hash, syncing: { type: "boolean" } },
  additionalProperties: { type: "number" },
};

function numberOf(chain: ChainView, tag: BlockTag): number {
  return chain.block({ tag })?.header.number ?? 0;
}

export const status = method({
  name: "jurat_status",
  summary: "Slot, head, justified, finalized, lag, peers, pool, votes, memory and processor time.",
  params: {},
  result: asJson<NodeStatus>("a status object", STATUS_SHAPE),
  handle({ chain, processUsage }) {
    const { syncTargetSlot, ...consensus } = chain.consensusStatus();
    const pool = chain.poolStatus();
    return {
      ...consensus,
      headNumber: chain.head().header.number,
      justifiedNumber: numberOf(chain, "safe"),
      finalizedNumber: numberOf(chain, "finalized"),
      syncing: syncTargetSlot !== undefined,
      pendingTransactions: pool.pending,
      queuedTransactions: pool.queued,
      ...processUsage(),
    };
  },
});

/** Whether this node should be sent traffic: `GET /ready`. See specs/rpc/server.md#health. */
import type { ConsensusStatus } from "./chain-view.ts";
import type { RpcLimits } from "./rpc-limits.ts";

export type Readiness = {
  readonly ready: boolean;
  readonly synced: boolean;
  readonly peers: number;
  readonly finalityLagSlots: number;
};

/** In sync, and finality not stuck. A network of one has no peers, so they are told, not judged. */
export function computeReadiness(
  { syncTargetSlot, peers, finalityLagSlots }: ConsensusStatus,
  { readyLagSlots }: Pick<RpcLimits, "readyLagSlots">,
): Readiness {
  const synced = syncTargetSlot === undefined;
  return { ready: synced && finalityLagSlots < readyLagSlots, synced, peers, finalityLagSlots };
}

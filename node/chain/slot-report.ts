/** What a slot brought: a line for people, numbers for Prometheus, a status for the JSON-RPC side. */
import type { SlotSummary } from "../../consensus/engine-events.ts";
import type { ConsensusStatus } from "../../rpc/chain-view.ts";
import type { DiskWatch } from "../disk-watch.ts";
import type { Logger } from "../log.ts";
import type { NodeMetrics } from "../metrics/consensus-metrics.ts";

export type SlotReport = { onSlot(summary: SlotSummary): void };

export type SlotReportPorts = {
  readonly log: Logger;
  readonly metrics: NodeMetrics;
  readonly localValidators: () => number;
  readonly peers: () => number;
  readonly syncTargetSlot: () => number | undefined;
  /** Where the beacon API listens. */
  readonly beaconPort: number;
  readonly publish: (status: ConsensusStatus) => void;
  readonly disk: DiskWatch;
  /** For whoever draws the slot. */
  readonly onReported: (summary: SlotSummary, peers: number) => void;
};

export function createSlotReport(ports: SlotReportPorts): SlotReport {
  const { log, metrics } = ports;
  return {
    onSlot(summary) {
      const { slot, headSlot, headRoot, justifiedEpoch, finalizedEpoch, finalityLagSlots } = summary;
      const status: ConsensusStatus = {
        slot,
        headSlot,
        headRoot,
        justifiedEpoch,
        finalizedEpoch,
        finalityLagSlots,
        peers: ports.peers(),
        syncTargetSlot: summary.isSynced ? undefined : ports.syncTargetSlot(),
        localValidators: ports.localValidators(),
        localVotes: summary.localVotes,
        beaconPort: ports.beaconPort,
      };
      ports.publish(status);
      // Also a node without keys says when its disk fills up.
      ports.disk.isShort();
      metrics.onSlot({ ...summary, peers: status.peers });
      ports.onReported(summary, status.peers);
      metrics.localValidators.set(status.localValidators);
      log.info(
        {
          head: headRoot,
          headSlot,
          votes: summary.votes,
          justified: justifiedEpoch,
          final: finalizedEpoch,
          lag: finalityLagSlots,
          peers: status.peers,
          ...(summary.blockArrivalMs === undefined ? {} : { blockMs: Math.round(summary.blockArrivalMs) }),
          ...(summary.isSynced ? {} : { synced: false }),
        },
        `slot ${slot}`,
      );
    },
  };
}

/** The chain as the fork choice sees it, once a slot. See specs/node/metrics.md#chain. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { SlotSummary } from "../../consensus/engine-events.ts";

/** A slot of one second has its block by a third of it; slots of twelve seconds by four. */
const ARRIVAL_BUCKETS_SECONDS = [0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 1, 2, 4, 8, 12];

export type SlotReading = SlotSummary & { readonly peers: number };

export function chainInstruments(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const delay = (name: string, help: string) =>
    new Histogram({ name, help, buckets: ARRIVAL_BUCKETS_SECONDS, registers });
  const setInterop = interopInstruments(registry);
  const lag = gauge("jurat_finality_lag_slots", "Slots between now and the finalized block.");
  const votes = gauge("jurat_slot_votes", "Validators whose vote of the last slot arrived in it.");
  const voters = gauge("jurat_slot_voters", "Validators that were to vote in the last slot.");
  const participation = gauge("jurat_participation_ratio", "Votes of the last slot by those on duty.");
  const synced = gauge("jurat_synced", "1 when this node may do its duties.");
  const treeBlocks = gauge("jurat_fork_choice_blocks", "Blocks in the fork choice's tree.");
  const keptStates = gauge("jurat_kept_states", "Consensus states in memory.");
  const blockDelay = delay("jurat_block_delay_seconds", "Arrival of a slot's first block after its start.");
  const headDelay = delay(
    "jurat_head_delay_seconds",
    "A slot's block became the head: time after its start.",
  );
  const voteDelay = delay("jurat_vote_delay_seconds", "Arrival of votes after the start of their slot.");
  const empty = new Counter({
    name: "jurat_slots_without_block_total",
    help: "Slots at whose end no block of theirs had arrived.",
    registers,
  });
  const late = new Counter({
    name: "jurat_votes_late_total",
    help: "Votes of a slot that had not arrived at its end.",
    registers,
  });
  let lastHeadSlot = 0;
  return {
    onSlot(reading: SlotReading): void {
      setInterop(reading);
      lag.set(reading.finalityLagSlots);
      votes.set(reading.votes);
      voters.set(reading.voters);
      if (reading.voters > 0) participation.set(reading.votes / reading.voters);
      synced.set(reading.isSynced ? 1 : 0);
      treeBlocks.set(reading.treeBlocks);
      keptStates.set(reading.keptStates);
      if (reading.blockArrivalMs !== undefined) blockDelay.observe(reading.blockArrivalMs / 1000);
      else if (reading.isSynced) empty.inc();
      if (reading.isSynced) late.inc(Math.max(0, reading.voters - reading.votes));
    },
    /** Counts the first head of each slot. @param sinceSlotMs after the start of that slot. */
    onHead(headSlot: number, sinceSlotMs: number): void {
      if (headSlot <= lastHeadSlot) return;
      lastHeadSlot = headSlot;
      headDelay.observe(sinceSlotMs / 1000);
    },
    onVotes: (sinceSlotMs: number): void => voteDelay.observe(sinceSlotMs / 1000),
  };
}

/** The names all consensus clients agreed on, so that existing dashboards work (ethereum/beacon-metrics, metrics.md). */
function interopInstruments(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const slot = gauge("beacon_slot", "Slot by the clock.");
  const headSlot = gauge("beacon_head_slot", "Slot of the head block.");
  const finalized = gauge("beacon_finalized_epoch", "Finalized epoch of the fork choice.");
  const justified = gauge("beacon_current_justified_epoch", "Justified epoch of the fork choice.");
  const previous = gauge("beacon_previous_justified_epoch", "The epoch that was justified before that.");
  const active = gauge("beacon_current_active_validators", "Validators that are active now.");
  const peers = gauge("libp2p_peers", "Connected peers.");
  let justifiedBefore = { current: 0, previous: 0 };
  return (reading: SlotReading): void => {
    const { justifiedEpoch } = reading;
    if (justifiedEpoch !== justifiedBefore.current)
      justifiedBefore = { current: justifiedEpoch, previous: justifiedBefore.current };
    slot.set(reading.slot);
    headSlot.set(reading.headSlot);
    finalized.set(reading.finalizedEpoch);
    justified.set(justifiedEpoch);
    previous.set(justifiedBefore.previous);
    active.set(reading.activeValidators);
    peers.set(reading.peers);
  };
}

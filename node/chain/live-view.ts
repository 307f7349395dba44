/** The picture of consensus that the explorer draws, taken at the end of each slot. See specs/explorer/live.md#the-picture. */
import type { SlotSummary } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { getActiveIndices, getRegistry, type Registry } from "../../consensus/registry.ts";
import { getState } from "../../consensus/state-cache.ts";
import { computeEpochAtSlot, type Epoch, FAR_FUTURE_EPOCH } from "../../consensus/time.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import {
  LIVE_BLOCKS_LIMIT,
  LIVE_VALIDATORS_LIMIT,
  LIVE_VOTE_SLOTS,
  type LiveBlock,
  type LivePicture,
  type LiveValidator,
  type LiveValidatorStatus,
} from "../../rpc/live-picture.ts";

export type LiveView = { onSlot(summary: SlotSummary, peers: number): LivePicture };

/** Reads the engine, never changes it. Keeps blocks and votes longer than consensus needs them, for the eye. */
export function createLiveView(engine: Engine): LiveView {
  const blocks = new Map<Hash, LiveBlock>();
  /** Who voted in each of the last slots, the oldest first. */
  const voters: ReadonlySet<number>[] = [];

  function rememberBlocks(): void {
    for (const { root, parentRoot, slot, blockHash } of engine.blocks.values()) {
      if (!blocks.has(root)) blocks.set(root, { root, parentRoot, slot, blockHash });
    }
    for (const root of blocks.keys()) {
      if (blocks.size <= LIVE_BLOCKS_LIMIT) break;
      blocks.delete(root);
    }
  }

  return {
    onSlot(summary, peers) {
      const { params, genesisTime } = engine.chain;
      const epoch = computeEpochAtSlot(summary.slot, params);
      rememberBlocks();
      voters.push(votersOf(engine, epoch, summary.slot));
      if (voters.length > LIVE_VOTE_SLOTS) voters.shift();

      const state = getState(engine.states, engine.store.headRoot);
      const registry = state === undefined ? undefined : getRegistry(state, params);
      const balanceOf = (index: number) => state?.balances.get(index) ?? 0n;
      return {
        ...{ slot: summary.slot, slotSeconds: params.slotSeconds, genesisTime: Number(genesisTime) },
        headRoot: engine.store.headRoot,
        justified: engine.store.justified,
        finalized: engine.store.finalized,
        finalityLagSlots: summary.finalityLagSlots,
        isSynced: summary.isSynced,
        peers,
        activeValidators: registry === undefined ? 0 : getActiveIndices(registry, epoch, params).length,
        voters: summary.votes,
        blocks: [...blocks.values()].sort((a, b) => a.slot - b.slot),
        validators:
          registry === undefined ? [] : describeValidators(registry, epoch, balanceOf, engine, voters),
        validatorCount: registry?.size ?? 0,
      };
    },
  };
}

function votersOf({ voteRecords }: Engine, epoch: Epoch, slot: number): ReadonlySet<number> {
  const votes = voteRecords.get(epoch) ?? new Map();
  const voted = [...votes].filter(
    ([index, vote]) => index < LIVE_VALIDATORS_LIMIT && vote.data.slot === slot,
  );
  return new Set(voted.map(([index]) => index));
}

function describeValidators(
  registry: Registry,
  epoch: Epoch,
  balanceOf: (index: number) => bigint,
  { localValidators }: Engine,
  voters: readonly ReadonlySet<number>[],
): LiveValidator[] {
  return registry.publicKeys.slice(0, LIVE_VALIDATORS_LIMIT).map((publicKey, index) => ({
    index,
    publicKey: toHex(publicKey),
    status: statusOf(registry, index, epoch),
    balanceGwei: String(balanceOf(index)),
    votes: voters.map((voted) => (voted.has(index) ? "1" : "0")).join(""),
    isLocal: localValidators.has(index),
  }));
}

function statusOf(registry: Registry, index: number, epoch: Epoch): LiveValidatorStatus {
  const exitEpoch = registry.exitEpochs[index] ?? FAR_FUTURE_EPOCH;
  if (registry.slashed[index] === 1) return "slashed";
  if ((registry.activationEpochs[index] ?? FAR_FUTURE_EPOCH) > epoch) return "pending";
  if (exitEpoch <= epoch) return "exited";
  return exitEpoch === FAR_FUTURE_EPOCH ? "active" : "exiting";
}

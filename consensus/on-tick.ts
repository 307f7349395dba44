/** Time passes: what happens at a slot's start and when votes fall due. See specs/consensus/engine.md#time. */

import { getStateInPeriod } from "./advanced-state.ts";
import { aggregate, prepareAggregation } from "./aggregation-duty.ts";
import { propose } from "./block-production.ts";
import { attest, isFarBehind } from "./duties.ts";
import { type Engine, emit, slotDurationMs } from "./engine-state.ts";
import { onTick as onForkChoiceTick } from "./fork-choice.ts";
import { updateHead } from "./head.ts";
import { advance, retryWaitingBlocks } from "./on-block.ts";
import type { ChainParams } from "./params.ts";
import { expireClaims } from "./peer-claims.ts";
import { summarizeSlot } from "./slot-summary.ts";
import { computeEpochAtSlot, type Slot } from "./time.ts";
import { prunePool } from "./vote-pool.ts";
import { pruneVoteRecords } from "./vote-records.ts";
import { VOTE_WINDOW_SLOTS } from "./vote-rules.ts";
import { expireWaitingVotes } from "./waiting-votes.ts";

/** Milliseconds into a slot at which the engine wants a tick: its start, when votes fall due, when aggregates do. */
export function engineWakeMoments(params: ChainParams): readonly number[] {
  const { slotSeconds, attestationDuePercent, aggregateDuePercent } = params;
  return [0, slotSeconds * 10 * attestationDuePercent, slotSeconds * 10 * aggregateDuePercent];
}

export function onTick(engine: Engine, nowMs: number, clockOffsetMs: number | undefined): void {
  if (clockOffsetMs !== undefined) engine.clockOffsetMs = clockOffsetMs;
  if (nowMs < engine.nowMs) return;
  engine.nowMs = nowMs;
  if (nowMs < 0) return;
  const duration = slotDurationMs(engine);
  const slot = Math.floor(nowMs / duration);
  if (slot > engine.store.nowSlot || !engine.hasStarted) beginSlot(engine, slot);
  const [, votesDueMs = duration, aggregatesDueMs = duration] = engineWakeMoments(engine.chain.params);
  if (nowMs - slot * duration >= votesDueMs) attest(engine);
  if (nowMs - slot * duration < aggregatesDueMs) return;
  aggregate(engine);
  // The next slot may begin a period: its work is done ahead, while there is time.
  if (!isFarBehind(engine)) getStateInPeriod(engine, engine.store.headRoot, slot + 1);
}

function beginSlot(engine: Engine, slot: Slot): void {
  if (engine.hasStarted) emit(engine, { type: "slotSummary", summary: summarizeSlot(engine) });
  engine.hasStarted = true;
  engine.blockArrivalMs = undefined;
  onForkChoiceTick(engine.store, slot);
  forget(engine, slot);
  expireClaims(engine);
  retryWaitingBlocks(engine);
  // Always, even if no block came: votes of the last slot count from now on.
  updateHead(engine);
  propose(engine);
  prepareAggregation(engine);
  for (const pending of [...engine.pendingBlocks.values()]) {
    if (pending.stage === "early") advance(engine, pending);
  }
}

function forget(engine: Engine, slot: Slot): void {
  const oldestSlot = Math.max(0, slot - VOTE_WINDOW_SLOTS);
  expireWaitingVotes(engine);
  prunePool(engine.votePool, slot);
  const oldestEpoch = computeEpochAtSlot(oldestSlot, engine.chain.params);
  pruneVoteRecords(engine.voteRecords, oldestEpoch);
  for (const epoch of engine.seenAggregators.keys()) {
    if (epoch < oldestEpoch) engine.seenAggregators.delete(epoch);
  }
}

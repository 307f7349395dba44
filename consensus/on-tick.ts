/** Time passes: what happens at a slot's start and when votes fall due. See specs/consensus/engine.md#time. */
import { propose } from "./block-production.ts";
import { attest } from "./duties.ts";
import { type Engine, emit, slotDurationMs } from "./engine-state.ts";
import { onTick as onForkChoiceTick } from "./fork-choice.ts";
import { updateHead } from "./head.ts";
import { expireWaitingVotes } from "./on-attestation.ts";
import { advance, retryWaitingBlocks } from "./on-block.ts";
import type { ChainParams } from "./params.ts";
import { expireClaims } from "./peer-claims.ts";
import { summarizeSlot } from "./slot-summary.ts";
import { computeEpochAtSlot, type Slot } from "./time.ts";
import { prunePool } from "./vote-pool.ts";
import { pruneVoteRecords } from "./vote-records.ts";
import { VOTE_WINDOW_SLOTS } from "./vote-rules.ts";

/** Milliseconds into a slot at which the engine wants a tick: the slot's start, and when votes fall due. */
export function engineWakeMoments({ slotSeconds, attestationDuePercent }: ChainParams): readonly number[] {
  return [0, slotSeconds * 10 * attestationDuePercent];
}

export function onTick(engine: Engine, nowMs: number, clockOffsetMs: number | undefined): void {
  if (clockOffsetMs !== undefined) engine.clockOffsetMs = clockOffsetMs;
  if (nowMs < engine.nowMs) return;
  engine.nowMs = nowMs;
  if (nowMs < 0) return;
  const duration = slotDurationMs(engine);
  const slot = Math.floor(nowMs / duration);
  if (slot > engine.store.nowSlot || !engine.hasStarted) beginSlot(engine, slot);
  const [, dueMs = duration] = engineWakeMoments(engine.chain.params);
  if (nowMs - slot * duration >= dueMs) attest(engine);
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
  for (const pending of [...engine.pendingBlocks.values()]) {
    if (pending.stage === "early") advance(engine, pending);
  }
}

function forget(engine: Engine, slot: Slot): void {
  const oldestSlot = Math.max(0, slot - VOTE_WINDOW_SLOTS);
  expireWaitingVotes(engine);
  prunePool(engine.votePool, slot);
  pruneVoteRecords(engine.voteRecords, computeEpochAtSlot(oldestSlot, engine.chain.params));
}

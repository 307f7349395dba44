/** Whether this node may propose and vote: the duties gate. See specs/consensus/duties.md#the-gate. */

import type { Hash } from "../primitives/bytes.ts";
import type { PeerId } from "./engine-events.ts";
import type { ChainParams } from "./params.ts";
import type { Slot } from "./time.ts";

/** Slots a closed gate waits for sync before it opens by itself. */
export const GATE_BUDGET_SLOTS = 8;
/** What a slot of the head gained by sync adds to the budget; a real sync gains far more than four slots a slot. */
const GATE_BUDGET_PER_SYNCED_SLOT = 1 / 4;
/** A claim nobody could make good in this time has ended. */
export const CLAIM_SLOTS = 2;

/** What a peer says it knows and we do not. It stands while the root is unknown and our request has not ended. */
export type Claim = { readonly root: Hash; readonly sinceSlot: Slot };

export type SyncGate = {
  readonly claims: Map<PeerId, Claim>;
  readonly isSingleNode: boolean;
  /** While closed: the slot, with fractions, at which the gate opens by itself. */
  budgetUntilSlot: number | undefined;
  /** The budget was spent: open until the head is fresh again. */
  isSpent: boolean;
};

export function createSyncGate(isSingleNode: boolean): SyncGate {
  return { claims: new Map(), isSingleNode, budgetUntilSlot: undefined, isSpent: false };
}

/**
 * Whether duties may be done at `nowSlot` on a head of `headSlot`, with this many peers heard of lately.
 *
 * A node that slept finishes its sync first: otherwise it builds on what everyone else left behind. A peer that
 * lies can hold the gate shut for a bounded time only.
 */
export function isGateOpen(
  gate: SyncGate,
  params: ChainParams,
  { nowSlot, headSlot, peers }: { readonly nowSlot: Slot; readonly headSlot: Slot; readonly peers: number },
): boolean {
  if (nowSlot <= params.syncToleranceSlots) return true;
  if (headSlot >= nowSlot - params.syncToleranceSlots) {
    gate.budgetUntilSlot = undefined;
    gate.isSpent = false;
    return true;
  }
  if (gate.isSpent) return true;
  const hasSomeoneToAsk = peers > 0 || gate.isSingleNode;
  if (hasSomeoneToAsk && gate.claims.size === 0) return true;
  gate.budgetUntilSlot ??= nowSlot + GATE_BUDGET_SLOTS;
  if (nowSlot > gate.budgetUntilSlot && params.rules.gateHasBudget) gate.isSpent = true;
  return gate.isSpent;
}

/** Sync raised the head by this many slots: the gate may stay closed a little longer. */
export function creditSync(gate: SyncGate, raisedSlots: number): void {
  if (gate.budgetUntilSlot === undefined || raisedSlots <= 0) return;
  gate.budgetUntilSlot += raisedSlots * GATE_BUDGET_PER_SYNCED_SLOT;
}

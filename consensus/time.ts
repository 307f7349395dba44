/** Slots, epochs and periods. See specs/consensus/params.md#time. */
import { assert } from "../primitives/errors.ts";
import type { ChainParams, ForkParams } from "./params.ts";

export type Slot = number;
export type Epoch = number;
/** `slot // periodSlots`. */
export type Period = number;
/** Seconds since 1970. */
export type UnixSeconds = number;

export const GENESIS_SLOT: Slot = 0;
export const GENESIS_EPOCH: Epoch = 0;
/** An epoch that never comes; 2^64 − 1 on the wire. */
export const FAR_FUTURE_EPOCH: Epoch = Number.POSITIVE_INFINITY;

/** The fork in force at a slot. */
export function forkAtSlot(slot: Slot, params: ChainParams): ForkParams {
  return lastFork(params, (fork) => fork.firstSlot <= slot);
}

/** The fork in force at the first slot of an epoch. */
export function forkAtEpoch(epoch: Epoch, params: ChainParams): ForkParams {
  return lastFork(params, (fork) => fork.firstEpoch <= epoch);
}

/** The index of a slot's epoch, whatever forks lie before it. */
export function computeEpochAtSlot(slot: Slot, params: ChainParams): Epoch {
  const { firstSlot, firstEpoch, slotsPerEpoch } = forkAtSlot(slot, params);
  return firstEpoch + Math.floor((slot - firstSlot) / slotsPerEpoch);
}

/** Inverse of computeEpochAtSlot: the epoch's first slot. */
export function computeStartSlotAtEpoch(epoch: Epoch, params: ChainParams): Slot {
  const { firstSlot, firstEpoch, slotsPerEpoch } = forkAtEpoch(epoch, params);
  return firstSlot + (epoch - firstEpoch) * slotsPerEpoch;
}

/** The slot at or before which the checkpoint block of `epoch` lies: TARGET_LAG slots before its start. */
export function computeCheckpointSlot(epoch: Epoch, params: ChainParams): Slot {
  return Math.max(GENESIS_SLOT, computeStartSlotAtEpoch(epoch, params) - params.targetLagSlots);
}

export function computePeriodAtSlot(slot: Slot, params: ChainParams): Period {
  return Math.floor(slot / params.periodSlots);
}

/** Periods are whole epochs, so an epoch lies in one period. */
export function computePeriodAtEpoch(epoch: Epoch, params: ChainParams): Period {
  return computePeriodAtSlot(computeStartSlotAtEpoch(epoch, params), params);
}

/** When a slot begins; also the timestamp of its execution payload. */
export function computeTimestampAtSlot(
  genesisTime: UnixSeconds,
  slot: Slot,
  params: ChainParams,
): UnixSeconds {
  return genesisTime + slot * params.slotSeconds;
}

function lastFork(params: ChainParams, isReached: (fork: ForkParams) => boolean): ForkParams {
  const fork = params.forks.findLast(isReached);
  assert(fork !== undefined, "the first fork begins at genesis");
  return fork;
}

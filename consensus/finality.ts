/** Eager Casper FFG: justification by two thirds, finality by links of bounded span. See specs/consensus/finality.md. */
import type { Checkpoint } from "./containers.ts";
import { addJustified, areAllJustified, findJustified } from "./justified-ring.ts";
import type { ChainParams } from "./params.ts";
import type { ConsensusState } from "./state.ts";
import type { Tally } from "./state-containers.ts";
import { getTally } from "./tallies.ts";
import type { Epoch } from "./time.ts";
import { getWeightSnapshot, type WeightSnapshot, weigh } from "./weight-snapshots.ts";

/** What the votes of one block changed; only these epochs can finalize anything new. */
export type FinalityChanges = { readonly tallied: Set<Epoch>; readonly justified: Set<Epoch> };

/**
 * Whether voters reach the threshold: two thirds of the snapshot's stake, inclusive. Both sides are multiplied
 * out, because dividing would round the threshold down.
 *
 * @param voted stake of the voters, in increments, out of `total`.
 */
export function isSupermajority(voted: number, total: number): boolean {
  return total > 0 && 3 * voted >= 2 * total;
}

function isEnough(voted: number, total: number, { rules }: ChainParams): boolean {
  return isSupermajority(voted, total) || (!rules.twoThirds && 3 * voted >= total);
}

/** Whether the votes from source epoch `source` to `target` may finalize the source. */
export function isFinalizingLink(
  state: ConsensusState,
  source: Epoch,
  target: Epoch,
  params: ChainParams,
): boolean {
  return source > state.finalized.epoch && target - source <= params.finalitySpanEpochs;
}

/**
 * Justifies the tally's checkpoint if enough stake voted for it, from whatever sources. Idempotent.
 *
 * @param target the checkpoint of the tally's epoch on this chain.
 * @see specs/consensus/finality.md#justification
 */
export function processJustification(
  state: ConsensusState,
  tally: Tally,
  target: Checkpoint,
  changes: FinalityChanges,
  params: ChainParams,
): void {
  const snapshot = getWeightSnapshot(state, target.epoch, params);
  if (!isEnough(weigh(tally.bits, snapshot), snapshot.total, params)) return;
  if (!addJustified(state, target)) return;
  changes.justified.add(target.epoch);
  if (target.epoch > state.justified.epoch) state.justified = target;
}

/**
 * Finalizes each source whose link to a justified target carries two thirds from that one source, with every
 * epoch between them justified. Once per block, after all its votes.
 *
 * Only tallies that gained votes, or whose link may have been completed by a new justification, are looked at:
 * the others finalized nothing after the block before, and nothing they depend on has changed.
 *
 * @see specs/consensus/finality.md#finalization
 */
export function processFinalization(
  state: ConsensusState,
  changes: FinalityChanges,
  params: ChainParams,
): void {
  for (const epoch of affectedEpochs(changes, params)) {
    const tally = getTally(state, epoch, params);
    if (tally === undefined || findJustified(state, epoch) === undefined) continue;
    finalizeSources(state, tally, getWeightSnapshot(state, epoch, params), params);
  }
}

function affectedEpochs({ tallied, justified }: FinalityChanges, params: ChainParams): readonly Epoch[] {
  const epochs = new Set(tallied);
  for (const first of justified) {
    for (let epoch = first; epoch < first + params.finalitySpanEpochs; epoch++) epochs.add(epoch);
  }
  return [...epochs].sort((a, b) => a - b);
}

function finalizeSources(
  state: ConsensusState,
  tally: Tally,
  snapshot: WeightSnapshot,
  params: ChainParams,
): void {
  for (const { sourceEpoch, bits } of tally.bySource) {
    if (!isFinalizingLink(state, sourceEpoch, tally.epoch, params)) continue;
    const voters = params.rules.singleSourceFinality ? bits : tally.bits;
    if (!isEnough(weigh(voters, snapshot), snapshot.total, params)) continue;
    const hasGap = !areAllJustified(state, sourceEpoch + 1, tally.epoch - 1);
    if (params.rules.linkWithoutGaps && hasGap) continue;
    const source = findJustified(state, sourceEpoch);
    if (source !== undefined) state.finalized = source;
  }
}

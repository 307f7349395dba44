/** The stake behind votes, fixed at the start of each period. See specs/consensus/finality.md#weights. */

import type { Node } from "@chainsafe/persistent-merkle-tree";
import type { BitArray } from "@chainsafe/ssz";
import { containersOf } from "./chain-containers.ts";
import type { ChainParams } from "./params.ts";
import { computeWeights, getRegistry } from "./registry.ts";
import type { BeaconStateView } from "./state-containers.ts";
import { computeEpochAtSlot, computePeriodAtEpoch, type Epoch, type Period } from "./time.ts";

/** In increments, by validator index. */
export type WeightSnapshot = { readonly weights: Uint16Array; readonly total: number };

type FfgWeightsView = ReturnType<BeaconStateView["ffgWeights"]["getReadonly"]>;

/** Keyed by the node of the list: equal snapshots that share a tree are parsed once. */
const snapshots = new WeakMap<Node, WeightSnapshot>();

/** The snapshot that weighs votes for `epoch`, whose period is at most SPHR old. */
export function getWeightSnapshot(state: BeaconStateView, epoch: Epoch, params: ChainParams): WeightSnapshot {
  const period = computePeriodAtEpoch(epoch, params);
  if (!params.rules.snapshotWeights) return weighNow(state, params);
  return snapshotOfList(state.ffgWeights.getReadonly(period % params.randaoMixesLength));
}

/** What the rule of snapshots prevents: the registry as it is, which differs from chain to chain. */
function weighNow(state: BeaconStateView, params: ChainParams): WeightSnapshot {
  const weights = computeWeights(getRegistry(state, params), computeEpochAtSlot(state.slot, params));
  return { weights, total: weights.reduce((sum, weight) => sum + weight, 0) };
}

function snapshotOfList(list: FfgWeightsView): WeightSnapshot {
  let snapshot = snapshots.get(list.node);
  if (snapshot === undefined) {
    const weights = Uint16Array.from(list.getAll());
    snapshot = { weights, total: weights.reduce((sum, weight) => sum + weight, 0) };
    snapshots.set(list.node, snapshot);
  }
  return snapshot;
}

/**
 * Period work: fixes the weights of the period that begins at `state.slot`. Later slashings and top-ups do not
 * change them, so the same votes weigh the same on every chain that contains the checkpoint.
 */
export function processWeightSnapshot(state: BeaconStateView, period: Period, params: ChainParams): void {
  const length = params.randaoMixesLength;
  const previous = state.ffgWeights.getReadonly((period + length - 1) % length);
  // The list starts from the previous one, so that weights that did not change are shared.
  const list = containersOf(params).FfgWeights.getViewDU(previous.node);
  const before = snapshotOfList(previous);
  const weights = computeWeights(getRegistry(state, params), computeEpochAtSlot(state.slot, params));
  for (const [index, weight] of weights.entries()) {
    if (index >= before.weights.length) list.push(weight);
    else if (weight !== before.weights[index]) list.set(index, weight);
  }
  list.commit();
  state.ffgWeights.set(period % length, list);
}

/** Sum of the weights of the validators whose bit is set. */
export function weigh(bits: BitArray, { weights }: WeightSnapshot): number {
  let sum = 0;
  const bytes = bits.uint8Array;
  for (let i = 0; i < weights.length; i++) {
    if ((((bytes[i >> 3] ?? 0) >> (i & 7)) & 1) === 1) sum += weights[i] ?? 0;
  }
  return sum;
}

/** The validator registry, parsed into flat arrays once per version of it. See specs/consensus/selection.md#active-validators. */
import type { Node } from "@chainsafe/persistent-merkle-tree";
import { equalBytes } from "../primitives/bytes.ts";
import type { Gwei, PublicKey, Validator, ValidatorIndex } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import type { BeaconStateView } from "./state-containers.ts";
import { computePeriodAtEpoch, type Epoch, type Period } from "./time.ts";

/** Parallel arrays by validator index; shared by all states with the same validators, so never written to. */
export type Registry = {
  readonly size: number;
  readonly publicKeys: readonly PublicKey[];
  /** In increments. */
  readonly effectiveBalances: Uint16Array;
  readonly activationEpochs: Float64Array;
  readonly exitEpochs: Float64Array;
  readonly slashed: Uint8Array;
  /** Filled as asked for: activations and exits take effect at the first epoch of a period only. */
  readonly activeByPeriod: Map<Period, Uint32Array>;
  /** In increments, of those; filled along with it. */
  readonly totalActiveByPeriod: Map<Period, number>;
};

/** Keyed by the node of the list: two states with the same validators share the node. */
const registries = new WeakMap<Node, Registry>();

/**
 * Whoever changes a validator commits the list before anyone asks again: the node is that of the last commit.
 * Cost: O(validators) for a registry not seen before.
 */
export function getRegistry(state: BeaconStateView, params: ChainParams): Registry {
  const { node } = state.validators;
  let registry = registries.get(node);
  if (registry === undefined) {
    registry = parseRegistry(state.validators.getAllReadonlyValues(), params);
    registries.set(node, registry);
  }
  return registry;
}

function parseRegistry(validators: readonly Validator[], params: ChainParams): Registry {
  const increment = params.effectiveBalanceIncrementGwei;
  return {
    size: validators.length,
    publicKeys: validators.map(({ pubkey }) => pubkey),
    effectiveBalances: Uint16Array.from(validators, ({ effectiveBalance }) =>
      Number(effectiveBalance / increment),
    ),
    activationEpochs: Float64Array.from(validators, ({ activationEpoch }) => activationEpoch),
    exitEpochs: Float64Array.from(validators, ({ exitEpoch }) => exitEpoch),
    slashed: Uint8Array.from(validators, ({ slashed }) => (slashed ? 1 : 0)),
    activeByPeriod: new Map(),
    totalActiveByPeriod: new Map(),
  };
}

function isActive(registry: Registry, index: ValidatorIndex, epoch: Epoch): boolean {
  const activation = registry.activationEpochs[index] ?? Number.POSITIVE_INFINITY;
  const exit = registry.exitEpochs[index] ?? 0;
  return activation <= epoch && epoch < exit;
}

/** Active sets seen last, so that registries with the same one share it, and what is derived from it. */
const recentSets: Uint32Array[] = [];
/** This period's and the next one's, on two branches. */
const RECENT_SETS_LIMIT = 4;

function shared(active: Uint32Array): Uint32Array {
  const known = recentSets.find((set) => isEqual(set, active));
  if (known !== undefined) return known;
  recentSets.unshift(active);
  recentSets.length = Math.min(recentSets.length, RECENT_SETS_LIMIT);
  return active;
}

function isEqual(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function findActive(registry: Registry, epoch: Epoch): Uint32Array {
  const active = new Uint32Array(registry.size);
  let count = 0;
  for (let index = 0; index < registry.size; index++) {
    if (isActive(registry, index, epoch)) active[count++] = index;
  }
  return active.slice(0, count);
}

/** Indices of the validators active in `epoch`, ascending: those who vote in it. */
export function getActiveIndices(registry: Registry, epoch: Epoch, params: ChainParams): Uint32Array {
  const period = computePeriodAtEpoch(epoch, params);
  let active = registry.activeByPeriod.get(period);
  if (active === undefined) {
    active = shared(findActive(registry, epoch));
    registry.activeByPeriod.set(period, active);
  }
  return active;
}

/** Effective balance of all validators active in `epoch`, slashed ones included, in increments. */
export function getTotalActiveIncrements(registry: Registry, epoch: Epoch, params: ChainParams): number {
  const period = computePeriodAtEpoch(epoch, params);
  let total = registry.totalActiveByPeriod.get(period);
  if (total === undefined) {
    total = 0;
    for (const index of getActiveIndices(registry, epoch, params))
      total += registry.effectiveBalances[index] ?? 0;
    registry.totalActiveByPeriod.set(period, total);
  }
  return total;
}

/** The same in Gwei; at least one increment, so that it can be divided by. @see phase0, get_total_balance */
export function getTotalActiveBalance(registry: Registry, epoch: Epoch, params: ChainParams): Gwei {
  const increments = Math.max(1, getTotalActiveIncrements(registry, epoch, params));
  return BigInt(increments) * params.effectiveBalanceIncrementGwei;
}

/** Who is registered with this key. Cost: O(validators), most of them told apart by their first byte. */
export function findValidator({ publicKeys }: Registry, publicKey: PublicKey): ValidatorIndex | undefined {
  const index = publicKeys.findIndex((known) => equalBytes(known, publicKey));
  return index < 0 ? undefined : index;
}

/** Weight of each validator in fork choice and finality: its increments if active and not slashed, else 0. */
export function computeWeights(registry: Registry, epoch: Epoch): Uint16Array {
  return registry.effectiveBalances.map((balance, index) =>
    isActive(registry, index, epoch) && registry.slashed[index] === 0 ? balance : 0,
  );
}

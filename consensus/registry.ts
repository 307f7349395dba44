/** The validator registry, parsed into flat arrays once per version of it. See specs/consensus/selection.md#active-validators. */
import type { Node } from "@chainsafe/persistent-merkle-tree";
import type { PublicKey, Validator, ValidatorIndex } from "./containers.ts";
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
  /** Whole shuffled sets by seed, most recent last. */
  readonly shufflings: Map<string, Uint32Array>;
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
    shufflings: new Map(),
  };
}

function isActive(registry: Registry, index: ValidatorIndex, epoch: Epoch): boolean {
  const activation = registry.activationEpochs[index] ?? Number.POSITIVE_INFINITY;
  const exit = registry.exitEpochs[index] ?? 0;
  return activation <= epoch && epoch < exit;
}

/** Indices of the validators active in `epoch`, ascending: those who vote in it. */
export function getActiveIndices(registry: Registry, epoch: Epoch, params: ChainParams): Uint32Array {
  const period = computePeriodAtEpoch(epoch, params);
  let active = registry.activeByPeriod.get(period);
  if (active === undefined) {
    active = Uint32Array.from({ length: registry.size }, (_, index) => index).filter((index) =>
      isActive(registry, index, epoch),
    );
    registry.activeByPeriod.set(period, active);
  }
  return active;
}

/** Weight of each validator in fork choice and finality: its increments if active and not slashed, else 0. */
export function computeWeights(registry: Registry, epoch: Epoch): Uint16Array {
  return registry.effectiveBalances.map((balance, index) =>
    isActive(registry, index, epoch) && registry.slashed[index] === 0 ? balance : 0,
  );
}

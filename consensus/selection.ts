/** Who proposes and who votes in a slot. See specs/consensus/selection.md. */
import { concatBytes, toHex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { sha256 } from "../primitives/hash.ts";
import type { DomainType, ValidatorIndex } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { getActiveIndices, getRegistry, type Registry } from "./registry.ts";
import { createShuffler, shuffleList } from "./shuffle.ts";
import { DOMAIN_BEACON_ATTESTER, DOMAIN_BEACON_PROPOSER } from "./signing-root.ts";
import { type ConsensusState, getRandaoMix } from "./state.ts";
import { computeEpochAtSlot, computePeriodAtSlot, forkAtSlot, type Period, type Slot } from "./time.ts";

/** Periods between a mix and the seed made of it: its last proposer cannot choose the set it belongs to. */
const SEED_LOOKBACK_PERIODS = 2;
/** 16-bit random values decide whether a candidate proposes (Electra). */
const MAX_RANDOM_VALUE = 2 ** 16 - 1;
const RANDOM_VALUES_PER_HASH = 16;
/** Shufflings remembered per registry; votes rarely refer to more than the last few epochs. */
const SHUFFLINGS_LIMIT = 16;

/**
 * Seed of a period. The mixes of the two periods before genesis are the genesis mix.
 * @see specs/consensus/selection.md#seed
 */
export function getSeed(
  state: ConsensusState,
  period: Period,
  domainType: DomainType,
  params: ChainParams,
): Uint8Array {
  const mix = getRandaoMix(state, period + params.randaoMixesLength - SEED_LOOKBACK_PERIODS, params);
  return sha256(concatBytes(domainType, uint64Bytes(period), mix));
}

/**
 * The voters of a slot, in committees. Every validator active in the slot's epoch is in exactly one committee of
 * exactly one slot of it.
 *
 * @param slot at most one period after the state's slot, at most SPHR before it.
 * @see specs/consensus/selection.md#committees
 */
export function getCommittees(
  state: ConsensusState,
  slot: Slot,
  params: ChainParams,
): readonly Uint32Array[] {
  const { slotsPerEpoch, firstSlot } = forkAtSlot(slot, params);
  const registry = getRegistry(state, params);
  const active = getActiveIndices(registry, computeEpochAtSlot(slot, params), params);
  if (slotsPerEpoch === 1 && active.length <= params.unaggregatedVoterLimit) return [active];

  const shuffled = shuffledSet(registry, active, committeeSeed(state, slot, params), params);
  const voters = sliceOf(shuffled, (slot - firstSlot) % slotsPerEpoch, slotsPerEpoch);
  if (voters.length <= params.unaggregatedVoterLimit) return [voters];
  const count = Math.min(params.maxCommitteesPerSlot, Math.floor(voters.length / params.targetCommitteeSize));
  return Array.from({ length: count }, (_, index) => sliceOf(voters, index, count));
}

function committeeSeed(state: ConsensusState, slot: Slot, params: ChainParams): Uint8Array {
  const seed = getSeed(state, computePeriodAtSlot(slot, params), DOMAIN_BEACON_ATTESTER, params);
  return sha256(concatBytes(seed, uint64Bytes(computeEpochAtSlot(slot, params))));
}

function shuffledSet(
  registry: Registry,
  active: Uint32Array,
  seed: Uint8Array,
  params: ChainParams,
): Uint32Array {
  const key = toHex(seed);
  let shuffled = registry.shufflings.get(key);
  if (shuffled !== undefined) return shuffled;
  shuffled = shuffleList(active, seed, params.shuffleRounds);
  for (const oldest of registry.shufflings.keys()) {
    if (registry.shufflings.size < SHUFFLINGS_LIMIT) break;
    registry.shufflings.delete(oldest);
  }
  registry.shufflings.set(key, shuffled);
  return shuffled;
}

/** Part `index` of `count`, all of nearly the same size. */
function sliceOf(list: Uint32Array, index: number, count: number): Uint32Array {
  const start = Math.floor((list.length * index) / count);
  const end = Math.floor((list.length * (index + 1)) / count);
  return list.subarray(start, end);
}

/**
 * Proposers of the slots of `period`, from the validators active at its first slot.
 *
 * @param period the state's period or the next.
 * @see specs/consensus/selection.md#proposers
 */
export function computeProposers(
  state: ConsensusState,
  period: Period,
  params: ChainParams,
): readonly ValidatorIndex[] {
  const registry = getRegistry(state, params);
  const firstSlot = period * params.periodSlots;
  const candidates = getActiveIndices(registry, computeEpochAtSlot(firstSlot, params), params);
  const seed = getSeed(state, period, DOMAIN_BEACON_PROPOSER, params);
  return Array.from({ length: params.periodSlots }, (_, offset) => {
    const slotSeed = sha256(concatBytes(seed, uint64Bytes(firstSlot + offset)));
    return computeProposerIndex(registry.effectiveBalances, candidates, slotSeed, params);
  });
}

/**
 * Draws a candidate with a chance in proportion to its effective balance.
 *
 * @param effectiveBalances in increments, by validator index.
 * @param candidates validator indices; not empty, and not all of balance 0.
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, compute_proposer_index
 */
export function computeProposerIndex(
  effectiveBalances: Uint16Array,
  candidates: Uint32Array,
  seed: Uint8Array,
  params: ChainParams,
): ValidatorIndex {
  const maxIncrements = Number(params.maxEffectiveBalanceGwei / params.effectiveBalanceIncrementGwei);
  const shuffledIndex = createShuffler(seed, candidates.length, params.shuffleRounds);
  assert(candidates.length > 0, "somebody is active");
  let draws: DataView = new DataView(new ArrayBuffer(32));
  for (let i = 0; ; i++) {
    const candidate = candidates[shuffledIndex(i % candidates.length)] ?? 0;
    if (i % RANDOM_VALUES_PER_HASH === 0) {
      const hash = sha256(concatBytes(seed, uint64Bytes(i / RANDOM_VALUES_PER_HASH)));
      draws = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
    }
    const randomValue = draws.getUint16(2 * (i % RANDOM_VALUES_PER_HASH), true);
    const balance = effectiveBalances[candidate] ?? 0;
    if (balance * MAX_RANDOM_VALUE >= maxIncrements * randomValue) return candidate;
  }
}

function uint64Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

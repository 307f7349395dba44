/** Who proposes and who votes in a slot. See specs/consensus/selection.md. */
import { concatBytes, toHex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { sha256 } from "../primitives/hash.ts";
import { setBounded } from "./bounded-map.ts";
import type { DomainType, ValidatorIndex } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { getActiveIndices, getRegistry } from "./registry.ts";
import { shuffleList } from "./shuffle.ts";
import { DOMAIN_BEACON_ATTESTER, DOMAIN_BEACON_PROPOSER } from "./signing-root.ts";
import { type ConsensusState, getRandaoMix } from "./state.ts";
import { computeEpochAtSlot, computePeriodAtSlot, forkAtSlot, type Period, type Slot } from "./time.ts";

/** Periods between a mix and the seed made of it: its last proposer cannot choose the set it belongs to. */
const SEED_LOOKBACK_PERIODS = 2;
/** 16-bit random values decide whether a candidate proposes (Electra). */
const MAX_RANDOM_VALUE = 2 ** 16 - 1;
/** Bytes of a hash that one draw uses: eight for the candidate, two for whether it proposes. */
const DRAW_BYTES = 16;
const DRAWS_PER_HASH = 2;
/** Shufflings remembered per active set: those of the votes gossip lets in, and a few ahead. */
const SHUFFLINGS_LIMIT = 40;
/** By active set, which registries share while it is the same; then by seed, most recent last. */
const shufflings = new WeakMap<Uint32Array, Map<string, Uint32Array>>();

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

  const shuffled = shuffledSet(active, committeeSeed(state, slot, params), params);
  const voters = sliceOf(shuffled, (slot - firstSlot) % slotsPerEpoch, slotsPerEpoch);
  if (voters.length <= params.unaggregatedVoterLimit) return [voters];
  const count = Math.min(params.maxCommitteesPerSlot, Math.floor(voters.length / params.targetCommitteeSize));
  return Array.from({ length: count }, (_, index) => sliceOf(voters, index, count));
}

function committeeSeed(state: ConsensusState, slot: Slot, params: ChainParams): Uint8Array {
  const seed = getSeed(state, computePeriodAtSlot(slot, params), DOMAIN_BEACON_ATTESTER, params);
  return sha256(concatBytes(seed, uint64Bytes(computeEpochAtSlot(slot, params))));
}

function shuffledSet(active: Uint32Array, seed: Uint8Array, params: ChainParams): Uint32Array {
  let known = shufflings.get(active);
  if (known === undefined) {
    known = new Map();
    shufflings.set(active, known);
  }
  const key = toHex(seed);
  const found = known.get(key);
  if (found !== undefined) return found;
  const shuffled = shuffleList(active, seed, params.shuffleRounds);
  setBounded(known, key, shuffled, SHUFFLINGS_LIMIT);
  return shuffled;
}

/** Forgets what was shuffled of an active set; for benchmarks, which want to pay for it again. */
export function forgetShufflings(active: Uint32Array): void {
  shufflings.delete(active);
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
 * Draws a candidate with a chance in proportion to its effective balance: any of them, with replacement, until one
 * is taken.
 *
 * @param effectiveBalances in increments, by validator index.
 * @param candidates validator indices; not empty, and not all of balance 0.
 * @see specs/consensus/selection.md#proposers
 */
export function computeProposerIndex(
  effectiveBalances: Uint16Array,
  candidates: Uint32Array,
  seed: Uint8Array,
  params: ChainParams,
): ValidatorIndex {
  const maxIncrements = Number(params.maxEffectiveBalanceGwei / params.effectiveBalanceIncrementGwei);
  const count = BigInt(candidates.length);
  assert(candidates.length > 0, "somebody is active");
  for (let i = 0; ; i++) {
    const hash = sha256(concatBytes(seed, uint64Bytes(i)));
    const draws = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
    for (let offset = 0; offset < DRAWS_PER_HASH * DRAW_BYTES; offset += DRAW_BYTES) {
      const candidate = candidates[Number(draws.getBigUint64(offset, true) % count)] ?? 0;
      const randomValue = draws.getUint16(offset + 8, true);
      const balance = effectiveBalances[candidate] ?? 0;
      if (balance * MAX_RANDOM_VALUE >= maxIncrements * randomValue) return candidate;
    }
  }
}

function uint64Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

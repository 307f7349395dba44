/** Which votes a block may include. See specs/consensus/state-transition.md#attestations. */
import type { Attestation } from "./chain-containers.ts";
import type { AttestationData } from "./containers.ts";
import { findJustified } from "./justified-ring.ts";
import type { ChainParams } from "./params.ts";
import { getCommittees } from "./selection.ts";
import { type ConsensusState, equalCheckpoints } from "./state.ts";
import { computeCheckpointSlot, computeEpochAtSlot } from "./time.ts";

/** What is wrong with a vote, seen from a block at the state's slot. */
export type VoteFault =
  | "NOT_BEFORE_BLOCK"
  | "TARGET_NOT_OF_SLOT"
  | "SOURCE_NOT_BEFORE_TARGET"
  | "TOO_OLD"
  | "SOURCE_NOT_JUSTIFIED"
  | "INDEX_NOT_ZERO";

export type AttestationFault =
  | VoteFault
  | "NO_COMMITTEE"
  | "UNKNOWN_COMMITTEE"
  | "WRONG_LENGTH"
  | "EMPTY_COMMITTEE";

/**
 * Why a block at `state.slot` on this chain may not include votes with this data; undefined when it may.
 * A wrong head or target is no fault: such a vote pays less and counts for nothing.
 */
export function findVoteFault(
  state: ConsensusState,
  data: AttestationData,
  params: ChainParams,
): VoteFault | undefined {
  const { slot, source, target } = data;
  if (slot >= state.slot) return "NOT_BEFORE_BLOCK";
  if (target.epoch !== computeEpochAtSlot(slot, params)) return "TARGET_NOT_OF_SLOT";
  if (source.epoch >= target.epoch) return "SOURCE_NOT_BEFORE_TARGET";
  const lastInclusion = computeCheckpointSlot(target.epoch, params) + params.slotsPerHistoricalRoot;
  if (state.slot > lastInclusion) return "TOO_OLD";
  // The committee is named by bits (EIP-7549), so that all votes of a slot can share one message.
  if (data.index !== 0) return "INDEX_NOT_ZERO";
  const justified = findJustified(state, source.epoch);
  const isKnown = justified !== undefined && equalCheckpoints(justified, source);
  if (params.rules.justifiedSource && !isKnown) return "SOURCE_NOT_JUSTIFIED";
  return undefined;
}

/** The same for an aggregate, whose bits must fit its committees exactly. */
export function findAttestationFault(
  state: ConsensusState,
  attestation: Attestation,
  params: ChainParams,
): AttestationFault | undefined {
  return findVoteFault(state, attestation.data, params) ?? findAggregateFault(state, attestation, params);
}

function findAggregateFault(
  state: ConsensusState,
  { data, committeeBits, aggregationBits }: Attestation,
  params: ChainParams,
): AttestationFault | undefined {
  const committees = getCommittees(state, data.slot, params);
  const named = committeeBits.getTrueBitIndexes();
  if (named.length === 0) return "NO_COMMITTEE";
  if (named.some((index) => index >= committees.length)) return "UNKNOWN_COMMITTEE";
  const sizes = named.map((index) => committees[index]?.length ?? 0);
  if (aggregationBits.bitLen !== sizes.reduce((sum, size) => sum + size, 0)) return "WRONG_LENGTH";
  let start = 0;
  for (const size of sizes) {
    if (!hasBit(aggregationBits, start, start + size)) return "EMPTY_COMMITTEE";
    start += size;
  }
  return undefined;
}

function hasBit(bits: Attestation["aggregationBits"], start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bits.get(i)) return true;
  return false;
}

/** Counts a block's votes: for pay, for justification, for finality. See specs/consensus/state-transition.md#attestations. */
import type { BitArray } from "@chainsafe/ssz";
import { equalBytes } from "../primitives/bytes.ts";
import { findAttestationFault } from "./attestation-rules.ts";
import { dutiesPerPeriod, type NewHits, payProposer, weighHits } from "./base-reward.ts";
import { BlockError } from "./block-errors.ts";
import { type Attestation, containersOf } from "./chain-containers.ts";
import type { AttestationData } from "./containers.ts";
import { type FinalityChanges, isFinalizingLink, processJustification } from "./finality.ts";
import { getAttestingBits } from "./indexed-attestation.ts";
import type { ChainParams } from "./params.ts";
import { type ConsensusState, getBlockRootAtSlot, getCheckpointRoot } from "./state.ts";
import { addToTally, union, without } from "./tallies.ts";
import { computeStartSlotAtEpoch, type Epoch } from "./time.ts";
import { getWeightSnapshot } from "./weight-snapshots.ts";

/** Who was credited in each epoch that a timely vote may still name. */
type Seen = Map<Epoch, BitArray>;

/**
 * Processes votes in the order the block lists them: earlier ones may justify the source of later ones.
 *
 * @returns what changed, for processFinalization.
 * @throws BlockError when a vote may not be included, or too many old epochs are voted for.
 */
export function processAttestations(
  state: ConsensusState,
  attestations: readonly Attestation[],
  params: ChainParams,
): FinalityChanges {
  checkOldEpochs(state, attestations, params);
  const changes = { tallied: new Set<Epoch>(), justified: new Set<Epoch>() };
  const seen = readSeen(state, params);
  let weighedHits = 0n;
  for (const [index, attestation] of attestations.entries()) {
    const fault = findAttestationFault(state, attestation, params);
    if (fault !== undefined) throw new BlockError({ code: "BLOCK_INVALID_ATTESTATION", index, fault });

    const { data } = attestation;
    const { weights } = getWeightSnapshot(state, data.target.epoch, params);
    const voters = getAttestingBits(state, attestation, weights.length, params);
    weighedHits += weighHits(state, creditTimely(state, data, voters, seen, params), params);
    countForFinality(state, data, voters, changes, params);
  }
  writeSeen(state, seen, params);
  payProposer(state, weighedHits, params);
  return changes;
}

/** Old votes carry a proof from another branch; the bound keeps their cost in check. */
function checkOldEpochs(
  state: ConsensusState,
  attestations: readonly Attestation[],
  params: ChainParams,
): void {
  const old = new Set<Epoch>();
  for (const { data } of attestations) {
    if (state.slot - data.slot > params.timelyTargetSlots) old.add(data.target.epoch);
  }
  const limit = params.oldEpochsPerBlock;
  if (old.size > limit) throw new BlockError({ code: "BLOCK_TOO_MANY_OLD_EPOCHS", limit });
}

/**
 * A vote pays once, and only when it is timely; a wrong target or head pays nothing but is seen.
 * @returns whom it was credited to, for the proposer's share.
 */
function creditTimely(
  state: ConsensusState,
  data: AttestationData,
  voters: BitArray,
  seen: Seen,
  params: ChainParams,
): NewHits {
  const delay = state.slot - data.slot;
  if (delay > params.timelyTargetSlots) return { target: undefined, head: undefined };
  const before = seen.get(data.target.epoch);
  const isFirst = before === undefined || !params.rules.payOnce;
  const credited = isFirst ? voters : without(voters, before);
  seen.set(data.target.epoch, before === undefined ? voters : union(before, voters));

  const isTargetRight = equalBytes(data.target.root, getCheckpointRoot(state, data.target.epoch, params));
  const isHeadRight =
    delay <= params.timelyHeadSlots &&
    equalBytes(data.beaconBlockRoot, getBlockRootAtSlot(state, data.slot, params));
  const duties = dutiesPerPeriod(state.slot, params);
  if (isTargetRight) addHits(state.hitsTarget, credited, duties);
  if (isHeadRight) addHits(state.hitsHead, credited, duties);
  return { target: isTargetRight ? credited : undefined, head: isHeadRight ? credited : undefined };
}

function addHits(hits: ConsensusState["hitsTarget"], voters: BitArray, limit: number): void {
  for (const index of voters.getTrueBitIndexes()) {
    const before = hits.get(index);
    if (before < limit) hits.set(index, before + 1);
  }
}

function countForFinality(
  state: ConsensusState,
  { source, target }: AttestationData,
  voters: BitArray,
  changes: FinalityChanges,
  params: ChainParams,
): void {
  const isRight = equalBytes(target.root, getCheckpointRoot(state, target.epoch, params));
  if (params.rules.rightTarget && !isRight) return;
  const isFinalizing = isFinalizingLink(state, source.epoch, target.epoch, params);
  const sourceEpoch = isFinalizing ? source.epoch : undefined;
  const tally = addToTally(state, target.epoch, sourceEpoch, voters, params);
  changes.tallied.add(target.epoch);
  processJustification(state, tally, target, changes, params);
}

function readSeen(state: ConsensusState, params: ChainParams): Seen {
  const seen: Seen = new Map();
  for (let i = 0; i < state.seen.length; i++) {
    const { epoch, bits } = state.seen.get(i);
    const lastSlot = computeStartSlotAtEpoch(epoch + 1, params) - 1;
    if (state.slot - lastSlot <= params.timelyTargetSlots) seen.set(epoch, bits);
  }
  return seen;
}

function writeSeen(state: ConsensusState, seen: Seen, params: ChainParams): void {
  const entries = [...seen].map(([epoch, bits]) => ({ epoch, bits })).sort((a, b) => a.epoch - b.epoch);
  state.seen = containersOf(params).SeenVotesList.toViewDU(entries);
}

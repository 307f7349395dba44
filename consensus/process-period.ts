/** Work at the first slot of a period, before its block. See specs/consensus/state-transition.md#period-work. */
import { BranchNode, LeafNode, zeroNode } from "@chainsafe/persistent-merkle-tree";
import { fromHex } from "../primitives/bytes.ts";
import { containersOf } from "./chain-containers.ts";
import { dropOldJustified } from "./justified-ring.ts";
import type { ChainParams } from "./params.ts";
import { processPendingDeposits } from "./process-pending-deposits.ts";
import { processEffectiveBalances, processRegistry } from "./process-registry.ts";
import { processRewards } from "./process-rewards.ts";
import { processSlashings } from "./process-slashings.ts";
import { computeProposers } from "./selection.ts";
import { type ConsensusState, getRandaoMix } from "./state.ts";
import { forkAtSlot, type Period } from "./time.ts";
import { processWeightSnapshot } from "./weight-snapshots.ts";

/**
 * Enters `period`; `state.slot` is its first slot.
 *
 * @param lastPeriod the period in which the caller stops. Proposers that will have left the look-ahead by then
 *   are not drawn, since nothing can ask for them.
 */
export function processPeriod(
  state: ConsensusState,
  period: Period,
  lastPeriod: Period,
  params: ChainParams,
): void {
  processRewards(state, params);
  processRegistry(state, params);
  processSlashings(state, period, params);
  processPendingDeposits(state, params);
  processEffectiveBalances(state, params);
  processForkUpgrade(state, params);
  resetHits(state, params);
  carryRandaoMix(state, period, params);
  processWeightSnapshot(state, period, params);
  advanceProposerLookahead(state, period, lastPeriod, params);
  dropOldJustified(state, params);
}

function processForkUpgrade(state: ConsensusState, params: ChainParams): void {
  const fork = forkAtSlot(state.slot, params);
  if (fork.firstSlot !== state.slot) return;
  const previousVersion = state.fork.currentVersion;
  state.fork = { previousVersion, currentVersion: fromHex(fork.version), epoch: fork.firstEpoch };
}

function resetHits(state: ConsensusState, params: ChainParams): void {
  const { Hits } = containersOf(params);
  // A list of zeros is one shared subtree and a length.
  const zeros = new BranchNode(zeroNode(Hits.chunkDepth), LeafNode.fromUint32(state.validators.length));
  state.hitsTarget = Hits.getViewDU(zeros);
  state.hitsHead = Hits.getViewDU(zeros);
}

/** A period without blocks has the mix of the one before. */
function carryRandaoMix(state: ConsensusState, period: Period, params: ChainParams): void {
  state.randaoMixes.set(period % params.randaoMixesLength, getRandaoMix(state, period - 1, params));
}

function advanceProposerLookahead(
  state: ConsensusState,
  period: Period,
  lastPeriod: Period,
  params: ChainParams,
): void {
  if (period + 1 < lastPeriod) return;
  const current = state.proposerLookahead.getAll().slice(params.periodSlots);
  const next = computeProposers(state, period + 1, params);
  state.proposerLookahead = containersOf(params).ProposerLookahead.toViewDU([...current, ...next]);
}

/** Which votes a proposer includes: first what proves our justified checkpoint, then the most new votes. See specs/consensus/duties.md#packing. */
import { BitArray } from "@chainsafe/ssz";
import { equalBytes, type Hash } from "../primitives/bytes.ts";
import { findAttestationFault } from "./attestation-rules.ts";
import type { Attestation } from "./chain-containers.ts";
import type { Engine } from "./engine-state.ts";
import { getAttestingIndices } from "./indexed-attestation.ts";
import { findJustified } from "./justified-ring.ts";
import { processAttestations } from "./process-attestations.ts";
import { commonAncestor, NO_BLOCK, parentAt, rootAt } from "./proto-array.ts";
import { getCommittees } from "./selection.ts";
import { type ConsensusState, forkState, getCheckpointRoot } from "./state.ts";
import { getTally } from "./tallies.ts";
import type { Epoch } from "./time.ts";
import { type CommitteeVotes, combineVotes, type PooledVotes } from "./vote-pool.ts";

/** The block being filled: votes taken so far, and the state as they leave it. */
type Packing = {
  readonly engine: Engine;
  readonly draft: ConsensusState;
  readonly taken: Attestation[];
  readonly oldEpochs: Set<Epoch>;
};

/**
 * Votes for a block on `parentRoot`.
 *
 * @param state the parent's state at the block's slot; left as it is.
 */
export function packVotes(engine: Engine, state: ConsensusState, parentRoot: Hash): Attestation[] {
  const packing = { engine, draft: forkState(state), taken: [], oldEpochs: new Set<Epoch>() };
  if (engine.store.justified.epoch > state.justified.epoch) packProof(packing, parentRoot);
  packRecent(packing);
  return packing.taken;
}

/**
 * The catch-up duty: the votes that justified the store's checkpoint on another branch, so that this one adopts
 * it. Only votes for epochs that are needed: the checkpoint's own, and those of sources this branch does not know;
 * anything else would let junk votes delay it. What does not fit goes into the next block.
 */
function packProof(packing: Packing, parentRoot: Hash): void {
  const { engine, draft } = packing;
  const proof = votesOfProofBranch(engine, parentRoot);
  const needed = neededEpochs(proof, engine.store.justified.epoch, draft);
  const ordered = proof
    .filter(({ data }) => needed.has(data.target.epoch))
    .sort((a, b) => a.data.target.epoch - b.data.target.epoch || a.data.source.epoch - b.data.source.epoch);
  for (const attestation of ordered) {
    const isDone = findJustified(draft, attestation.data.target.epoch) !== undefined;
    if (!isDone && countNewVoters(packing, attestation) > 0) take(packing, attestation);
  }
}

/** Votes in the blocks from the one that proved the justified checkpoint down to where its branch left ours. */
function votesOfProofBranch({ store, blocks }: Engine, parentRoot: Hash): Attestation[] {
  const { tree } = store;
  const proof = tree.indices.get(store.justifiedProof);
  const parent = tree.indices.get(parentRoot);
  if (proof === undefined || parent === undefined) return [];
  const base = commonAncestor(tree, proof, parent);
  const votes: Attestation[] = [];
  for (let at = proof; at !== base && at !== NO_BLOCK; at = parentAt(tree, at)) {
    votes.push(...(blocks.get(rootAt(tree, at))?.attestations ?? []));
  }
  return votes;
}

/** Target epochs to justify here before `justifiedEpoch` can be, itself included. */
function neededEpochs(
  votes: readonly Attestation[],
  justifiedEpoch: Epoch,
  state: ConsensusState,
): ReadonlySet<Epoch> {
  const needed = new Set([justifiedEpoch]);
  // A source is below its target, so one pass from the highest target closes the set.
  const descending = [...votes].sort((a, b) => b.data.target.epoch - a.data.target.epoch);
  for (const { data } of descending) {
    if (!needed.has(data.target.epoch) || findJustified(state, data.target.epoch) !== undefined) continue;
    if (findJustified(state, data.source.epoch) === undefined) needed.add(data.source.epoch);
  }
  return needed;
}

/** Votes of the pool as one attestation, still without its signature, which `signatures` add up to. */
type Candidate = {
  readonly attestation: Attestation;
  readonly signatures: readonly Uint8Array[];
  /** What the block gained by it when last looked at; undefined when something it depends on has changed since. */
  gain: number | undefined;
};

/** Greedy cover: the data with the most voters not yet counted, of equal ones the newest. */
function packRecent(packing: Packing): void {
  const { engine, draft } = packing;
  const candidates = [...engine.votePool.values()].flatMap((votes): Candidate[] => {
    const assembled = votes.data.slot < draft.slot ? assemble(engine, draft, votes) : undefined;
    return assembled === undefined ? [] : [{ ...assembled, gain: undefined }];
  });
  for (;;) {
    let best: Candidate | undefined;
    let bestGain = 0;
    for (const candidate of candidates) {
      candidate.gain ??= countNewVoters(packing, candidate.attestation);
      const { gain, attestation } = candidate;
      const isNewer = best !== undefined && attestation.data.slot > best.attestation.data.slot;
      if (gain > bestGain || (gain > 0 && gain === bestGain && isNewer)) {
        best = candidate;
        bestGain = gain;
      }
    }
    if (best === undefined) return;
    const justifiedBefore = draft.justifiedRing.length;
    take(packing, { ...best.attestation, signature: engine.aggregateSignatures(best.signatures) });
    forgetGains(packing, candidates, best, draft.justifiedRing.length > justifiedBefore);
  }
}

/** A taken attestation changes the gain of others for its epoch; a new source, or a bound reached, that of all. */
function forgetGains(
  { engine, taken, oldEpochs }: Packing,
  candidates: readonly Candidate[],
  { attestation }: Candidate,
  isSourceAdded: boolean,
): void {
  const { maxAttestations, oldEpochsPerBlock } = engine.chain.params;
  const isFull = taken.length >= maxAttestations || oldEpochs.size >= oldEpochsPerBlock;
  for (const candidate of candidates) {
    const isSameEpoch = candidate.attestation.data.target.epoch === attestation.data.target.epoch;
    if (isSameEpoch || isSourceAdded || isFull) candidate.gain = undefined;
  }
}

/** How many votes the block gains for finality; 0 when the attestation may not be included. */
function countNewVoters({ engine, draft, taken, oldEpochs }: Packing, attestation: Attestation): number {
  const { params } = engine.chain;
  const { data } = attestation;
  if (taken.length >= params.maxAttestations) return 0;
  const isOld = draft.slot - data.slot > params.timelyTargetSlots;
  const isOneTooMany = !oldEpochs.has(data.target.epoch) && oldEpochs.size >= params.oldEpochsPerBlock;
  if (isOld && isOneTooMany) return 0;
  if (findAttestationFault(draft, attestation, params) !== undefined) return 0;
  if (!equalBytes(data.target.root, getCheckpointRoot(draft, data.target.epoch, params))) return 0;
  const counted = getTally(draft, data.target.epoch, params)?.bits;
  const voters = getAttestingIndices(draft, attestation, params);
  if (counted === undefined) return voters.length;
  return voters.filter((voter) => voter >= counted.bitLen || !counted.get(voter)).length;
}

function take({ engine, draft, taken, oldEpochs }: Packing, attestation: Attestation): void {
  const { params } = engine.chain;
  processAttestations(draft, [attestation], params);
  taken.push(attestation);
  if (draft.slot - attestation.data.slot > params.timelyTargetSlots) {
    oldEpochs.add(attestation.data.target.epoch);
  }
}

/** Of each committee the widest union of its votes, one after the other (EIP-7549). */
function assemble(
  engine: Engine,
  state: ConsensusState,
  votes: PooledVotes,
): Omit<Candidate, "gain"> | undefined {
  const { params } = engine.chain;
  const committeeBits = BitArray.fromBitLen(params.maxCommitteesPerSlot);
  const parts: CommitteeVotes[] = [];
  for (const [index, committee] of getCommittees(state, votes.data.slot, params).entries()) {
    const part = combineVotes(votes, index, committee);
    if (part === undefined) continue;
    committeeBits.set(index, true);
    parts.push(part);
  }
  if (parts.length === 0) return undefined;
  const aggregationBits = BitArray.fromBoolArray(parts.flatMap(({ bits }) => bits.toBoolArray()));
  return {
    attestation: { aggregationBits, data: votes.data, committeeBits, signature: EMPTY_SIGNATURE },
    signatures: parts.flatMap(({ signatures }) => signatures),
  };
}

const EMPTY_SIGNATURE = new Uint8Array(96);

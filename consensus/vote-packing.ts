/** Which votes a proposer includes: first what proves our justified checkpoint, then the most new votes. See specs/consensus/duties.md#packing. */
import { BitArray } from "@chainsafe/ssz";
import { equalBytes, type Hash } from "../primitives/bytes.ts";
import { findAttestationFault, findVoteFault } from "./attestation-rules.ts";
import type { Attestation } from "./chain-containers.ts";
import type { AttestationData } from "./containers.ts";
import type { Engine } from "./engine-state.ts";
import { getAttestingBits } from "./indexed-attestation.ts";
import { findJustified } from "./justified-ring.ts";
import { processAttestations } from "./process-attestations.ts";
import { commonAncestor, NO_BLOCK, parentAt, rootAt } from "./proto-array.ts";
import { getCommittees } from "./selection.ts";
import { type ConsensusState, forkState, getCheckpointRoot } from "./state.ts";
import { getTally } from "./tallies.ts";
import { computeCheckpointSlot, type Epoch } from "./time.ts";
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
  const isBehind = engine.store.justified.epoch > state.justified.epoch;
  if (isBehind && engine.chain.params.rules.catchUp) packProof(packing, parentRoot);
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

/** Votes of the pool with one data, and what the block would gain by them. */
type Candidate = {
  readonly votes: PooledVotes;
  /** Made when first wanted; undefined while it is not. */
  assembled: Assembled | undefined;
  /** Voters not yet counted: exact once assembled, else at most this. Undefined when what it depends on has changed. */
  gain: number | undefined;
};

/** One attestation, still without its signature, which `signatures` add up to. */
type Assembled = { readonly attestation: Attestation; readonly signatures: readonly Uint8Array[] };

/**
 * Greedy cover: the data with the most voters not yet counted, of equal ones the newest. Only what is best by the bound
 * is assembled, since most of the pool is in the chain already.
 */
function packRecent(packing: Packing): void {
  const { engine, draft } = packing;
  const candidates = [...engine.votePool.values()]
    .filter(({ data }) => data.slot < draft.slot)
    .map((votes): Candidate => ({ votes, assembled: undefined, gain: undefined }));
  for (let best = mostGaining(packing, candidates); best !== undefined; ) {
    if (best.assembled === undefined) {
      best.assembled = assemble(engine, draft, best.votes);
      best.gain = best.assembled === undefined ? 0 : countNewVoters(packing, best.assembled.attestation);
    } else {
      takeCandidate(packing, candidates, best.assembled);
    }
    best = mostGaining(packing, candidates);
  }
}

function mostGaining(packing: Packing, candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined;
  let bestGain = 0;
  for (const candidate of candidates) {
    candidate.gain ??=
      candidate.assembled === undefined
        ? countPooledVoters(packing, candidate.votes)
        : countNewVoters(packing, candidate.assembled.attestation);
    const { gain, votes } = candidate;
    const isNewer = best !== undefined && votes.data.slot > best.votes.data.slot;
    if (gain > bestGain || (gain > 0 && gain === bestGain && isNewer)) {
      best = candidate;
      bestGain = gain;
    }
  }
  return best;
}

function takeCandidate(
  packing: Packing,
  candidates: readonly Candidate[],
  { attestation, signatures }: Assembled,
): void {
  const { engine, draft, taken, oldEpochs } = packing;
  const justifiedBefore = draft.justifiedRing.length;
  take(packing, { ...attestation, signature: engine.aggregateSignatures(signatures) });
  const { maxAttestations, oldEpochsPerBlock } = engine.chain.params;
  const isSourceAdded = draft.justifiedRing.length > justifiedBefore;
  const isFull = taken.length >= maxAttestations || oldEpochs.size >= oldEpochsPerBlock;
  // Taken votes change the gain of others for their epoch; a new source, or a bound reached, that of all.
  for (const candidate of candidates) {
    const isSameEpoch = candidate.votes.data.target.epoch === attestation.data.target.epoch;
    if (isSameEpoch || isSourceAdded || isFull) candidate.gain = undefined;
  }
}

/** How many votes the block gains for finality; 0 when the attestation may not be included. */
function countNewVoters(packing: Packing, attestation: Attestation): number {
  const { engine, draft } = packing;
  const { params } = engine.chain;
  if (!mayTake(packing, attestation.data)) return 0;
  if (findAttestationFault(draft, attestation, params) !== undefined) return 0;
  const voters = getAttestingBits(draft, attestation, draft.validators.length, params);
  return countUncounted(packing, attestation.data, voters.uint8Array);
}

/** The same for all votes of the pool with one data: at most so many. */
function countPooledVoters(packing: Packing, { data, voters }: PooledVotes): number {
  const { engine, draft } = packing;
  if (!mayTake(packing, data) || findVoteFault(draft, data, engine.chain.params) !== undefined) return 0;
  return countUncounted(packing, data, voters);
}

/** Whether the block has room for votes with this data, and they count on its chain. */
function mayTake({ engine, draft, taken, oldEpochs }: Packing, data: AttestationData): boolean {
  const { params } = engine.chain;
  if (taken.length >= params.maxAttestations || data.slot >= draft.slot) return false;
  const isOld = draft.slot - data.slot > params.timelyTargetSlots;
  const isOneTooMany = !oldEpochs.has(data.target.epoch) && oldEpochs.size >= params.oldEpochsPerBlock;
  if (isOld && isOneTooMany) return false;
  if (computeCheckpointSlot(data.target.epoch, params) + params.slotsPerHistoricalRoot < draft.slot)
    return false;
  return equalBytes(data.target.root, getCheckpointRoot(draft, data.target.epoch, params));
}

function countUncounted({ engine, draft }: Packing, data: AttestationData, voters: Uint8Array): number {
  const counted = getTally(draft, data.target.epoch, engine.chain.params)?.bits.uint8Array;
  let count = 0;
  for (let i = 0; i < voters.length; i++) {
    let bits = (voters[i] ?? 0) & ~(counted?.[i] ?? 0);
    for (; bits !== 0; bits &= bits - 1) count += 1;
  }
  return count;
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
function assemble(engine: Engine, state: ConsensusState, votes: PooledVotes): Assembled | undefined {
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

/** A fully valid block enters the tree, and what follows from it. See specs/consensus/engine.md#import. */
import { type Hash, toHex } from "../primitives/bytes.ts";
import { addBounded } from "./bounded-map.ts";
import type { Attestation, SignedBeaconBlock } from "./chain-containers.ts";
import { addDecided, findConflict } from "./decided-branches.ts";
import { attest } from "./duties.ts";
import { type Engine, emit, type PendingBlock, type TreeBlock, toTreeCheckpoint } from "./engine-state.ts";
import { type ForkChoiceChange, onBlock } from "./fork-choice.ts";
import { ForkChoiceError, type TreeCheckpoint } from "./fork-choice-store.ts";
import { type BlockRefusal, isTimely } from "./gossip-rules.ts";
import { updateHead } from "./head.ts";
import { getAttestingIndices } from "./indexed-attestation.ts";
import { justifiedSince } from "./justified-ring.ts";
import { resumeVotes } from "./on-aggregate.ts";
import { noteVote } from "./on-attestation.ts";
import { rootsToKeep } from "./roots-to-keep.ts";
import { ABANDONED_ROOTS_LIMIT, settleFinality } from "./settle-finality.ts";
import { equivocatorsOf } from "./slashability.ts";
import type { ConsensusState } from "./state.ts";
import { keepState } from "./state-cache.ts";
import { creditSync } from "./sync-gate.ts";
import { type SignedVote, toHeadVote, voteKey } from "./vote-records.ts";
import { getWeightSnapshot } from "./weight-snapshots.ts";

/** @returns why fork choice did not take the block; then nothing was changed. */
export function importBlock(
  engine: Engine,
  pending: PendingBlock,
  postState: ConsensusState,
): BlockRefusal | undefined {
  const { root, block, origin } = pending;
  const votes = signedVotes(engine, block, postState);
  const headSlotBefore = headSlot(engine);
  const result = addToTree(engine, pending.block, root, postState, isTimely(engine, pending), votes);
  if ("outcome" in result) return result;

  emit(engine, { type: "storeBlock", root, slot: block.message.slot, block });
  for (const vote of votes) noteVote(engine, vote);
  if (result.justified !== undefined) announceJustified(engine);
  settleFinality(engine);
  updateHead(engine);
  if (origin.kind === "sync") creditSync(engine.gate, headSlot(engine) - headSlotBefore);
  resumeVotes(engine, root);
  if (block.message.slot === engine.store.nowSlot) attest(engine);
  return undefined;
}

/**
 * A valid block on a branch that finality decided against: it enters nothing, but its votes are evidence, and when it
 * finalizes there what contradicts ours, it proves the safety fault.
 */
export function weighEvidence(
  engine: Engine,
  { root, block }: PendingBlock,
  postState: ConsensusState,
): BlockRefusal {
  for (const vote of signedVotes(engine, block, postState)) noteVote(engine, vote);
  addDecided(engine, root, { slot: block.message.slot, state: postState });
  addBounded(engine.abandonedRoots, root, ABANDONED_ROOTS_LIMIT);
  const conflicting = findConflict(engine, postState);
  if (conflicting === undefined) return { outcome: "ignored", reason: "BLOCK_ON_ABANDONED_BRANCH" };
  raiseFault(engine, block, engine.store.finalized, conflicting);
  return { outcome: "ignored", reason: "FORK_CHOICE_SAFETY_FAULT" };
}

/** Import without wishes: the block was checked before the node stopped. */
export function replayBlock(engine: Engine, block: SignedBeaconBlock, postState: ConsensusState): void {
  const root = toHex(engine.chain.containers.BeaconBlock.hashTreeRoot(block.message));
  const votes = signedVotes(engine, block, postState);
  const result = addToTree(engine, block, root, postState, false, votes);
  if (!("outcome" in result)) settleFinality(engine);
}

function addToTree(
  engine: Engine,
  block: SignedBeaconBlock,
  root: Hash,
  postState: ConsensusState,
  isBlockTimely: boolean,
  votes: readonly SignedVote[],
): ForkChoiceChange | BlockRefusal {
  const { chain, store, states } = engine;
  const { slot, parentRoot, body } = block.message;
  const treeBlock: TreeBlock = {
    ...{ root, parentRoot: toHex(parentRoot), slot, attestations: body.attestations },
    blockHash: toHex(body.executionPayload.blockHash),
  };
  let change: ForkChoiceChange;
  try {
    change = onBlock(store, {
      ...{ root, parentRoot: treeBlock.parentRoot, slot, isTimely: isBlockTimely },
      justified: toTreeCheckpoint(chain, postState.justified),
      finalized: toTreeCheckpoint(chain, postState.finalized),
      justifiedRing: justifiedSince(postState, store.finalized.epoch).map((checkpoint) =>
        toTreeCheckpoint(chain, checkpoint),
      ),
      votes: votes.map(toHeadVote),
      equivocators: body.attesterSlashings.flatMap(equivocatorsOf),
      balancesAt: ({ epoch }) => getWeightSnapshot(postState, epoch, chain.params).weights,
    });
  } catch (error) {
    if (!(error instanceof ForkChoiceError)) throw error;
    if (error.detail.code === "FORK_CHOICE_SAFETY_FAULT") {
      const { finalizedEpoch, finalizedRoot, conflictingEpoch, conflictingRoot } = error.detail;
      for (const vote of votes) noteVote(engine, vote);
      const ours = { epoch: finalizedEpoch, root: finalizedRoot };
      raiseFault(engine, block, ours, { epoch: conflictingEpoch, root: conflictingRoot });
    }
    return { outcome: "ignored", reason: error.detail.code };
  }
  engine.blocks.set(root, treeBlock);
  for (const pruned of change.prunedRoots) engine.prunedRoots.add(pruned);
  keepState(states, root, postState, rootsToKeep(engine));
  return change;
}

function signedVotes(engine: Engine, block: SignedBeaconBlock, state: ConsensusState): SignedVote[] {
  return block.message.body.attestations.map((attestation: Attestation) => ({
    key: voteKey(attestation.data),
    data: attestation.data,
    validatorIndices: getAttestingIndices(state, attestation, engine.chain.params),
    signature: attestation.signature,
  }));
}

function headSlot(engine: Engine): number {
  return engine.blocks.get(engine.store.headRoot)?.slot ?? 0;
}

function announceJustified({ store, outbox }: Engine): void {
  outbox.push({
    type: "justified",
    checkpoint: store.justified,
    proofRoot: store.justifiedProof,
    atSlot: store.justifiedAtSlot,
  });
}

/** Duties stop, and the block whose votes contradict what is final goes out to be kept; once. */
function raiseFault(
  engine: Engine,
  block: SignedBeaconBlock,
  ours: TreeCheckpoint,
  conflicting: TreeCheckpoint,
): void {
  if (engine.isFaulted) return;
  engine.isFaulted = true;
  emit(engine, { type: "safetyFault", ours, conflicting, block });
}

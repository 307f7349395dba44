/** A fully valid block enters the tree, and what follows from it. See specs/consensus/engine.md#import. */
import { type Hash, toHex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { addBounded } from "./bounded-map.ts";
import type { Attestation, SignedBeaconBlock } from "./chain-containers.ts";
import { attest } from "./duties.ts";
import { type Engine, emit, type PendingBlock, type TreeBlock, toTreeCheckpoint } from "./engine-state.ts";
import { type ForkChoiceChange, onBlock } from "./fork-choice.ts";
import { ForkChoiceError, type TreeCheckpoint } from "./fork-choice-store.ts";
import { type BlockRefusal, isTimely } from "./gossip-rules.ts";
import { updateHead } from "./head.ts";
import { getAttestingIndices } from "./indexed-attestation.ts";
import { noteVote, resumeVotes } from "./on-attestation.ts";
import { equivocatorsOf } from "./slashability.ts";
import type { ConsensusState } from "./state.ts";
import { dropStates, keepState } from "./state-cache.ts";
import { creditSync } from "./sync-gate.ts";
import { type SignedVote, toHeadVote, voteKey } from "./vote-records.ts";
import { getWeightSnapshot } from "./weight-snapshots.ts";

/** Roots of abandoned branches remembered, to turn their late descendants away cheaply. */
export const ABANDONED_ROOTS_LIMIT = 4096;

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
  updateHead(engine);
  if (result.finalized !== undefined) finalize(engine, result);
  if (origin.kind === "sync") creditSync(engine.gate, headSlot(engine) - headSlotBefore);
  resumeVotes(engine, root);
  if (block.message.slot === engine.store.nowSlot) attest(engine);
  return undefined;
}

/** Import without wishes: the block was checked before the node stopped. */
export function replayBlock(engine: Engine, block: SignedBeaconBlock, postState: ConsensusState): void {
  const root = toHex(engine.chain.containers.BeaconBlock.hashTreeRoot(block.message));
  const votes = signedVotes(engine, block, postState);
  const result = addToTree(engine, block, root, postState, false, votes);
  if ("outcome" in result) return;
  if (result.finalized !== undefined) finalize(engine, result);
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
      justifiedRing: recentlyJustified(engine, postState),
      votes: votes.map(toHeadVote),
      equivocators: body.attesterSlashings.flatMap(equivocatorsOf),
      balancesAt: ({ epoch }) => getWeightSnapshot(postState, epoch, chain.params).weights,
    });
  } catch (error) {
    if (!(error instanceof ForkChoiceError)) throw error;
    if (error.detail.code === "FORK_CHOICE_SAFETY_FAULT") raiseFault(engine, error.detail);
    return { outcome: "ignored", reason: error.detail.code };
  }
  engine.blocks.set(root, treeBlock);
  keepState(states, root, postState, [store.finalized.root, store.justified.root, store.headRoot]);
  return change;
}

/** The state's justified checkpoints from finality upward; the ring is sorted by epoch. */
function recentlyJustified(engine: Engine, state: ConsensusState): TreeCheckpoint[] {
  const ring = state.justifiedRing;
  const recent: TreeCheckpoint[] = [];
  for (let i = ring.length - 1; i >= 0; i--) {
    const checkpoint = toTreeCheckpoint(engine.chain, ring.getReadonly(i));
    if (checkpoint.epoch < engine.store.finalized.epoch) break;
    recent.push(checkpoint);
  }
  return recent;
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

function raiseFault(
  engine: Engine,
  detail: ForkChoiceError["detail"] & { readonly code: "FORK_CHOICE_SAFETY_FAULT" },
): void {
  engine.isFaulted = true;
  emit(engine, {
    type: "safetyFault",
    ours: { epoch: detail.finalizedEpoch, root: detail.finalizedRoot },
    conflicting: { epoch: detail.conflictingEpoch, root: detail.conflictingRoot },
  });
}

/** Forgets what finality decided against, and what it made old. */
function finalize(engine: Engine, change: ForkChoiceChange): void {
  const { store, blocks } = engine;
  const block = blocks.get(store.finalized.root);
  assert(block !== undefined, "the finalized block is in the tree");
  const chain: Hash[] = [];
  for (let at: TreeBlock | undefined = block; at !== undefined; at = blocks.get(at.parentRoot))
    chain.push(at.root);
  const canonical = new Set(chain);
  const abandoned = change.prunedRoots.filter((root) => !canonical.has(root));
  // The last one is what was finalized before.
  const canonicalRoots = chain.slice(0, -1).reverse();

  dropStates(engine.states, change.prunedRoots);
  for (const root of change.prunedRoots) blocks.delete(root);
  for (const root of abandoned) addBounded(engine.abandonedRoots, root, ABANDONED_ROOTS_LIMIT);
  emit(engine, {
    type: "finalized",
    ...{ checkpoint: store.finalized, slot: block.slot, blockHash: block.blockHash },
    ...{ canonicalRoots, prunedRoots: abandoned },
  });
}

/** Which blocks are looked at, forwarded and blamed. See specs/consensus/gossip-rules.md#blocks. */
import { setBounded } from "./bounded-map.ts";
import type { SignedBeaconBlock } from "./chain-containers.ts";
import { SignedBeaconBlockHeader } from "./containers.ts";
import { isBesideFinality } from "./decided-branches.ts";
import type { BlockOutcome } from "./engine-events.ts";
import { type Engine, type PendingBlock, slotDurationMs } from "./engine-state.ts";
import { giveEvidence } from "./on-operation.ts";
import { type ConsensusState, getProposerIndex } from "./state.ts";
import { computeCheckpointSlot } from "./time.ts";

/** A message may come this share of a slot before its slot begins, for clocks that are not alike. */
export const DISPARITY_DIVISOR = 4;
/** Proposals remembered to notice a second one: many times the slots between two finalizations. */
export const SEEN_PROPOSALS_LIMIT = 1024;

/**
 * Unfinalized blocks above which only the head grows. Nine hours without finality, or a proposer who signs
 * blocks without end: then side branches are given up before memory is.
 */
export const TREE_BLOCKS_LIMIT = 32_768;

/** Why a block is not imported; `reason` is a stable code. */
export type BlockRefusal = { readonly outcome: Exclude<BlockOutcome, "imported">; readonly reason: string };

/** What can be said of a block without its parent's state. */
export function checkArrival(engine: Engine, pending: PendingBlock): BlockRefusal | undefined {
  const { store, chain } = engine;
  const { root, parentRoot, block, origin } = pending;
  const { slot } = block.message;
  if (store.tree.indices.has(root)) return { outcome: "known", reason: "BLOCK_ALREADY_KNOWN" };
  if (engine.invalidRoots.has(root)) return { outcome: "invalid", reason: "BLOCK_KNOWN_INVALID" };
  if (engine.invalidRoots.has(parentRoot)) return { outcome: "invalid", reason: "BLOCK_PARENT_INVALID" };
  const isEvidence = isBesideFinality(engine, parentRoot) && !engine.decidedBlocks.has(root);
  if (engine.abandonedRoots.has(root) || (engine.abandonedRoots.has(parentRoot) && !isEvidence)) {
    return { outcome: "ignored", reason: "BLOCK_ON_ABANDONED_BRANCH" };
  }
  if (isFromFuture(engine, slot)) return { outcome: "ignored", reason: "BLOCK_FROM_FUTURE" };
  if (!isEvidence && slot <= computeCheckpointSlot(store.finalized.epoch, chain.params)) {
    return { outcome: "ignored", reason: "BLOCK_BEHIND_FINALITY" };
  }
  const parentSlot = engine.blocks.get(parentRoot)?.slot ?? engine.decidedBlocks.get(parentRoot)?.slot;
  if (parentSlot !== undefined && slot <= parentSlot) {
    return { outcome: "invalid", reason: "BLOCK_NOT_AFTER_PARENT" };
  }
  if (store.tree.length >= TREE_BLOCKS_LIMIT && parentRoot !== store.headRoot) {
    return { outcome: "ignored", reason: "BLOCK_TREE_FULL" };
  }
  const seen = engine.seenProposals.get(proposalKey(block));
  // One second block is let through to the signature check, which makes it evidence.
  if (origin.kind === "gossip" && seen !== undefined && (seen.root === root || seen.isEquivocation)) {
    return { outcome: "ignored", reason: "BLOCK_PROPOSAL_SEEN" };
  }
  return undefined;
}

/** Whether a slot begins later than clocks that are not alike can explain. */
export function isFromFuture(engine: Engine, slot: number): boolean {
  const duration = slotDurationMs(engine);
  return slot * duration > engine.nowMs + duration / DISPARITY_DIVISOR;
}

/** The parent's look-ahead says who may propose; slots beyond it are checked by the state transition. */
export function checkProposer(
  engine: Engine,
  { block }: PendingBlock,
  parentState: ConsensusState,
): BlockRefusal | undefined {
  const { slot, proposerIndex } = block.message;
  const expected = getProposerIndex(parentState, slot, engine.chain.params);
  if (expected !== undefined && expected !== proposerIndex) {
    return { outcome: "invalid", reason: "BLOCK_WRONG_PROPOSER" };
  }
  return proposerIndex < parentState.validators.length
    ? undefined
    : { outcome: "invalid", reason: "BLOCK_UNKNOWN_PROPOSER" };
}

/**
 * Notes a proposal whose signature is good. A second one for the slot is evidence against the proposer, and
 * is not forwarded; when the chain builds on it, it will be asked for.
 */
export function noteProposal(
  engine: Engine,
  { root, block, header, origin }: PendingBlock,
): BlockRefusal | undefined {
  const key = proposalKey(block);
  const seen = engine.seenProposals.get(key);
  const signedHeader = { message: header, signature: block.signature };
  if (seen === undefined) {
    const { slot, proposerIndex } = header;
    const bytes = SignedBeaconBlockHeader.serialize(signedHeader);
    const proposal = { root, slot, proposerIndex, signedHeader: bytes, isEquivocation: false };
    setBounded(engine.seenProposals, key, proposal, SEEN_PROPOSALS_LIMIT);
    return undefined;
  }
  if (seen.root === root) return undefined;
  if (!seen.isEquivocation) {
    engine.seenProposals.set(key, { ...seen, isEquivocation: true });
    const signedHeader1 = SignedBeaconBlockHeader.deserialize(seen.signedHeader);
    const slashing = { signedHeader1, signedHeader2: signedHeader };
    giveEvidence(engine, { kind: "proposerSlashing", slashing });
  }
  return origin.kind === "gossip" ? { outcome: "ignored", reason: "BLOCK_PROPOSAL_SEEN" } : undefined;
}

/** Whether the block earns the boost: whole in its own slot before votes fall due, and the proposer's only one. */
export function isTimely(engine: Engine, { root, block, arrivalMs }: PendingBlock): boolean {
  const { params } = engine.chain;
  const { slot } = block.message;
  const seen = engine.seenProposals.get(proposalKey(block));
  const duration = slotDurationMs(engine);
  const dueMs = (duration * params.attestationDuePercent) / 100;
  const isOnlyProposal = (seen?.root === root && !seen.isEquivocation) || !params.rules.boostOnlyProposal;
  const isOnTime = arrivalMs - slot * duration < dueMs || !params.rules.boostOnTime;
  return isOnlyProposal && isOnTime && slot === engine.store.nowSlot;
}

function proposalKey({ message }: SignedBeaconBlock): string {
  return `${message.slot}:${message.proposerIndex}`;
}

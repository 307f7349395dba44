/** A block's way from arrival to the tree. See specs/consensus/engine.md#blocks. */
import { type Hash, toHex } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import { getStateInPeriod } from "./advanced-state.ts";
import { addBounded } from "./bounded-map.ts";
import { BeaconBlockHeader } from "./containers.ts";
import { isBesideFinality } from "./decided-branches.ts";
import type { BlockOutcome, EngineEvent } from "./engine-events.ts";
import { type Engine, emit, openJob, type PendingBlock, slotDurationMs } from "./engine-state.ts";
import { type BlockRefusal, checkArrival, checkProposer, noteProposal } from "./gossip-rules.ts";
import { importBlock, weighEvidence } from "./import-block.ts";
import { askForParent, noteDelivery } from "./peer-claims.ts";
import { askForState } from "./rebuild-state.ts";
import { bodySignatureSets, headerSignatureSet } from "./signature-sets.ts";
import { getState } from "./state-cache.ts";
import { stateTransition } from "./state-transition.ts";

/** Blocks on their way at once: two batches of range sync, and gossip. A block holds up to 3 MB. */
export const PENDING_BLOCKS_LIMIT = 160;
/** Of those, blocks nobody vouches for yet: their parent is unknown, so their proposer is not checked. */
export const UNVERIFIED_BLOCKS_LIMIT = 32;
/** How long a block waits for its parent. */
export const WAITING_SLOTS = 8;
export const INVALID_ROOTS_LIMIT = 1024;
const SAFETY_FAULT = "FORK_CHOICE_SAFETY_FAULT";

export function onBlockReceived(engine: Engine, event: EngineEvent & { type: "blockReceived" }): void {
  const { block, arrivalMs, origin } = event;
  const { body, ...rest } = block.message;
  const header = { ...rest, bodyRoot: engine.chain.containers.BeaconBlockBody.hashTreeRoot(body) };
  // A block's root is its header's: the body is hashed once.
  const root = toHex(BeaconBlockHeader.hashTreeRoot(header));
  const isRequested = origin.kind === "sync" && noteDelivery(engine, root);
  if (block.message.slot === engine.store.nowSlot) engine.blockArrivalMs ??= arrivalMs;
  const pending: PendingBlock = {
    ...{ root, parentRoot: toHex(block.message.parentRoot), block, header, arrivalMs, origin, isRequested },
    ...{ stage: "early", isVerdictGiven: false, postState: undefined },
    ...{ areSignaturesValid: false, isPayloadValid: false },
  };
  const refusal = engine.pendingBlocks.has(root)
    ? ({ outcome: "known", reason: "BLOCK_ALREADY_PENDING" } as const)
    : checkArrival(engine, pending);
  if (refusal !== undefined) {
    answer(engine, pending, refusal.outcome, refusal.reason);
    if (refusal.reason === "BLOCK_PARENT_INVALID") markInvalid(engine, root);
    return;
  }
  if (engine.pendingBlocks.size >= PENDING_BLOCKS_LIMIT) {
    answer(engine, pending, "ignored", "BLOCK_QUEUE_FULL");
    return;
  }
  engine.pendingBlocks.set(root, pending);
  advance(engine, pending);
}

/** Takes a waiting block as far as it goes before the next answer is needed. */
export function advance(engine: Engine, pending: PendingBlock): void {
  const { store, states } = engine;
  const { params } = engine.chain;
  const { root, parentRoot, block, header } = pending;
  if (block.message.slot > store.nowSlot) {
    pending.stage = "early";
    return;
  }
  const isEvidence = isBesideFinality(engine, parentRoot);
  if (!store.tree.indices.has(parentRoot) && !isEvidence) {
    waitForParent(engine, pending);
    return;
  }
  const parentState = isEvidence ? engine.decidedBlocks.get(parentRoot)?.state : getState(states, parentRoot);
  if (parentState === undefined) {
    pending.stage = "waitingForState";
    askForState(engine, parentRoot);
    return;
  }
  const refusal = checkProposer(engine, pending, parentState);
  if (refusal !== undefined) {
    refuse(engine, pending, refusal);
    return;
  }
  pending.stage = "checkingProposer";
  emit(engine, {
    type: "verifySignatures",
    id: openJob(engine, { kind: "proposerSignature", root }),
    sets: [headerSignatureSet(parentState, { message: header, signature: block.signature }, params)],
    urgency: "block",
  });
}

function waitForParent(engine: Engine, pending: PendingBlock): void {
  if (engine.pendingBlocks.has(pending.parentRoot)) {
    pending.stage = "waitingForParent";
    return;
  }
  // Range sync feeds parents first: an unknown one means that it started too late.
  const { origin } = pending;
  if (origin.kind === "sync" && (!pending.isRequested || engine.rangeSyncs.has(origin.peer))) {
    refuse(engine, pending, { outcome: "unknownParent", reason: "BLOCK_PARENT_UNKNOWN" });
    return;
  }
  const unverified = [...engine.pendingBlocks.values()].filter(({ stage }) => stage === "waitingForParent");
  if (unverified.length >= UNVERIFIED_BLOCKS_LIMIT) {
    refuse(engine, pending, { outcome: "ignored", reason: "BLOCK_QUEUE_FULL" });
    return;
  }
  pending.stage = "waitingForParent";
  askForParent(engine, pending);
}

/** Once a slot: parents still missing are asked for again; blocks that waited too long are let go. */
export function retryWaitingBlocks(engine: Engine): void {
  for (const pending of [...engine.pendingBlocks.values()]) {
    if (pending.stage !== "waitingForParent" || engine.pendingBlocks.has(pending.parentRoot)) continue;
    if (engine.nowMs > pending.arrivalMs + WAITING_SLOTS * slotDurationMs(engine)) {
      refuse(engine, pending, { outcome: "ignored", reason: "BLOCK_PARENT_UNKNOWN" });
    } else {
      askForParent(engine, pending);
    }
  }
}

/** The proposer's signature was checked: forward the block, then see whether it is right. */
export function onProposerSignature(engine: Engine, root: Hash, isValid: boolean): void {
  const pending = engine.pendingBlocks.get(root);
  if (pending === undefined) return;
  if (!isValid) {
    // The root does not cover the signature: another copy of this block may be good, so it is not marked.
    refuse(engine, pending, { outcome: "invalid", reason: "BLOCK_WRONG_SIGNATURE" });
    return;
  }
  const refusal = noteProposal(engine, pending);
  if (refusal !== undefined) {
    refuse(engine, pending, refusal);
    return;
  }
  // Beside our finality it is forwarded only if it proves a safety fault.
  if (!isBesideFinality(engine, pending.parentRoot)) giveVerdict(engine, pending, "accept", "BLOCK_ACCEPTED");
  executeTransition(engine, pending);
}

function executeTransition(engine: Engine, pending: PendingBlock): void {
  const { chain } = engine;
  const { root, parentRoot, block } = pending;
  const isEvidence = isBesideFinality(engine, parentRoot);
  const parentState = isEvidence
    ? engine.decidedBlocks.get(parentRoot)?.state
    : getStateInPeriod(engine, parentRoot, block.message.slot);
  if (parentState === undefined) {
    // Dropped, or pruned, while the signature was being checked.
    advance(engine, pending);
    return;
  }
  try {
    pending.postState = stateTransition(parentState, block.message, chain.params);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    refuse(engine, pending, { outcome: "invalid", reason: error.detail.code });
    markInvalid(engine, root);
    return;
  }
  pending.stage = "checkingBody";
  const { executionPayload: payload, executionRequests: requests } = block.message.body;
  emit(engine, {
    type: "verifySignatures",
    id: openJob(engine, { kind: "bodySignatures", root }),
    // The proposer's own signature was checked before.
    sets: bodySignatureSets(pending.postState, block.message, chain.params),
    urgency: "block",
  });
  if (isEvidence) {
    // Whoever voted for it is bound by the vote, whatever the payload; and the execution side has let its parent go.
    pending.isPayloadValid = true;
    return;
  }
  emit(engine, {
    type: "executePayload",
    id: openJob(engine, { kind: "payload", root }),
    ...{ payload, requests, parentBeaconBlockRoot: parentRoot },
  });
}

export function onBodySignatures(engine: Engine, root: Hash, valid: readonly boolean[]): void {
  const pending = engine.pendingBlocks.get(root);
  if (pending === undefined || pending.stage !== "checkingBody") return;
  pending.areSignaturesValid = valid.every(Boolean);
  if (pending.areSignaturesValid) finish(engine, pending);
  else refuseInvalid(engine, pending, "BLOCK_WRONG_BODY_SIGNATURE");
}

export function onPayloadExecuted(engine: Engine, root: Hash, verdict: "valid" | "invalid"): void {
  const pending = engine.pendingBlocks.get(root);
  if (pending === undefined || pending.stage !== "checkingBody") return;
  pending.isPayloadValid = verdict === "valid";
  if (pending.isPayloadValid) finish(engine, pending);
  else refuseInvalid(engine, pending, "BLOCK_INVALID_PAYLOAD");
}

function finish(engine: Engine, pending: PendingBlock): void {
  if (!pending.areSignaturesValid || !pending.isPayloadValid || pending.postState === undefined) return;
  const { parentRoot, postState } = pending;
  const refusal = isBesideFinality(engine, parentRoot)
    ? weighEvidence(engine, pending, postState)
    : importBlock(engine, pending, postState);
  if (refusal !== undefined) {
    if (refusal.reason === SAFETY_FAULT) giveVerdict(engine, pending, "accept", SAFETY_FAULT);
    refuse(engine, pending, refusal);
    resumeChildren(engine, pending.root);
    return;
  }
  engine.pendingBlocks.delete(pending.root);
  answer(engine, pending, "imported", "BLOCK_IMPORTED");
  resumeChildren(engine, pending.root);
}

/** Blocks that waited for this one, in the order they came. */
export function resumeChildren(engine: Engine, root: Hash): void {
  for (const pending of [...engine.pendingBlocks.values()]) {
    if (pending.parentRoot === root && pending.stage === "waitingForParent") advance(engine, pending);
  }
}

function refuseInvalid(engine: Engine, pending: PendingBlock, reason: string): void {
  refuse(engine, pending, { outcome: "invalid", reason });
  markInvalid(engine, pending.root);
}

/** Ends a block's way, and that of the blocks that wait for it when it can never come. */
export function refuse(engine: Engine, pending: PendingBlock, { outcome, reason }: BlockRefusal): void {
  engine.pendingBlocks.delete(pending.root);
  answer(engine, pending, outcome, reason);
}

/** Remembers a block as invalid; its descendants are, too. */
function markInvalid(engine: Engine, root: Hash): void {
  addBounded(engine.invalidRoots, root, INVALID_ROOTS_LIMIT);
  for (const child of [...engine.pendingBlocks.values()]) {
    if (child.parentRoot === root) refuseInvalid(engine, child, "BLOCK_PARENT_INVALID");
  }
}

function answer(engine: Engine, pending: PendingBlock, outcome: BlockOutcome, reason: string): void {
  const { origin, root } = pending;
  const isAtFault = outcome === "invalid";
  giveVerdict(engine, pending, isAtFault ? "reject" : "ignore", reason);
  // On gossip the verdict tells on the sender; whoever forwards a block has checked its proposer only.
  if (origin.kind === "sync" && isAtFault) {
    emit(engine, { type: "penalizePeer", peer: origin.peer, fault: "lie", reason });
  }
  emit(engine, { type: "blockProcessed", root, outcome, reason });
}

function giveVerdict(
  engine: Engine,
  pending: PendingBlock,
  verdict: "accept" | "ignore" | "reject",
  reason: string,
): void {
  if (pending.origin.kind !== "gossip" || pending.isVerdictGiven) return;
  pending.isVerdictGiven = true;
  emit(engine, { type: "gossipVerdict", messageId: pending.origin.messageId, verdict, reason });
}

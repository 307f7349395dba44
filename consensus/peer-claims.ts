/** What peers know and we do not: claims, requests for blocks, range sync. See specs/consensus/engine.md#following-peers. */
import type { Hash } from "../primitives/bytes.ts";
import { setBounded } from "./bounded-map.ts";
import { contradictsFinality, oldestEvidenceSlot } from "./decided-branches.ts";
import type { EngineEvent, PeerId, PeerStatus } from "./engine-events.ts";
import { type Engine, emit, type PendingBlock } from "./engine-state.ts";
import type { ChainParams } from "./params.ts";
import { CLAIM_SLOTS } from "./sync-gate.ts";
import { computeCheckpointSlot } from "./time.ts";

export const PEERS_LIMIT = 256;
export const BLOCK_REQUESTS_LIMIT = 64;
/** Peers whose chains we fetch at once. */
export const RANGE_SYNCS_LIMIT = 2;
/** A head this far above ours is fetched as a range, not block by block. */
const RANGE_FROM_SLOTS = 2;
/** How far below our head a range begins at first; each time it proves too late, four times as far. */
const RANGE_BACKSTEP_SLOTS = 64;
/** The last attempt: from below our finality, to see whether the chain is proof of a safety fault. */
const FROM_THE_PAST = 99;
/** After these slots without a status a peer may have gone on without us: we slept, or it did. */
const HEARD_SLOTS = 16;
/** A range sync may take this long without giving a block: a helper and the peer itself may use up their time. */
const RANGE_PATIENCE_SECONDS = 30;
const RANGE_PATIENCE_SLOTS = 4;

export function rangePatienceSlots({ slotSeconds }: ChainParams): number {
  return Math.max(RANGE_PATIENCE_SLOTS, Math.ceil(RANGE_PATIENCE_SECONDS / slotSeconds));
}

export function onPeerStatus(engine: Engine, { peer, status }: EngineEvent & { type: "peerStatus" }): void {
  setBounded(engine.peers, peer, { status, slot: engine.store.nowSlot, hasFailed: false }, PEERS_LIMIT);
  follow(engine, peer, status);
}

/** Peers whose last word is recent enough to trust that they claim nothing. */
export function countHeardPeers({ peers, store }: Engine): number {
  return [...peers.values()].filter(({ slot }) => slot + HEARD_SLOTS >= store.nowSlot).length;
}

export function onPeerGone(engine: Engine, peer: PeerId): void {
  engine.peers.delete(peer);
  engine.gate.claims.delete(peer);
  engine.rangeSyncs.delete(peer);
  for (const [root, request] of engine.blockRequests) {
    if (request.peer === peer) engine.blockRequests.delete(root);
  }
}

/** Notes what the peer claims to know better, and asks for it. */
function follow(engine: Engine, peer: PeerId, status: PeerStatus): void {
  const { store, gate } = engine;
  const ourSlot = headSlot(engine);
  const claimed = claimedRoot(engine, status);
  // One claim per peer: a new one does not give the peer more time.
  if (claimed === undefined) gate.claims.delete(peer);
  else gate.claims.set(peer, { root: claimed, sinceSlot: gate.claims.get(peer)?.sinceSlot ?? store.nowSlot });

  const isHeadMissing = isMissing(engine, status.headRoot);
  if (isHeadMissing && contradictsFinality(engine, status.finalized)) {
    startRangeSync(engine, peer, status, FROM_THE_PAST);
  } else if (isHeadMissing && status.headSlot > finalizedSlot(engine)) {
    if (status.headSlot > ourSlot + RANGE_FROM_SLOTS) startRangeSync(engine, peer, status, 0);
    else askForBlock(engine, status.headRoot, peer);
  }
  if (status.justified.epoch > store.justified.epoch && !engine.rangeSyncs.has(peer)) {
    askForBlock(engine, status.justifiedProofRoot, peer);
  }
}

/** The unknown root that makes the peer's chain better than ours, by what it says. */
function claimedRoot({ store, blocks }: Engine, status: PeerStatus): Hash | undefined {
  const isUnknown = (root: Hash): boolean => !store.tree.indices.has(root);
  if (status.finalized.epoch > store.finalized.epoch && isUnknown(status.finalized.root)) {
    return status.finalized.root;
  }
  if (status.justified.epoch > store.justified.epoch && isUnknown(status.justifiedProofRoot)) {
    return status.justifiedProofRoot;
  }
  const ourSlot = blocks.get(store.headRoot)?.slot ?? 0;
  return status.headSlot > ourSlot && isUnknown(status.headRoot) ? status.headRoot : undefined;
}

/** Whether a block is not in the tree (it may be on its way there) and not known to be useless. */
function isMissing({ store, invalidRoots, abandonedRoots }: Engine, root: Hash): boolean {
  return !store.tree.indices.has(root) && !invalidRoots.has(root) && !abandonedRoots.has(root);
}

/** Asks the peer for one block, unless it is wanted no more or already asked for. */
export function askForBlock(engine: Engine, root: Hash, peer: PeerId): void {
  if (!isMissing(engine, root) || engine.pendingBlocks.has(root) || engine.blockRequests.has(root)) return;
  if (engine.blockRequests.size >= BLOCK_REQUESTS_LIMIT) return;
  engine.blockRequests.set(root, { peer, slot: engine.store.nowSlot });
  emit(engine, { type: "requestBlock", root, peer });
}

/** A block whose parent is unknown: one missing block is asked for, a missing branch is fetched as a range. */
export function askForParent(engine: Engine, { parentRoot, block, origin }: PendingBlock): void {
  if (origin.kind === "own") return;
  const peer = whoShouldHave(engine, origin.peer, block.message.slot);
  const status = engine.peers.get(peer)?.status;
  const isBranchMissing = origin.kind === "sync" || block.message.slot > headSlot(engine) + RANGE_FROM_SLOTS;
  if (isBranchMissing && status !== undefined) startRangeSync(engine, peer, status, 0);
  else askForBlock(engine, parentRoot, peer);
}

/** The sender of a block should have its parent. One that just failed is passed over for another that is as far. */
function whoShouldHave({ peers }: Engine, sender: PeerId, slot: number): PeerId {
  if (peers.get(sender)?.hasFailed !== true) return sender;
  for (const [peer, { status, hasFailed }] of peers) {
    if (!hasFailed && status.headSlot >= slot) return peer;
  }
  return sender;
}

function noteFailure({ peers }: Engine, peer: PeerId): void {
  const heard = peers.get(peer);
  if (heard !== undefined) heard.hasFailed = true;
}

function startRangeSync(engine: Engine, peer: PeerId, status: PeerStatus, attempt: number): void {
  const { rangeSyncs, store, peers } = engine;
  if (rangeSyncs.has(peer) || rangeSyncs.size >= RANGE_SYNCS_LIMIT) return;
  // It gets another chance with its next status. Peers that fail at once would otherwise be asked in a circle.
  if (peers.get(peer)?.hasFailed === true) return;
  const fromSlot = attempt === FROM_THE_PAST ? oldestEvidenceSlot(engine) : rangeStart(engine, attempt);
  if (fromSlot === undefined) return;
  rangeSyncs.set(peer, { lastProgressSlot: store.nowSlot, attempt });
  const { headSlot: toSlot, headRoot } = status;
  emit(engine, { type: "startRangeSync", peer, fromSlot, toSlot, headRoot });
}

function rangeStart(engine: Engine, attempt: number): number {
  const backstep = RANGE_BACKSTEP_SLOTS * 4 ** attempt;
  return Math.max(finalizedSlot(engine), headSlot(engine) - backstep) + 1;
}

/**
 * A block came by sync: the running ones go on (another peer may help out with a range).
 * @returns whether it was asked for by its root.
 */
export function noteDelivery(engine: Engine, root: Hash): boolean {
  const isRequested = engine.blockRequests.delete(root);
  if (isRequested) return true;
  for (const sync of engine.rangeSyncs.values()) sync.lastProgressSlot = engine.store.nowSlot;
  return false;
}

export function onBlockRequestEnded(
  engine: Engine,
  { root, peer, outcome }: EngineEvent & { type: "blockRequestEnded" },
): void {
  engine.blockRequests.delete(root);
  if (outcome === "delivered") return;
  engine.gate.claims.delete(peer);
  noteFailure(engine, peer);
  penalize(engine, peer, outcome === "timedOut" ? "timeout" : "unavailable", "BLOCK_REQUEST_FAILED");
}

export function onRangeSyncEnded(
  engine: Engine,
  { peer, outcome }: EngineEvent & { type: "rangeSyncEnded" },
): void {
  const sync = engine.rangeSyncs.get(peer);
  engine.rangeSyncs.delete(peer);
  const heard = engine.peers.get(peer);
  const status = heard?.status;
  const next = nextAttempt(engine, sync?.attempt ?? 0);
  const isWanted = status !== undefined && isMissing(engine, status.headRoot);
  if (outcome === "unlinked" && next !== undefined && isWanted) {
    startRangeSync(engine, peer, status, next);
    if (engine.rangeSyncs.has(peer)) return;
  }
  engine.gate.claims.delete(peer);
  if (heard !== undefined) heard.hasFailed = outcome !== "done";
  if (outcome === "timedOut") penalize(engine, peer, "timeout", "RANGE_SYNC_FAILED");
  else if (outcome === "unavailable") penalize(engine, peer, "unavailable", "RANGE_SYNC_FAILED");
  // Whoever found something invalid has blamed the sender already; a chain that joins ours nowhere is found here.
  else if (outcome === "unlinked") penalize(engine, peer, "lie", "RANGE_SYNC_FAILED");
  for (const [other, theirs] of engine.peers) if (other !== peer) follow(engine, other, theirs.status);
}

/** A chain that joins ours nowhere above our finality may prove that finality conflicts: that is looked at last. */
function nextAttempt(engine: Engine, attempt: number): number | undefined {
  if (attempt === FROM_THE_PAST) return undefined;
  const canGoBack = headSlot(engine) - finalizedSlot(engine) > RANGE_BACKSTEP_SLOTS * 4 ** attempt;
  return canGoBack ? attempt + 1 : FROM_THE_PAST;
}

/**
 * Once a slot: claims nobody made good end, and requests nobody answered. A claim we had no room to follow is not
 * the peer's fault; requests are held against it by how they end.
 */
export function expireClaims(engine: Engine): void {
  const { gate, blockRequests, rangeSyncs, store, chain } = engine;
  const patienceSlots = rangePatienceSlots(chain.params);
  for (const [peer, claim] of gate.claims) {
    const isOverdue = store.nowSlot > claim.sinceSlot + CLAIM_SLOTS && !rangeSyncs.has(peer);
    if (isOverdue || !isMissing(engine, claim.root)) gate.claims.delete(peer);
  }
  for (const [root, { peer, slot }] of blockRequests) {
    if (store.nowSlot <= slot + CLAIM_SLOTS) continue;
    blockRequests.delete(root);
    noteFailure(engine, peer);
  }
  for (const [peer, { lastProgressSlot }] of rangeSyncs) {
    if (store.nowSlot <= lastProgressSlot + patienceSlots) continue;
    rangeSyncs.delete(peer);
    gate.claims.delete(peer);
    noteFailure(engine, peer);
    penalize(engine, peer, "timeout", "RANGE_SYNC_STALLED");
  }
}

function penalize(
  engine: Engine,
  peer: PeerId,
  fault: "lie" | "unavailable" | "timeout",
  reason: string,
): void {
  emit(engine, { type: "penalizePeer", peer, fault, reason });
}

function headSlot({ blocks, store }: Engine): number {
  return blocks.get(store.headRoot)?.slot ?? 0;
}

function finalizedSlot({ store, chain }: Engine): number {
  return computeCheckpointSlot(store.finalized.epoch, chain.params);
}

/** Votes and aggregates that wait, for one slot, for the block they vote for. See specs/consensus/gossip-rules.md#votes. */
import { type Hash, toHex } from "../primitives/bytes.ts";
import { type Engine, emit, type PendingVotes } from "./engine-state.ts";
import { askForBlock } from "./peer-claims.ts";

/** Messages that wait at once. */
export const WAITING_MESSAGES_LIMIT = 256;

export function holdForHead(engine: Engine, message: PendingVotes, head: Uint8Array): void {
  const headRoot = toHex(head);
  let held = 0;
  for (const messages of engine.pendingVotes.values()) held += messages.length;
  if (held >= WAITING_MESSAGES_LIMIT) {
    giveVerdict(engine, message, "ignore", "VOTE_QUEUE_FULL");
    return;
  }
  const waiting = engine.pendingVotes.get(headRoot);
  if (waiting === undefined) engine.pendingVotes.set(headRoot, [message]);
  else waiting.push(message);
  askForBlock(engine, headRoot, message.peer);
}

/** The messages that waited for a block that is in the tree now. */
export function takeWaiting(engine: Engine, headRoot: Hash): readonly PendingVotes[] {
  const waiting = engine.pendingVotes.get(headRoot) ?? [];
  engine.pendingVotes.delete(headRoot);
  return waiting;
}

/** Votes whose block did not come within a slot are let go. */
export function expireWaitingVotes(engine: Engine): void {
  for (const [headRoot, waiting] of engine.pendingVotes) {
    const kept = waiting.filter((message) => lastSlot(message) + 1 >= engine.store.nowSlot);
    for (const message of waiting) {
      if (!kept.includes(message)) giveVerdict(engine, message, "ignore", "VOTE_HEAD_UNKNOWN");
    }
    if (kept.length === 0) engine.pendingVotes.delete(headRoot);
    else engine.pendingVotes.set(headRoot, kept);
  }
}

function lastSlot(message: PendingVotes): number {
  if (message.kind === "aggregate") return message.aggregate.message.aggregate.data.slot;
  return Math.max(...message.attestations.map(({ data }) => data.slot));
}

export function giveVerdict(
  engine: Engine,
  { messageId }: PendingVotes,
  verdict: "accept" | "ignore" | "reject",
  reason: string,
): void {
  emit(engine, { type: "gossipVerdict", messageId, verdict, reason });
}

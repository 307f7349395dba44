/** Fetches a stretch of a peer's chain and feeds it to ours in order. See specs/network/sync.md#range-sync */
import type { Hash } from "../../primitives/bytes.ts";
import { GOSSIP_LIMIT_BYTES } from "../network/gossip-topics.ts";
import { MAX_REQUEST_BLOCKS, MAX_RESPONSE_BYTES } from "../network/messages.ts";
import type { PeerId } from "../network/network-port.ts";
import { RequestError } from "../network/request-errors.ts";
import { readBatch } from "./block-batch.ts";
import type { SyncBlock, SyncPort } from "./sync-port.ts";

export interface RangeSyncRequest {
  /** Whose chain it is: it decides how the run ends. */
  readonly peer: PeerId;
  readonly fromSlot: number;
  /** Slot and root of the peer's head. */
  readonly toSlot: number;
  readonly headRoot: Hash;
}

/**
 * `unlinked`: the parent of a block is unknown here, so the chains parted before it: start further back.
 * Everything imported before the end of a run stays imported, however it ends.
 */
export type RangeSyncOutcome = "done" | "unlinked" | "unavailable" | "timedOut" | "invalid";

export interface RangeProgress {
  readonly slot: number;
  readonly toSlot: number;
  readonly imported: number;
}

/** Blocks made ready at once, ahead of their import. See specs/network/sync.md#ahead-of-the-engine. */
export const PREPARE_STEP = 8;

interface Batch<Block> {
  readonly peer: PeerId;
  /** At least one. */
  readonly blocks: readonly SyncBlock<Block>[];
  readonly last: SyncBlock<Block>;
  /** The peer stopped before the head it claims, though it had room for more. */
  readonly isShort: boolean;
}

/** Where the next batch begins: slot, and the root its first block must build on, once we have one. */
interface Cursor {
  readonly slot: number;
  readonly parent: Hash | undefined;
}

type Fetched<Block> = Batch<Block> | Exclude<RangeSyncOutcome, "done">;

/**
 * One run. The next batch is fetched while the last one is imported; there are never more than two in memory.
 * Batches go round between the peer and others that claim to be as far. What they send must build on what
 * came before, else they are asked no more; the peer itself always sends the end.
 */
export class RangeSync<Block> {
  readonly #request: RangeSyncRequest;
  readonly #port: SyncPort<Block>;
  readonly #onProgress: (progress: RangeProgress) => void;
  readonly #dropped = new Set<PeerId>();
  #imported = 0;
  #turn = 0;
  #usesHelpers = true;
  #isStopped = false;

  constructor(
    request: RangeSyncRequest,
    port: SyncPort<Block>,
    onProgress: (progress: RangeProgress) => void = () => undefined,
  ) {
    this.#request = request;
    this.#port = port;
    this.#onProgress = onProgress;
  }

  /** The run ends after the block that is being imported. */
  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<RangeSyncOutcome> {
    const { peer, fromSlot, toSlot, headRoot } = this.#request;
    if (this.#port.isKnown(headRoot)) return "done";
    /** Where the peer's own blocks have led; those of helpers may lie beyond. */
    let own: Cursor = { slot: fromSlot, parent: undefined };
    let isBeyondOwn = false;
    let next: Promise<Fetched<Block>> | undefined = this.#fetch(own);
    while (next !== undefined) {
      const batch: Fetched<Block> = await next;
      if (batch === "unlinked" && isBeyondOwn) {
        // The helpers followed another branch than the peer: back to where they took over.
        this.#usesHelpers = false;
        isBeyondOwn = false;
        next = this.#fetch(own);
        continue;
      }
      if (typeof batch === "string") return batch;
      const last: SyncBlock<Block> = batch.last;
      const cursor: Cursor = { slot: last.slot + 1, parent: last.root };
      isBeyondOwn = batch.peer !== peer;
      if (!isBeyondOwn) own = cursor;
      const isEnd: boolean = batch.isShort || last.root === headRoot || last.slot >= toSlot;
      next = isEnd ? undefined : this.#fetch(cursor);
      const failure = await this.#import(batch);
      if (failure === undefined && batch.isShort) return "unavailable";
      if (failure === undefined) continue;
      await next;
      if (typeof failure === "string") return failure;
      next = this.#fetch(failure);
    }
    return "done";
  }

  /** Undefined when all went in, where to go on when a helper lied, or how the run ends. */
  async #import({ peer, blocks }: Batch<Block>): Promise<Cursor | RangeSyncOutcome | undefined> {
    let parent: Hash | undefined;
    for (const [index, block] of blocks.entries()) {
      if (this.#isStopped) return "unavailable";
      // From one step to two steps ahead are prepared.
      if (index % PREPARE_STEP === 0) {
        const from = index === 0 ? 0 : index + PREPARE_STEP;
        this.#port.prepare(blocks.slice(from, index + 2 * PREPARE_STEP));
      }
      const outcome = await this.#port.importBlock(block, peer);
      if (outcome === "unknownParent") return "unlinked";
      if (outcome === "invalid") {
        // The chain has blamed the peer already.
        if (peer === this.#request.peer) return "invalid";
        this.#dropped.add(peer);
        return { slot: block.slot, parent };
      }
      parent = block.root;
      if (outcome === "imported") this.#imported++;
      this.#onProgress({ slot: block.slot, toSlot: this.#request.toSlot, imported: this.#imported });
    }
    return undefined;
  }

  /** From a helper if one is due and does well, else from the peer itself. Never rejects. */
  async #fetch(cursor: Cursor): Promise<Fetched<Block>> {
    const { peer, toSlot } = this.#request;
    const helper = this.#nextHelper();
    if (helper === undefined) return this.#ask(peer, cursor);
    const helped = await this.#ask(helper, cursor);
    const failure = typeof helped === "string" ? helped : helped.isShort ? "unavailable" : undefined;
    if (typeof helped !== "string" && failure === undefined) {
      const own = helped.blocks.filter(({ slot }) => slot < toSlot);
      return toBatch(helper, own, false) ?? this.#ask(peer, cursor);
    }
    this.#dropped.add(helper);
    const reason = failure === undefined ? undefined : PENALTY_OF_HELPER[failure];
    if (reason !== undefined) this.#port.penalize(helper, reason);
    return this.#ask(peer, cursor);
  }

  async #ask(peer: PeerId, cursor: Cursor): Promise<Fetched<Block>> {
    let chunks: readonly Uint8Array[];
    try {
      chunks = await this.#port.requestBlocksByRange(peer, {
        startSlot: cursor.slot,
        count: MAX_REQUEST_BLOCKS,
      });
    } catch (error) {
      return outcomeOfFailure(error);
    }
    const blocks = readBatch(chunks, cursor.slot, (bytes) => this.#port.readBlock(bytes));
    if (blocks === undefined) {
      // A helper is blamed where it is dropped; an invalid block, by the chain that found it so.
      if (peer === this.#request.peer) this.#port.penalize(peer, "lie");
      return "invalid";
    }
    // Its status says that there is more: then an answer is full, or ends at the byte limit, or is withheld.
    const isShort = (blocks.at(-1)?.slot ?? 0) < this.#request.toSlot && hasRoom(chunks);
    const batch = toBatch(peer, blocks, isShort);
    if (batch === undefined) return "unavailable";
    if (cursor.parent !== undefined && blocks[0]?.parentRoot !== cursor.parent) return "unlinked";
    return batch;
  }

  /** Undefined when it is the peer's own turn. */
  #nextHelper(): PeerId | undefined {
    const { peer, toSlot } = this.#request;
    const helpers = this.#port
      .peersWithHeadAt(toSlot)
      .filter((other) => other !== peer && !this.#dropped.has(other));
    if (!this.#usesHelpers) return undefined;
    const turn = this.#turn++ % (helpers.length + 1);
    return turn === 0 ? undefined : helpers[turn - 1];
  }
}

function toBatch<Block>(
  peer: PeerId,
  blocks: readonly SyncBlock<Block>[],
  isShort: boolean,
): Batch<Block> | undefined {
  const last = blocks.at(-1);
  return last === undefined ? undefined : { peer, blocks, last, isShort };
}

/** Fewer blocks than asked for, though the next one, however large, would have fitted in. */
function hasRoom(chunks: readonly Uint8Array[]): boolean {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return chunks.length < MAX_REQUEST_BLOCKS && bytes + GOSSIP_LIMIT_BYTES.beacon_block <= MAX_RESPONSE_BYTES;
}

/** A helper on another branch did nothing wrong. */
const PENALTY_OF_HELPER = {
  unlinked: undefined,
  unavailable: "unavailable",
  timedOut: "timeout",
  invalid: "lie",
} as const;

/** @throws what is not the failure of a request. */
export function outcomeOfFailure(error: unknown): "unavailable" | "timedOut" | "invalid" {
  if (!(error instanceof RequestError)) throw error;
  switch (error.detail.code) {
    case "REQUEST_TIMED_OUT":
      return "timedOut";
    case "REQUEST_MALFORMED_ANSWER":
      return "invalid";
    default:
      return "unavailable";
  }
}

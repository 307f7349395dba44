/** Carries out what the consensus engine wants fetched. See specs/network/sync.md */
import type { Hash } from "../../primitives/bytes.ts";
import type { PeerId } from "../network/network-port.ts";
import { type RangeProgress, RangeSync, type RangeSyncOutcome, type RangeSyncRequest } from "./range-sync.ts";
import type { SyncPort } from "./sync-port.ts";
import { type BlockRequestOutcome, UnknownBlockSync } from "./unknown-block-sync.ts";

/** Runs at the same time: one may be slow, and two peers may be on two branches. The rest wait their turn. */
export const MAX_RUNS = 2;
/** Runs that wait; one per peer is all there can be with the connections we allow. */
export const MAX_WAITING_RUNS = 128;

export interface SyncOptions {
  readonly nowMs: () => number;
  readonly onProgress?: (progress: RangeProgress & { readonly peer: PeerId }) => void;
}

export class Sync<Block> {
  readonly #port: SyncPort<Block>;
  readonly #options: SyncOptions;
  readonly #blocks: UnknownBlockSync<Block>;
  /** With the head each one leads to. */
  readonly #running = new Map<RangeSync<Block>, Hash>();
  readonly #waiting: (() => void)[] = [];
  #isStopped = false;

  constructor(port: SyncPort<Block>, options: SyncOptions) {
    this.#port = port;
    this.#options = options;
    this.#blocks = new UnknownBlockSync(port, options.nowMs);
  }

  /** True while a stretch of blocks is being fetched. */
  get isSyncing(): boolean {
    return this.#running.size > 0;
  }

  /** Fetches one block from one peer and hands it to the chain. Never rejects for what a peer does. */
  requestBlock(root: Hash, peer: PeerId): Promise<BlockRequestOutcome> {
    if (this.#isStopped) return Promise.resolve("unavailable");
    return this.#blocks.request(root, peer);
  }

  /**
   * Fetches a stretch of a peer's chain and hands it to ours. A head another run leads to is waited for: when
   * that run was good, nothing is left to do. Never rejects for what a peer does.
   */
  async startRangeSync(request: RangeSyncRequest): Promise<RangeSyncOutcome> {
    if (this.#waiting.length >= MAX_WAITING_RUNS) return "unavailable";
    while (this.#mustWait(request.headRoot)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#isStopped) return "unavailable";
    const { peer } = request;
    const run = new RangeSync(request, this.#port, (progress) =>
      this.#options.onProgress?.({ peer, ...progress }),
    );
    this.#running.set(run, request.headRoot);
    try {
      return await run.run();
    } finally {
      this.#running.delete(run);
      this.#wakeAll();
    }
  }

  /** Ends all runs soon: each after the block it is importing. */
  stop(): void {
    this.#isStopped = true;
    for (const run of this.#running.keys()) run.stop();
    this.#wakeAll();
  }

  #mustWait(headRoot: Hash): boolean {
    if (this.#isStopped) return false;
    return this.#running.size >= MAX_RUNS || [...this.#running.values()].includes(headRoot);
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** Fetches single blocks by root: parents, heads and proofs we only heard of. See specs/network/sync.md#unknown-blocks */
import { fromHex, type Hash } from "../../primitives/bytes.ts";
import type { PeerId } from "../network/network-port.ts";
import { outcomeOfFailure } from "./range-sync.ts";
import type { SyncBlock, SyncPort } from "./sync-port.ts";

/** Roots being looked for at once. One more is refused: whoever names it can name it again. */
export const MAX_PENDING_BLOCKS = 100;
/** Requests for one root that may fail before it is given up for a while. */
export const MAX_ATTEMPTS = 5;
export const GIVE_UP_MS = 60_000;
/** Roots remembered as given up, and as invalid; the oldest are forgotten first. */
export const MAX_REMEMBERED = 512;

export type BlockRequestOutcome = "delivered" | "unavailable" | "timedOut";

export class UnknownBlockSync<Block> {
  readonly #port: SyncPort<Block>;
  readonly #nowMs: () => number;
  readonly #pending = new Map<string, Promise<BlockRequestOutcome>>();
  readonly #failures = new Map<Hash, { readonly count: number; readonly sinceMs: number }>();
  readonly #invalid = new Map<Hash, true>();

  constructor(port: SyncPort<Block>, nowMs: () => number) {
    this.#port = port;
    this.#nowMs = nowMs;
  }

  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Asks one peer for one block and hands it to the chain. `delivered` when the chain has it, whoever brought
   * it; the block was processed by then. Never rejects.
   */
  request(root: Hash, peer: PeerId): Promise<BlockRequestOutcome> {
    const key = `${root} ${peer}`;
    const running = this.#pending.get(key);
    if (running !== undefined) return running;
    if (this.#port.isKnown(root)) return Promise.resolve("delivered");
    if (this.#isHopeless(root) || this.#pending.size >= MAX_PENDING_BLOCKS) {
      return Promise.resolve("unavailable");
    }
    const attempt = this.#attempt(root, peer).finally(() => this.#pending.delete(key));
    this.#pending.set(key, attempt);
    return attempt;
  }

  /** True for a root whose block the chain found invalid: what builds on it is invalid too. */
  isInvalid(root: Hash): boolean {
    return this.#invalid.has(root);
  }

  #isHopeless(root: Hash): boolean {
    if (this.#invalid.has(root)) return true;
    const failures = this.#failures.get(root);
    if (failures === undefined || failures.count < MAX_ATTEMPTS) return false;
    if (this.#nowMs() - failures.sinceMs < GIVE_UP_MS) return true;
    this.#failures.delete(root);
    return false;
  }

  async #attempt(root: Hash, peer: PeerId): Promise<BlockRequestOutcome> {
    const found = await this.#ask(root, peer);
    if (typeof found === "string") {
      const { count, sinceMs } = this.#failures.get(root) ?? { count: 0, sinceMs: this.#nowMs() };
      remember(this.#failures, root, { count: count + 1, sinceMs });
      return found;
    }
    this.#failures.delete(root);
    const outcome = await this.#port.importBlock(found, peer);
    if (outcome === "invalid") remember(this.#invalid, root, true);
    return "delivered";
  }

  async #ask(root: Hash, peer: PeerId): Promise<SyncBlock<Block> | "unavailable" | "timedOut"> {
    let chunks: readonly Uint8Array[];
    try {
      chunks = await this.#port.requestBlocksByRoot(peer, [fromHex(root)]);
    } catch (error) {
      return outcomeOfFailure(error) === "timedOut" ? "timedOut" : "unavailable";
    }
    const [bytes] = chunks;
    if (bytes === undefined) return "unavailable";
    const block = this.#read(bytes);
    if (block?.root === root) return block;
    this.#port.penalize(peer, "lie");
    return "unavailable";
  }

  #read(bytes: Uint8Array): SyncBlock<Block> | undefined {
    try {
      return this.#port.readBlock(bytes);
    } catch {
      return undefined;
    }
  }
}

function remember<Value>(map: Map<Hash, Value>, root: Hash, value: Value): void {
  map.delete(root);
  map.set(root, value);
  for (const oldest of map.keys()) {
    if (map.size <= MAX_REMEMBERED) break;
    map.delete(oldest);
  }
}

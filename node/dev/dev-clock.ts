/** The time a development chain's blocks say it is. See specs/node/dev.md#time. */
import { serverError } from "../../rpc/rpc-errors.ts";

/** Where the clock stands, for whoever wants to come back to it. All in seconds. */
export type ClockState = { readonly ahead: number; readonly next: number | undefined };

/** The wall's clock, set ahead or back by what the author of a contract asked for. */
export class DevClock {
  readonly #nowMs: () => number;
  /** Seconds the chain is ahead of the wall's clock; negative when it is behind. */
  #ahead = 0;
  #next: number | undefined;

  /** @param nowMs milliseconds since 1970. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get state(): ClockState {
    return { ahead: this.#ahead, next: this.#next };
  }

  restore({ ahead, next }: ClockState): void {
    this.#ahead = ahead;
    this.#next = next;
  }

  /** Timestamp of a block after one of time `parent`: now, and always later than that one. */
  now(parent: number): number {
    return Math.max(parent + 1, this.#wall() + this.#ahead);
  }

  /** As `now`, or what was asked for. */
  next(parent: number): number {
    return this.#next === undefined ? this.now(parent) : Math.max(parent + 1, this.#next);
  }

  /** A block took the time that `next` said. Time goes on from a time that was asked for. */
  onMined(timestamp: number): void {
    if (this.#next === undefined) return;
    this.#ahead = timestamp - this.#wall();
    this.#next = undefined;
  }

  /** @throws RpcError when the timestamp is not after `parent`. */
  setNext(timestamp: number, parent: number): void {
    if (timestamp <= parent) {
      throw serverError(
        `Timestamp error: ${timestamp} is lower than or equal to previous block's timestamp ${parent}`,
      );
    }
    this.#next = timestamp;
  }

  increase(seconds: number): number {
    this.#ahead += seconds;
    return this.#ahead;
  }

  #wall(): number {
    return Math.floor(this.#nowMs() / 1000);
  }
}

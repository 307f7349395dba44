/** Links between simulated nodes: latency, loss, duplicates, partitions. Reordering follows from random latency. */
import type { RandomStream } from "./random-stream.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export type LinkOptions = {
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  /** Share of messages that never arrive, and of those that arrive twice. */
  readonly loss: number;
  readonly duplication: number;
  /** Share of messages that take one to three slots longer; none when left out. */
  readonly late?: number;
  /** Whether two nodes can reach each other at a time. */
  isConnected(from: number, to: number, nowMs: number): boolean;
};

export type SimulatedNetwork = {
  /** Delivers unless the link is cut (now or on arrival) or the message is lost. */
  send(from: number, to: number, deliver: () => void): void;
  isConnected(from: number, to: number): boolean;
};

export function createNetwork(
  clock: VirtualClock,
  random: RandomStream,
  options: LinkOptions,
): SimulatedNetwork {
  const latency = (): number => {
    const lateMs = random.next() < (options.late ?? 0) ? 1000 + random.next() * 2000 : 0;
    return options.minLatencyMs + random.next() * (options.maxLatencyMs - options.minLatencyMs) + lateMs;
  };
  const isConnected = (from: number, to: number): boolean => options.isConnected(from, to, clock.nowMs);
  return {
    isConnected,
    send(from, to, deliver) {
      const copies = random.next() < options.duplication ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const isLost = random.next() < options.loss;
        const delayMs = latency();
        if (isLost || !isConnected(from, to)) continue;
        clock.after(delayMs, () => {
          if (isConnected(from, to)) deliver();
        });
      }
    },
  };
}

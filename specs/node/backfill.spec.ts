import { deepEqual, equal } from "node:assert/strict";
import { type BackfillPort, runBackfill } from "../../node/sync/backfill.ts";
import type { SyncBlock } from "../../node/sync/sync-port.ts";
import { type Hash, toHash } from "../../primitives/bytes.ts";

/** A block is its slot in two bytes; its root is the slot, its parent the slot before in the chain. */
type Stored = { readonly root: Hash; readonly slot: number; readonly bytes: Uint8Array };
const rootOf = (slot: number): Hash => toHash(BigInt(slot));
const bytesOf = (slot: number): Uint8Array => Uint8Array.of(slot >> 8, slot & 255);

class World {
  readonly slots: readonly number[];
  readonly kept: Stored[];
  readonly requests: [string, number][] = [];
  readonly penalties: [string, string][] = [];
  pauses = 0;
  /** What a peer answers; the truth unless it is replaced. */
  answer = (_peer: string, startSlot: number, count: number): readonly Uint8Array[] =>
    this.truth(startSlot, count);

  constructor(slots: readonly number[], kept: readonly number[]) {
    this.slots = slots;
    this.kept = kept.map((slot) => ({ root: rootOf(slot), slot, bytes: bytesOf(slot) }));
  }

  truth(startSlot: number, count: number): readonly Uint8Array[] {
    return this.slots
      .filter((slot) => slot >= startSlot)
      .slice(0, count)
      .map(bytesOf);
  }

  read(bytes: Uint8Array): SyncBlock<undefined> {
    if (bytes.length !== 2) throw new Error("no block");
    const slot = 256 * bytes[0]! + bytes[1]!;
    const parent = this.slots[this.slots.indexOf(slot) - 1] ?? 0;
    return { slot, root: rootOf(slot), parentRoot: rootOf(parent), block: undefined };
  }

  async run(peers: readonly string[] = ["a"], pauseLimit = 50): Promise<void> {
    const port: BackfillPort<undefined> = {
      genesisRoot: rootOf(0),
      oldest: () => (this.kept[0] === undefined ? undefined : this.read(this.kept[0].bytes)),
      store: async (blocks) =>
        void this.kept.unshift(...blocks.map(({ root, slot, bytes }) => ({ root, slot, bytes }))),
      readBlock: (bytes) => this.read(bytes),
      peersWithBlocksFrom: () => peers,
      requestBlocksByRange: async (peer, { startSlot, count }) => {
        this.requests.push([peer, startSlot]);
        return this.answer(peer, startSlot, count);
      },
      penalize: (peer, reason) => void this.penalties.push([peer, reason]),
      pause: async () => {
        this.pauses += 1;
      },
      isStopped: () => this.pauses >= pauseLimit,
    };
    await runBackfill(port);
  }
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("the back-fill", () => {
  it("goes down to genesis, and stores each block once and in order", async () => {
    const world = new World(range(1, 300), [300]);
    await world.run();
    deepEqual(
      world.kept.map(({ slot }) => slot),
      range(1, 300),
    );
    deepEqual(
      world.kept.map(({ bytes }) => bytes),
      range(1, 300).map(bytesOf),
    );
    deepEqual(world.penalties, []);
    equal(world.requests.length, 5);
  });

  it("has nothing to do on a node that began at genesis", async () => {
    const world = new World(range(1, 9), range(1, 9));
    await world.run();
    deepEqual(world.requests, []);
  });

  it("steps over long stretches without blocks", async () => {
    const world = new World([3, 5, 900, 901], [901]);
    await world.run();
    deepEqual(
      world.kept.map(({ slot }) => slot),
      [3, 5, 900, 901],
    );
  });

  it("goes on after an answer that ended early for its size", async () => {
    const world = new World(range(1, 100), [100]);
    world.answer = (_, startSlot) => world.truth(startSlot, 7);
    await world.run();
    equal(world.kept.length, 100);
    deepEqual(world.penalties, []);
  });

  it("asks another peer after one that failed, has nothing, or sends what is no block", async () => {
    const cases = [
      {
        wrong: () => {
          throw new Error("gone");
        },
        penalties: [],
      },
      { wrong: () => [], penalties: [["a", "unavailable"]] },
      { wrong: () => [Uint8Array.of(1)], penalties: [["a", "lie"]] },
    ];
    for (const { wrong, penalties } of cases) {
      const world = new World(range(1, 40), [40]);
      world.answer = (peer, startSlot, count) => (peer === "a" ? wrong() : world.truth(startSlot, count));
      await world.run(["a", "b"]);
      equal(world.kept.length, 40);
      equal(world.requests[1]?.[0], "b");
      deepEqual(world.penalties, penalties);
    }
  });

  it("blames a peer whose blocks lead elsewhere, and stores none of them", async () => {
    const world = new World(range(1, 40), [40]);
    // Everything but the parent of what is kept.
    world.answer = (_, startSlot, count) => world.truth(startSlot, count).filter((bytes) => bytes[1] !== 39);
    await world.run(["a"], 3);
    deepEqual(
      world.kept.map(({ slot }) => slot),
      [40],
    );
    deepEqual(world.penalties[0], ["a", "lie"]);
  });

  it("waits while nobody can serve, and stops when it is told to", async () => {
    const world = new World(range(1, 40), [40]);
    await world.run([], 3);
    deepEqual([world.pauses, world.requests], [3, []]);
  });
});

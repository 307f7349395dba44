/** Range sync and single blocks against scripted peers. See sync.md */
import { deepEqual, equal, ok } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { MAX_REQUEST_BLOCKS } from "../../node/network/messages.ts";
import type { PeerId } from "../../node/network/network-port.ts";
import { RequestError } from "../../node/network/request-errors.ts";
import { type RangeProgress, RangeSync } from "../../node/sync/range-sync.ts";
import { MAX_RUNS, Sync } from "../../node/sync/sync.ts";
import type { ImportOutcome, SyncBlock, SyncPort } from "../../node/sync/sync-port.ts";
import {
  GIVE_UP_MS,
  MAX_ATTEMPTS,
  MAX_PENDING_BLOCKS,
  UnknownBlockSync,
} from "../../node/sync/unknown-block-sync.ts";
import { fromHex, type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import { closeAll, connect, startNode } from "./harness.ts";
import { readScripted, type ScriptedBlock, scriptChain, serveRange, slots } from "./scripted-chain.ts";

type Answer = (startSlot: number, count: number) => Uint8Array[];

/** A node that knows genesis (ZERO_HASH) and the peers it is given. */
class ScriptedNode implements SyncPort<Uint8Array> {
  readonly imported: SyncBlock<Uint8Array>[] = [];
  readonly prepared: SyncBlock<Uint8Array>[] = [];
  readonly known = new Set<Hash>([ZERO_HASH]);
  readonly requests: { readonly peer: PeerId; readonly startSlot: number }[] = [];
  readonly penalties: string[] = [];
  readonly invalid = new Set<Hash>();
  readonly peers = new Map<PeerId, Answer>();
  readonly byRoot = new Map<PeerId, (root: Hash) => Uint8Array | undefined>();
  /** Blocks fetched and not yet handed over, at most. */
  mostHeld = 0;
  #held = 0;

  async requestBlocksByRange(
    peer: PeerId,
    { startSlot, count }: { startSlot: number; count: number },
  ): Promise<Uint8Array[]> {
    this.requests.push({ peer, startSlot });
    await setImmediate();
    const answer = this.peers.get(peer)?.(startSlot, count) ?? [];
    this.#held += answer.length;
    this.mostHeld = Math.max(this.mostHeld, this.#held);
    return answer;
  }

  async requestBlocksByRoot(peer: PeerId, [root]: readonly Uint8Array[]): Promise<Uint8Array[]> {
    this.requests.push({ peer, startSlot: -1 });
    await setImmediate();
    const bytes = this.byRoot.get(peer)?.(toHex(root ?? new Uint8Array(0)));
    return bytes === undefined ? [] : [bytes];
  }

  readBlock(bytes: Uint8Array): SyncBlock<Uint8Array> {
    return readScripted(bytes);
  }

  async importBlock(block: SyncBlock<Uint8Array>): Promise<ImportOutcome> {
    await setImmediate();
    this.#held--;
    if (this.known.has(block.root)) return "known";
    if (this.invalid.has(block.root)) return "invalid";
    if (!this.known.has(block.parentRoot)) return "unknownParent";
    this.known.add(block.root);
    this.imported.push(block);
    return "imported";
  }

  prepare(blocks: readonly SyncBlock<Uint8Array>[]): void {
    this.prepared.push(...blocks);
  }

  isKnown(root: Hash): boolean {
    return this.known.has(root);
  }

  peersWithHeadAt(): readonly PeerId[] {
    return [...this.peers.keys()];
  }

  penalize(peer: PeerId, reason: string): void {
    this.penalties.push(`${peer} ${reason}`);
  }

  /** Syncs to the end of `chain` from `peer`. */
  sync(chain: readonly ScriptedBlock[], peer = "main", fromSlot = 1) {
    const { slot: toSlot, root: headRoot } = chain.at(-1)!;
    return new RangeSync({ peer, fromSlot, toSlot, headRoot }, this).run();
  }
}

const roots = (blocks: readonly SyncBlock<Uint8Array>[]) => blocks.map(({ root }) => root);
const honest =
  (chain: readonly ScriptedBlock[]): Answer =>
  (startSlot, count) =>
    serveRange(chain, startSlot, count);
const timesOut: Answer = () => {
  throw new RequestError({ code: "REQUEST_TIMED_OUT", peer: "?", protocol: "blocks_by_range" });
};

describe("sync: a stretch of a peer's chain", () => {
  let node: ScriptedNode;
  beforeEach(() => {
    node = new ScriptedNode();
  });

  it("brings every block in order, two batches in memory at most", async () => {
    const chain = scriptChain(slots(1, 1000));
    node.peers.set("main", honest(chain));
    equal(await node.sync(chain), "done");
    deepEqual(roots(node.imported), roots(chain));
    deepEqual(roots(node.prepared), roots(chain), "each was prepared once, in order");
    ok(node.mostHeld <= 2 * MAX_REQUEST_BLOCKS);
    deepEqual(node.penalties, []);
  });

  it("asks nothing when the head is known", async () => {
    const chain = scriptChain(slots(1, 10));
    node.known.add(chain.at(-1)!.root);
    equal(await node.sync(chain), "done");
    deepEqual(node.requests, []);
  });

  it("crosses a hundred thousand empty slots with one request", async () => {
    const chain = scriptChain([1, 2, 100_003, 100_004]);
    node.peers.set("main", honest(chain));
    equal(await node.sync(chain), "done");
    deepEqual(roots(node.imported), roots(chain));
    equal(node.requests.length, 1);
  });

  it("goes round between peers that are as far", async () => {
    const chain = scriptChain(slots(1, 12 * MAX_REQUEST_BLOCKS));
    for (const peer of ["main", "b", "c"]) node.peers.set(peer, honest(chain));
    equal(await node.sync(chain), "done");
    deepEqual(roots(node.imported), roots(chain));
    for (const peer of ["main", "b", "c"]) {
      ok(node.requests.filter((request) => request.peer === peer).length >= 3, peer);
    }
  });

  it("skips what is known already", async () => {
    const chain = scriptChain(slots(1, 100));
    node.peers.set("main", honest(chain));
    for (const { root } of chain.slice(0, 50)) node.known.add(root);
    equal(await node.sync(chain), "done");
    deepEqual(roots(node.imported), roots(chain.slice(50)));
  });

  it("ends as unlinked when the first block builds on something unknown", async () => {
    const chain = scriptChain(slots(1, 100));
    node.peers.set("main", honest(chain));
    equal(await node.sync(chain, "main", 30), "unlinked");
    deepEqual(node.imported, []);
  });

  it("takes an empty answer for unavailable, never for the end", async () => {
    const chain = scriptChain(slots(1, 100));
    node.peers.set("main", () => []);
    equal(await node.sync(chain), "unavailable");
  });

  it("does not let a peer trickle single blocks, and keeps the one it sent", async () => {
    const chain = scriptChain(slots(1, 1000));
    node.peers.set("main", (startSlot) => serveRange(chain, startSlot, 1));
    equal(await node.sync(chain), "unavailable");
    equal(node.requests.length, 1);
    equal(node.imported.length, 1);
  });

  it("accepts few large blocks: the answer ended at the byte limit", async () => {
    const chain = scriptChain(slots(1, 6), ZERO_HASH, 0, 1 << 20);
    node.peers.set("main", (startSlot) => serveRange(chain, startSlot, 3));
    equal(await node.sync(chain), "done");
    equal(node.requests.length, 2);
  });

  it("ends as timed out when the peer is silent", async () => {
    const chain = scriptChain(slots(1, 100));
    node.peers.set("main", timesOut);
    equal(await node.sync(chain), "timedOut");
  });

  describe("lies of the peer itself end the run, and nothing of the lie goes in", () => {
    const chain = scriptChain(slots(1, 200));
    const other = scriptChain(slots(1, 200), ZERO_HASH, 1);
    const [first, second, third] = chain as [ScriptedBlock, ScriptedBlock, ScriptedBlock];
    const lies: Record<string, Uint8Array[]> = {
      "a parent that is not the block before": [first.bytes, third.bytes],
      "two branches mixed": [first.bytes, other[1]!.bytes],
      "blocks in the wrong order": [second.bytes, first.bytes],
      "the same block twice": [first.bytes, first.bytes],
      "bytes that are no block": [first.bytes, new Uint8Array(3)],
    };
    for (const [name, answer] of Object.entries(lies)) {
      it(name, async () => {
        node.peers.set("main", () => answer);
        equal(await node.sync(chain), "invalid");
        deepEqual(node.imported, []);
      });
    }

    it("a block before the slot asked for", async () => {
      node.known.add(first.root);
      node.peers.set("main", () => serveRange(chain, 1, MAX_REQUEST_BLOCKS));
      equal(await node.sync(chain, "main", 2), "invalid");
    });

    it("a block the chain finds invalid", async () => {
      node.invalid.add(chain[99]!.root);
      node.peers.set("main", honest(chain));
      equal(await node.sync(chain), "invalid");
      deepEqual(roots(node.imported), roots(chain.slice(0, 99)));
    });
  });

  describe("a bad helper costs its score and nothing else", () => {
    const chain = scriptChain(slots(1, 500));
    const fork = scriptChain(slots(100, 500), chain[98]!.root, 1);
    const helpers: Record<string, { answer: Answer; penalties: string[] }> = {
      "that lies": {
        answer: (startSlot) => serveRange(chain, startSlot, MAX_REQUEST_BLOCKS).reverse(),
        penalties: ["b lie"],
      },
      "that has nothing": { answer: () => [], penalties: ["b unavailable"] },
      "that is silent": { answer: timesOut, penalties: ["b timeout"] },
      "on another branch": { answer: honest([...chain.slice(0, 99), ...fork]), penalties: [] },
    };
    for (const [name, { answer, penalties }] of Object.entries(helpers)) {
      it(name, async () => {
        node.peers.set("main", honest(chain));
        node.peers.set("b", answer);
        equal(await node.sync(chain), "done");
        ok(roots(chain).every((root) => node.known.has(root)));
        deepEqual(node.penalties, penalties);
      });
    }

    it("that sends an invalid block", async () => {
      // 1 … 64 from main, then b's own branch, which is invalid from its second block on.
      const branch = scriptChain(slots(65, 400), chain[63]!.root, 2);
      for (const { root } of branch.slice(1)) node.invalid.add(root);
      node.peers.set("main", honest(chain));
      node.peers.set("b", honest([...chain.slice(0, 64), ...branch]));
      equal(await node.sync(chain), "done");
      ok(roots(chain).every((root) => node.known.has(root)));
      deepEqual(node.requests.at(-1)?.peer, "main");
    });
  });

  it("reaches the peer's head whatever the helpers do", async () => {
    const chain = scriptChain(slots(1, 400).filter((slot) => slot % 3 !== 0));
    const fork = scriptChain(slots(150, 500), chain[80]!.root, 1);
    const behaviour = fc.constantFrom<Answer>(
      honest(chain),
      honest(fork),
      honest([...chain.slice(0, 81), ...fork]),
      timesOut,
      () => [],
      (startSlot) => serveRange(chain, startSlot, 2),
      (startSlot, count) => serveRange(chain, startSlot + 1, count),
      (startSlot, count) => serveRange(chain, startSlot, count).reverse(),
      () => [new Uint8Array(1)],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(behaviour, { minLength: 1, maxLength: 4 }), { maxLength: 4 }),
        async (helpers) => {
          const fresh = new ScriptedNode();
          fresh.peers.set("main", honest(chain));
          for (const [index, answers] of helpers.entries()) {
            let turn = 0;
            fresh.peers.set(`helper-${index}`, (...args) => answers[turn++ % answers.length]!(...args));
          }
          equal(await fresh.sync(chain), "done");
          ok(roots(chain).every((root) => fresh.known.has(root)));
          ok(!fresh.penalties.some((penalty) => penalty.startsWith("main")));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("sync: over real connections", () => {
  afterEach(closeAll);

  it("fetches a chain of two thousand blocks from three peers, one of which lies", async () => {
    const chain = scriptChain([...slots(1, 1000), ...slots(100_000, 101_000)], ZERO_HASH, 0, 500);
    const tip = chain.at(-1)!;
    const status = { headSlot: tip.slot, headRoot: fromHex(tip.root) };
    const late = await startNode();
    const [honestPeer, helper, liar] = await Promise.all([1, 2, 3].map(() => startNode({}, status)));
    for (const peer of [honestPeer!, helper!, liar!]) {
      peer.blocks.blocksByRange = (startSlot, count) => serveRange(chain, startSlot, count);
      await connect(late, peer);
    }
    liar!.blocks.blocksByRange = (startSlot, count) => serveRange(chain, startSlot, count).reverse();

    const node = new ScriptedNode();
    const { network } = late;
    const port: SyncPort<Uint8Array> = {
      requestBlocksByRange: (peer, request) => network.requestBlocksByRange(peer, request),
      requestBlocksByRoot: (peer, wanted) => network.requestBlocksByRoot(peer, wanted),
      readBlock: readScripted,
      importBlock: (block) => node.importBlock(block),
      prepare: (blocks) => node.prepare(blocks),
      isKnown: (root) => node.isKnown(root),
      peersWithHeadAt: (slot) =>
        network.peers().flatMap(({ id, status: told }) => (told.headSlot >= slot ? [id] : [])),
      penalize: (peer, reason) => network.penalize(peer, reason),
    };
    const progress: RangeProgress[] = [];
    const sync = new Sync(port, { nowMs: Date.now, onProgress: (report) => progress.push(report) });
    const { slot: toSlot, root: headRoot } = tip;
    equal(await sync.startRangeSync({ peer: honestPeer!.id, fromSlot: 1, toSlot, headRoot }), "done");
    deepEqual(roots(node.imported), roots(chain));
    deepEqual(
      late.penalties.all.map(({ peer, reason }) => [peer, reason]),
      [[liar!.id, "lie"]],
    );
    equal(progress.at(-1)?.imported, chain.length);
  });
});

describe("sync: one block by root", () => {
  const [block, child] = scriptChain(slots(1, 2)) as [ScriptedBlock, ScriptedBlock];
  let node: ScriptedNode;
  let nowMs: number;
  let single: UnknownBlockSync<Uint8Array>;
  beforeEach(() => {
    node = new ScriptedNode();
    nowMs = 0;
    single = new UnknownBlockSync(node, () => nowMs);
  });

  it("is asked for once, however many want it, and handed to the chain", async () => {
    node.byRoot.set("a", () => block.bytes);
    deepEqual(await Promise.all([single.request(block.root, "a"), single.request(block.root, "a")]), [
      "delivered",
      "delivered",
    ]);
    deepEqual(roots(node.imported), [block.root]);
    equal(node.requests.length, 1);
    equal(await single.request(block.root, "b"), "delivered");
    equal(node.requests.length, 1);
  });

  it("is unavailable when the peer does not have it", async () => {
    equal(await single.request(block.root, "a"), "unavailable");
    deepEqual(node.penalties, []);
  });

  it("makes a liar of a peer that sends another block, or no block", async () => {
    node.byRoot.set("a", () => child.bytes);
    node.byRoot.set("b", () => new Uint8Array(5));
    equal(await single.request(block.root, "a"), "unavailable");
    equal(await single.request(block.root, "b"), "unavailable");
    deepEqual(node.penalties, ["a lie", "b lie"]);
    deepEqual(node.imported, []);
  });

  it("is not asked for again once the chain found it invalid", async () => {
    node.invalid.add(block.root);
    node.byRoot.set("a", () => block.bytes);
    equal(await single.request(block.root, "a"), "delivered");
    equal(single.isInvalid(block.root), true);
    equal(await single.request(block.root, "a"), "unavailable");
    equal(node.requests.length, 1);
  });

  it("is given up for a while after some attempts", async () => {
    for (let i = 0; i < MAX_ATTEMPTS + 3; i++) await single.request(block.root, `peer-${i}`);
    equal(node.requests.length, MAX_ATTEMPTS);
    nowMs += GIVE_UP_MS;
    node.byRoot.set("late", () => block.bytes);
    equal(await single.request(block.root, "late"), "delivered");
  });

  it("is one of a bounded number", async () => {
    const chain = scriptChain(slots(1, MAX_PENDING_BLOCKS + 20));
    const outcomes = chain.map(({ root }) => single.request(root, "a"));
    equal(single.pending, MAX_PENDING_BLOCKS);
    await Promise.all(outcomes);
    equal(node.requests.length, MAX_PENDING_BLOCKS);
    equal(single.pending, 0);
  });
});

describe("sync: runs", () => {
  it("are few at a time, and the rest wait their turn", async () => {
    const node = new ScriptedNode();
    const sync = new Sync(node, { nowMs: () => 0 });
    const chains = [1, 2, 3, 4, 5].map((branch) => scriptChain(slots(1, 10), ZERO_HASH, branch));
    let active = 0;
    let most = 0;
    for (const [index, chain] of chains.entries()) {
      node.peers.set(`peer-${index}`, (startSlot, count) => {
        if (startSlot === 1) most = Math.max(most, ++active);
        return serveRange(chain, startSlot, count);
      });
    }
    node.peersWithHeadAt = () => [];
    const outcomes = await Promise.all(
      chains.map(async (chain, index) => {
        const { slot: toSlot, root: headRoot } = chain.at(-1)!;
        const outcome = await sync.startRangeSync({ peer: `peer-${index}`, fromSlot: 1, toSlot, headRoot });
        active--;
        return outcome;
      }),
    );
    deepEqual(outcomes, ["done", "done", "done", "done", "done"]);
    equal(most, MAX_RUNS);
    equal(node.imported.length, 50);
    equal(sync.isSyncing, false);
  });

  it("to one head are one, and the next peer is asked only when that one failed", async () => {
    const chain = scriptChain(slots(1, 1000));
    const { slot: toSlot, root: headRoot } = chain.at(-1)!;
    for (const first of [honest(chain), () => []]) {
      const node = new ScriptedNode();
      const sync = new Sync(node, { nowMs: () => 0 });
      node.peersWithHeadAt = () => [];
      node.peers.set("first", first);
      node.peers.set("second", honest(chain));
      const outcomes = await Promise.all(
        ["first", "second"].map((peer) => sync.startRangeSync({ peer, fromSlot: 1, toSlot, headRoot })),
      );
      equal(outcomes[1], "done");
      deepEqual(roots(node.imported), roots(chain));
      equal(
        new Set(node.requests.map(({ startSlot }) => startSlot)).size,
        Math.ceil(1000 / MAX_REQUEST_BLOCKS),
      );
      equal(node.requests.length, Math.ceil(1000 / MAX_REQUEST_BLOCKS) + (outcomes[0] === "done" ? 0 : 1));
    }
  });

  it("end when sync stops, also those that wait", async () => {
    const node = new ScriptedNode();
    const sync = new Sync(node, { nowMs: () => 0 });
    const chain = scriptChain(slots(1, 1000));
    node.peers.set("main", honest(chain));
    const { slot: toSlot, root: headRoot } = chain.at(-1)!;
    const run = () => sync.startRangeSync({ peer: "main", fromSlot: 1, toSlot, headRoot });
    const runs = Promise.all([run(), run(), run(), run()]);
    await setImmediate();
    sync.stop();
    deepEqual(await runs, ["unavailable", "unavailable", "unavailable", "unavailable"]);
    equal(await sync.requestBlock(headRoot, "main"), "unavailable");
  });
});

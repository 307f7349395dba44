/** specs/consensus/engine.md: what the engine wishes, in what order, and what it forgets. */
import { deepEqual, doesNotThrow, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { containersOf } from "../../consensus/chain-containers.ts";
import { createEngine, step } from "../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { PENDING_BLOCKS_LIMIT } from "../../consensus/on-block.ts";
import { getStateRoot } from "../../consensus/state.ts";
import { KEPT_STATES_LIMIT } from "../../consensus/state-cache.ts";
import { fromHex, type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import {
  createWorkbench,
  FROM_GOSSIP,
  FROM_SYNC,
  importAll,
  type MadeBlock,
  makeBlock,
  ofType,
  receiveBlock,
  receiveVotes,
  settle,
  signVote,
  snapshot,
  startEngine,
  tick,
  voteData,
  votedChain,
} from "../support/lone-engine.ts";

const bench = createWorkbench(4);
const { genesis } = bench;
const b1 = makeBlock(bench, genesis, 1);
const b2 = makeBlock(bench, b1, 2);
const b3 = makeBlock(bench, b2, 3);

function engineAt(slot: number): Engine {
  const engine = startEngine(bench);
  tick(engine, slot);
  return engine;
}

const typesOf = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type);

describe("engine: blocks", () => {
  it("checks the proposer, then the rest and the payload side by side, then imports", () => {
    const engine = engineAt(1);
    deepEqual(typesOf(settle(engine, receiveBlock(engine, b1.signed))), [
      "verifySignatures",
      "gossipVerdict",
      "verifySignatures",
      "executePayload",
      "storeBlock",
      "headChanged",
      "blockProcessed",
    ]);
  });

  it("waits for both answers, in whatever order they come", () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const engine = engineAt(1);
      const [proposer] = ofType(receiveBlock(engine, b1.signed), "verifySignatures");
      const wishes = step(engine, { type: "signaturesVerified", id: proposer!.id, valid: [true] });
      const [body] = ofType(wishes, "verifySignatures");
      const [payload] = ofType(wishes, "executePayload");
      const answers: EngineEvent[] = [
        { type: "signaturesVerified", id: body!.id, valid: body!.sets.map(() => true) },
        { type: "payloadExecuted", id: payload!.id, verdict: "valid" },
      ];
      deepEqual(step(engine, answers[order[0]!]!), []);
      ok(typesOf(step(engine, answers[order[1]!]!)).includes("storeBlock"));
    }
  });

  it("does not take a block with an invalid payload, and changes nothing", () => {
    const engine = engineAt(1);
    const before = snapshot(engine);
    const [proposer] = ofType(receiveBlock(engine, b1.signed), "verifySignatures");
    const wishes = step(engine, { type: "signaturesVerified", id: proposer!.id, valid: [true] });
    const [payload] = ofType(wishes, "executePayload");
    const effects = step(engine, { type: "payloadExecuted", id: payload!.id, verdict: "invalid" });
    deepEqual(effects, [
      { type: "blockProcessed", root: b1.root, outcome: "invalid", reason: "BLOCK_INVALID_PAYLOAD" },
    ]);
    deepEqual(snapshot(engine), before);
    equal(engine.pendingBlocks.size, 0);
  });

  it("boosts the timely block of its slot, but no block of a proposer who made two", () => {
    const timely = engineAt(1);
    settle(timely, receiveBlock(timely, b1.signed));
    equal(timely.store.boostRoot, b1.root);

    const late = engineAt(1);
    tick(late, 1, 500);
    settle(late, receiveBlock(late, b1.signed));
    equal(late.store.boostRoot, undefined);

    const twofold = engineAt(1);
    const [proposer] = ofType(receiveBlock(twofold, b1.signed), "verifySignatures");
    step(twofold, { type: "signaturesVerified", id: proposer!.id, valid: [true] });
    const second = makeBlock(bench, genesis, 1, { graffiti: "second" });
    settle(twofold, receiveBlock(twofold, second.signed, FROM_SYNC));
    equal(twofold.store.headRoot, second.root);
    equal(twofold.store.boostRoot, undefined);
  });

  it("takes blocks that come before their parents, once the parents are there", () => {
    const engine = engineAt(3);
    deepEqual(receiveBlock(engine, b3.signed), [{ type: "requestBlock", root: b2.root, peer: "peer" }]);
    deepEqual(receiveBlock(engine, b2.signed, FROM_SYNC), [
      { type: "requestBlock", root: b1.root, peer: "peer" },
    ]);
    settle(engine, receiveBlock(engine, b1.signed, FROM_SYNC));
    equal(engine.store.headRoot, b3.root);
    equal(engine.pendingBlocks.size, 0);
  });

  it("lets a block whose parent never comes go, and tells so", () => {
    const engine = engineAt(3);
    receiveBlock(engine, b3.signed);
    const outcomes: string[] = [];
    for (let slot = 4; slot <= 12; slot++) {
      outcomes.push(...ofType(tick(engine, slot), "blockProcessed").map(({ reason }) => reason));
    }
    deepEqual(outcomes, ["BLOCK_PARENT_UNKNOWN"]);
    equal(engine.pendingBlocks.size, 0);
  });

  it("holds a bounded number of blocks", () => {
    const engine = engineAt(200);
    const chain: MadeBlock[] = [b1];
    while (chain.length < PENDING_BLOCKS_LIMIT + 1) {
      chain.push(makeBlock(bench, chain.at(-1)!, chain.length + 1));
    }
    const last = chain.map(({ signed }) => receiveBlock(engine, signed, FROM_SYNC)).at(-1)!;
    deepEqual(
      ofType(last, "blockProcessed").map(({ reason }) => reason),
      ["BLOCK_QUEUE_FULL"],
    );
    equal(engine.pendingBlocks.size, PENDING_BLOCKS_LIMIT);
  });

  it("tells range sync that it began too late", () => {
    const engine = engineAt(3);
    const effects = receiveBlock(engine, b3.signed, FROM_SYNC);
    deepEqual(
      ofType(effects, "blockProcessed").map(({ outcome }) => outcome),
      ["unknownParent"],
    );
    equal(engine.pendingBlocks.size, 0);
  });
});

describe("engine: finality and restart", () => {
  const chain = votedChain(bench, [b1], 10);

  it("hands out the finalized state, the canonical blocks since, and what was pruned", () => {
    const engine = engineAt(10);
    const side = makeBlock(bench, b1, 2, { graffiti: "side" });
    const effects = importAll(engine, [chain[0]!, side, ...chain.slice(1)]);
    const finalized = ofType(effects, "finalized");
    const roots = finalized.flatMap(({ canonicalRoots }) => canonicalRoots);
    deepEqual(
      roots,
      chain.slice(0, roots.length).map(({ root }) => root),
    );
    ok(roots.length >= 6, `blocks of slots 1 to ${roots.length} are final in slot 10`);
    deepEqual(
      finalized.flatMap(({ prunedRoots }) => prunedRoots),
      [side.root],
    );
    const last = finalized.at(-1)!;
    equal(last.checkpoint.root, roots.at(-1));
    deepEqual(getStateRoot(last.state), chain[roots.length - 1]!.signed.message.stateRoot);
    ok(engine.states.entries.size <= chain.length - roots.length + 1, "states below finality are dropped");
  });

  it("tells the execution side of no finality that was not handed out before", () => {
    const engine = engineAt(10);
    const recorded = new Set([toHex(genesis.state.latestExecutionPayloadHeader.blockHash)]);
    let told = 0;
    for (const effect of importAll(engine, chain)) {
      if (effect.type === "finalized") recorded.add(effect.blockHash);
      if (effect.type !== "headChanged") continue;
      ok(recorded.has(effect.finalizedBlockHash));
      told = Math.max(told, [...recorded].indexOf(effect.finalizedBlockHash));
    }
    equal(told, recorded.size - 1, "and of all that was, at last");
  });

  it("goes on from the finalized state and the stored blocks as if it had not stopped", () => {
    const engine = engineAt(10);
    const effects = importAll(engine, chain);
    const last = ofType(effects, "finalized").at(-1)!;
    const stored = ofType(effects, "storeBlock").filter(({ slot }) => slot > last.slot);
    const restarted = createEngine({
      ...{ params: bench.params, genesisRoot: genesis.root, localValidators: [], nowMs: 10_000 },
      ...{ anchorState: last.state, anchorEpoch: last.checkpoint.epoch },
      storedBlocks: stored.map(({ block }) => block),
      justifiedAtSlot: engine.store.justifiedAtSlot,
    });
    deepEqual(restarted.store.tree.roots, engine.store.tree.roots);
    deepEqual(restarted.store.justified, engine.store.justified);
    deepEqual(restarted.store.finalized, engine.store.finalized);
    deepEqual(restarted.store.justifiedAtSlot, engine.store.justifiedAtSlot);
    equal(restarted.store.headRoot, engine.store.headRoot);
    const next = makeBlock(bench, chain.at(-1)!, 11);
    tick(restarted, 11);
    importAll(restarted, [next]);
    equal(restarted.store.headRoot, next.root);
  });

  it("hands out the finality that the stored blocks bring: it may not be on record yet", () => {
    const engine = engineAt(10);
    const effects = importAll(engine, chain);
    const recorded = ofType(effects, "finalized").at(-2)!;
    const lost = ofType(effects, "finalized").at(-1)!;
    const stored = ofType(effects, "storeBlock").filter(({ slot }) => slot > recorded.slot);
    const restarted = createEngine({
      ...{ params: bench.params, genesisRoot: genesis.root, localValidators: [], nowMs: 10_000 },
      ...{ anchorState: recorded.state, anchorEpoch: recorded.checkpoint.epoch },
      storedBlocks: stored.map(({ block }) => block),
    });
    const first = tick(restarted, 10);
    deepEqual(
      ofType(first, "finalized").map(({ checkpoint, canonicalRoots }) => ({ checkpoint, canonicalRoots })),
      [{ checkpoint: lost.checkpoint, canonicalRoots: lost.canonicalRoots }],
    );
    const types = first.map(({ type }) => type);
    ok(
      types.indexOf("finalized") < types.indexOf("headChanged"),
      "recorded before the execution side hears of it",
    );
  });

  it("keeps a bounded number of states without finality, and rebuilds those it dropped", () => {
    const engine = engineAt(300);
    const long: MadeBlock[] = [b1];
    while (long.length < 260) long.push(makeBlock(bench, long.at(-1)!, long.length + 1));
    importAll(engine, long);
    equal(engine.states.entries.size, KEPT_STATES_LIMIT);
    const byRoot = new Map<Hash, MadeBlock>(long.map((block) => [block.root, block]));
    const dropped = long.find(({ root }) => !engine.states.entries.has(root))!;
    const fork = makeBlock(bench, dropped, 299, { graffiti: "fork" });
    const [load] = ofType(receiveBlock(engine, fork.signed, FROM_SYNC), "loadBlocks");
    equal(load!.roots.at(-1), dropped.root);
    const blocks = load!.roots.map((root) => byRoot.get(root)!.signed);
    const effects = settle(engine, step(engine, { type: "blocksLoaded", id: load!.id, blocks }));
    deepEqual(
      ofType(effects, "blockProcessed").map(({ outcome }) => outcome),
      ["imported"],
    );
  });
});

describe("engine: following peers", () => {
  const genesisStatus = { epoch: 0, root: genesis.root };

  function statusOf(headSlot: number, headRoot: Hash, justified = genesisStatus): EngineEvent {
    return {
      ...{ type: "peerStatus", peer: "peer" },
      status: { finalized: genesisStatus, justified, justifiedProofRoot: headRoot, headRoot, headSlot },
    };
  }

  it("asks for a near head by root, and fetches a far one as a range", () => {
    const near = engineAt(3);
    deepEqual(step(near, statusOf(2, b2.root)), [{ type: "requestBlock", root: b2.root, peer: "peer" }]);
    const far = engineAt(3);
    deepEqual(step(far, statusOf(3, b3.root)), [
      { type: "startRangeSync", peer: "peer", fromSlot: 1, toSlot: 3, headRoot: b3.root },
    ]);
  });

  it("asks for nothing it knows", () => {
    const engine = engineAt(3);
    importAll(engine, [b1, b2]);
    deepEqual(step(engine, statusOf(2, b2.root)), []);
  });

  it("goes further back when the chains parted before the range", () => {
    const engine = engineAt(120);
    const long: MadeBlock[] = [b1];
    while (long.length < 100) long.push(makeBlock(bench, long.at(-1)!, long.length + 1));
    importAll(engine, long);
    const unknown = toHex(new Uint8Array(32).fill(5));
    const [first] = ofType(step(engine, statusOf(110, unknown)), "startRangeSync");
    equal(first!.fromSlot, 37);
    const [second] = ofType(
      step(engine, { type: "rangeSyncEnded", peer: "peer", outcome: "unlinked" }),
      "startRangeSync",
    );
    equal(second!.fromSlot, 1);
    deepEqual(step(engine, { type: "rangeSyncEnded", peer: "peer", outcome: "unlinked" }), [
      { type: "penalizePeer", peer: "peer", fault: "lie", reason: "RANGE_SYNC_FAILED" },
    ]);
  });

  it("asks a peer whose range failed for no other before its next status", () => {
    const engine = engineAt(3);
    const status = statusOf(3, b3.root);
    const failed = { type: "rangeSyncEnded", peer: "peer", outcome: "unavailable" } as const;
    step(engine, status);
    step(engine, { ...status, peer: "other" } as EngineEvent);
    deepEqual(ofType(step(engine, failed), "startRangeSync"), []);
    deepEqual(ofType(step(engine, { ...failed, peer: "other" }), "startRangeSync"), []);
    deepEqual(
      ofType(step(engine, status), "startRangeSync").map(({ peer }) => peer),
      ["peer"],
    );
  });

  it("holds a failed request against the peer", () => {
    const engine = engineAt(3);
    step(engine, statusOf(2, b2.root));
    const effects = step(engine, {
      ...{ type: "blockRequestEnded", root: b2.root, peer: "peer", outcome: "unavailable" },
    });
    deepEqual(effects, [
      { type: "penalizePeer", peer: "peer", fault: "unavailable", reason: "BLOCK_REQUEST_FAILED" },
    ]);
    equal(engine.gate.claims.size, 0);
  });
});

describe("engine: hostile input", () => {
  it("lets answers nobody asked for go", () => {
    const engine = engineAt(3);
    const before = snapshot(engine);
    for (const id of [-1, 0, 1, 2 ** 40]) {
      deepEqual(step(engine, { type: "signaturesVerified", id, valid: [true] }), []);
      deepEqual(step(engine, { type: "payloadExecuted", id, verdict: "valid" }), []);
      deepEqual(step(engine, { type: "signed", id, signatures: [] }), []);
      deepEqual(step(engine, { type: "blocksLoaded", id, blocks: [b1.signed] }), []);
    }
    deepEqual(snapshot(engine), before);
  });

  it("never throws on mutated blocks, and none but the good one gets into the tree", () => {
    const { SignedBeaconBlock } = containersOf(bench.params);
    const bytes = SignedBeaconBlock.serialize(b2.signed);
    const mutation = fc.record({ at: fc.nat({ max: bytes.length - 1 }), to: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const mutated = bytes.slice();
        for (const { at, to } of mutations) mutated[at] = to;
        let block: MadeBlock["signed"];
        try {
          block = SignedBeaconBlock.deserialize(mutated);
        } catch {
          return;
        }
        const engine = engineAt(2);
        importAll(engine, [b1]);
        const before = snapshot(engine);
        doesNotThrow(() => settle(engine, receiveBlock(engine, block, FROM_GOSSIP)));
        if (!engine.store.tree.indices.has(b2.root)) deepEqual(snapshot(engine), before);
        ok(engine.store.tree.length <= 3);
      }),
      { numRuns: 300 },
    );
  });

  it("never throws on arbitrary votes", () => {
    const engine = engineAt(3);
    importAll(engine, [b1, b2]);
    const good = voteData(bench, b2, 3);
    const number = fc.oneof(fc.nat({ max: 10 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
    const root = fc.constantFrom(
      ...[ZERO_HASH, genesis.root, b1.root, b2.root].map(fromHex),
      new Uint8Array(32).fill(3),
    );
    const data = fc.record({
      ...{ slot: number, index: fc.nat({ max: 1 }), beaconBlockRoot: root },
      source: fc.record({ epoch: number, root }),
      target: fc.record({ epoch: number, root }),
    });
    const vote = fc.record({
      ...{ committeeIndex: number, attesterIndex: number },
      data: fc.oneof(data, fc.constant(good)),
      signature: fc.constantFrom(new Uint8Array(96), signVote(bench, good, 0).signature),
    });
    fc.assert(
      fc.property(fc.array(vote, { maxLength: 5 }), (votes) => {
        doesNotThrow(() => settle(engine, receiveVotes(engine, votes)));
        ok(engine.votePool.size <= 1, "only the good vote is signed");
      }),
      { numRuns: 500 },
    );
  });
});

/** Peers that lie, are slow, have nothing or stand still: each is blamed, passed over, and another one asked. See engine.md#following-peers */
import { deepEqual, equal } from "node:assert/strict";
import { step } from "../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { RANGE_SYNCS_LIMIT, rangePatienceSlots } from "../../consensus/peer-claims.ts";
import { CLAIM_SLOTS } from "../../consensus/sync-gate.ts";
import {
  createWorkbench,
  type MadeBlock,
  makeBlock,
  ofType,
  receiveBlock,
  settle,
  startEngine,
  tick,
} from "../support/lone-engine.ts";

const bench = createWorkbench(4);
const b1 = makeBlock(bench, bench.genesis, 1);
const b2 = makeBlock(bench, b1, 2);
const far: MadeBlock[] = [b2];
for (let slot = 3; slot <= 10; slot++) far.push(makeBlock(bench, far.at(-1)!, slot));
const NOW = 10;

function engineAt(slot: number): Engine {
  const engine = startEngine(bench);
  tick(engine, slot);
  return engine;
}

function statusOf(peer: string, { root: headRoot, signed }: MadeBlock): EngineEvent {
  const nothing = { epoch: 0, root: bench.genesis.root };
  const headSlot = signed.message.slot;
  return {
    ...{ type: "peerStatus", peer },
    status: { finalized: nothing, justified: nothing, justifiedProofRoot: headRoot, headRoot, headSlot },
  };
}

const faults = (effects: readonly Effect[]) =>
  ofType(effects, "penalizePeer").map(({ peer, fault }) => `${peer} ${fault}`);
const asked = (effects: readonly Effect[]) =>
  ofType(effects, "startRangeSync", "requestBlock").map(({ peer }) => peer);

describe("engine: peers that fail in range sync", () => {
  const ended = (outcome: "unlinked" | "invalid" | "unavailable" | "timedOut") => (engine: Engine) =>
    step(engine, { type: "rangeSyncEnded", peer: "bad", outcome });
  /** The other run goes on; this one gives nothing, and nobody says that it ended. */
  const standsStill = (engine: Engine) => {
    const patience = rangePatienceSlots(engine.chain.params);
    for (let slot = NOW + 1; slot <= NOW + patience; slot++) tick(engine, slot);
    for (const sync of engine.rangeSyncs)
      if (sync[0] !== "bad") sync[1].lastProgressSlot = engine.store.nowSlot;
    const effects = tick(engine, NOW + patience + 1);
    return [...effects, ...step(engine, statusOf("honest", far.at(-1)!))];
  };
  const CASES = [
    { name: "lies: its chain joins ours nowhere", fail: ended("unlinked"), blamed: ["bad lie"] },
    // The sync that found it invalid has blamed it (specs/network/sync.spec.ts).
    { name: "lies: its answer is invalid", fail: ended("invalid"), blamed: [] },
    { name: "is slow", fail: ended("timedOut"), blamed: ["bad timeout"] },
    { name: "is empty", fail: ended("unavailable"), blamed: ["bad unavailable"] },
    { name: "is stuck", fail: standsStill, blamed: ["bad timeout"] },
  ];
  for (const { name, fail, blamed } of CASES) {
    it(`a peer that ${name} is blamed, asked no more, and another takes its place`, () => {
      const engine = engineAt(NOW);
      const head = far.at(-1)!;
      const taken = ["bad", "second"].slice(0, RANGE_SYNCS_LIMIT);
      deepEqual(
        taken.flatMap((peer) => asked(step(engine, statusOf(peer, head)))),
        taken,
      );
      deepEqual(asked(step(engine, statusOf("honest", head))), []);
      const effects = fail(engine);
      deepEqual([faults(effects), asked(effects)], [blamed, ["honest"]]);
      equal(engine.gate.claims.has("bad"), false);
      deepEqual(asked(step(engine, { type: "rangeSyncEnded", peer: "honest", outcome: "unavailable" })), []);
    });
  }
});

describe("engine: peers that fail with an unknown parent", () => {
  const ended = (outcome: "unavailable" | "timedOut") => (engine: Engine) =>
    step(engine, { type: "blockRequestEnded", root: b1.root, peer: "bad", outcome });
  const CASES = [
    // What it sent was another block, which sync calls a lie (specs/network/sync.spec.ts) and ends like this.
    { name: "lies or is empty", fail: ended("unavailable"), blamed: ["bad unavailable"] },
    { name: "is slow", fail: ended("timedOut"), blamed: ["bad timeout"] },
    { name: "is stuck", fail: (engine: Engine) => tick(engine, 3 + CLAIM_SLOTS), blamed: [] },
  ];
  for (const { name, fail, blamed } of CASES) {
    it(`a peer that ${name} does not keep the block from us`, () => {
      const engine = engineAt(2);
      step(engine, statusOf("bad", bench.genesis));
      const gossip = { kind: "gossip", peer: "bad", messageId: "message" } as const;
      deepEqual(asked(settle(engine, receiveBlock(engine, b2.signed, gossip))), ["bad"]);
      step(engine, statusOf("honest", b2));
      const effects = fail(engine);
      deepEqual(faults(effects), blamed);
      const next = tick(engine, engine.store.nowSlot + 1);
      deepEqual([...asked(effects), ...asked(next)], ["honest"]);
    });
  }
});

/** specs/consensus/duties.md: when a node proposes and votes, and with what. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { containersOf } from "../../consensus/chain-containers.ts";
import { step } from "../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { createSyncGate, creditSync, GATE_BUDGET_SLOTS, isGateOpen } from "../../consensus/sync-gate.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { buildCheaply, signCheaply } from "../support/consensus-stand-ins.ts";
import {
  aggregateVotes,
  createWorkbench,
  FROM_SYNC,
  importAll,
  type MadeBlock,
  makeBlock,
  ofType,
  receiveBlock,
  receiveVotes,
  settle,
  signVote,
  startEngine,
  tick,
  voteData,
  votedChain,
} from "../support/lone-engine.ts";

const bench = createWorkbench(4);
const { genesis, params, publicKeys } = bench;
const everyone = [0, 1, 2, 3];
const b1 = makeBlock(bench, genesis, 1);
const HALF_SLOT_MS = 500;

/** Signs, builds and answers checks until nothing is wished for any more. */
function fulfil(engine: Engine, effects: readonly Effect[], graffiti?: Uint8Array): Effect[] {
  const all = [...effects];
  for (let i = 0; i < all.length; i++) {
    const effect = all[i]!;
    if (effect.type === "verifySignatures" || effect.type === "executePayload") {
      all.push(...settle(engine, [effect]).slice(1));
    } else if (effect.type === "signAttestation") {
      const signatures = effect.validatorIndices.map((index) =>
        signCheaply(publicKeys[index]!, effect.signingRoot),
      );
      all.push(...step(engine, { type: "signed", id: effect.id, signatures }));
    } else if (effect.type === "signBlock" || effect.type === "signRandao") {
      const signatures = [signCheaply(publicKeys[effect.validatorIndex]!, effect.signingRoot)];
      all.push(...step(engine, { type: "signed", id: effect.id, signatures }));
    } else if (effect.type === "buildPayload") {
      const { ExecutionPayload, ExecutionRequests } = containersOf(params);
      const payload = buildCheaply(ExecutionPayload.defaultValue(), effect);
      const requests = ExecutionRequests.defaultValue();
      all.push(...step(engine, { type: "payloadBuilt", id: effect.id, payload, requests, graffiti }));
    }
  }
  return all;
}

function publishedBlock(effects: readonly Effect[]): Effect & { type: "publishBlock" } {
  const [published] = ofType(effects, "publishBlock");
  ok(published !== undefined, "a block was published");
  return published;
}

describe("duties: voting", () => {
  it("votes once for all its validators when votes fall due", () => {
    const engine = startEngine(bench, { localValidators: [1, 3] });
    tick(engine, 1);
    deepEqual(ofType(tick(engine, 1, HALF_SLOT_MS - 1), "signAttestation"), []);
    const effects = fulfil(engine, tick(engine, 1, HALF_SLOT_MS));
    const [wish] = ofType(effects, "signAttestation");
    deepEqual(wish!.validatorIndices, [1, 3]);
    const published = ofType(effects, "publishAttestations");
    deepEqual(published.length, 1);
    deepEqual(
      published[0]!.attestations,
      [1, 3].map((index) => signVote(bench, wish!.data, index)),
    );
    deepEqual(ofType(tick(engine, 1, HALF_SLOT_MS + 1), "signAttestation"), []);
  });

  it("votes as soon as the slot's block is imported", () => {
    const engine = startEngine(bench, { localValidators: [0] });
    tick(engine, 1);
    const effects = settle(engine, receiveBlock(engine, b1.signed));
    const [wish] = ofType(effects, "signAttestation");
    deepEqual(wish!.data, voteData(bench, b1, 1));
    deepEqual(ofType(tick(engine, 1, HALF_SLOT_MS), "signAttestation"), []);
  });

  it("has no duties for validators whose keys were taken away", () => {
    const engine = startEngine(bench, { localValidators: [0, 1, 2] });
    step(engine, { type: "localValidatorsLeft", validatorIndices: [0, 2] });
    const [wish] = ofType(tick(engine, 1, HALF_SLOT_MS), "signAttestation");
    deepEqual(wish!.validatorIndices, [1]);
  });

  it("has no duty in epoch 0", () => {
    const engine = startEngine(bench, { localValidators: everyone });
    deepEqual(tick(engine, 0, HALF_SLOT_MS), []);
  });

  it("names the highest justified checkpoint on the head's chain as source, and the block that proves it", () => {
    const chain = votedChain(bench, [b1], 5);
    const engine = startEngine(bench, { localValidators: [0] });
    tick(engine, 5);
    const effects = importAll(engine, chain);
    const [wish] = ofType(effects, "signAttestation");
    const head = chain.at(-1)!;
    deepEqual(wish!.data, voteData(bench, head, 5));
    equal(wish!.data.source.epoch, 4);
    equal(wish!.proofRoot, head.root);
    equal(toHex(wish!.data.target.root), chain.at(-2)!.root);
  });

  it("publishes only what the keys were allowed to sign", () => {
    const engine = startEngine(bench, { localValidators: [1, 3] });
    const [wish] = ofType(tick(engine, 1, HALF_SLOT_MS), "signAttestation");
    const signature = signCheaply(publicKeys[3]!, wish!.signingRoot);
    const effects = step(engine, { type: "signed", id: wish!.id, signatures: [undefined, signature] });
    deepEqual(
      ofType(effects, "publishAttestations").flatMap(({ attestations }) => attestations),
      [signVote(bench, wish!.data, 3)],
    );
    const refused = startEngine(bench, { localValidators: [1] });
    const [other] = ofType(tick(refused, 1, HALF_SLOT_MS), "signAttestation");
    deepEqual(step(refused, { type: "signed", id: other!.id, signatures: [undefined] }), []);
  });
});

describe("duties: proposing", () => {
  it("proposes at the slot's start, and imports its block like any other", () => {
    const engine = startEngine(bench, { localValidators: everyone });
    const effects = fulfil(engine, tick(engine, 1));
    const { block, root } = publishedBlock(effects);
    equal(block.message.slot, 1);
    equal(toHex(block.message.parentRoot), genesis.root);
    equal(engine.store.headRoot, root);
    // The signatures were checked on the way in, and the vote of the slot followed.
    equal(ofType(effects, "publishAttestations").length, 1);
  });

  it("puts the proposer's own graffiti into its block, where it has one", () => {
    const [own, nodes] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    for (const graffiti of [own, undefined]) {
      const engine = startEngine(bench, { localValidators: everyone, graffiti: nodes });
      const { block } = publishedBlock(fulfil(engine, tick(engine, 1), graffiti));
      deepEqual(block.message.body.graffiti, graffiti ?? nodes);
    }
  });

  it("leaves the slot to its proposer", () => {
    const { proposerIndex } = b1.signed.message;
    const engine = startEngine(bench, {
      localValidators: everyone.filter((index) => index !== proposerIndex),
    });
    deepEqual(ofType(tick(engine, 1), "buildPayload", "signRandao"), []);
  });

  it("gives the slot up when it may not sign, or has no payload", () => {
    const failures = [
      (engine: Engine, effects: readonly Effect[]) => {
        const [randao] = ofType(effects, "signRandao");
        return step(engine, { type: "signed", id: randao!.id, signatures: [undefined] });
      },
      (engine: Engine, effects: readonly Effect[]) => {
        const [payload] = ofType(effects, "buildPayload");
        return step(engine, { type: "payloadBuildFailed", id: payload!.id });
      },
    ];
    const reasons = failures.map((fail) => {
      const engine = startEngine(bench, { localValidators: everyone });
      return ofType(fail(engine, tick(engine, 1)), "proposalFailed").map(({ reason }) => reason);
    });
    deepEqual(reasons, [["SIGNING_REFUSED"], ["PAYLOAD_NOT_BUILT"]]);
  });

  it("has no use for an answer after its slot", () => {
    const engine = startEngine(bench, { localValidators: [b1.signed.message.proposerIndex] });
    const [randao] = ofType(tick(engine, 1), "signRandao");
    tick(engine, 2);
    const signatures = [new Uint8Array(96)];
    deepEqual(step(engine, { type: "signed", id: randao!.id, signatures }), []);
  });
});

describe("duties: packing", () => {
  function proposalWith(engine: Engine, slot: number): MadeBlock["signed"] {
    engine.localValidators = new Set(everyone);
    return publishedBlock(fulfil(engine, tick(engine, slot))).block;
  }

  it("takes the data with the most new voters first, and nothing that adds none", () => {
    const engine = startEngine(bench);
    tick(engine, 2);
    importAll(engine, [b1]);
    const many = voteData(bench, b1, 2);
    const few = voteData(bench, b1, 1);
    const otherHead = { ...many, beaconBlockRoot: genesis.signed.message.parentRoot };
    settle(
      engine,
      receiveVotes(
        engine,
        [0, 1, 2].map((index) => signVote(bench, many, index)),
      ),
    );
    settle(engine, receiveVotes(engine, [signVote(bench, few, 3)]));
    settle(engine, receiveVotes(engine, [signVote(bench, otherHead, 3)]));
    const { attestations } = proposalWith(engine, 3).message.body;
    deepEqual(attestations, [aggregateVotes(bench, many, [0, 1, 2]), aggregateVotes(bench, few, [3])]);
  });

  it("adopts the proof of a checkpoint justified on another branch, before anything else", () => {
    // genesis - b1 - p2 (its votes of slot 1 justify epoch 1)
    //              \ f3 - f4 … (the head, by everyone's votes)
    const proof = makeBlock(bench, b1, 2, {
      attestations: [aggregateVotes(bench, voteData(bench, b1, 1), everyone)],
    });
    equal(proof.state.justified.epoch, 1);
    const fork = makeBlock(bench, b1, 3);
    const engine = startEngine(bench);
    tick(engine, 4);
    importAll(engine, [b1, proof, fork]);
    equal(engine.store.justified.epoch, 1);
    const recent = voteData(bench, fork, 4);
    settle(
      engine,
      receiveVotes(
        engine,
        everyone.map((index) => signVote(bench, recent, index)),
      ),
    );
    const block = proposalWith(engine, 5);
    equal(toHex(block.message.parentRoot), fork.root);
    deepEqual(
      block.message.body.attestations.map(({ data }) => data.target.epoch),
      [1, 4],
    );
    const head = engine.store.tree.indices.get(engine.store.headRoot)!;
    equal(engine.store.tree.justifiedEpochs[head], 4);
  });
});

describe("duties: the gate", () => {
  function statusOf(headSlot: number, headRoot: Hash): EngineEvent {
    const checkpoint = { epoch: 0, root: genesis.root };
    return {
      ...{ type: "peerStatus", peer: "peer" },
      status: {
        ...{ finalized: checkpoint, justified: checkpoint, justifiedProofRoot: genesis.root },
        ...{ headRoot, headSlot },
      },
    };
  }

  const stale = { headSlot: 10, peers: 1 };

  it("is open in the first slots, with a fresh head, or with a peer who claims nothing", () => {
    const gate = createSyncGate(false);
    ok(isGateOpen(gate, params, { nowSlot: params.syncToleranceSlots, headSlot: 0, peers: 0 }));
    ok(isGateOpen(gate, params, { nowSlot: 14, headSlot: 10, peers: 0 }));
    ok(isGateOpen(gate, params, { nowSlot: 100, ...stale }));
    ok(!isGateOpen(gate, params, { nowSlot: 100, headSlot: 10, peers: 0 }));
    ok(isGateOpen(createSyncGate(true), params, { nowSlot: 100, headSlot: 10, peers: 0 }));
  });

  it("is shut while a claim stands, but only as long as its budget lasts", () => {
    const gate = createSyncGate(false);
    gate.claims.set("liar", { root: "0x01", sinceSlot: 100 });
    for (let nowSlot = 100; nowSlot <= 100 + GATE_BUDGET_SLOTS; nowSlot++) {
      ok(!isGateOpen(gate, params, { nowSlot, ...stale }));
    }
    ok(isGateOpen(gate, params, { nowSlot: 101 + GATE_BUDGET_SLOTS, ...stale }));
    // Spent: new claims do not shut it again until the head is fresh.
    ok(isGateOpen(gate, params, { nowSlot: 200, ...stale }));
    ok(isGateOpen(gate, params, { nowSlot: 201, headSlot: 200, peers: 1 }));
    ok(!isGateOpen(gate, params, { nowSlot: 300, headSlot: 200, peers: 1 }));
  });

  it("waits a quarter slot longer for each slot that sync gains", () => {
    const gate = createSyncGate(false);
    gate.claims.set("peer", { root: "0x01", sinceSlot: 100 });
    ok(!isGateOpen(gate, params, { nowSlot: 100, ...stale }));
    creditSync(gate, 40);
    ok(!isGateOpen(gate, params, { nowSlot: 118, ...stale }));
    ok(isGateOpen(gate, params, { nowSlot: 119, ...stale }));
  });

  it("keeps a node that slept from voting and proposing until it has what its peer claims", () => {
    const engine = startEngine(bench, { localValidators: everyone });
    const neighbour = statusOf(0, genesis.root);
    step(engine, neighbour);
    // Asleep from slot 0 to 90: what the neighbour said before tells nothing.
    deepEqual(ofType(tick(engine, 90, HALF_SLOT_MS), "signAttestation", "buildPayload"), []);
    const far = makeBlock(bench, b1, 90);
    step(engine, statusOf(90, far.root));
    deepEqual(ofType(tick(engine, 91, HALF_SLOT_MS), "signAttestation", "buildPayload"), []);
    for (const { signed } of [b1, far]) settle(engine, receiveBlock(engine, signed, FROM_SYNC));
    step(engine, { type: "rangeSyncEnded", peer: "peer", outcome: "done" });
    equal(ofType(tick(engine, 92, HALF_SLOT_MS), "signAttestation").length, 1);
  });

  it("stays shut while the clock is off by more than half a slot", () => {
    const engine = startEngine(bench, { localValidators: everyone });
    const effects = step(engine, { type: "tick", nowMs: 1500, clockOffsetMs: 501 });
    deepEqual(ofType(effects, "signAttestation", "buildPayload"), []);
    const next = step(engine, { type: "tick", nowMs: 2500, clockOffsetMs: -500 });
    equal(ofType(next, "signAttestation").length, 1);
  });
});

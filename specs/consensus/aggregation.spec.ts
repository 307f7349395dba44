import { deepEqual, equal, ok } from "node:assert/strict";
import { BitArray } from "@chainsafe/ssz";
import fc from "fast-check";
import { isAggregator } from "../../consensus/aggregators.ts";
import type { SignedAggregateAndProof } from "../../consensus/chain-containers.ts";
import { step } from "../../consensus/engine.ts";
import type { Effect } from "../../consensus/engine-events.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { createParams, DEVNET_PARAMS } from "../../consensus/presets.ts";
import { getCommittees } from "../../consensus/selection.ts";
import { equivocatorsOf } from "../../consensus/slashability.ts";
import { getState } from "../../consensus/state-cache.ts";
import { computeSubnet } from "../../consensus/subnets.ts";
import {
  AGGREGATES_PER_COMMITTEE,
  addAggregateToPool,
  addToPool,
  combineVotes,
  type PooledVotes,
  type VotePool,
} from "../../consensus/vote-pool.ts";
import { aggregateCheaply, signCheaply } from "../support/consensus-stand-ins.ts";
import { createEngineNetwork, type EngineNetwork, runSlots } from "../support/engine-network.ts";
import {
  createWorkbench,
  importAll,
  makeAggregate,
  makeBlock,
  ofType,
  receiveAggregate,
  SLOT_MS,
  selectionProof,
  settle,
  signVote,
  snapshot,
  startEngine,
  voteData,
  votedChain,
} from "../support/lone-engine.ts";

/** Small committees, so that sixty-four validators behave like sixteen thousand. */
const SMALL: Partial<ChainParams> = {
  ...{ unaggregatedVoterLimit: 8, targetCommitteeSize: 4, maxCommitteesPerSlot: 4 },
  targetAggregatorsPerCommittee: 3,
};
/** Committees of two. */
const TINY: Partial<ChainParams> = { ...SMALL, unaggregatedVoterLimit: 4, targetCommitteeSize: 2 };
const epochsOf = (slotsPerEpoch: number): Partial<ChainParams> => ({
  forks: [{ version: "0x6a000002", firstSlot: 0, firstEpoch: 0, slotsPerEpoch }],
});

const wishesOf = ({ nodes }: EngineNetwork): Effect[] => nodes.flatMap(({ wishes }) => wishes);

/** The attestations of the blocks everyone built on. */
function includedVotes({ nodes }: EngineNetwork) {
  return ofType(nodes[0]!.wishes, "storeBlock").flatMap(({ block }) => block.message.body.attestations);
}

describe("aggregation: subnets", () => {
  it("gives the committees of an epoch subnets in turn", () => {
    const params = createParams("testnet", epochsOf(4));
    deepEqual(
      [0, 1, 5, 7].map((slot) => [0, 1, 2].map((committee) => computeSubnet(slot, committee, 3, params))),
      [
        [0, 1, 2],
        [3, 4, 5],
        [3, 4, 5],
        [9, 10, 11],
      ],
    );
    equal(computeSubnet(3, 63, 64, params), 63, "all 64 subnets, whatever the slot");
  });
});

describe("aggregation: aggregators", () => {
  it("draws about the target from a committee, and everyone from a small one", () => {
    const proofs = Array.from({ length: 2048 }, (_, i) => new Uint8Array(96).fill(i % 256).fill(i >> 8, 48));
    const drawn = proofs.filter((proof) => isAggregator(2048, proof, DEVNET_PARAMS)).length;
    // 2048 draws with a chance of 1/128: sixteen, standard deviation four.
    ok(drawn > 0 && drawn < 36, `${drawn} aggregators`);
    ok(proofs.every((proof) => isAggregator(31, proof, DEVNET_PARAMS)));
  });

  it("follows the first eight bytes of the proof's hash, little-endian", () => {
    // sha256 of 96 zero bytes begins with 2ea9ab9198d1638007400cd2c3bef1cc (hashlib): 0x8063d19891aba92e.
    const draw = 0x8063d19891aba92en;
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 131_072 }), (size) => {
        const expected = draw % BigInt(Math.floor(size / 16)) === 0n;
        equal(isAggregator(size, new Uint8Array(96), DEVNET_PARAMS), expected);
      }),
    );
  });
});

describe("aggregation: a network of engines", () => {
  it("finalizes with four slots an epoch and four committees a slot", () => {
    const network = createEngineNetwork(createWorkbench(32, { ...TINY, ...epochsOf(4) }), 4);
    runSlots(network, 0, 24);
    for (const { engine } of network.nodes) {
      // Epoch 5 is justified within its slots, which makes 4 final.
      equal(engine.store.finalized.epoch, 4);
      equal(engine.store.headRoot, network.nodes[0]!.engine.store.headRoot);
    }
    ok(includedVotes(network).some(({ committeeBits }) => committeeBits.getTrueBitIndexes().length === 4));
    const verdicts = ofType(wishesOf(network), "gossipVerdict");
    deepEqual(
      verdicts.filter(({ verdict }) => verdict === "reject"),
      [],
    );
    ok(verdicts.some(({ reason }) => reason === "AGGREGATE_ACCEPTED"));
  });

  it("finalizes in three slots with one slot an epoch and four committees", () => {
    const bench = createWorkbench(16, SMALL);
    const network = createEngineNetwork(bench, 4);
    runSlots(network, 0, 12);
    for (const { engine } of network.nodes) {
      equal(engine.store.finalized.epoch, 10);
      equal(getCommittees(getState(engine.states, engine.store.headRoot)!, 12, bench.params).length, 4);
    }
  });

  it("needs no subnet but those its own aggregators were drawn for, and finalizes with a quarter away", () => {
    const bench = createWorkbench(32, { ...TINY, ...epochsOf(4), targetAggregatorsPerCommittee: 1 });
    const network = createEngineNetwork(bench, 4);
    network.nodes[3]!.isOnline = false;
    let isListeningEverywhere = true;
    runSlots(network, 0, 28, () => {
      isListeningEverywhere &&= network.nodes[0]!.subnets.size === 16;
    });
    ok(!isListeningEverywhere);
    ok(network.nodes[0]!.engine.store.finalized.epoch >= 2);
  });

  it("sends nothing more than one message a node below the limit", () => {
    const network = createEngineNetwork(createWorkbench(8, { ...SMALL, ...epochsOf(1) }), 2);
    runSlots(network, 0, 3);
    const wishes = wishesOf(network);
    deepEqual(ofType(wishes, "signSelections", "signAggregates", "publishAggregates", "subnetsWanted"), []);
    deepEqual(
      new Set(ofType(wishes, "publishAttestations").map(({ subnet }) => subnet)),
      new Set([undefined]),
    );
    equal(ofType(wishes, "publishAttestations").length, 6);
  });
});

describe("aggregation: what aggregates gossip refuses", () => {
  const bench = createWorkbench(16, SMALL);
  const { params } = bench;
  const chain = votedChain(bench, [bench.genesis, makeBlock(bench, bench.genesis, 1)], 3);
  const head = chain.at(-1)!;
  const committees = getCommittees(head.state, 3, params);
  const committee = committees[1]!;
  const aggregator = committee[0]!;
  const honest = makeAggregate(bench, voteData(bench, head, 3), committees, 1, [0, 1, 2]);

  function verdictOn(aggregate: SignedAggregateAndProof, before: readonly SignedAggregateAndProof[] = []) {
    const engine = startEngine(bench, { nowMs: 3 * SLOT_MS });
    importAll(engine, chain.slice(1));
    for (const earlier of before) settle(engine, receiveAggregate(engine, earlier));
    const untouched = snapshot(engine);
    const [verdict] = ofType(settle(engine, receiveAggregate(engine, aggregate)), "gossipVerdict");
    if (verdict?.verdict !== "accept") deepEqual(snapshot(engine), untouched);
    return `${verdict?.verdict} ${verdict?.reason}`;
  }
  const withAggregate = (changed: Partial<SignedAggregateAndProof["message"]["aggregate"]>) => ({
    ...honest,
    message: { ...honest.message, aggregate: { ...honest.message.aggregate, ...changed } },
  });
  const bits = (...positions: number[]) =>
    BitArray.fromBoolArray([0, 1, 2, 3].map((i) => positions.includes(i)));
  const committeeBits = (...indices: number[]) => {
    const all = BitArray.fromBitLen(params.maxCommitteesPerSlot);
    for (const index of indices) all.set(index, true);
    return all;
  };

  it("accepts a good one", () => equal(verdictOn(honest), "accept AGGREGATE_ACCEPTED"));

  const outsider = committees[0]![0]!;
  const wider = makeAggregate(bench, voteData(bench, head, 3), committees, 1, [0, 1, 2, 3], committee[1]!);
  const cases: Record<string, [SignedAggregateAndProof, SignedAggregateAndProof[]?]> = {
    "reject AGGREGATE_NOT_ONE_COMMITTEE": [withAggregate({ committeeBits: committeeBits(1, 2) })],
    "reject AGGREGATE_WRONG_LENGTH": [withAggregate({ aggregationBits: BitArray.fromBitLen(5) })],
    "reject AGGREGATE_EMPTY": [withAggregate({ aggregationBits: bits() })],
    "reject AGGREGATE_NOT_IN_COMMITTEE": [
      { ...honest, message: { ...honest.message, aggregatorIndex: outsider } },
    ],
    "reject AGGREGATE_WRONG_SIGNATURE": [{ ...honest, signature: new Uint8Array(96) }],
    "ignore AGGREGATE_COVERED": [honest, [wider]],
    "ignore AGGREGATE_AGGREGATOR_SEEN": [
      makeAggregate(bench, voteData(bench, head, 3), committees, 1, [0, 1, 2, 3], aggregator),
      [honest],
    ],
    "reject VOTE_INDEX_NOT_ZERO": [withAggregate({ data: { ...honest.message.aggregate.data, index: 1 } })],
  };
  for (const [expected, [aggregate, before]] of Object.entries(cases)) {
    it(expected, () => equal(verdictOn(aggregate, before), expected));
  }

  it("rejects a member that was not drawn", () => {
    const strict = { ...SMALL, targetAggregatorsPerCommittee: 1 };
    const other = createWorkbench(16, strict);
    const proofs = [...committee].map((member) => selectionProof(other, 3, member));
    const undrawn = proofs.findIndex((proof) => !isAggregator(4, proof, other.params));
    const engine = startEngine(other, { nowMs: 3 * SLOT_MS });
    importAll(engine, chain.slice(1));
    const data = voteData(other, head, 3);
    const sent = makeAggregate(other, data, committees, 1, [0, 1], committee[undrawn]!);
    const [verdict] = ofType(settle(engine, receiveAggregate(engine, sent)), "gossipVerdict");
    equal(verdict?.reason, "AGGREGATE_NOT_SELECTED");
  });

  it("slashes the member whose first vote was another", () => {
    const engine = startEngine(bench, { nowMs: 3 * SLOT_MS });
    importAll(engine, chain.slice(1));
    settle(engine, receiveAggregate(engine, honest));
    const other = voteData(bench, chain[2]!, 3);
    const second = makeAggregate(bench, other, committees, 1, [1], committee[1]!);
    const effects = settle(engine, receiveAggregate(engine, second));
    const [evidence] = ofType(effects, "slashingEvidence");
    ok(evidence?.evidence.kind === "attesterSlashing");
    deepEqual(equivocatorsOf(evidence.evidence.slashing), [committee[1]]);
  });

  it("rejects a vote on the wrong subnet, and an aggregate of a slot with one committee", () => {
    const engine = startEngine(bench, { nowMs: 3 * SLOT_MS });
    importAll(engine, chain.slice(1));
    const vote = { ...signVote(bench, voteData(bench, head, 3), aggregator), committeeIndex: 1 };
    const reasons = [undefined, 0, 1].map((subnet) => {
      const message = { attestations: [vote], subnet, peer: "peer", messageId: "message" };
      const effects = settle(engine, step(engine, { type: "attestationsReceived", ...message }));
      return ofType(effects, "gossipVerdict")[0]?.reason;
    });
    deepEqual(reasons, ["VOTE_WRONG_SUBNET", "VOTE_WRONG_SUBNET", "VOTES_ACCEPTED"]);

    const whole = createWorkbench(4, SMALL);
    const lone = startEngine(whole, { nowMs: SLOT_MS });
    const everyone = getCommittees(whole.genesis.state, 1, whole.params);
    const sent = makeAggregate(whole, voteData(whole, whole.genesis, 1), everyone, 0, [0]);
    const [verdict] = ofType(settle(lone, receiveAggregate(lone, sent)), "gossipVerdict");
    equal(verdict?.reason, "AGGREGATE_OF_ONE_COMMITTEE");
  });
});

describe("aggregation: what the pool keeps", () => {
  const bench = createWorkbench(1);
  const data = voteData(bench, bench.genesis, 1);
  const votes = (): PooledVotes => ({
    ...{ data, signatures: new Map(), aggregates: new Map(), voters: new Uint8Array(0) },
  });
  const committee = Uint32Array.from({ length: 8 }, (_, i) => 10 + i);

  it("never counts a vote twice in one signature", () => {
    const subset = fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(subset, { maxLength: 8 }), subset, (aggregates, singles) => {
        const pool: VotePool = new Map([["0x01", votes()]]);
        const signatureOf = (positions: readonly number[]) =>
          aggregateCheaply(positions.map((i) => signCheaply(new Uint8Array([i]), new Uint8Array(1))));
        for (const positions of aggregates) {
          const bits = BitArray.fromBoolArray([...committee.keys()].map((i) => positions.includes(i)));
          const validatorIndices = positions.map((i) => 10 + i).sort((a, b) => a - b);
          addAggregateToPool(pool, { key: "0x01", data, validatorIndices }, 0, {
            bits,
            signature: signatureOf(positions),
          });
        }
        for (const i of singles) {
          const vote = {
            key: "0x01",
            data,
            validatorIndices: [10 + i],
            signature: signatureOf([i]),
          } as const;
          addToPool(pool, vote, 10 + i);
        }
        const combined = combineVotes(pool.get("0x01")!, 0, committee)!;
        const voters = combined.bits.getTrueBitIndexes();
        deepEqual(aggregateCheaply(combined.signatures), signatureOf(voters));
        ok(singles.every((i) => voters.includes(i)) || aggregates.length > 0);
        ok((pool.get("0x01")!.aggregates.get(0)?.length ?? 0) <= AGGREGATES_PER_COMMITTEE);
      }),
    );
  });
});

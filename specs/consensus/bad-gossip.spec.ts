/** One bad message for each code gossip can be answered with. A new code without one fails the first test. */
import { deepEqual, doesNotThrow, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { BitArray } from "@chainsafe/ssz";
import fc from "fast-check";
import { containersOf, type SignedAggregateAndProof } from "../../consensus/chain-containers.ts";
import type { AttestationData, SingleAttestation } from "../../consensus/containers.ts";
import { step } from "../../consensus/engine.ts";
import type { Effect } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { TREE_BLOCKS_LIMIT } from "../../consensus/gossip-rules.ts";
import { UNVERIFIED_BLOCKS_LIMIT } from "../../consensus/on-block.ts";
import type { Operation } from "../../consensus/operation-pool.ts";
import { getCommittees } from "../../consensus/selection.ts";
import { exitSigningRoot } from "../../consensus/signature-sets.ts";
import { WAITING_MESSAGES_LIMIT } from "../../consensus/waiting-votes.ts";
import { createBlockCodec } from "../../node/chain/block-codec.ts";
import { createGossipHandler } from "../../node/chain/gossip-events.ts";
import { GOSSIP_TOPICS, limitBytesOf } from "../../node/network/gossip-topics.ts";
import { fromHex } from "../../primitives/bytes.ts";
import { aggregateCheaply, signCheaply } from "../support/consensus-stand-ins.ts";
import {
  createWorkbench,
  FROM_SYNC,
  importAll,
  type MadeBlock,
  makeAggregate,
  makeBlock,
  ofType,
  receiveAggregate,
  receiveBlock,
  receiveVotes,
  SLOT_MS,
  settle,
  signVote,
  snapshot,
  startEngine,
  tick,
  voteData,
  votedChain,
} from "../support/lone-engine.ts";

const bench = createWorkbench(8);
const { genesis, params, publicKeys } = bench;
const containers = containersOf(params);
const b1 = makeBlock(bench, genesis, 1);
const b2 = makeBlock(bench, b1, 2);
/** Sixteen voters a slot, in four committees. */
const wide = createWorkbench(16, {
  ...{ unaggregatedVoterLimit: 8, targetCommitteeSize: 4, maxCommitteesPerSlot: 4 },
  targetAggregatorsPerCommittee: 3,
});
const wideHead = votedChain(wide, [wide.genesis, makeBlock(wide, wide.genesis, 1)], 3).at(-1)!;
const ROOT = new Uint8Array(32).fill(7);
const FORGED = new Uint8Array(96);

function engineAt(slot = 3, blocks: readonly MadeBlock[] = [b1, b2]): Engine {
  const engine = startEngine(bench);
  tick(engine, slot);
  importAll(engine, blocks);
  return engine;
}
function wideEngine(): Engine {
  const engine = startEngine(wide, { nowMs: 3 * SLOT_MS });
  const chain: MadeBlock[] = [];
  for (let at: MadeBlock | undefined = wideHead; at?.parent !== undefined; at = at.parent) chain.unshift(at);
  importAll(engine, chain);
  return engine;
}
function finalizedEngine(extra: readonly MadeBlock[] = []): Engine {
  const chain = votedChain(bench, [b1], 8);
  return engineAt(9, [chain[0]!, ...extra, ...chain.slice(1)]);
}
const spoiled = (parent: MadeBlock, slot: number, change: Partial<MadeBlock["signed"]["message"]>) =>
  makeBlock(bench, parent, slot, { spoil: (message) => ({ ...message, ...change }) });
const spoiledBody = (change: Partial<MadeBlock["signed"]["message"]["body"]>) =>
  makeBlock(bench, b2, 3, { spoil: (message) => ({ ...message, body: { ...message.body, ...change } }) });

/** An engine, and the last message it is sent. */
type Example = { readonly engine: Engine; readonly send: () => readonly Effect[]; readonly verdict: Verdict };
type Verdict = "reject" | "ignore" | "accept";

const block = (engine: Engine, made: MadeBlock, verdict: Verdict): Example => ({
  ...{ engine, verdict, send: () => receiveBlock(engine, made.signed) },
});
const unverified = (engine: Engine) => {
  for (let i = 0; i < UNVERIFIED_BLOCKS_LIMIT; i++) {
    receiveBlock(engine, spoiled(b2, 3, { parentRoot: new Uint8Array(32).fill(i + 1) }).signed);
  }
  return engine;
};

const BLOCKS = {
  BLOCK_ALREADY_KNOWN: () => block(engineAt(), b2, "ignore"),
  BLOCK_ALREADY_PENDING: () => {
    const engine = engineAt(3, [b1]);
    receiveBlock(engine, b2.signed, FROM_SYNC);
    return block(engine, b2, "ignore");
  },
  BLOCK_FROM_FUTURE: () => block(engineAt(), makeBlock(bench, b2, 4), "ignore"),
  BLOCK_BEHIND_FINALITY: () =>
    block(finalizedEngine(), spoiled(b1, 2, { parentRoot: ROOT, slot: 1 }), "ignore"),
  BLOCK_ON_ABANDONED_BRANCH: () => {
    const side = makeBlock(bench, b1, 2, { graffiti: "side" });
    return block(finalizedEngine([side]), makeBlock(bench, side, 9), "ignore");
  },
  BLOCK_PROPOSAL_SEEN: () => {
    const engine = engineAt(3, []);
    settle(engine, receiveBlock(engine, b1.signed));
    return block(engine, makeBlock(bench, genesis, 1, { graffiti: "second" }), "ignore");
  },
  BLOCK_QUEUE_FULL: () =>
    block(unverified(engineAt()), spoiled(b2, 3, { parentRoot: FORGED.slice(64) }), "ignore"),
  BLOCK_TREE_FULL: () => {
    const engine = engineAt();
    const beside = makeBlock(bench, b1, 3);
    const send = () => {
      const { tree } = engine.store;
      const { length } = tree;
      tree.length = TREE_BLOCKS_LIMIT;
      const effects = receiveBlock(engine, beside.signed);
      tree.length = length;
      return effects;
    };
    return { engine, send, verdict: "ignore" };
  },
  BLOCK_PARENT_UNKNOWN: () => {
    const engine = engineAt();
    receiveBlock(engine, spoiled(b2, 3, { parentRoot: ROOT }).signed);
    return {
      engine,
      send: () => [...Array(20).keys()].flatMap((i) => tick(engine, 4 + i)),
      verdict: "ignore",
    };
  },
  BLOCK_KNOWN_INVALID: () => {
    const engine = engineAt();
    const invalid = spoiled(b2, 3, { stateRoot: ROOT });
    settle(engine, receiveBlock(engine, invalid.signed));
    return block(engine, invalid, "reject");
  },
  BLOCK_PARENT_INVALID: () => {
    const engine = engineAt(3, [b1]);
    const invalid = spoiled(b1, 2, { stateRoot: ROOT });
    settle(engine, receiveBlock(engine, invalid.signed));
    return block(engine, spoiled(b2, 3, { parentRoot: fromHex(invalid.root) }), "reject");
  },
  BLOCK_NOT_AFTER_PARENT: () => block(engineAt(), spoiled(b2, 3, { slot: 2 }), "reject"),
  BLOCK_WRONG_PROPOSER: () => {
    const proposerIndex = (makeBlock(bench, b2, 3).signed.message.proposerIndex + 1) % 8;
    return block(engineAt(), spoiled(b2, 3, { proposerIndex }), "reject");
  },
  // Beyond the look-ahead nobody knows the proposer yet; it must exist at least.
  BLOCK_UNKNOWN_PROPOSER: () => {
    const late = spoiled(b2, 3, { slot: 100, proposerIndex: 99 });
    return block(engineAt(100), late, "reject");
  },
  BLOCK_WRONG_SIGNATURE: () => {
    const made = makeBlock(bench, b2, 3);
    return block(engineAt(), { ...made, signed: { ...made.signed, signature: FORGED } }, "reject");
  },
  BLOCK_WRONG_BODY_SIGNATURE: () => {
    const attestations = votedChain(bench, [b1, b2], 3).at(-1)!.signed.message.body.attestations;
    const forged = attestations.map((attestation) => ({ ...attestation, signature: FORGED }));
    return block(engineAt(), makeBlock(bench, b2, 3, { attestations: forged }), "accept");
  },
  BLOCK_INVALID_PAYLOAD: () => {
    // The header's hash is not that of its fields; the state commits to it, so the transition has no objection.
    const engine = engineAt();
    const made = makeBlock(bench, b2, 3);
    const send = () => {
      const effects = receiveBlock(engine, made.signed);
      const answers = [...effects];
      for (const wish of answers) {
        if (wish.type === "verifySignatures") {
          const valid = wish.sets.map(() => true);
          answers.push(...step(engine, { type: "signaturesVerified", id: wish.id, valid }));
        } else if (wish.type === "executePayload") {
          answers.push(...step(engine, { type: "payloadExecuted", id: wish.id, verdict: "invalid" }));
        }
      }
      return answers;
    };
    return { engine, send, verdict: "accept" };
  },
  BLOCK_STATE_ROOT_MISMATCH: () => block(engineAt(), spoiled(b2, 3, { stateRoot: ROOT }), "accept"),
  PAYLOAD_WRONG_TIMESTAMP: () => {
    const { executionPayload } = makeBlock(bench, b2, 3).signed.message.body;
    return block(
      engineAt(),
      spoiledBody({ executionPayload: { ...executionPayload, timestamp: 1 } }),
      "accept",
    );
  },
} as const satisfies Record<string, () => Example>;

const good = voteData(bench, b2, 3);
const vote = (
  data: AttestationData,
  verdict: Verdict,
  engine = engineAt(),
  change: Partial<SingleAttestation> = {},
) => ({
  ...{ engine, verdict },
  send: () => receiveVotes(engine, [{ ...signVote(bench, data, 0), ...change }]),
});
const waiting = () => {
  const engine = engineAt(3, [b1]);
  for (let i = 0; i < WAITING_MESSAGES_LIMIT; i++) receiveVotes(engine, [signVote(bench, good, 0)]);
  return engine;
};
const seen = (data: AttestationData, engine = engineAt()) => {
  settle(engine, receiveVotes(engine, [signVote(bench, data, 0)]));
  return engine;
};

const VOTES = {
  VOTE_INDEX_NOT_ZERO: () => vote({ ...good, index: 1 }, "reject"),
  VOTE_TARGET_NOT_OF_SLOT: () => vote({ ...good, target: { ...good.target, epoch: 4 } }, "reject"),
  VOTE_SOURCE_NOT_BEFORE_TARGET: () => vote({ ...good, source: { ...good.source, epoch: 3 } }, "reject"),
  VOTE_FROM_FUTURE: () => vote(voteData(bench, b2, 4), "ignore"),
  VOTE_TOO_OLD: () => vote(good, "ignore", engineAt(36)),
  VOTE_FOR_INVALID_BLOCK: () => {
    const engine = engineAt(3, [b1]);
    const invalid = spoiled(b1, 2, { stateRoot: ROOT });
    settle(engine, receiveBlock(engine, invalid.signed));
    return vote(voteData(bench, invalid, 3), "reject", engine);
  },
  VOTE_ON_ABANDONED_BRANCH: () => {
    const side = makeBlock(bench, b1, 2, { graffiti: "side" });
    return vote(voteData(bench, side, 3), "ignore", finalizedEngine([side]));
  },
  VOTE_BEHIND_FINALITY: () => {
    const engine = finalizedEngine();
    const { root } = engine.store.finalized;
    const { slot } = engine.blocks.get(root)!;
    const target = { epoch: slot, root: good.target.root };
    return vote({ ...good, slot, beaconBlockRoot: fromHex(root), target }, "ignore", engine);
  },
  VOTE_HEAD_UNKNOWN: () => {
    const engine = engineAt(3, [b1]);
    receiveVotes(engine, [signVote(bench, good, 0)]);
    return { engine, send: () => [...tick(engine, 4), ...tick(engine, 5)], verdict: "ignore" };
  },
  VOTE_QUEUE_FULL: () => vote(good, "ignore", waiting()),
  VOTE_BEFORE_ITS_HEAD: () => vote(voteData(bench, b2, 1), "reject"),
  VOTE_TARGET_NOT_ON_CHAIN: () => vote({ ...good, target: { epoch: 3, root: ROOT } }, "reject"),
  VOTE_COMMITTEE_UNKNOWN: () => vote(good, "reject", engineAt(), { committeeIndex: 1 }),
  VOTE_NOT_IN_COMMITTEE: () => vote(good, "reject", engineAt(), { attesterIndex: 8 }),
  VOTE_ALREADY_SEEN: () => vote(good, "ignore", seen(good)),
  VOTE_OF_EQUIVOCATOR: () => vote(voteData(bench, b1, 3), "ignore", seen(voteData(bench, b1, 3), seen(good))),
  VOTE_WRONG_SIGNATURE: () => vote(good, "reject", engineAt(), { signature: FORGED }),
  VOTE_MESSAGE_EMPTY: () => {
    const engine = engineAt();
    return { engine, send: () => receiveVotes(engine, []), verdict: "ignore" };
  },
  VOTE_WRONG_SUBNET: () => {
    const engine = engineAt();
    const attestations = [signVote(bench, good, 0)];
    const message = { attestations, subnet: 3, peer: "peer", messageId: "message" };
    return {
      engine,
      send: () => step(engine, { type: "attestationsReceived", ...message }),
      verdict: "reject",
    };
  },
  // The voted block's state was thinned out, and the head's too: it is being rebuilt.
  VOTE_STATE_NOT_KEPT: () => {
    const engine = engineAt();
    engine.states.entries.clear();
    return vote(good, "ignore", engine);
  },
} as const satisfies Record<string, () => Example>;

const committees = getCommittees(wideHead.state, 3, wide.params);
const whole = makeAggregate(wide, voteData(wide, wideHead, 3), committees, 1, [0, 1, 2]);
type Aggregate = SignedAggregateAndProof["message"]["aggregate"];
const aggregate = (
  sent: SignedAggregateAndProof,
  verdict: Verdict,
  before: readonly SignedAggregateAndProof[] = [],
) => {
  const engine = wideEngine();
  for (const earlier of before) settle(engine, receiveAggregate(engine, earlier));
  return { engine, send: () => receiveAggregate(engine, sent), verdict };
};
const holding = (change: Partial<Aggregate>): SignedAggregateAndProof => ({
  ...whole,
  message: { ...whole.message, aggregate: { ...whole.message.aggregate, ...change } },
});
const committeeBits = (...indices: number[]) => {
  const bits = BitArray.fromBitLen(wide.params.maxCommitteesPerSlot);
  for (const index of indices) bits.set(index, true);
  return bits;
};
const second = committees[1]![1]!;

const AGGREGATES = {
  AGGREGATE_OF_ONE_COMMITTEE: () => {
    const engine = engineAt();
    const sent = makeAggregate(bench, good, getCommittees(genesis.state, 3, params), 0, [0]);
    return { engine, send: () => receiveAggregate(engine, sent), verdict: "reject" };
  },
  AGGREGATE_NOT_ONE_COMMITTEE: () => aggregate(holding({ committeeBits: committeeBits(1, 2) }), "reject"),
  // Eight voters more would make a fourth committee: the bit exists, the committee does not.
  AGGREGATE_COMMITTEE_UNKNOWN: () => {
    const narrow = createWorkbench(12, { ...wide.params });
    const engine = startEngine(narrow, { nowMs: SLOT_MS });
    const three = getCommittees(narrow.genesis.state, 1, narrow.params);
    const sent = makeAggregate(narrow, voteData(narrow, narrow.genesis, 1), three, 1, [0]);
    sent.message.aggregate.committeeBits = committeeBits(3);
    return { engine, send: () => receiveAggregate(engine, sent), verdict: "reject" };
  },
  AGGREGATE_WRONG_LENGTH: () => aggregate(holding({ aggregationBits: BitArray.fromBitLen(5) }), "reject"),
  AGGREGATE_EMPTY: () => aggregate(holding({ aggregationBits: BitArray.fromBitLen(4) }), "reject"),
  AGGREGATE_NOT_IN_COMMITTEE: () =>
    aggregate({ ...whole, message: { ...whole.message, aggregatorIndex: committees[0]![0]! } }, "reject"),
  AGGREGATE_NOT_SELECTED: () => {
    const strict = createWorkbench(16, { ...wide.params, targetAggregatorsPerCommittee: 1 });
    const engine = startEngine(strict, { nowMs: SLOT_MS });
    const four = getCommittees(strict.genesis.state, 1, strict.params);
    const data = voteData(strict, strict.genesis, 1);
    const sent = [0, 1, 2, 3].map((i) => makeAggregate(strict, data, four, 0, [0], four[0]![i]!));
    // Of four members, whoever is drawn is drawn by luck; one is not.
    const send = () =>
      sent.flatMap((one) => receiveAggregate(engine, one)).filter(isOf("AGGREGATE_NOT_SELECTED"));
    return { engine, send, verdict: "reject" };
  },
  AGGREGATE_AGGREGATOR_SEEN: () =>
    aggregate(makeAggregate(wide, voteData(wide, wideHead, 3), committees, 1, [0, 1, 2, 3]), "ignore", [
      whole,
    ]),
  AGGREGATE_COVERED: () =>
    aggregate(makeAggregate(wide, voteData(wide, wideHead, 3), committees, 1, [0, 1], second), "ignore", [
      whole,
    ]),
  AGGREGATE_WRONG_SIGNATURE: () => aggregate({ ...whole, signature: FORGED }, "reject"),
} as const satisfies Record<string, () => Example>;

const headerOf = ({ signed }: MadeBlock) => {
  const { body, ...rest } = signed.message;
  const message = { ...rest, bodyRoot: containers.BeaconBlockBody.hashTreeRoot(body) };
  return { message, signature: signed.signature };
};
const operation = (sent: Operation, verdict: Verdict, engine = engineAt()) => ({
  ...{ engine, verdict },
  send: () => step(engine, { type: "operationReceived", operation: sent, messageId: "message" }),
});
const exitOf = (validatorIndex: number, epoch = 1): Operation => {
  const message = { validatorIndex, epoch };
  const root = exitSigningRoot(genesis.state, message, params);
  return {
    kind: "voluntaryExit",
    exit: { message, signature: signCheaply(publicKeys[validatorIndex] ?? FORGED, root) },
  };
};
const doubleVote = (first: readonly number[], other: readonly number[]): Operation => {
  const voted = (voters: readonly number[], head: MadeBlock) => {
    const data = voteData(bench, head, 3);
    const signatures = voters.map((voter) => signVote(bench, data, voter % 8).signature);
    return { attestingIndices: [...voters], data, signature: aggregateCheaply(signatures) };
  };
  return {
    kind: "attesterSlashing",
    slashing: { attestation1: voted(first, b1), attestation2: voted(other, b2) },
  };
};

const OPERATIONS = {
  OPERATION_ALREADY_KNOWN: () => {
    const engine = engineAt();
    settle(engine, operation(exitOf(4), "accept", engine).send());
    return operation(exitOf(4), "ignore", engine);
  },
  OPERATION_STATE_NOT_KEPT: () => {
    const engine = engineAt();
    engine.states.entries.clear();
    return operation(exitOf(4), "ignore", engine);
  },
  OPERATION_WRONG_SIGNATURE: () => operation({ ...exitOf(9), ...forgedExit() }, "reject"),
  OPERATION_NO_OFFENCE: () => {
    const same = headerOf(b1);
    return operation(
      { kind: "proposerSlashing", slashing: { signedHeader1: same, signedHeader2: same } },
      "reject",
    );
  },
  OPERATION_INVALID_INDICES: () => operation(doubleVote([3, 1], [1]), "reject"),
  OPERATION_UNKNOWN_VALIDATOR: () => operation(exitOf(8), "ignore"),
  OPERATION_NOBODY_SLASHABLE: () => operation(doubleVote([1], [2]), "ignore"),
  OPERATION_FROM_FUTURE: () => operation(exitOf(4, 9), "ignore"),
} as const satisfies Record<string, () => Example>;

function forgedExit() {
  return {
    kind: "voluntaryExit" as const,
    exit: { message: { validatorIndex: 4, epoch: 1 }, signature: FORGED },
  };
}

const isOf = (code: string) => (effect: Effect) => "reason" in effect && effect.reason === code;
/** Answers that refuse nothing, or that no message leads to: what an operator or our own proposer is told. */
const NO_REFUSAL = new Set([
  ...["BLOCK_ACCEPTED", "BLOCK_IMPORTED", "VOTES_ACCEPTED", "AGGREGATE_ACCEPTED", "OPERATION_ACCEPTED"],
  ...["BLOCK_REQUEST_FAILED"],
]);
const EXAMPLES = { ...BLOCKS, ...VOTES, ...AGGREGATES, ...OPERATIONS };

describe("gossip: every code has a bad message that is refused with it and leaves the store as it was", () => {
  it("and there is no code without one", () => {
    const folder = new URL("../../../consensus/", import.meta.url);
    const sources = readdirSync(folder).filter((file) => file.endsWith(".ts") && file !== "block-errors.ts");
    const codes = sources.flatMap((file) => {
      const text = readFileSync(new URL(file, folder), "utf8");
      return [...text.matchAll(/"((?:BLOCK|VOTES?|AGGREGATE|OPERATION)_[A-Z_]+)"/g)].map(([, code]) => code!);
    });
    // Those of the state transition have their own table: bad-blocks.spec.ts.
    const transition = readFileSync(new URL("block-errors.ts", folder), "utf8");
    const missing = [...new Set(codes)].filter(
      (code) => !(code in EXAMPLES) && !NO_REFUSAL.has(code) && !transition.includes(`"${code}"`),
    );
    deepEqual(missing, []);
  });

  for (const [code, example] of Object.entries(EXAMPLES)) {
    it(code, () => {
      const { engine, send, verdict }: Example = example();
      const before = snapshot(engine);
      const effects = settle(engine, send());
      ok(
        effects.some(isOf(code)),
        `${code}: ${ofType(effects, "gossipVerdict").map(({ reason }) => reason)}`,
      );
      equal(ofType(effects, "gossipVerdict")[0]?.verdict, verdict);
      const after = snapshot(engine) as { store: object };
      const { store } = before as { store: { nowSlot: number } };
      // Time may have passed on the way; nothing else.
      deepEqual({ ...after, store: { ...after.store, nowSlot: store.nowSlot } }, before);
    });
  }
});

describe("gossip: bytes of any kind", () => {
  const engine = engineAt();
  const verdicts: string[] = [];
  const handler = createGossipHandler({
    submit: (event) => verdicts.push(...settle(engine, step(engine, event)).map(({ type }) => type)),
    ...{ codec: createBlockCodec(containers), containers, genesisTimeMs: 0, onVotes: () => undefined },
    execution: { addGossipedTransactions: async () => [] },
    reportVerdict: (_id, verdict) => verdicts.push(verdict) > 0,
    fatal: (error) => {
      throw error;
    },
  });
  const receive = (topic: (typeof GOSSIP_TOPICS)[number], data: Uint8Array) =>
    handler({ topic, peer: "peer", messageId: "message", data, arrivalMs: 3000 });

  it("that decode to nothing are rejected on every topic", () => {
    for (const topic of GOSSIP_TOPICS) {
      verdicts.length = 0;
      receive(topic, new Uint8Array(7).fill(255));
      deepEqual(verdicts, ["reject"], topic);
      ok(limitBytesOf(topic) > 0);
    }
  });

  it("never throw, at random or next to good ones", () => {
    const honest: Partial<Record<(typeof GOSSIP_TOPICS)[number], Uint8Array>> = {
      beacon_block: containers.SignedBeaconBlock.serialize(makeBlock(bench, b2, 3).signed),
      beacon_attestation: containers.SingleAttestations.serialize([signVote(bench, good, 0)]),
      beacon_attestation_1: containers.SingleAttestations.serialize([signVote(bench, good, 1)]),
      beacon_aggregate_and_proof: containers.SignedAggregateAndProof.serialize(whole),
    };
    const topics = fc.constantFrom(...GOSSIP_TOPICS);
    const change = fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(
        topics,
        fc.uint8Array({ maxLength: 300 }),
        fc.array(change, { maxLength: 5 }),
        (topic, bytes, changes) => {
          const data = (honest[topic] ?? bytes).slice();
          for (const { at, to } of changes) if (data.length > 0) data[at % data.length] = to;
          doesNotThrow(() => receive(topic, data));
        },
      ),
      { numRuns: 400 },
    );
  });
});

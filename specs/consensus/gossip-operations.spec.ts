/** specs/consensus/gossip-rules.md#operations: slashings and exits come in, and go out in a block. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { type AttesterSlashing, containersOf } from "../../consensus/chain-containers.ts";
import { ProposerSlashing, SignedVoluntaryExit } from "../../consensus/containers.ts";
import { step } from "../../consensus/engine.ts";
import type { Effect } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { Operation } from "../../consensus/operation-pool.ts";
import { exitSigningRoot } from "../../consensus/signature-sets.ts";
import { getState } from "../../consensus/state-cache.ts";
import { aggregateCheaply, buildCheaply, signCheaply } from "../support/consensus-stand-ins.ts";
import {
  createWorkbench,
  importAll,
  type MadeBlock,
  makeBlock,
  ofType,
  receiveBlock,
  settle,
  signVote,
  snapshot,
  startEngine,
  tick,
  voteData,
} from "../support/lone-engine.ts";

const bench = createWorkbench(8);
const { genesis, params, publicKeys } = bench;
const containers = containersOf(params);
const b1 = makeBlock(bench, genesis, 1);
const b2 = makeBlock(bench, b1, 2);

function engineAt(slot = 3): Engine {
  const engine = startEngine(bench);
  tick(engine, slot);
  importAll(engine, [b1, b2]);
  return engine;
}

function receive(engine: Engine, operation: Operation): Effect[] {
  return settle(engine, step(engine, { type: "operationReceived", operation, messageId: "message" }));
}

function verdictOf(effects: readonly Effect[]): readonly [string, string] {
  const verdicts = ofType(effects, "gossipVerdict");
  equal(verdicts.length, 1, "one verdict for one message");
  return [verdicts[0]!.verdict, verdicts[0]!.reason];
}

const headerOf = ({ signed }: MadeBlock) => {
  const { body, ...rest } = signed.message;
  const message = { ...rest, bodyRoot: containers.BeaconBlockBody.hashTreeRoot(body) };
  return { message, signature: signed.signature };
};
const doubleProposal = (): ProposerSlashing => ({
  signedHeader1: headerOf(b1),
  signedHeader2: headerOf(makeBlock(bench, genesis, 1, { graffiti: "second" })),
});

function doubleVote(voters: readonly number[]): AttesterSlashing {
  const voted = (head: MadeBlock) => {
    const data = voteData(bench, head, 3);
    const signatures = voters.map((voter) => signVote(bench, data, voter).signature);
    return { attestingIndices: [...voters], data, signature: aggregateCheaply(signatures) };
  };
  return { attestation1: voted(b1), attestation2: voted(b2) };
}

function exitOf(validatorIndex: number, epoch = 1): SignedVoluntaryExit {
  const message = { validatorIndex, epoch };
  const signature = signCheaply(
    publicKeys[validatorIndex] ?? publicKeys[0]!,
    exitSigningRoot(genesis.state, message, params),
  );
  return { message, signature };
}

const GOOD: readonly (() => Operation)[] = [
  () => ({ kind: "proposerSlashing", slashing: doubleProposal() }),
  () => ({ kind: "attesterSlashing", slashing: doubleVote([2, 5]) }),
  () => ({ kind: "voluntaryExit", exit: exitOf(4) }),
];

describe("gossip rules: operations", () => {
  it("accept each kind once", () => {
    const engine = engineAt();
    for (const make of GOOD) {
      deepEqual(verdictOf(receive(engine, make())), ["accept", "OPERATION_ACCEPTED"]);
      deepEqual(verdictOf(receive(engine, make())), ["ignore", "OPERATION_ALREADY_KNOWN"]);
    }
    equal(engine.store.votes.equivocating[5], 1);
    deepEqual(verdictOf(receive(engine, { kind: "attesterSlashing", slashing: doubleVote([5]) })), [
      "ignore",
      "OPERATION_ALREADY_KNOWN",
    ]);
    deepEqual(verdictOf(receive(engine, { kind: "attesterSlashing", slashing: doubleVote([5, 6]) })), [
      "accept",
      "OPERATION_ACCEPTED",
    ]);
  });

  it("silence a double voter who was slashed for something else, once", () => {
    const engine = engineAt();
    getState(engine.states, engine.store.headRoot)!.validators.get(5).slashed = true;
    const operation: Operation = { kind: "attesterSlashing", slashing: doubleVote([5]) };
    deepEqual(verdictOf(receive(engine, operation)), ["accept", "OPERATION_ACCEPTED"]);
    equal(engine.store.votes.equivocating[5], 1);
    deepEqual(verdictOf(receive(engine, operation)), ["ignore", "OPERATION_ALREADY_KNOWN"]);
  });

  it("reject what is wrong whoever looks at it, ignore the rest, and change nothing", () => {
    const engine = engineAt();
    const before = JSON.stringify(snapshot(engine), (_, value) => String(value));
    const proposals = doubleProposal();
    const votes = doubleVote([1, 3]);
    const forged = new Uint8Array(96);
    const [{ signedHeader1 }, { attestation1, attestation2 }] = [proposals, votes];
    const proposer = (slashing: ProposerSlashing): Operation => ({ kind: "proposerSlashing", slashing });
    const attester = (slashing: AttesterSlashing): Operation => ({ kind: "attesterSlashing", slashing });
    const exit = (signed: SignedVoluntaryExit): Operation => ({ kind: "voluntaryExit", exit: signed });
    const unknown = (header: typeof signedHeader1) => ({
      ...header,
      message: { ...header.message, proposerIndex: 8 },
    });
    const cases: readonly (readonly [Operation, string, string])[] = [
      [proposer({ signedHeader1, signedHeader2: signedHeader1 }), "reject", "NO_OFFENCE"],
      [
        proposer({ signedHeader1, signedHeader2: { ...proposals.signedHeader2, signature: forged } }),
        "reject",
        "WRONG_SIGNATURE",
      ],
      [
        proposer({
          signedHeader1: unknown(proposals.signedHeader1),
          signedHeader2: unknown(proposals.signedHeader2),
        }),
        "ignore",
        "UNKNOWN_VALIDATOR",
      ],
      [attester({ attestation1, attestation2: attestation1 }), "reject", "NO_OFFENCE"],
      [
        attester({ attestation1: { ...attestation1, attestingIndices: [3, 1] }, attestation2 }),
        "reject",
        "INVALID_INDICES",
      ],
      [
        attester({ attestation1: { ...attestation1, attestingIndices: [] }, attestation2 }),
        "reject",
        "INVALID_INDICES",
      ],
      [
        attester({ attestation1: { ...attestation1, attestingIndices: [1, 8] }, attestation2 }),
        "ignore",
        "UNKNOWN_VALIDATOR",
      ],
      [
        attester({ attestation1: { ...attestation1, attestingIndices: [2] }, attestation2 }),
        "ignore",
        "NOBODY_SLASHABLE",
      ],
      [
        attester({ attestation1: { ...attestation1, signature: forged }, attestation2 }),
        "reject",
        "WRONG_SIGNATURE",
      ],
      [exit({ ...exitOf(4), signature: forged }), "reject", "WRONG_SIGNATURE"],
      [exit(exitOf(8)), "ignore", "UNKNOWN_VALIDATOR"],
      [exit(exitOf(4, 9)), "ignore", "FROM_FUTURE"],
    ];
    for (const [operation, verdict, reason] of cases) {
      deepEqual(verdictOf(receive(engine, operation)), [verdict, `OPERATION_${reason}`]);
    }
    equal(
      JSON.stringify(snapshot(engine), (_, value) => String(value)),
      before,
    );
    const { proposerSlashings, attesterSlashings, voluntaryExits } = engine.operationPool;
    deepEqual([proposerSlashings.size, attesterSlashings.size, voluntaryExits.size], [0, 0, 0]);
  });

  it("never fail at bytes that decode, however they were changed", () => {
    const engine = engineAt();
    const { AttesterSlashing } = containers;
    const bytes = [
      ProposerSlashing.serialize(doubleProposal()),
      AttesterSlashing.serialize(doubleVote([1, 3, 6])),
      SignedVoluntaryExit.serialize(exitOf(3)),
    ];
    const decode: readonly ((data: Uint8Array) => Operation)[] = [
      (data) => ({ kind: "proposerSlashing", slashing: ProposerSlashing.deserialize(data) }),
      (data) => ({ kind: "attesterSlashing", slashing: AttesterSlashing.deserialize(data) }),
      (data) => ({ kind: "voluntaryExit", exit: SignedVoluntaryExit.deserialize(data) }),
    ];
    fc.assert(
      fc.property(
        fc.nat(2),
        fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (kind, changes) => {
          const data = bytes[kind]!.slice();
          for (const [position, byte] of changes) data[position % data.length] = byte;
          let operation: Operation;
          try {
            operation = decode[kind]!(data);
          } catch {
            return;
          }
          const [verdict] = verdictOf(receive(engine, operation));
          ok(["accept", "ignore", "reject"].includes(verdict));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("duties: operations", () => {
  /** The block a node with all keys proposes at the slot. */
  function propose(engine: Engine, slot: number) {
    engine.localValidators = new Set(publicKeys.keys());
    const all = [...tick(engine, slot)];
    for (let i = 0; i < all.length; i++) {
      const effect = all[i]!;
      if (effect.type === "signRandao" || effect.type === "signBlock") {
        const signatures = [signCheaply(publicKeys[effect.validatorIndex]!, effect.signingRoot)];
        all.push(...step(engine, { type: "signed", id: effect.id, signatures }));
      } else if (effect.type === "buildPayload") {
        const payload = buildCheaply(containers.ExecutionPayload.defaultValue(), effect);
        const requests = containers.ExecutionRequests.defaultValue();
        all.push(...step(engine, { type: "payloadBuilt", id: effect.id, payload, requests }));
      } else if (effect.type === "verifySignatures" || effect.type === "executePayload") {
        all.push(...settle(engine, [effect]).slice(1));
      }
    }
    const failures = ofType(all, "proposalFailed").map(({ reason }) => reason);
    deepEqual(failures, []);
    const imported = ofType(all, "blockProcessed").map(({ outcome }) => outcome);
    deepEqual(imported, ["imported"]);
    return ofType(all, "publishBlock")[0]!.block.message.body;
  }

  const countsOf = (body: ReturnType<typeof propose>) => [
    body.proposerSlashings.length,
    body.attesterSlashings.length,
    body.voluntaryExits.length,
  ];

  it("put what came by gossip into the next own block, once", () => {
    const engine = engineAt();
    for (const make of GOOD) receive(engine, make());
    receive(engine, { kind: "attesterSlashing", slashing: doubleVote([6]) });
    deepEqual(countsOf(propose(engine, 4)), [1, 2, 1]);
    deepEqual(countsOf(propose(engine, 5)), [0, 0, 0]);
  });

  it("prefer evidence against many, and leave out what it makes superfluous", () => {
    const engine = engineAt();
    for (const voters of [[5], [6], [5, 6, 7]]) {
      receive(engine, { kind: "attesterSlashing", slashing: doubleVote(voters) });
    }
    const { attesterSlashings } = propose(engine, 4);
    deepEqual(
      attesterSlashings.map(({ attestation1 }) => attestation1.attestingIndices),
      [[5, 6, 7]],
    );
  });

  it("put evidence found by the node itself into its next block", () => {
    const engine = engineAt();
    const second = makeBlock(bench, b1, 2, { graffiti: "second" });
    const effects = settle(engine, receiveBlock(engine, second.signed));
    equal(ofType(effects, "slashingEvidence").length, 1);
    const [slashing] = propose(engine, 4).proposerSlashings;
    equal(slashing?.signedHeader1.message.proposerIndex, second.signed.message.proposerIndex);
    // A root is a view of the 8 KB it was computed in, unless it is copied.
    for (const { signedHeader } of engine.seenProposals.values()) equal(signedHeader.buffer.byteLength, 208);
  });

  it("leave out an exit of one who is slashed in the same block", () => {
    const engine = engineAt();
    const slashing = doubleProposal();
    const { proposerIndex } = slashing.signedHeader1.message;
    receive(engine, { kind: "voluntaryExit", exit: exitOf(proposerIndex) });
    receive(engine, { kind: "proposerSlashing", slashing });
    deepEqual(countsOf(propose(engine, 4)), [1, 0, 0]);
  });
});

/** A consensus engine behind the gossip handler, whose every question is answered as the sender would like it. */
import { containersOf } from "../../../consensus/chain-containers.ts";
import { ProposerSlashing, SignedVoluntaryExit } from "../../../consensus/containers.ts";
import { step } from "../../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../../consensus/engine-events.ts";
import { createBlockCodec } from "../../../node/chain/block-codec.ts";
import { createGossipHandler } from "../../../node/chain/gossip-events.ts";
import type { GossipTopic } from "../../../node/network/gossip-topics.ts";
import {
  aggregateVotes,
  createWorkbench,
  makeBlock,
  receiveBlock,
  SLOT_MS,
  signVote,
  startEngine,
  tick,
  voteData,
} from "../../support/lone-engine.ts";

const VALIDATORS = 4;
const CHAIN_SLOTS = 4;
/** Messages one engine gets: what it remembers of them is part of the test, and must not become all of it. */
const MESSAGES_PER_ENGINE = 256;

const bench = createWorkbench(VALIDATORS);
const containers = containersOf(bench.params);
const codec = createBlockCodec(containers);
const chain = [bench.genesis];
for (let slot = 1; slot <= CHAIN_SLOTS; slot++) {
  const parent = chain.at(-1) ?? bench.genesis;
  const attestations =
    slot <= 2 ? [] : [aggregateVotes(bench, voteData(bench, parent, slot - 1), [0, 1, 2, 3])];
  chain.push(makeBlock(bench, parent, slot, { attestations }));
}
const head = chain.at(-1) ?? bench.genesis;

/** Real messages by topic. */
export const GOSSIP_SEEDS: Readonly<Record<string, readonly Uint8Array[]>> = (() => {
  const next = makeBlock(bench, head, CHAIN_SLOTS + 1);
  const data = voteData(bench, head, CHAIN_SLOTS);
  const other = voteData(bench, chain.at(-2) ?? bench.genesis, CHAIN_SLOTS);
  const votes = [0, 1, 2].map((member) => signVote(bench, data, member));
  const header = (graffiti: string) => {
    const { signed } = makeBlock(bench, head, CHAIN_SLOTS + 1, { graffiti });
    const { slot, proposerIndex, parentRoot, stateRoot, body } = signed.message;
    const bodyRoot = containers.BeaconBlockBody.hashTreeRoot(body);
    return { message: { slot, proposerIndex, parentRoot, stateRoot, bodyRoot }, signature: signed.signature };
  };
  const indexed = (vote: typeof data) => ({
    attestingIndices: [1],
    data: vote,
    signature: signVote(bench, vote, 1).signature,
  });
  return {
    beacon_block: [next, ...chain.slice(1)].map(({ signed }) => codec.encode(signed)),
    beacon_attestation_0: [containers.SingleAttestations.serialize(votes)],
    beacon_aggregate_and_proof: [
      containers.SignedAggregateAndProof.serialize({
        ...containers.SignedAggregateAndProof.defaultValue(),
        message: {
          ...containers.SignedAggregateAndProof.defaultValue().message,
          aggregate: aggregateVotes(bench, data, [0, 1]),
        },
      }),
    ],
    voluntary_exit: [
      SignedVoluntaryExit.serialize({
        message: { epoch: 1, validatorIndex: 1 },
        signature: new Uint8Array(96),
      }),
    ],
    proposer_slashing: [
      ProposerSlashing.serialize({ signedHeader1: header("a"), signedHeader2: header("b") }),
    ],
    attester_slashing: [
      containers.AttesterSlashing.serialize({ attestation1: indexed(data), attestation2: indexed(other) }),
    ],
  };
})();

/** Gives each message to a running engine. What it throws, the node's main thread would have thrown. */
export function createGossipTarget(topic: GossipTopic): (data: Uint8Array) => void {
  let engine = startEngine(bench);
  let received = 0;
  const submit = (event: EngineEvent): void => {
    for (const effect of step(engine, event)) answer(effect);
  };
  const answer = (effect: Effect): void => {
    if (effect.type === "verifySignatures") {
      submit({ type: "signaturesVerified", id: effect.id, valid: effect.sets.map(() => true) });
    } else if (effect.type === "executePayload") {
      submit({ type: "payloadExecuted", id: effect.id, verdict: "valid" });
    } else if (effect.type === "loadBlocks") submit({ type: "blocksLoaded", id: effect.id, blocks: [] });
  };
  const onGossip = createGossipHandler({
    ...{ submit, codec, containers, genesisTimeMs: 0, onVotes: () => undefined },
    execution: { addGossipedTransactions: async ({ raws }) => raws.map(() => "accept" as const) },
    reportVerdict: () => true,
    fatal(error) {
      throw error;
    },
  });
  return (data) => {
    if (received++ % MESSAGES_PER_ENGINE === 0) {
      engine = startEngine(bench);
      for (const [slot, block] of chain.entries()) {
        if (slot > 0) tick(engine, slot);
        if (slot > 0) receiveBlock(engine, block.signed);
      }
      tick(engine, CHAIN_SLOTS + 1);
    }
    const arrivalMs = (CHAIN_SLOTS + 1) * SLOT_MS + 100;
    onGossip({ topic, peer: "peer", messageId: String(received), data, arrivalMs });
  };
}

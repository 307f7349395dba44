import { equal, ok } from "node:assert/strict";
import { containersOf } from "../../consensus/chain-containers.ts";
import { step } from "../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { engineWakeMoments } from "../../consensus/on-tick.ts";
import { createBlockCodec } from "../../node/chain/block-codec.ts";
import { createGossipHandler } from "../../node/chain/gossip-events.ts";
import type { SubnetTopic } from "../../node/network/gossip-topics.ts";
import { createIdentity } from "../../node/network/identity.ts";
import { createNetwork } from "../../node/network/network.ts";
import type { Network } from "../../node/network/network-port.ts";
import { answerTruthfully } from "../support/engine-network.ts";
import { createWorkbench, SLOT_MS, startEngine } from "../support/lone-engine.ts";
import { emptyStatus, until } from "./harness.ts";

const NODES = 3;
const bench = createWorkbench(18, {
  ...{ unaggregatedVoterLimit: 8, targetCommitteeSize: 4, maxCommitteesPerSlot: 4 },
  targetAggregatorsPerCommittee: 2,
});
const containers = containersOf(bench.params);
const codec = createBlockCodec(containers);

type Node = {
  readonly engine: Engine;
  readonly network: Network;
  wanted: readonly number[];
  readonly events: EngineEvent[];
  readonly verdicts: string[];
};

/** A real network under an engine whose wishes are carried out at once; time passes when the spec says so. */
async function startNode(index: number, bootstrap: readonly string[]): Promise<Node> {
  const localValidators = [...bench.publicKeys.keys()].filter((validator) => validator % NODES === index);
  const engine = startEngine(bench, { localValidators, nowMs: -1 });
  const events: EngineEvent[] = [];
  const verdicts: string[] = [];
  const fatal = (error: unknown) => {
    throw error;
  };
  const execution = { addGossipedTransactions: async () => [] };
  const network: Network = await createNetwork({
    identity: await createIdentity(),
    forkDigest: new Uint8Array(4),
    bootstrap,
    handlers: {
      onGossip: createGossipHandler({
        submit: (event) => feed(node, event),
        ...{ codec, containers, execution, genesisTimeMs: 0, fatal, onVotes: () => undefined },
        reportVerdict: (id, verdict) => network.reportVerdict(id, verdict),
      }),
      localStatus: () => emptyStatus(),
      onPeerStatus: () => undefined,
      onPeerDisconnected: () => undefined,
      blocks: { blocksByRange: () => [], blockByRoot: () => undefined },
      transactions: { transactionsByHash: async () => [] },
    },
  });
  const node: Node = { engine, network, wanted: [], events, verdicts };
  return node;
}

function feed(node: Node, event: EngineEvent): void {
  node.events.push(event);
  if (node.events.length > 1) return;
  for (let next = node.events[0]; next !== undefined; next = node.events[0]) {
    for (const effect of step(node.engine, next)) perform(node, effect);
    node.events.shift();
  }
}

function perform(node: Node, effect: Effect): void {
  const { network, events } = node;
  const answer = answerTruthfully(bench, effect);
  if (answer !== undefined) events.push(answer);
  if (effect.type === "gossipVerdict") {
    node.verdicts.push(`${effect.verdict} ${effect.reason}`);
    network.reportVerdict(effect.messageId, effect.verdict);
  }
  if (effect.type === "subnetsWanted") {
    node.wanted = effect.subnets;
    network.setSubnets(effect.subnets);
  }
  if (effect.type === "publishBlock") void network.publish("beacon_block", codec.encode(effect.block));
  if (effect.type === "publishAttestations") {
    const topic: SubnetTopic = `beacon_attestation_${effect.subnet ?? -1}`;
    void network.publish(topic, containers.SingleAttestations.serialize([...effect.attestations]));
  }
  if (effect.type === "publishAggregates") {
    for (const aggregate of effect.aggregates) {
      const bytes = containers.SignedAggregateAndProof.serialize(aggregate);
      void network.publish("beacon_aggregate_and_proof", bytes);
    }
  }
}

describe("aggregation over the network", () => {
  const nodes: Node[] = [];
  after(async () => {
    await Promise.all(nodes.map(({ network }) => network.close()));
  });

  /** Everyone knows who listens where. */
  const areSubnetsKnown = () =>
    nodes.every((node) =>
      nodes.every((other) =>
        other.wanted.every((subnet) => {
          const listening = nodes.filter(({ wanted }) => wanted.includes(subnet) && wanted !== node.wanted);
          return node.network.subscribers(`beacon_attestation_${subnet}`) >= listening.length;
        }),
      ),
    );

  it("carries votes by subnets and aggregates until blocks are final", async () => {
    for (let index = 0; index < NODES; index++) {
      nodes.push(
        await startNode(
          index,
          nodes.flatMap(({ network }) => network.addresses()),
        ),
      );
    }
    await until(() => nodes.every(({ network }) => network.peers().length === NODES - 1));
    for (let slot = 0; slot <= 6; slot++) {
      for (const moment of engineWakeMoments(bench.params)) {
        for (const node of nodes) feed(node, { type: "tick", nowMs: slot * SLOT_MS + moment });
        await until(areSubnetsKnown);
        if (slot > 0 && moment === 0)
          await until(() => nodes.every(({ engine }) => headSlot(engine) === slot));
      }
      // Two thirds are enough to go on; the rest may have no aggregator.
      if (slot > 0) await until(() => nodes.every(({ engine }) => queuedVoters(engine, slot) >= 12));
    }
    for (const { engine, verdicts } of nodes) {
      ok(engine.store.finalized.epoch >= 3, `final: ${engine.store.finalized.epoch}`);
      ok(verdicts.includes("accept AGGREGATE_ACCEPTED"));
      equal(
        verdicts.find((verdict) => verdict.startsWith("reject")),
        undefined,
      );
    }
  });
});

function headSlot({ blocks, store }: Engine): number {
  return blocks.get(store.headRoot)?.slot ?? 0;
}

/** Voters of the running slot whose votes are here. */
function queuedVoters({ store }: Engine, slot: number): number {
  const voters = store.queuedVotes
    .filter((vote) => vote.slot === slot)
    .flatMap((vote) => vote.validatorIndices);
  return new Set(voters).size;
}

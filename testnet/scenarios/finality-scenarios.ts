/** Scenarios of nodes that stop, come back, are cut off and join. See specs/testnet/scenarios.md#the-scenarios. */
import type { NodeStatus } from "../node-status.ts";
import { type Scenario, ScenarioFailure, type ScenarioNetwork } from "./scenario.ts";

/** Epochs that must become final to say that finality goes on. */
const EPOCHS_ON = 5;
/** Lag of a network in order: three slots, and room for a slow machine. */
const LAG_LIMIT_SLOTS = 8;

async function highestFinalized(network: ScenarioNetwork, nodes = network.running()): Promise<number> {
  const statuses = await Promise.all(nodes.map((node) => network.status(node)));
  return Math.max(0, ...statuses.map((status) => status?.finalizedEpoch ?? 0));
}

/** Waits until `nodes` finalized some more epochs than any of them has now. */
export async function untilFinalityGoesOn(
  network: ScenarioNetwork,
  what: string,
  nodes: readonly number[] = network.running(),
): Promise<void> {
  const from = await highestFinalized(network, nodes);
  const goesOn = (status: NodeStatus) =>
    status.finalizedEpoch >= from + EPOCHS_ON && status.finalityLagSlots <= LAG_LIMIT_SLOTS;
  await network.until(what, goesOn, { nodes, limitSlots: 120 });
}

/** All run, and things become final: where every scenario begins. */
export async function untilInOrder(network: ScenarioNetwork): Promise<void> {
  await network.until("all nodes are connected", ({ peers }) => peers >= network.nodes - 1);
  await untilFinalityGoesOn(network, "blocks become final on every node");
}

const CHECKPOINTS = "/eth/v1/beacon/states/head/finality_checkpoints";
type CheckpointsAnswer = {
  readonly data: { readonly finalized: { readonly epoch: string; readonly root: string } };
};
type HeaderAnswer = { readonly finalized?: boolean; readonly data?: { readonly canonical?: boolean } };

export const finalizes: Scenario = {
  name: "finalizes",
  summary: "blocks become final on every node, and all name the same one",
  minimumNodes: 1,
  async run(network) {
    await untilInOrder(network);
    const { finalized } = ((await network.beacon(1, CHECKPOINTS)) as CheckpointsAnswer).data;
    const isAsFar = (status: NodeStatus) => status.finalizedEpoch >= Number(finalized.epoch);
    await network.until("every node is as far", isAsFar);
    for (const node of network.running()) {
      const answer = (await network.beacon(node, `/eth/v1/beacon/headers/${finalized.root}`)) as HeaderAnswer;
      if (answer.finalized !== true || answer.data?.canonical !== true) {
        throw new ScenarioFailure(`node ${node} does not have the block that is final on node 1`);
      }
    }
  },
};

export const thirdStopped: Scenario = {
  name: "third-stopped",
  summary: "up to a third offline costs nothing; more stop finality, not the chain; back, it heals",
  minimumNodes: 4,
  async run(network) {
    await untilInOrder(network);
    const tolerated = Math.floor((network.nodes - 1) / 3);
    const stopped = Array.from({ length: tolerated + 1 }, (_, index) => network.nodes - index);
    for (const node of stopped.slice(0, tolerated)) await network.stop(node);
    await untilFinalityGoesOn(network, `finality goes on without ${tolerated} of ${network.nodes}`);
    network.note(`finality goes on without ${tolerated} of ${network.nodes}`);

    const last = stopped.at(-1) ?? network.nodes;
    await network.stop(last);
    const [first = 1] = network.running();
    const before = await network.status(first);
    const grown = (before?.headSlot ?? 0) + 12;
    await network.until("the chain grows without finality", ({ headSlot }) => headSlot >= grown);
    // What was on its way when the last node stopped may still have become final.
    await network.until(
      "finality waits",
      ({ finalityLagSlots, finalizedEpoch }) =>
        finalityLagSlots >= LAG_LIMIT_SLOTS && finalizedEpoch <= (before?.finalizedEpoch ?? 0) + 3,
    );
    network.note(`the chain grows and finality waits without ${stopped.length} of ${network.nodes}`);

    for (const node of stopped) await network.start(node);
    await untilFinalityGoesOn(network, "finality resumes on every node");
  },
};

export const partition: Scenario = {
  name: "partition",
  summary: "two halves finalize nothing apart and one chain together",
  minimumNodes: 4,
  async run(network) {
    await untilInOrder(network);
    const half = network.running().slice(0, Math.floor(network.nodes / 2));
    network.partition(half);
    await network.until("each half hears only itself", ({ peers }, node) =>
      half.includes(node) ? peers < half.length : peers < network.nodes - half.length,
    );
    const before = await highestFinalized(network);
    await network.until(
      "both halves go on without finality",
      ({ finalityLagSlots, slot, headSlot }) => finalityLagSlots >= 16 && slot - headSlot <= 8,
    );
    const apart = await highestFinalized(network);
    if (apart > before + 3) throw new ScenarioFailure(`a half finalized from epoch ${before} to ${apart}`);
    network.note(`apart for 16 slots, nothing final beyond epoch ${apart}`);
    network.heal();
    await untilFinalityGoesOn(network, "finality resumes on every node after healing");
  },
};

export const lateJoiner: Scenario = {
  name: "late-joiner",
  summary: "a new node without data catches up and follows",
  minimumNodes: 2,
  async run(network) {
    await untilInOrder(network);
    const joiner = await network.startExtra(undefined);
    const target = await highestFinalized(network, [1]);
    const isAsFar = ({ finalizedEpoch, syncing }: NodeStatus) => finalizedEpoch >= target && !syncing;
    await network.until("the new node caught up", isAsFar, { nodes: [joiner], limitSlots: 120 });
    await untilFinalityGoesOn(network, "the new node follows", [joiner]);
  },
};

export const rollingRestart: Scenario = {
  name: "rolling-restart",
  summary: "each node in turn is stopped and started; finality never needs help",
  minimumNodes: 4,
  async run(network) {
    await untilInOrder(network);
    for (let node = 1; node <= network.nodes; node++) {
      await network.stop(node);
      await network.start(node);
      await untilFinalityGoesOn(network, `finality goes on after the restart of node ${node}`);
      network.note(`node ${node} restarted`);
    }
  },
};

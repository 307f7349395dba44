/** Asking peers for blocks, as the node's sync does it, in virtual time. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Simulation } from "./simulation.ts";

const RANGE_BATCH = 64;
/** An answer that takes longer does not count. */
const ANSWER_SLOTS = 2;

type RangeOutcome = (EngineEvent & { type: "rangeSyncEnded" })["outcome"];

/** Calls `done` with the peer's answer, or undefined when none comes in time. */
function ask<Answer>(
  simulation: Simulation,
  node: SimulatedNode,
  peerName: string,
  serve: (peer: SimulatedNode) => Answer,
  done: (answer: Answer | undefined) => void,
): void {
  const { network, nodes, clock, params } = simulation;
  const peer = nodes[Number(peerName)]!;
  let isOpen = true;
  const end = node.inThisLife((answer: Answer | undefined): void => {
    if (isOpen) done(answer);
    isOpen = false;
  });
  clock.after(ANSWER_SLOTS * params.slotSeconds * 1000, () => end(undefined));
  network.send(node.index, peer.index, () => {
    if (!peer.isOnline || peer.behaviour?.isMute === true) return;
    const answer = serve(peer);
    network.send(peer.index, node.index, () => end(answer));
  });
}

export function fetchBlock(
  simulation: Simulation,
  node: SimulatedNode,
  { peer, root }: Effect & { type: "requestBlock" },
): void {
  ask(
    simulation,
    node,
    peer,
    (other) => ({ block: other.serve(root) }),
    (answer) => {
      const block = answer?.block;
      if (block !== undefined) feedBlock(simulation, node, peer, block);
      const missing = answer === undefined ? "timedOut" : "unavailable";
      node.feed({
        ...{ type: "blockRequestEnded", root, peer },
        outcome: block === undefined ? missing : "delivered",
      });
    },
  );
}

export function fetchRange(
  simulation: Simulation,
  node: SimulatedNode,
  wish: Effect & { type: "startRangeSync" },
): void {
  const { peer, fromSlot, toSlot, headRoot } = wish;
  const end = (outcome: RangeOutcome): void => node.feed({ type: "rangeSyncEnded", peer, outcome });
  ask(
    simulation,
    node,
    peer,
    (other) =>
      other.disk
        .chainFrom(other.engine.store.headRoot, fromSlot)
        .slice(0, RANGE_BATCH)
        .filter((block) => other.serve(simulation.rootOf(block)) !== undefined),
    (blocks) => {
      const last = blocks?.at(-1)?.message.slot;
      if (blocks === undefined || last === undefined) {
        end(blocks === undefined ? "timedOut" : "unavailable");
        return;
      }
      importBatch(simulation, node, peer, blocks, (failure) => {
        if (failure !== undefined) end(failure);
        else if (last >= toSlot || node.engine.store.tree.indices.has(headRoot)) end("done");
        else fetchRange(simulation, node, { ...wish, fromSlot: last + 1 });
      });
    },
  );
}

/** Feeds a batch in order, each block once the one before it was processed. */
function importBatch(
  simulation: Simulation,
  node: SimulatedNode,
  peer: string,
  [first, ...rest]: readonly SignedBeaconBlock[],
  done: (failure: "unlinked" | "invalid" | undefined) => void,
): void {
  if (first === undefined) {
    done(undefined);
    return;
  }
  node.whenProcessed(simulation.rootOf(first), (outcome) => {
    if (outcome === "unknownParent") done("unlinked");
    else if (outcome === "invalid") done("invalid");
    else importBatch(simulation, node, peer, rest, done);
  });
  feedBlock(simulation, node, peer, first);
}

function feedBlock(
  simulation: Simulation,
  node: SimulatedNode,
  peer: string,
  block: SignedBeaconBlock,
): void {
  const arrivalMs = simulation.clock.nowMs;
  node.feed({ type: "blockReceived", block, arrivalMs, origin: { kind: "sync", peer } });
}

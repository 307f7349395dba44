/** What sync needs of the node: peers to ask, and the engine to feed. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { Network } from "../network/network-port.ts";
import type { SyncPort } from "../sync/sync-port.ts";
import type { BlockCodec } from "./block-codec.ts";
import type { BlockOutcomes } from "./block-outcomes.ts";
import type { InOrder } from "./in-order.ts";
import type { Lookahead } from "./lookahead.ts";

/** Tasks in the ordered queue, a few for each block, above which sync waits for the disk. */
const WAITING_TASKS_LIMIT = 256;

export type SyncPortParts = {
  readonly engine: Engine;
  readonly network: Network;
  readonly codec: BlockCodec;
  readonly outcomes: BlockOutcomes;
  readonly lookahead: Pick<Lookahead, "prepare">;
  readonly inOrder: Pick<InOrder, "waiting" | "settled">;
  readonly submit: (event: EngineEvent) => void;
  /** Milliseconds since genesis. */
  readonly nowMs: () => number;
};

export function createSyncPort(parts: SyncPortParts): SyncPort<SignedBeaconBlock> {
  const { engine, network, codec, outcomes, lookahead, inOrder, submit, nowMs } = parts;
  return {
    requestBlocksByRange: (peer, request) => network.requestBlocksByRange(peer, request),
    requestBlocksByRoot: (peer, roots) => network.requestBlocksByRoot(peer, roots),
    readBlock: (bytes) => codec.read(bytes),
    async importBlock({ root, block }, peer) {
      if (inOrder.waiting() > WAITING_TASKS_LIMIT) await inOrder.settled();
      const processed = outcomes.wait(root);
      submit({ type: "blockReceived", block, arrivalMs: nowMs(), origin: { kind: "sync", peer } });
      return processed;
    },
    prepare: (blocks) => lookahead.prepare(blocks),
    isKnown: (root) => engine.blocks.has(root),
    peersWithHeadAt: (slot) =>
      network
        .peers()
        .flatMap(({ id, status }) => (status !== undefined && status.headSlot >= slot ? [id] : [])),
    penalize: (peer, reason) => network.penalize(peer, reason),
  };
}

/** Runs the back-fill over this node's peers and disk. See specs/node/checkpoint-sync.md#backfill. */
import type { Engine } from "../../consensus/engine-state.ts";
import type { Logger } from "../log.ts";
import type { Network } from "../network/network-port.ts";
import type { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import { runBackfill } from "../sync/backfill.ts";
import type { BlockCodec } from "./block-codec.ts";

export type BackfillParts = {
  readonly engine: Engine;
  readonly blocks: ConsensusBlocks;
  readonly codec: BlockCodec;
  readonly network: Network;
};

export type Backfill = { stop(): Promise<void> };

/** Ends at once on a node that has its chain from genesis on. */
export function startBackfill(
  { log, fatal }: { readonly log: Logger; readonly fatal: (error: unknown) => void },
  { engine, blocks, codec, network }: BackfillParts,
): Backfill {
  let isStopped = false;
  let wake: () => void = () => undefined;
  const before = blocks.earliestAvailableSlot();
  const running = runBackfill({
    genesisRoot: engine.chain.genesisRoot,
    oldest() {
      const oldest = blocks.oldestFinalized();
      return oldest === undefined ? undefined : codec.read(oldest.bytes);
    },
    store: (below) => blocks.putFinalized(below),
    readBlock: (bytes) => codec.read(bytes),
    peersWithBlocksFrom: (slot) =>
      network.peers().flatMap(({ id, status }) => (status.earliestAvailableSlot <= slot ? [id] : [])),
    requestBlocksByRange: (peer, request) => network.requestBlocksByRange(peer, request),
    penalize: (peer, reason) => network.penalize(peer, reason),
    pause: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (isStopped) wake();
      }),
    isStopped: () => isStopped,
  }).then(() => {
    const earliest = blocks.earliestAvailableSlot();
    if (earliest !== before)
      log.info({ from: earliest, to: before }, "back-filled the blocks below the checkpoint");
  }, fatal);
  return {
    async stop() {
      isStopped = true;
      wake();
      await running;
    },
  };
}

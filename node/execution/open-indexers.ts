/** The indexes that are kept up in the background, and their end. See specs/node/address-index.md. */
import { BlockIndexer } from "./block-indexer.ts";
import type { ExecutionChain } from "./execution-chain.ts";
import { loggedBlock } from "./log-index.ts";
import { attendedBlock } from "./participants.ts";
import type { Indexes } from "./task-site.ts";

/** Begins to catch up at once. */
export function openIndexers(
  chain: ExecutionChain,
  { logs, addresses }: Indexes,
  isByAddress: boolean,
  onFault: (error: unknown) => void,
): { stop(): Promise<void> } {
  const { blocks } = chain;
  const logged = new BlockIndexer(chain, logs, (number) => loggedBlock(blocks, number), onFault);
  const attended = isByAddress
    ? new BlockIndexer(chain, addresses, (number) => attendedBlock(blocks, number), onFault)
    : undefined;
  void logged.catchUp();
  void attended?.catchUp();
  return {
    async stop() {
      await logged.stop();
      await attended?.stop();
    },
  };
}

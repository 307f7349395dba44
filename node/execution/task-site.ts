/** What the thread that owns the chain can do for calls. See specs/node/calls.md. */
import { assert } from "../../primitives/errors.ts";
import type { ContractMachine } from "../../vm/message.ts";
import type { TaskSite } from "./call-tasks.ts";
import type { ExecutionChain } from "./execution-chain.ts";
import { LogSearch } from "./find-logs.ts";
import type { LogIndex } from "./log-index.ts";

export function taskSiteOf(chain: ExecutionChain, machine: ContractMachine, index: LogIndex): TaskSite {
  const search = new LogSearch(chain.blocks, index);
  return {
    chainId: chain.config.chainId,
    machine,
    stateAt: (blockHash) => chain.stateAt(blockHash),
    ancestorHash: (blockHash) => {
      const block = chain.blocks.get(blockHash);
      assert(block !== undefined, "a call names a stored block");
      return chain.ancestorHashes(block);
    },
    findLogs: (filter, range) => search.find(filter, range),
  };
}

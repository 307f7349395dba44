/** What the thread that owns the chain can do for calls. See specs/node/calls.md. */
import { assert } from "../../primitives/errors.ts";
import type { ContractMachine } from "../../vm/message.ts";
import type { AddressIndex } from "./address-index.ts";
import type { TaskSite } from "./call-tasks.ts";
import type { ExecutionChain } from "./execution-chain.ts";
import { LogSearch } from "./find-logs.ts";
import type { LogIndex } from "./log-index.ts";
import { searchAddress } from "./search-address.ts";

export type Indexes = { readonly logs: LogIndex; readonly addresses: AddressIndex };

export function taskSiteOf(chain: ExecutionChain, machine: ContractMachine, indexes: Indexes): TaskSite {
  const found = new LogSearch(chain.blocks, indexes.logs);
  return {
    chainId: chain.config.chainId,
    machine,
    stateAt: (blockHash) => chain.stateAt(blockHash),
    ancestorHash: (blockHash) => {
      const block = chain.blocks.get(blockHash);
      assert(block !== undefined, "a call names a stored block");
      return chain.ancestorHashes(block);
    },
    findLogs: (filter, range) => found.find(filter, range),
    searchAddress: (search) => searchAddress(chain.blocks, indexes.addresses, search),
  };
}

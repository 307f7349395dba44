/** The outermost message of a mined transaction, with all within it, traced again. See specs/rpc/tracing.md. */
import type { Hash } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { Block } from "../vm/block.ts";
import type { CallFrame, Trace } from "../vm/tracing/trace.ts";
import type { ChainView } from "./chain-view.ts";
import { prunedHistory, serverError } from "./rpc-errors.ts";

const CALLS = { tracer: "callTracer", onlyTopCall: false, withLog: false } as const;

/** @throws RpcError when the transaction is not mined, or its block's parent state no longer kept. */
export async function topFrame(chain: ChainView, transactionHash: Hash): Promise<CallFrame> {
  const located = chain.transaction(transactionHash);
  if (located?.block === undefined) throw serverError("transaction not found");
  requireParentState(chain, located.block);
  const [trace] = await chain.traceBlock(located.block, located.index, CALLS);
  return frameOf(trace);
}

/** One for each transaction of the block. */
export async function topFrames(chain: ChainView, block: Block): Promise<readonly CallFrame[]> {
  requireParentState(chain, block);
  return (await chain.traceBlock(block, undefined, CALLS)).map(frameOf);
}

/** @throws RpcError */
export function requireParentState(chain: ChainView, { header }: Block): void {
  if (header.number === 0) throw serverError("genesis is not traceable");
  if (chain.stateAt(header.parentHash) === undefined) {
    throw prunedHistory("state", header.number - 1, chain.oldestState());
  }
}

function frameOf(trace: Trace | undefined): CallFrame {
  assert(trace?.kind === "calls", "the call tracer finds calls");
  return trace.frame;
}

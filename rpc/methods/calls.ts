/** Calls that leave no trace: eth_call and eth_estimateGas. See specs/rpc/calls.md. */

import type { Header } from "../../vm/block.ts";
import { blockParameter, requireBlock, requireState } from "../block-parameter.ts";
import type { CallParameter } from "../call-request.ts";
import { callParameter, checkCall, stateOverrides } from "../call-request.ts";
import type { BlockReference, CallRequest, ChainView } from "../chain-view.ts";
import { method } from "../method.ts";
import { callError } from "../revert-reason.ts";
import { data, quantity } from "../schema.ts";

const params = { transaction: callParameter, block: blockParameter, overrides: stateOverrides };

export const call = method({
  name: "eth_call",
  summary: "Runs a call on the state of a block and answers what it returns.",
  params,
  result: data,
  async handle({ chain }, { transaction, block, overrides }) {
    const prepared = prepare(chain, transaction, block);
    const result = await chain.call(prepared.request, prepared.header, overrides);
    if (result.outcome !== "success") throw callError(result);
    return result.output;
  },
});

export const estimateGas = method({
  name: "eth_estimateGas",
  summary: "The smallest gas limit with which the call succeeds.",
  params,
  result: quantity,
  async handle({ chain }, { transaction, block, overrides }) {
    const prepared = prepare(chain, transaction, block);
    const estimate = await chain.estimateGas(prepared.request, prepared.header, overrides);
    if ("failed" in estimate) throw callError(estimate.failed);
    return estimate.gas;
  },
});

/** @throws RpcError when the call contradicts itself, or the block or its state is not there. */
function prepare(
  chain: ChainView,
  { chainId, ...request }: CallParameter,
  block: BlockReference,
): { readonly request: CallRequest; readonly header: Header } {
  checkCall({ chainId, ...request }, chain.chainId);
  // The state itself is read by the call worker; asking here gives the precise error.
  requireState(chain, block);
  return { request, header: requireBlock(chain, block).header };
}

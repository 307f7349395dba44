/** Calls that leave no trace: eth_call and eth_estimateGas. See specs/rpc/calls.md. */

import type { Block } from "../../vm/block.ts";
import { blockParameter, requireBlock, requireState } from "../block-parameter.ts";
import { type CallParameter, callParameter, checkCall, stateOverrides } from "../call-request.ts";
import type { BlockReference, ChainView } from "../chain-view.ts";
import type { JsonObject } from "../json.ts";
import { HEX, record, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { callError } from "../revert-reason.ts";
import { asJson, data, quantity, toQuantity } from "../schema.ts";

const params = { transaction: callParameter, block: blockParameter, overrides: stateOverrides };

export const call = method({
  name: "eth_call",
  summary: "Runs a call on the state of a block and answers what it returns.",
  params,
  result: data,
  async handle({ chain }, { transaction, block, overrides }) {
    const site = prepare(chain, transaction, block);
    const result = await chain.call(transaction, site, overrides);
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
    const site = prepare(chain, transaction, block);
    const estimate = await chain.estimateGas(transaction, site, overrides);
    if ("failed" in estimate) throw callError(estimate.failed);
    return estimate.gas;
  },
});

export const createAccessList = method({
  name: "eth_createAccessList",
  summary: "What a call touches, as an access list, and the gas it uses with it.",
  params,
  result: asJson<JsonObject>(
    "an access list, gas used, and why the call failed if it did",
    record({ accessList: ref("AccessList"), gasUsed: HEX.quantity }, { error: { type: "string" } }),
  ),
  async handle({ chain }, { transaction, block, overrides }) {
    const site = prepare(chain, transaction, block);
    const made = await chain.createAccessList(transaction, site, overrides);
    if ("failed" in made) throw callError(made.failed);
    const { outcome, gasUsed } = made.call;
    const answer = { accessList: made.accessList, gasUsed: toQuantity(gasUsed) };
    return outcome === "success" ? answer : { ...answer, error: callError(made.call).message };
  },
});

/** The block the call runs after. @throws RpcError when the call contradicts itself, or block or state is not there. */
function prepare(chain: ChainView, transaction: CallParameter, reference: BlockReference): Block {
  checkCall(transaction, chain.chainId);
  // The state itself is read by whoever runs the call; asking here gives the precise error.
  requireState(chain, reference);
  return requireBlock(chain, reference);
}

/** eth_simulateV1: blocks of calls that build on each other. See specs/rpc/simulate.md. */
import { toHex } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Block } from "../../vm/block.ts";
import { blockParameter, requireBlock, requireState } from "../block-parameter.ts";
import { checkCall } from "../call-request.ts";
import type { SimulatedBlockOutcome, SimulationFailure } from "../chain-view.ts";
import { encodeBlock } from "../encode-block.ts";
import { encodeLog } from "../encode-log.ts";
import type { JsonObject } from "../json.ts";
import { arrayOf, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { callError } from "../revert-reason.ts";
import { ERROR_CODES, RpcError } from "../rpc-errors.ts";
import { asJson, toQuantity } from "../schema.ts";
import { planBlocks, simulatePayload } from "../simulate-request.ts";

export const simulate = method({
  name: "eth_simulateV1",
  summary: "Runs blocks of calls, each on the state after the one before, with blocks and state as wished.",
  params: { payload: simulatePayload, block: blockParameter },
  result: asJson<readonly JsonObject[]>(
    "blocks, each with what its calls did",
    arrayOf(ref("SimulatedBlock")),
  ),
  async handle({ chain }, { payload, block }) {
    const base = requireBlock(chain, block);
    requireState(chain, block);
    for (const { calls } of payload.blockStateCalls) {
      for (const call of calls) checkCall(call, chain.chainId);
    }
    const { validation, traceTransfers } = payload;
    const request = { blocks: planBlocks(payload, base.header), validation, traceTransfers };
    const outcome = await chain.simulate(request, base);
    if ("failed" in outcome) throw simulationError(outcome.failed);
    return outcome.blocks.map((simulated) => encodeSimulated(simulated, payload.returnFullTransactions));
  },
});

/** execution-apis' codes of rules a call breaks before it begins; the rest is -32000. */
const RULE_CODES: Partial<Readonly<Record<SimulationFailure["rule"], number>>> = {
  NONCE_TOO_LOW: -38010,
  NONCE_TOO_HIGH: -38011,
  FEE_BELOW_BASE_FEE: -38012,
  INTRINSIC_GAS_TOO_LOW: -38013,
  INSUFFICIENT_FUNDS: -38014,
  SIMULATED_BLOCK_FULL: -38015,
  INIT_CODE_TOO_LARGE: -38025,
};

function simulationError({ rule, message }: SimulationFailure): RpcError {
  return new RpcError(RULE_CODES[rule] ?? ERROR_CODES.server, message);
}

function encodeSimulated({ block, results }: SimulatedBlockOutcome, full: boolean): JsonObject {
  let firstLogIndex = 0;
  const calls = results.map((result, index) => {
    const call = encodeResult(block, result, index, firstLogIndex);
    firstLogIndex += result.logs.length;
    return call;
  });
  return { ...encodeBlock(block, full), calls };
}

function encodeResult(
  { hash, header, transactions }: Block,
  result: SimulatedBlockOutcome["results"][number],
  transactionIndex: number,
  firstLogIndex: number,
): JsonObject {
  const { outcome, output, gasUsed, maxGasUsed, logs } = result;
  const facts = {
    returnData: toHex(output),
    gasUsed: toQuantity(gasUsed),
    maxUsedGas: toQuantity(maxGasUsed),
  };
  if (outcome !== "success") return { ...facts, status: "0x0", logs: [], error: encodeFailure(result) };
  const transactionHash = transactions[transactionIndex]?.hash;
  assert(transactionHash !== undefined, "a simulated block has a transaction for each call");
  const place = {
    blockHash: hash,
    blockNumber: header.number,
    blockTimestamp: header.timestamp,
    transactionHash,
    transactionIndex,
  };
  const encoded = logs.map((log, position) =>
    encodeLog({ ...log, ...place, logIndex: firstLogIndex + position }),
  );
  return { ...facts, status: "0x1", logs: encoded };
}

/** A revert as everywhere; any other failure in the words the schema of execution-apis asks for. */
function encodeFailure(result: SimulatedBlockOutcome["results"][number]): JsonObject {
  const { code, message, data } = callError(result);
  if (code === ERROR_CODES.reverted) return { code, message, data };
  return { code: ERROR_CODES.executionFailed, message: `vm execution error: ${message}` };
}

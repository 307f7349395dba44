/** What happened inside transactions and calls. See specs/rpc/tracing.md. */
import type { Block } from "../../vm/block.ts";
import type { Trace } from "../../vm/tracing/trace.ts";
import {
  blockNumberOrTag,
  blockParameter,
  findBlock,
  requireBlock,
  requireState,
} from "../block-parameter.ts";
import { callParameter, checkCall, stateOverrides } from "../call-request.ts";
import type { BlockReference, ChainView } from "../chain-view.ts";
import { encodeTrace, refusalText } from "../encode-trace.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { arrayOf } from "../json-schema.ts";
import { method } from "../method.ts";
import { callError } from "../revert-reason.ts";
import { serverError } from "../rpc-errors.ts";
import { asJson, hash, type Schema } from "../schema.ts";
import { requireParentState } from "../top-frame.ts";
import { type TraceOptions, traceOptions } from "../trace-options.ts";

const trace = asJson<JsonObject>("what the tracer found", { type: "object" });
const traces = asJson<readonly JsonObject[]>(
  "what the tracer found, by transaction",
  arrayOf({ type: "object" }),
);

export const traceTransaction = method({
  name: "debug_traceTransaction",
  summary: "Runs a mined transaction again and tells what happened inside.",
  params: { hash, options: traceOptions },
  result: trace,
  async handle({ chain }, params) {
    const located = chain.transaction(params.hash);
    if (located?.block === undefined) throw serverError("transaction not found");
    requireParentState(chain, located.block);
    const { request, asSteps } = params.options;
    const [traced] = await chain.traceBlock(located.block, located.index, request);
    return traced === undefined ? {} : encodeTrace(traced, asSteps, chain.sourceMaps);
  },
});

export const traceBlockByNumber = method({
  name: "debug_traceBlockByNumber",
  summary: "As debug_traceTransaction, for each transaction of a block.",
  params: { block: blockNumberOrTag, options: traceOptions },
  result: traces,
  handle: ({ chain }, params) => traceAll(chain, params.block, params.options),
});

export const traceBlockByHash = method({
  name: "debug_traceBlockByHash",
  summary: "As debug_traceTransaction, for each transaction of a block.",
  params: { hash, options: traceOptions },
  result: traces,
  handle: ({ chain }, params) => traceAll(chain, { hash: params.hash }, params.options),
});

async function traceAll(
  chain: ChainView,
  reference: BlockReference,
  { request, asSteps }: TraceOptions,
): Promise<readonly JsonObject[]> {
  const block = requireTraceable(chain, reference);
  const traced = await chain.traceBlock(block, undefined, request);
  return traced.map((one, index) => ({
    txHash: block.transactions[index]?.hash,
    ...encodeOne(one, asSteps, chain),
  }));
}

/** Among others, what cannot be shown is an error in its place, as in geth. */
function encodeOne(one: Trace, asSteps: boolean, { sourceMaps }: ChainView): JsonObject {
  if (one.kind === "refused") return { error: refusalText(one) };
  return { result: encodeTrace(one, asSteps, sourceMaps) };
}

/** @throws RpcError in the words of geth's tracers, which name the block where others do not. */
function requireTraceable(chain: ChainView, reference: BlockReference): Block {
  const block = findBlock(chain, reference);
  if (block === undefined) throw serverError(`block ${writtenOf(reference)} not found`);
  requireParentState(chain, block);
  return block;
}

function writtenOf(reference: BlockReference): string {
  if ("hash" in reference) return reference.hash;
  return "number" in reference ? `#${reference.number}` : reference.tag;
}

/** geth has the overrides of a traced call among its options. */
const callTraceOptions: Schema<{
  readonly tracer: TraceOptions;
  readonly overrides: ReturnType<typeof stateOverrides.read>;
}> = {
  expects: traceOptions.expects,
  shape: { allOf: [traceOptions.shape, { properties: { stateOverrides: stateOverrides.shape } }] },
  isOptional: true,
  read(json, at) {
    const overrides = isJsonObject(json) ? json["stateOverrides"] : undefined;
    return {
      tracer: traceOptions.read(json, at),
      overrides: stateOverrides.read(overrides, `${at}.stateOverrides`),
    };
  },
  write: ({ tracer }) => traceOptions.write(tracer),
};

export const traceCall = method({
  name: "debug_traceCall",
  summary: "Runs a call on the state of a block and tells what happened inside.",
  params: { transaction: callParameter, block: blockParameter, options: callTraceOptions },
  result: trace,
  async handle({ chain }, { transaction, block, options }) {
    checkCall(transaction, chain.chainId);
    requireState(chain, block);
    const site = requireBlock(chain, block);
    const { request, asSteps } = options.tracer;
    const outcome = await chain.traceCall(transaction, site, options.overrides, request);
    if ("failed" in outcome) throw callError(outcome.failed);
    return encodeTrace(outcome.trace, asSteps, chain.sourceMaps);
  },
});

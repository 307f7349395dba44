/** Traces as clients see them, in the shape of geth's tracers. See specs/rpc/tracing.md. */
import { toHash, toHex } from "../primitives/bytes.ts";
import { OUTCOME_TEXT } from "../vm/outcome-text.ts";
import type { CallFrame, RefusedTrace, Trace, TracedAccount, TracedAccounts } from "../vm/tracing/trace.ts";
import { encodeLineTrace } from "./encode-line-trace.ts";
import type { JsonObject } from "./json.ts";
import { readRevertReason } from "./revert-reason.ts";
import { serverError } from "./rpc-errors.ts";
import { toQuantity } from "./schema.ts";
import type { SourceMaps } from "./source-maps.ts";

/**
 * `asSteps` gives a call in the shape of geth's default tracer instead.
 * @throws RpcError when there can be no such trace.
 */
export function encodeTrace(trace: Trace, asSteps: boolean, maps: SourceMaps): JsonObject {
  if (asSteps && trace.kind === "calls") return encodeSteps(trace.frame);
  switch (trace.kind) {
    case "calls":
      return encodeFrame(trace.frame);
    case "prestate":
      return encodeAccounts(trace.accounts);
    case "difference":
      return { pre: encodeAccounts(trace.before), post: encodeAccounts(trace.after) };
    case "lines":
      return encodeLineTrace(trace, maps);
    case "refused":
      throw serverError(refusalText(trace));
  }
}

export function refusalText({ difference }: RefusedTrace): string {
  return `no lines: with probes in its contracts the run does something else: ${difference}`;
}

/** No EVM runs here, so there are no steps of it; the totals are true. Gas is a JSON number, as in geth. */
function encodeSteps({ gasUsed, outcome, output }: CallFrame): JsonObject {
  return { gas: gasUsed, failed: outcome !== "success", returnValue: toHex(output), structLogs: [] };
}

/** Fields without meaning are left out. */
function encodeFrame(frame: CallFrame): JsonObject {
  const { type, from, to, value, gas, gasUsed, input, outcome, calls, logs } = frame;
  const isCreation = type === "CREATE" || type === "CREATE2";
  const isFailedCreation = isCreation && outcome !== "success";
  return {
    from,
    gas: toQuantity(gas),
    gasUsed: toQuantity(gasUsed),
    ...(!isFailedCreation && { to }),
    input: toHex(input),
    ...encodeEnd(frame),
    ...(calls.length > 0 && { calls: calls.map(encodeFrame) }),
    ...(logs.length > 0 && {
      logs: logs.map(({ address, topics, data, index, position }) => ({
        address,
        topics,
        data: toHex(data),
        index: toQuantity(index),
        position: toQuantity(position),
      })),
    }),
    ...(value !== undefined && { value: toQuantity(value) }),
    type,
  };
}

function encodeEnd({ outcome, output }: CallFrame): JsonObject {
  const returned = output.length > 0 && { output: toHex(output) };
  if (outcome === "success") return { ...returned };
  const reason = outcome === "revert" ? readRevertReason(output) : undefined;
  return {
    ...returned,
    error: OUTCOME_TEXT[outcome],
    ...(reason !== undefined && { revertReason: reason }),
  };
}

function encodeAccounts(accounts: TracedAccounts): JsonObject {
  return Object.fromEntries(Array.from(accounts, ([address, account]) => [address, encodeAccount(account)]));
}

/** The nonce is a JSON number, as in geth. */
function encodeAccount({ balance, nonce, code, storage }: TracedAccount): JsonObject {
  return {
    ...(balance !== undefined && { balance: toQuantity(balance) }),
    ...(code !== undefined && { code: toHex(code) }),
    ...(nonce !== undefined && { nonce: Number(nonce) }),
    ...(storage.size > 0 && {
      storage: Object.fromEntries(Array.from(storage, ([slot, value]) => [slot, toHash(value)])),
    }),
  };
}

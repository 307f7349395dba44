/** Why a call failed, in the contract's own words where they are known. */

import type { Abi, Hex } from "viem";
import { decodeErrorResult } from "viem/utils";
import { formatValue } from "./output.ts";
import { NodeRefusal } from "./wallet-error.ts";

/** The decoded custom error, the revert's text, or the node's words. */
export function failureReason(error: unknown, abi: Abi): string {
  if (!(error instanceof NodeRefusal)) return error instanceof Error ? error.message : String(error);
  const data = revertData(error.data);
  if (data === undefined) return error.message;
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi, data });
    if (errorName === "Error") return String(args[0]);
    if (errorName === "Panic") return error.message;
    return `${errorName}(${args.map(formatValue).join(", ")})`;
  } catch {
    // An error this ABI does not declare: the node's text and the data are all there is.
    return `${error.message} (${data})`;
  }
}

/** Some nodes put the data itself there, some an object around it. */
function revertData(value: unknown): Hex | undefined {
  const data = typeof value === "object" && value !== null ? (value as { data?: unknown }).data : value;
  return typeof data === "string" && /^0x[0-9a-f]{8,}$/i.test(data) ? (data as Hex) : undefined;
}

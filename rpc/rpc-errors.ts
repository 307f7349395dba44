/** The errors clients see: codes, and texts they match on. See specs/rpc/errors.md. */
import type { Json } from "./json.ts";

export const ERROR_CODES = {
  /** The body is not JSON. */
  parseError: -32700,
  /** JSON, but not a JSON-RPC request. */
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  /** Our fault. Clients retry it, so nothing deterministic may use it. */
  internal: -32603,
  /** The request is well-formed and cannot be served: geth's code for nearly everything. */
  server: -32000,
  timeout: -32002,
  responseTooLarge: -32003,
  limitExceeded: -32005,
  /** The contract reverted; `data` holds what it reverted with. */
  reverted: 3,
  /** EIP-7966: the transaction waits, and no block took it in time; `data` holds its hash. */
  notIncludedInTime: 4,
  /** Of eth_simulateV1, as execution-apis numbers them. */
  executionFailed: -32015,
  blockNumbersOutOfOrder: -38020,
  blockTimestampsOutOfOrder: -38021,
  precompileMovedToItself: -38022,
  precompilesMovedTogether: -38023,
  simulationTooLarge: -38026,
  /** EIP-4444's number for history this node no longer keeps. */
  prunedHistory: 4444,
} as const;

export type ErrorCode = (typeof ERROR_CODES)[keyof typeof ERROR_CODES];

/** An answer that is an error. Methods throw it; dispatch sends it. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly data: Json | undefined;

  /** Where a contract failed, innermost function first, in JavaScript's words. */
  readonly contractStack: readonly string[] | undefined;

  constructor(code: number, message: string, data?: Json, contractStack?: readonly string[]) {
    super(message);
    this.code = code;
    this.data = data;
    this.contractStack = contractStack;
  }
}

export function serverError(message: string): RpcError {
  return new RpcError(ERROR_CODES.server, message);
}

export function invalidParams(message: string): RpcError {
  return new RpcError(ERROR_CODES.invalidParams, message);
}

export function methodNotFound(name: string): RpcError {
  return new RpcError(ERROR_CODES.methodNotFound, `the method ${name} does not exist/is not available`);
}

export function responseTooLarge(): RpcError {
  return new RpcError(ERROR_CODES.responseTooLarge, "response too large");
}

/** `oldest` is the first block number that is still kept. */
export function prunedHistory(what: "block" | "state", number: number, oldest: number): RpcError {
  const message = `pruned history unavailable: ${what} ${number}, the oldest kept is ${oldest}`;
  return new RpcError(ERROR_CODES.prunedHistory, message);
}

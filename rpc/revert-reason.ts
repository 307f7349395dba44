/** The reason inside revert data, in geth's words. See specs/rpc/calls.md#reverts. */
import { bytesToBigInt, toHex } from "../primitives/bytes.ts";
import type { CallOutcome } from "./chain-view.ts";
import { ERROR_CODES, RpcError } from "./rpc-errors.ts";

/** Selector of Solidity's `Error(string)`. */
const ERROR_SELECTOR = "0x08c379a0";
/** Selector of Solidity's `Panic(uint256)`. */
const PANIC_SELECTOR = "0x4e487b71";

const PANIC_REASONS: ReadonlyMap<bigint, string> = new Map([
  [0x00n, "generic panic"],
  [0x01n, "assert(false)"],
  [0x11n, "arithmetic underflow or overflow"],
  [0x12n, "division or modulo by zero"],
  [0x21n, "enum overflow"],
  [0x22n, "invalid encoded storage byte array accessed"],
  [0x31n, "out-of-bounds array access; popping on an empty array"],
  [0x32n, "out-of-bounds access of an array or bytesN"],
  [0x41n, "out of memory"],
  [0x51n, "uninitialized function"],
]);

/** The error a failed call is answered with: code 3 and the data for a revert, the outcome's text otherwise. */
export function callError({ outcome, output, stack }: CallOutcome): RpcError {
  if (outcome !== "revert") return new RpcError(ERROR_CODES.server, outcome, undefined, stack);
  const reason = readRevertReason(output);
  const message = reason === undefined ? "execution reverted" : `execution reverted: ${reason}`;
  return new RpcError(ERROR_CODES.reverted, message, toHex(output), stack);
}

/** Undefined when the data is neither `Error(string)` nor `Panic(uint256)`, well-formed. */
export function readRevertReason(output: Uint8Array): string | undefined {
  const selector = toHex(output.subarray(0, 4));
  const body = output.subarray(4);
  if (selector === PANIC_SELECTOR && body.length >= 32) {
    const code = bytesToBigInt(body.subarray(0, 32));
    return PANIC_REASONS.get(code) ?? `unknown panic code: 0x${code.toString(16)}`;
  }
  return selector === ERROR_SELECTOR ? readString(body) : undefined;
}

/** One ABI-encoded string: its offset, its length, its bytes. */
function readString(body: Uint8Array): string | undefined {
  const offset = readLength(body, 0);
  const length = offset === undefined ? undefined : readLength(body, offset);
  if (offset === undefined || length === undefined) return undefined;
  const start = offset + 32;
  if (start + length > body.length) return undefined;
  return new TextDecoder().decode(body.subarray(start, start + length));
}

/** A word that says where or how long something is; undefined when it points outside. */
function readLength(body: Uint8Array, at: number): number | undefined {
  if (at + 32 > body.length) return undefined;
  const word = bytesToBigInt(body.subarray(at, at + 32));
  return word <= BigInt(body.length) ? Number(word) : undefined;
}

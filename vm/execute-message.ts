/** Runs one message: moves value, enters code, undoes all of it on failure. See specs/vm/execute-block.md#messages. */
import { type Address, EMPTY_BYTES } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { reasonData } from "./contract/revert-data.ts";
import type { ExecutionContext, Frame, Message, MessageResult, Outcome } from "./message.ts";
import { EMPTY_CODE_HASH } from "./state/account-codec.ts";

/** Deepest message: each depth needs a machine instance of its own, so this bounds a node's memory. */
export const CALL_DEPTH_LIMIT = 64;
/**
 * Bytes a message may return or revert with: what its caller, and a node that answers a call, must have room for. Reading
 * them costs a contract 2.4 M gas.
 */
export const RETURN_DATA_LIMIT = 1_048_576;
/** EIP-2681: a nonce never reaches the largest 64-bit integer. */
export const NONCE_LIMIT = 0xffff_ffff_ffff_ffffn;

/**
 * Runs `message` in a checkpoint of its own; when it does not succeed the journal is as it was before.
 *
 * For a creation, `message.self` is the new address: createAddress(caller, its nonce now) or create2Address.
 * The caller's nonce rises with it and stays so when the creation fails; that of a transaction's sender
 * (depth 0) rose before.
 */
export function executeMessage(context: ExecutionContext, message: Message): MessageResult {
  context.tracer?.onEnter(message);
  const result = perform(context, message);
  context.tracer?.onExit(result);
  return result;
}

function perform(context: ExecutionContext, message: Message): MessageResult {
  const refused = refusalOf(context, message);
  // Nothing ran, so nothing is spent (Yellow Paper, appendix H, CALL and CREATE).
  if (refused !== undefined) return { outcome: refused, output: EMPTY_BYTES, gasLeft: message.gas };

  const { journal } = context;
  if (message.kind === "create") {
    if (message.depth > 0) journal.setNonce(message.caller, journal.nonce(message.caller) + 1n);
    // EIP-2929: the new address stays warm even when the creation fails.
    journal.touchAddress(message.self);
    if (isOccupied(context, message.self)) return failed("address collision");
  }
  const checkpoint = journal.checkpoint();
  moveValue(context, message);
  const result = message.kind === "create" ? create(context, message) : call(context, message);
  if (result.outcome !== "success") journal.revertTo(checkpoint);
  return result;
}

function refusalOf(context: ExecutionContext, message: Message): Outcome | undefined {
  if (message.depth > CALL_DEPTH_LIMIT) return "call depth limit";
  if (message.isStatic && (message.kind === "create" || (message.kind === "call" && message.value > 0n))) {
    return "static state change";
  }
  const { journal } = context;
  if (movesValue(message) && journal.balance(message.caller) < message.value) return "insufficient balance";
  const raisesNonce = message.kind === "create" && message.depth > 0;
  return raisesNonce && journal.nonce(message.caller) >= NONCE_LIMIT ? "nonce overflow" : undefined;
}

function movesValue(message: Message): boolean {
  return message.kind === "call" || message.kind === "create";
}

function moveValue(context: ExecutionContext, message: Message): void {
  if (!movesValue(message)) return;
  context.journal.addBalance(message.caller, -message.value);
  context.journal.addBalance(message.self, message.value);
  if (message.value > 0n) context.onTransfer?.(message.caller, message.self, message.value);
}

/** Whether something is at the address that a creation must not overwrite (EIP-684, EIP-7610). */
function isOccupied(context: ExecutionContext, address: Address): boolean {
  const { journal } = context;
  return (
    journal.nonce(address) > 0n ||
    journal.codeHash(address) !== EMPTY_CODE_HASH ||
    journal.hasStorage(address)
  );
}

function call(context: ExecutionContext, message: Message): MessageResult {
  const precompile = context.machine.precompiles.get(message.codeAddress);
  if (precompile !== undefined) return settled(precompile(message.data, message.gas), message);
  const code = context.journal.code(message.codeAddress);
  if (code.length === 0) return { outcome: "success", output: EMPTY_BYTES, gasLeft: message.gas };
  return settled(context.machine.call(frameOf(context, message, code)), message);
}

function create(context: ExecutionContext, message: Message): MessageResult {
  const { journal } = context;
  // EIP-161: a contract starts at nonce 1, so that it is never empty.
  journal.setNonce(message.self, 1n);
  const result = settled(context.machine.create(frameOf(context, message, EMPTY_BYTES)), message);
  if (result.outcome !== "success") return result;
  assert(result.code !== undefined, "a creation that succeeds has code");
  journal.setCode(message.self, result.code);
  return result;
}

/** Written out, since every frame is made here and read all over: what a spread makes is slow to read. */
function frameOf(context: ExecutionContext, message: Message, code: Uint8Array): Frame {
  return {
    kind: message.kind,
    caller: message.caller,
    self: message.self,
    codeAddress: message.codeAddress,
    value: message.value,
    data: message.data,
    gas: message.gas,
    isStatic: message.isStatic,
    depth: message.depth,
    parent: message.parent,
    context,
    code,
  };
}

/** Every failure but a revert takes all gas; no machine may hand back more than it got. */
function settled(result: MessageResult, message: Message): MessageResult {
  if (result.outcome !== "success" && result.outcome !== "revert") return failed(result.outcome);
  assert(result.gasLeft >= 0 && result.gasLeft <= message.gas, "gas is spent, never made");
  if (result.output.length <= RETURN_DATA_LIMIT) return result;
  return { outcome: "revert", output: RETURN_DATA_TOO_LONG, gasLeft: result.gasLeft };
}

const RETURN_DATA_TOO_LONG = reasonData(`return data is longer than ${RETURN_DATA_LIMIT} bytes`);

function failed(outcome: Outcome): MessageResult {
  return { outcome, output: EMPTY_BYTES, gasLeft: 0 };
}

/** Host operations that run other contracts: calls and creations. See specs/contracts/calls.md. */
import { create2Address, createAddress } from "../../primitives/address.ts";
import { type Address, concatBytes, toHex } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { GuestException, type HostArguments } from "../engine/host.ts";
import { executeMessage } from "../execute-message.ts";
import { allButOne64th, GAS, wordsOf } from "../gas.ts";
import type { Message, MessageKind, MessageResult } from "../message.ts";
import { touchAccountGas } from "../state-gas.ts";
import type { AbiType } from "./abi-type.ts";
import { isUpgradeable } from "./container.ts";
import type { FrameRun } from "./frame-run.ts";
import { readAddress } from "./host-environment.ts";
import { type Operator, readHex, readHexOfLength } from "./host-pure.ts";
import { CALL_KIND, OPERATION } from "./operation.ts";
import { PANIC, panicException, reasonOf } from "./revert-data.ts";
import { readArgument } from "./wire.ts";

type Run = Operator<FrameRun>;

const UINT256: AbiType = { kind: "uint", bits: 256 };

function readUint(args: HostArguments, index: number): bigint {
  const value = readArgument(args, index, UINT256) as bigint;
  if (value < 0n || value >> 256n !== 0n)
    throw panicException(PANIC.arithmetic, "value out of range of uint256");
  return value;
}

const KINDS = new Map<number, MessageKind>([
  [CALL_KIND.call, "call"],
  [CALL_KIND.staticcall, "staticcall"],
  [CALL_KIND.delegatecall, "delegatecall"],
]);

/** CALL, STATICCALL and DELEGATECALL, with Ethereum's prices and the rule that keeps back a 64th (EIP-150). */
const call: Run = (run, args) => {
  const { frame } = run;
  const kind = KINDS.get(args.int(0));
  if (kind === undefined) throw new GuestException("TypeError", "unknown kind of call");
  const to = readAddress(args, 1);
  const data = readHex(args, 2);
  const value = kind === "call" ? readUint(args, 3) : 0n;
  if (value > 0n) run.refuseStatic();
  const { journal } = frame.context;
  run.charge(touchAccountGas(journal, to));
  run.charge(frame.context.machine.loadGas(journal, to, run.gasLeft));
  if (value > 0n) run.charge(GAS.callValue + (journal.exists(to) ? 0 : GAS.newAccount));
  const offered = allButOne64th(run.gasLeft);
  const wanted = args.isUndefined(4) ? undefined : readUint(args, 4);
  const sent = wanted === undefined || wanted > BigInt(offered) ? offered : Number(wanted);
  const gas = sent + (value > 0n ? GAS.callStipend : 0);
  const isDelegate = kind === "delegatecall";
  const result = perform(run, {
    kind,
    caller: isDelegate ? frame.caller : frame.self,
    self: isDelegate ? frame.self : to,
    codeAddress: to,
    value: isDelegate ? frame.value : value,
    data,
    gas,
    isStatic: run.isStatic || kind === "staticcall",
  });
  return toHex(result.output);
};

/** CREATE or CREATE2 of the code that an existing account has. */
const create: Run = (run, args) => {
  run.refuseStatic();
  const { journal } = run.frame.context;
  const template = readAddress(args, 0);
  run.charge(touchAccountGas(journal, template));
  return createFrom(run, concatBytes(journal.code(template), readHex(args, 1)), args, 2);
};

/** CREATE or CREATE2 of a container and its arguments. */
const deploy: Run = (run, args) => {
  run.refuseStatic();
  return createFrom(run, readHex(args, 0), args, 1);
};

/** With a salt, the argument behind the value at `valueIndex`, the address is CREATE2's. */
function createFrom(run: FrameRun, data: Uint8Array, args: HostArguments, valueIndex: number): Address {
  const { frame } = run;
  run.charge(GAS.create + GAS.initCodeWord * wordsOf(data.length));
  const value = readUint(args, valueIndex);
  let self = createAddress(frame.self, frame.context.journal.nonce(frame.self));
  if (!args.isUndefined(valueIndex + 1)) {
    run.charge(GAS.keccakWord * wordsOf(data.length));
    const salt = toHex(readHexOfLength(args, valueIndex + 1, 32));
    self = create2Address(frame.self, salt, keccak256Hex(data));
  }
  const gas = allButOne64th(run.gasLeft);
  const place = { caller: frame.self, self, codeAddress: self };
  perform(run, { ...place, kind: "create", value, data, gas, isStatic: false });
  return self;
}

/**
 * Replaces the code of the running account by the code that another account has. Code on the chain was evaluated when
 * it was deployed, so it can run. What runs now is not touched: the next message finds the new code.
 */
const upgrade: Run = (run, args) => {
  run.refuseStatic();
  const { context, self } = run.frame;
  const { journal } = context;
  const template = readAddress(args, 0);
  run.charge(touchAccountGas(journal, template) + GAS.storageReset);
  if (!isUpgradeable(journal.code(self)))
    throw new GuestException("TypeError", "the contract is not upgradeable");
  const code = journal.code(template);
  if (code.length === 0) throw new GuestException("TypeError", "no contract to take the code of");
  run.chargeHash(code.length);
  journal.setCode(self, code);
  return undefined;
};

/**
 * Runs the message and takes from the caller what it used, a stipend's rest given back.
 * @throws GuestException (CallError) with the callee's revert data unless it succeeded.
 */
function perform(run: FrameRun, request: Omit<Message, "depth" | "parent">): MessageResult {
  const { frame } = run;
  const stipend = request.kind === "call" && request.value > 0n ? GAS.callStipend : 0;
  const message: Message = {
    kind: request.kind,
    caller: request.caller,
    self: request.self,
    codeAddress: request.codeAddress,
    value: request.value,
    data: request.data,
    gas: request.gas,
    isStatic: request.isStatic,
    depth: frame.depth + 1,
    parent: frame,
  };
  const result = executeMessage(frame.context, message);
  run.charge(request.gas - stipend - result.gasLeft);
  if (result.outcome !== "success") throw callError(result);
  return result;
}

/** Its message is the callee's reason where there is one. */
function callError({ outcome, output }: MessageResult): GuestException {
  const message = outcome === "revert" ? (reasonOf(output) ?? "call reverted") : `call failed: ${outcome}`;
  return new GuestException("CallError", message, toHex(output));
}

export const CALLS: Readonly<Record<number, Run>> = {
  [OPERATION.call]: call,
  [OPERATION.create]: create,
  [OPERATION.deploy]: deploy,
  [OPERATION.upgrade]: upgrade,
};

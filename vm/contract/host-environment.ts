/** Host operations that tell a contract about its message, block and chain. See specs/vm/contract/host-functions.md. */
import { type Address, type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import type { HostArguments } from "../engine/host.ts";
import { touchAccountGas } from "../state-gas.ts";
import type { AbiType } from "./abi-type.ts";
import type { FrameRun } from "./frame-run.ts";
import { codecGas, HOST_GAS } from "./host-gas.ts";
import { type Operator, readHexOfLength } from "./host-pure.ts";
import { OPERATION } from "./operation.ts";
import { readArgument } from "./wire.ts";

type Run = Operator<FrameRun>;

const UINT256: AbiType = { kind: "uint", bits: 256 };

/** Characters of one line that reach the sink. */
const CONSOLE_LIMIT = 8_192;

/** An address argument, in the one form the state knows. @throws GuestException */
export function readAddress(args: HostArguments, index: number): Address {
  return toHex(readHexOfLength(args, index, 20));
}

const blockHash: Run = ({ charge, frame }, args) => {
  charge(HOST_GAS.blockHash);
  const number = readArgument(args, 0, UINT256) as bigint;
  return number >= 0n && number <= BigInt(Number.MAX_SAFE_INTEGER)
    ? frame.context.block.blockHash(Number(number))
    : ZERO_HASH;
};

const balance: Run = (run, args) => {
  const { journal } = run.frame.context;
  const address = readAddress(args, 0);
  // Its own account is warm and needs no search (EIP-1884's SELFBALANCE).
  if (address !== run.frame.self) run.charge(touchAccountGas(journal, address));
  return journal.balance(address);
};

/** EXTCODEHASH: zero for an account that does not exist (EIP-1052). */
const codeHash: Run = (run, args): Hash => {
  const { journal } = run.frame.context;
  const address = readAddress(args, 0);
  run.charge(touchAccountGas(journal, address));
  return journal.exists(address) ? journal.codeHash(address) : ZERO_HASH;
};

const codeSize: Run = (run, args) => {
  const { journal } = run.frame.context;
  const address = readAddress(args, 0);
  run.charge(touchAccountGas(journal, address));
  return BigInt(journal.code(address).length);
};

/** Costs the same whether anybody listens. */
const print: Run = (run, args) => {
  run.charge(HOST_GAS.console);
  const text = args.text(0);
  run.console?.(run.frame.self, text.slice(0, CONSOLE_LIMIT));
  return undefined;
};

const data: Run = ({ charge, frame }) => {
  charge(codecGas(frame.data.length));
  return toHex(frame.data);
};

export const ENVIRONMENT: Readonly<Record<number, Run>> = {
  [OPERATION.sender]: ({ frame }) => frame.caller,
  [OPERATION.value]: ({ frame }) => frame.value,
  [OPERATION.data]: data,
  [OPERATION.self]: ({ frame }) => frame.self,
  [OPERATION.origin]: ({ frame }) => frame.context.transaction.origin,
  [OPERATION.gasPrice]: ({ frame }) => frame.context.transaction.gasPrice,
  [OPERATION.blockNumber]: ({ frame }) => BigInt(frame.context.block.number),
  [OPERATION.timestamp]: ({ frame }) => BigInt(frame.context.block.timestamp),
  [OPERATION.baseFee]: ({ frame }) => frame.context.block.baseFeePerGas,
  [OPERATION.prevRandao]: ({ frame }) => frame.context.block.prevRandao,
  [OPERATION.chainId]: ({ frame }) => frame.context.block.chainId,
  [OPERATION.coinbase]: ({ frame }) => frame.context.block.feeRecipient,
  [OPERATION.gasLimit]: ({ frame }) => frame.context.block.gasLimit,
  [OPERATION.blockHash]: blockHash,
  [OPERATION.gasLeft]: (run) => BigInt(run.gasLeft),
  [OPERATION.balance]: balance,
  [OPERATION.codeHash]: codeHash,
  [OPERATION.codeSize]: codeSize,
  [OPERATION.console]: print,
};

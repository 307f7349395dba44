/** Runs a call that leaves no trace, without the rules of a transaction. See specs/vm/execute-block.md#calls. */
import type { Address } from "../primitives/bytes.ts";
import type { Header, Log } from "./block.ts";
import { type AncestorHash, blockEnvironment } from "./block-execution.ts";
import { type BlockContext, gasAfterRefund, runMessage } from "./execute-transaction.ts";
import { floorGas, intrinsicGas } from "./gas.ts";
import type { ContractMachine, Outcome } from "./message.ts";
import type { StateReader } from "./state/account.ts";
import { createJournal } from "./state/journal.ts";
import { type AccountOverride, overrideState } from "./state/override.ts";
import type { RunSetting } from "./tracing/trace-lines.ts";
import type { AccessListEntry } from "./transaction.ts";
import { InvalidTransactionError } from "./transaction-rules.ts";

/** Where a call runs: the state after a block, in that block's environment. */
export type CallSite = {
  readonly chainId: bigint;
  readonly header: Header;
  readonly state: StateReader;
  readonly overrides: ReadonlyMap<Address, AccountOverride>;
  readonly machine: ContractMachine;
  readonly ancestorHash: AncestorHash;
};

export type CallRequest = {
  readonly from: Address;
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
  readonly gasPrice: bigint | undefined;
  readonly maxFeePerGas: bigint | undefined;
  readonly maxPriorityFeePerGas: bigint | undefined;
};

export type CallResult = {
  readonly outcome: Outcome;
  readonly output: Uint8Array;
  /** What a transaction would pay for: after refund and floor. */
  readonly gasUsed: number;
  /** What it needs at its height: before the refund. */
  readonly gasSpent: number;
  readonly refund: number;
  readonly logs: readonly Log[];
  /** Every address and slot it touched, those that are always warm and those of reverted messages too. */
  readonly accessList: readonly AccessListEntry[];
  readonly contractAddress: Address | undefined;
};

/**
 * Runs `request` with `gasLimit` gas. The sender needs to be no account and to hold no fee, unless the
 * request names a price.
 * @throws InvalidTransactionError INSUFFICIENT_FUNDS, INTRINSIC_GAS_TOO_LOW or FEE_BELOW_BASE_FEE
 */
export function executeCall(
  site: CallSite,
  request: CallRequest,
  gasLimit: number,
  setting?: RunSetting,
): CallResult {
  const context = openContext(site, setting);
  const { journal } = context;
  const { from, to, value, data, accessList } = request;
  const required = Math.max(intrinsicGas(request), floorGas(data));
  if (gasLimit < required) {
    const detail = { gasLimit: BigInt(gasLimit), required: BigInt(required) };
    throw new InvalidTransactionError({ code: "INTRINSIC_GAS_TOO_LOW", ...detail });
  }
  const gasPrice = callGasPrice(request, context.block.baseFeePerGas);
  checkFunds(journal.balance(from), BigInt(gasLimit) * offeredFee(request) + value);
  checkFee(offeredFee(request), context.block.baseFeePerGas);

  journal.setNonce(from, journal.nonce(from) + 1n);
  const gas = gasLimit - intrinsicGas(request);
  const run = runMessage(context, { sender: from, to, value, data, gas, gasPrice, accessList });
  const gasSpent = gasLimit - run.gasLeft;
  const refund = journal.refund();
  const gasUsed = gasAfterRefund(gasSpent, refund, floorGas(data));
  const { outcome, output, contractAddress } = run;
  const touched = journal.touchedList();
  return {
    outcome,
    output,
    contractAddress,
    gasUsed,
    gasSpent,
    refund,
    logs: journal.logs(),
    accessList: touched,
  };
}

/** The state that the call finds. */
export function callState({ state, overrides }: CallSite): StateReader {
  return overrideState(state, overrides);
}

function openContext(site: CallSite, setting: RunSetting | undefined): BlockContext {
  const { header, chainId, ancestorHash, machine } = site;
  const { baseFeePerGas = 0n } = header;
  const block = blockEnvironment(chainId, { ...header, baseFeePerGas }, ancestorHash);
  return { block, ...(setting ?? { machine, journal: createJournal(callState(site)) }) };
}

/** Wei per gas the request says it would pay at most; 0 when it says nothing. */
export function offeredFee(request: CallRequest): bigint {
  return request.maxFeePerGas ?? request.gasPrice ?? 0n;
}

/** A price that is named must be one a transaction could have; none at all is none of its rules. */
function checkFee(fee: bigint, baseFee: bigint): void {
  if (fee > 0n && fee < baseFee)
    throw new InvalidTransactionError({ code: "FEE_BELOW_BASE_FEE", fee, baseFee });
}

/** What `tx.gasPrice` says. */
function callGasPrice(request: CallRequest, baseFee: bigint): bigint {
  const fee = offeredFee(request);
  if (request.maxFeePerGas === undefined) return fee;
  const wanted = baseFee + (request.maxPriorityFeePerGas ?? 0n);
  return wanted < fee ? wanted : fee;
}

export function checkFunds(balance: bigint, required: bigint): void {
  if (balance < required)
    throw new InvalidTransactionError({ code: "INSUFFICIENT_FUNDS", balance, required });
}

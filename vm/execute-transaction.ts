/** Runs one transaction: rules, gas bought, message, refund, fees. See specs/vm/execute-block.md#transactions. */
import { createAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import type { Log } from "./block.ts";
import { executeMessage } from "./execute-message.ts";
import { floorGas, intrinsicGas, REFUND_QUOTIENT } from "./gas.ts";
import type { ExecutionContext, Message, Outcome } from "./message.ts";
import { EMPTY_CODE_HASH } from "./state/account-codec.ts";
import type { BlockJournal } from "./state/journal.ts";
import type { AccessListEntry, RecoveredTransaction } from "./transaction.ts";
import {
  checkBlockRules,
  checkSenderRules,
  checkStatelessRules,
  effectiveGasPrice,
} from "./transaction-rules.ts";

/** What the transactions of one block share. */
export type BlockContext = Pick<ExecutionContext, "block" | "machine" | "onTransfer" | "tracer"> & {
  readonly journal: BlockJournal;
  /** As in ChainConfig. */
  readonly allowsContractSenders?: boolean;
};

export type TransactionResult = {
  readonly outcome: Outcome;
  readonly output: Uint8Array;
  readonly gasUsed: number;
  /** What it needed at its height: before the refund, at least the floor. */
  readonly gasSpent: number;
  /** Wei per gas. */
  readonly effectiveGasPrice: bigint;
  readonly logs: readonly Log[];
  /** Of a creation that succeeded. */
  readonly contractAddress: Address | undefined;
};

/**
 * Executes a transaction in a block with `available` gas left.
 *
 * A transaction that fails is executed all the same: its sender pays and its nonce rises. One that may not
 * be in this block is refused and changes nothing.
 * @throws InvalidTransactionError
 */
export function executeTransaction(
  context: BlockContext,
  recovered: RecoveredTransaction,
  available: bigint,
): TransactionResult {
  const { transaction, sender } = recovered;
  const { block } = context;
  checkStatelessRules(transaction, block.chainId);
  checkBlockRules(transaction, block.baseFeePerGas, available);
  checkSenderRules(recovered, senderState(context, sender));
  return runTransaction(context, recovered);
}

/** Executes a transaction whose rules were checked: nobody pays more than they have. */
export function runTransaction(context: BlockContext, recovered: RecoveredTransaction): TransactionResult {
  const { transaction, sender } = recovered;
  const { block, journal } = context;
  const { baseFeePerGas } = block;
  journal.beginTransaction();
  const gasPrice = effectiveGasPrice(transaction, baseFeePerGas);
  journal.addBalance(sender, -transaction.gasLimit * gasPrice);
  journal.setNonce(sender, journal.nonce(sender) + 1n);

  const gasLimit = Number(transaction.gasLimit);
  const gas = gasLimit - intrinsicGas(transaction);
  const { to, value, data } = transaction;
  const accessList = transaction.type === 0 ? [] : transaction.accessList;
  const run = runMessage(context, { sender, to, value, data, gas, gasPrice, accessList });
  const spent = gasLimit - run.gasLeft;
  const gasUsed = gasAfterRefund(spent, journal.refund(), floorGas(data));

  journal.addBalance(sender, BigInt(gasLimit - gasUsed) * gasPrice);
  // The base fee's part goes to nobody: it is burned (EIP-1559).
  const tip = gasPrice > baseFeePerGas ? gasPrice - baseFeePerGas : 0n;
  journal.addBalance(block.feeRecipient, BigInt(gasUsed) * tip);
  const gasSpent = Math.max(spent, floorGas(data));
  return { ...run, gasUsed, gasSpent, effectiveGasPrice: gasPrice, logs: journal.logs() };
}

function senderState({ journal, allowsContractSenders }: BlockContext, sender: Address) {
  return {
    nonce: journal.nonce(sender),
    balance: journal.balance(sender),
    codeHash: allowsContractSenders === true ? EMPTY_CODE_HASH : journal.codeHash(sender),
  };
}

/** EIP-3529's cap on the refund, then EIP-7623's floor. */
export function gasAfterRefund(gasUsed: number, refund: number, floor: number): number {
  return Math.max(gasUsed - Math.min(refund, Math.floor(gasUsed / REFUND_QUOTIENT)), floor);
}

/** What a transaction or a call asks to run, its intrinsic gas paid. */
export type MessageRequest = {
  readonly sender: Address;
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly gas: number;
  readonly gasPrice: bigint;
  readonly accessList: readonly AccessListEntry[];
};

export type MessageRun = {
  readonly outcome: Outcome;
  readonly output: Uint8Array;
  readonly gasLeft: number;
  readonly contractAddress: Address | undefined;
};

/** The outermost message. The sender's nonce has been raised when `journal` counts it for a creation. */
export function runMessage(context: BlockContext, request: MessageRequest): MessageRun {
  const { sender, to, value, data, gas } = request;
  const { journal } = context;
  warmUp(context, request);
  // Written out: what a spread makes has a shape of its own each time, and every later access to it is slow.
  const execution: ExecutionContext = {
    block: context.block,
    transaction: { origin: sender, gasPrice: request.gasPrice },
    journal,
    machine: context.machine,
    onTransfer: context.onTransfer,
    tracer: context.tracer,
  };
  const self = to ?? createAddress(sender, journal.nonce(sender) - 1n);
  const message: Message = {
    kind: to === undefined ? "create" : "call",
    caller: sender,
    self,
    codeAddress: self,
    value,
    data,
    gas,
    isStatic: false,
    depth: 0,
    parent: undefined,
  };
  const { outcome, output, gasLeft } = executeMessage(execution, message);
  const isCreated = to === undefined && outcome === "success";
  return { outcome, output, gasLeft, contractAddress: isCreated ? self : undefined };
}

/** Addresses that are warm from the start (EIP-2929, EIP-2930; EIP-3651 for the fee recipient). */
function warmUp({ block, journal, machine }: BlockContext, request: MessageRequest): void {
  journal.keepWarm(machine.precompiles);
  journal.touchAddress(request.sender);
  if (request.to !== undefined) journal.touchAddress(request.to);
  journal.touchAddress(block.feeRecipient);
  for (const { address, storageKeys } of request.accessList) {
    journal.touchAddress(address);
    for (const slot of storageKeys) journal.touchSlot(address, slot);
  }
}

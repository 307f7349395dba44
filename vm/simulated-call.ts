/** One call of a simulation: a transaction nobody signed. See specs/vm/execute-block.md#simulation. */
import type { Address } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import { keccak256Hex } from "../primitives/hash.ts";
import type { CallRequest } from "./call.ts";
import { type BlockContext, runTransaction, type TransactionResult } from "./execute-transaction.ts";
import { EMPTY_CODE_HASH } from "./state/account-codec.ts";
import type { RecoveredTransaction, Transaction } from "./transaction.ts";
import { encodeTransaction } from "./transaction-codec.ts";
import { checkBlockRules, checkSenderRules, checkStatelessRules } from "./transaction-rules.ts";

/** Without nonce and gas the sender's next nonce and all gas there is are taken. */
export type SimulatedCall = CallRequest & {
  readonly nonce: bigint | undefined;
  readonly gas: bigint | undefined;
};

/** A call that asks for more gas than its block has left. */
export class SimulationError extends CodedError<{
  readonly code: "SIMULATED_BLOCK_FULL";
  readonly gas: bigint;
  readonly available: bigint;
}> {}

export type SimulatedCallRules = {
  /** Gas the block has left, and the simulation. */
  readonly available: bigint;
  readonly gasLeft: number;
  /** Whether nonce and base fee count. Funds do always, that the sender may have code never. */
  readonly validation: boolean;
};

/** @throws InvalidTransactionError, SimulationError */
export function runSimulatedCall(
  context: BlockContext,
  call: SimulatedCall,
  { available, gasLeft, validation }: SimulatedCallRules,
): { readonly recovered: RecoveredTransaction; readonly result: TransactionResult } {
  const { block, journal } = context;
  const wanted = call.gas ?? available;
  if (wanted > available) {
    throw new SimulationError({ code: "SIMULATED_BLOCK_FULL", gas: wanted, available });
  }
  const gasLimit = wanted < BigInt(gasLeft) ? wanted : BigInt(gasLeft);
  const nonce = call.nonce ?? journal.nonce(call.from);
  const recovered = unsigned(transactionOf(call, block.chainId, nonce, gasLimit), call.from);
  const { transaction } = recovered;
  checkStatelessRules(transaction, block.chainId);
  if (validation) checkBlockRules(transaction, block.baseFeePerGas, available);
  checkSenderRules(recovered, {
    nonce: validation ? journal.nonce(call.from) : nonce,
    balance: journal.balance(call.from),
    codeHash: EMPTY_CODE_HASH,
  });
  return { recovered, result: runTransaction(context, recovered) };
}

function transactionOf(call: CallRequest, chainId: bigint, nonce: bigint, gasLimit: bigint): Transaction {
  const { to, value, data, accessList, gasPrice, maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = call;
  const shared = { chainId, nonce, gasLimit, to, value, data, yParity: 0, r: 0n, s: 0n } as const;
  if (gasPrice === undefined) return { ...shared, type: 2, maxFeePerGas, maxPriorityFeePerGas, accessList };
  return accessList.length === 0
    ? { ...shared, type: 0, gasPrice }
    : { ...shared, type: 1, gasPrice, accessList };
}

function unsigned(transaction: Transaction, sender: Address): RecoveredTransaction {
  const raw = encodeTransaction(transaction);
  return { transaction, hash: keccak256Hex(raw), sender, raw };
}

/** Payloads of beacon blocks and Ethereum blocks: the same block in two shapes. See specs/node/execution.md#payloads. */
import { type ChainContainers, containersOf } from "../../consensus/chain-containers.ts";
import type { Withdrawal as ConsensusWithdrawal } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import type { ExecutionPayload, ExecutionRequests } from "../../consensus/payload-containers.ts";
import { concatBytes, fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import { assert, CodedError } from "../../primitives/errors.ts";
import type { Block, Header, Withdrawal } from "../../vm/block.ts";
import {
  computeRequestsHash,
  computeTransactionsRoot,
  computeWithdrawalsRoot,
} from "../../vm/block-roots.ts";
import { headerHash, PROOF_OF_STAKE_FIELDS } from "../../vm/header.ts";
import { DEPOSIT_REQUEST_TYPE, EXIT_REQUEST_TYPE } from "../../vm/requests.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import type { PayloadToExecute } from "./port.ts";

export type PayloadErrorDetail =
  | { readonly code: "PAYLOAD_HASH_MISMATCH"; readonly stated: Hash; readonly actual: Hash }
  | { readonly code: "PAYLOAD_TRANSACTION_UNREADABLE"; readonly index: number; readonly reason: string };

/** A payload that is no block. Whoever proposed it is at fault. */
export class PayloadError extends CodedError<PayloadErrorDetail> {}

/**
 * The block a payload stands for; the header fields it leaves out are computed.
 *
 * @param recover decodes a transaction and recovers its sender; throws a CodedError when it cannot.
 * @throws PayloadError when a transaction cannot be read or the stated hash is not the block's.
 */
export function blockOfPayload(
  { payload, requests, parentBeaconBlockRoot }: PayloadToExecute,
  params: ChainParams,
  recover: (raw: Uint8Array) => RecoveredTransaction,
): Block {
  const withdrawals = payload.withdrawals.map(toVmWithdrawal);
  const header: Header = {
    ...PROOF_OF_STAKE_FIELDS,
    parentHash: toHex(payload.parentHash),
    feeRecipient: toHex(payload.feeRecipient),
    stateRoot: toHex(payload.stateRoot),
    receiptsRoot: toHex(payload.receiptsRoot),
    logsBloom: payload.logsBloom,
    prevRandao: toHex(payload.prevRandao),
    number: payload.blockNumber,
    gasLimit: payload.gasLimit,
    gasUsed: payload.gasUsed,
    timestamp: payload.timestamp,
    extraData: payload.extraData,
    baseFeePerGas: payload.baseFeePerGas,
    transactionsRoot: computeTransactionsRoot(payload.transactions),
    withdrawalsRoot: computeWithdrawalsRoot(withdrawals),
    parentBeaconBlockRoot,
    requestsHash: computeRequestsHash(encodeRequests(requests, params)),
  };
  const stated = toHex(payload.blockHash);
  const hash = headerHash(header);
  if (hash !== stated) throw new PayloadError({ code: "PAYLOAD_HASH_MISMATCH", stated, actual: hash });
  const transactions = payload.transactions.map((raw, index) => readTransaction(raw, index, recover));
  return { hash, header, transactions, withdrawals };
}

function readTransaction(
  raw: Uint8Array,
  index: number,
  recover: (raw: Uint8Array) => RecoveredTransaction,
): RecoveredTransaction {
  try {
    return recover(raw);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const detail = { code: "PAYLOAD_TRANSACTION_UNREADABLE", index, reason: error.message } as const;
    throw new PayloadError(detail, { cause: error });
  }
}

export function payloadOfBlock({ hash, header, transactions, withdrawals }: Block): ExecutionPayload {
  assert(header.baseFeePerGas !== undefined, "a block of this chain has a base fee");
  return {
    parentHash: fromHex(header.parentHash),
    feeRecipient: fromHex(header.feeRecipient),
    stateRoot: fromHex(header.stateRoot),
    receiptsRoot: fromHex(header.receiptsRoot),
    logsBloom: header.logsBloom,
    prevRandao: fromHex(header.prevRandao),
    blockNumber: header.number,
    gasLimit: header.gasLimit,
    gasUsed: header.gasUsed,
    timestamp: header.timestamp,
    extraData: header.extraData,
    baseFeePerGas: header.baseFeePerGas,
    blockHash: fromHex(hash),
    transactions: transactions.map(({ raw }) => raw),
    withdrawals: withdrawals.map((withdrawal) => ({
      index: Number(withdrawal.index),
      validatorIndex: Number(withdrawal.validatorIndex),
      address: fromHex(withdrawal.address),
      amount: withdrawal.amountGwei,
    })),
  };
}

export function toVmWithdrawal({ index, validatorIndex, address, amount }: ConsensusWithdrawal): Withdrawal {
  return {
    index: BigInt(index),
    validatorIndex: BigInt(validatorIndex),
    address: toHex(address),
    amountGwei: amount,
  };
}

/** A list of requests as one: its type byte and the members' SSZ bytes, one after the other (EIP-7685). */
export function encodeRequests(requests: ExecutionRequests, params: ChainParams): readonly Uint8Array[] {
  const { deposits, withdrawals } = requestLists(params);
  return [
    concatBytes(Uint8Array.of(DEPOSIT_REQUEST_TYPE), deposits.serialize(requests.deposits)),
    concatBytes(Uint8Array.of(EXIT_REQUEST_TYPE), withdrawals.serialize(requests.withdrawals)),
  ].filter((request) => request.length > 1);
}

/** What a block this node built asks of the consensus side. */
export function decodeRequests(encoded: readonly Uint8Array[], params: ChainParams): ExecutionRequests {
  const { deposits, withdrawals } = requestLists(params);
  const dataOf = (type: number) => encoded.find((request) => request[0] === type)?.subarray(1);
  const depositData = dataOf(DEPOSIT_REQUEST_TYPE);
  const exitData = dataOf(EXIT_REQUEST_TYPE);
  return {
    deposits: depositData === undefined ? [] : deposits.deserialize(depositData),
    withdrawals: exitData === undefined ? [] : withdrawals.deserialize(exitData),
  };
}

function requestLists(params: ChainParams): ChainContainers["ExecutionRequests"]["fields"] {
  return containersOf(params).ExecutionRequests.fields;
}

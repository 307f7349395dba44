/** The execution payload and the requests it made, as SSZ. See specs/consensus/containers.md#execution-payload. */
import { ByteListType, ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import { Bytes20, Bytes32, Bytes256, Root, Uint53, Uint64, Uint256 } from "../primitives/ssz-types.ts";
import { DepositRequest, Withdrawal, WithdrawalRequest } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { ValueContainerType } from "./value-container.ts";

export type PayloadContainers = ReturnType<typeof createPayloadContainers>;
export type ExecutionPayload = ValueOf<PayloadContainers["ExecutionPayload"]>;
export type ExecutionPayloadHeader = ValueOf<PayloadContainers["ExecutionPayloadHeader"]>;
export type ExecutionRequests = ValueOf<PayloadContainers["ExecutionRequests"]>;

const named = (typeName: string) => ({ typeName, jsonCase: "eth2" }) as const;

export function createPayloadContainers(params: ChainParams) {
  const header = {
    parentHash: Bytes32,
    feeRecipient: Bytes20,
    stateRoot: Bytes32,
    receiptsRoot: Bytes32,
    logsBloom: Bytes256,
    prevRandao: Bytes32,
    blockNumber: Uint53,
    gasLimit: Uint64,
    gasUsed: Uint64,
    timestamp: Uint53,
    extraData: new ByteListType(params.maxExtraDataBytes),
    baseFeePerGas: Uint256,
    blockHash: Bytes32,
  };
  const Transactions = new ListCompositeType(
    new ByteListType(params.maxBytesPerTransaction),
    params.maxTransactions,
  );
  const Withdrawals = new ListCompositeType(Withdrawal, params.maxWithdrawals);
  /** Ethereum's of Capella: this chain has no blobs. */
  const ExecutionPayload = new ContainerType(
    { ...header, transactions: Transactions, withdrawals: Withdrawals },
    named("ExecutionPayload"),
  );
  const ExecutionPayloadHeader = new ValueContainerType(
    { ...header, transactionsRoot: Root, withdrawalsRoot: Root },
    named("ExecutionPayloadHeader"),
  );
  const ExecutionRequests = new ContainerType(
    {
      deposits: new ListCompositeType(DepositRequest, params.maxDepositRequests),
      withdrawals: new ListCompositeType(WithdrawalRequest, params.maxWithdrawalRequests),
    },
    named("ExecutionRequests"),
  );
  return { Transactions, Withdrawals, ExecutionPayload, ExecutionPayloadHeader, ExecutionRequests };
}

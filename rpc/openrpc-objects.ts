/** The objects of the chain, as the OpenRPC document names them. See specs/rpc/objects.md. */
import { arrayOf, HEX, type JsonSchema, mapTo, orNull, record, ref } from "./json-schema.ts";

const { quantity, data, hash, address } = HEX;

const accessList = arrayOf(record({ address, storageKeys: arrayOf(hash) }));

const log = record({
  address,
  topics: arrayOf(hash),
  data,
  blockNumber: quantity,
  transactionHash: hash,
  transactionIndex: quantity,
  blockHash: hash,
  blockTimestamp: quantity,
  logIndex: quantity,
  removed: { type: "boolean" },
});

const receipt = record({
  type: quantity,
  status: { enum: ["0x0", "0x1"] },
  transactionHash: hash,
  transactionIndex: quantity,
  blockHash: hash,
  blockNumber: quantity,
  from: address,
  to: orNull(address),
  contractAddress: orNull(address),
  gasUsed: quantity,
  cumulativeGasUsed: quantity,
  effectiveGasPrice: quantity,
  logs: arrayOf(ref("Log")),
  logsBloom: data,
});

const transaction = record(
  {
    blockHash: orNull(hash),
    blockNumber: orNull(quantity),
    blockTimestamp: orNull(quantity),
    transactionIndex: orNull(quantity),
    hash,
    from: address,
    type: quantity,
    nonce: quantity,
    to: orNull(address),
    gas: quantity,
    value: quantity,
    input: data,
    gasPrice: quantity,
    v: quantity,
    r: quantity,
    s: quantity,
  },
  {
    maxFeePerGas: quantity,
    maxPriorityFeePerGas: quantity,
    chainId: quantity,
    accessList,
    yParity: quantity,
  },
);

const headerFields = {
  hash,
  parentHash: hash,
  sha3Uncles: hash,
  miner: address,
  stateRoot: hash,
  transactionsRoot: hash,
  receiptsRoot: hash,
  logsBloom: data,
  difficulty: quantity,
  number: quantity,
  gasLimit: quantity,
  gasUsed: quantity,
  timestamp: quantity,
  extraData: data,
  mixHash: hash,
  nonce: data,
  baseFeePerGas: quantity,
  withdrawalsRoot: hash,
  blobGasUsed: quantity,
  excessBlobGas: quantity,
  parentBeaconBlockRoot: hash,
  requestsHash: hash,
};

const withdrawal = record({ index: quantity, validatorIndex: quantity, address, amount: quantity });

const blockFields = {
  ...headerFields,
  size: quantity,
  uncles: { ...arrayOf(hash) },
  transactions: { anyOf: [arrayOf(hash), arrayOf(ref("Transaction"))] },
  withdrawals: arrayOf(withdrawal),
};

const callResult = record(
  { status: { enum: ["0x0", "0x1"] }, returnData: data, gasUsed: quantity, maxUsedGas: quantity },
  {
    logs: arrayOf(ref("Log")),
    error: record({ code: { type: "integer" }, message: { type: "string" } }, { data }),
  },
);

const accountProof = record({
  address,
  balance: quantity,
  nonce: quantity,
  codeHash: hash,
  storageHash: hash,
  accountProof: arrayOf(data),
  storageProof: arrayOf(record({ key: HEX.slot, value: quantity, proof: arrayOf(data) })),
});

const feeHistory = record(
  { oldestBlock: quantity, baseFeePerGas: arrayOf(quantity), gasUsedRatio: arrayOf({ type: "number" }) },
  {
    baseFeePerBlobGas: arrayOf(quantity),
    blobGasUsedRatio: arrayOf({ type: "number" }),
    reward: arrayOf(arrayOf(quantity)),
  },
);

const rules = record({
  activationTime: { type: "integer" },
  blobSchedule: mapTo({ type: "integer" }),
  chainId: quantity,
  forkId: { type: "string", pattern: "^0x[0-9a-f]{8}$" },
  precompiles: mapTo(address),
  systemContracts: mapTo(address),
});

const kept = record({ disabled: { type: "boolean" }, oldestBlock: quantity });

/** Named once and referred to by `ref`. */
export const OBJECTS: { readonly [name: string]: JsonSchema } = {
  AccessList: accessList,
  AccountProof: accountProof,
  Block: record(blockFields),
  Capabilities: record({
    head: record({ number: quantity, hash }),
    state: kept,
    tx: kept,
    logs: kept,
    receipts: kept,
    blocks: kept,
    stateproofs: kept,
  }),
  FeeHistory: feeHistory,
  Log: log,
  Receipt: receipt,
  Rules: rules,
  SimulatedBlock: record({ ...blockFields, calls: arrayOf(callResult) }),
  Transaction: transaction,
};

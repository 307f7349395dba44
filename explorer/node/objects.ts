/** The JSON-RPC objects the page reads, as the node writes them. */

export type Hex = `0x${string}`;

export type HeadJson = {
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly number: Hex;
  readonly timestamp: Hex;
  readonly gasUsed: Hex;
  readonly gasLimit: Hex;
  readonly baseFeePerGas: Hex;
  readonly miner: Hex;
  readonly stateRoot: Hex;
};

export type TransactionJson = {
  readonly hash: Hex;
  readonly blockHash: Hex | null;
  readonly blockNumber: Hex | null;
  readonly transactionIndex: Hex | null;
  readonly from: Hex;
  readonly to: Hex | null;
  readonly type: Hex;
  readonly nonce: Hex;
  readonly gas: Hex;
  readonly gasPrice: Hex;
  readonly value: Hex;
  readonly input: Hex;
};

export type BlockJson = HeadJson & {
  readonly transactions: readonly TransactionJson[];
  readonly transactionsRoot: Hex;
  readonly receiptsRoot: Hex;
  readonly mixHash: Hex;
  readonly extraData: Hex;
  readonly size: Hex;
  readonly withdrawals: readonly {
    readonly index: Hex;
    readonly validatorIndex: Hex;
    readonly address: Hex;
    readonly amount: Hex;
  }[];
};

export type LogJson = {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly transactionHash: Hex;
  readonly logIndex: Hex;
};

export type ReceiptJson = {
  readonly status: Hex;
  readonly from: Hex;
  readonly to: Hex | null;
  readonly contractAddress: Hex | null;
  readonly gasUsed: Hex;
  readonly effectiveGasPrice: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
  readonly logs: readonly LogJson[];
};

export type CallFrameJson = {
  readonly type: string;
  readonly from: Hex;
  readonly to?: Hex;
  readonly value?: Hex;
  readonly gas: Hex;
  readonly gasUsed: Hex;
  readonly input: Hex;
  readonly output?: Hex;
  readonly error?: string;
  readonly revertReason?: string;
  readonly calls?: readonly CallFrameJson[];
};

type AccountStateJson = {
  readonly balance?: Hex;
  readonly nonce?: number;
  readonly code?: Hex;
  readonly storage?: { readonly [slot: string]: Hex };
};
export type StateDiffJson = {
  readonly pre: { readonly [address: string]: AccountStateJson };
  readonly post: { readonly [address: string]: AccountStateJson };
};

/** The first block and the state it begins with. See specs/vm/execute-block.md#genesis. */
import { type Address, EMPTY_BYTES, type Hash, toHex, ZERO_HASH } from "../primitives/bytes.ts";
import { keccak256 } from "../primitives/hash.ts";
import { INITIAL_BASE_FEE_PER_GAS } from "./base-fee.ts";
import type { Block, Header } from "./block.ts";
import {
  computeReceiptsRoot,
  computeRequestsHash,
  computeTransactionsRoot,
  computeWithdrawalsRoot,
} from "./block-roots.ts";
import { headerHash, PROOF_OF_STAKE_FIELDS, UNPROPOSED_FIELDS, ZERO_BLOOM } from "./header.ts";
import type { StateDiff, TrieNodeReader } from "./state/account.ts";
import type { AccountChange } from "./state/journal.ts";
import { computeStateDiff } from "./state/state-diff.ts";

/** An account of the genesis allocation; what is absent is zero or empty. */
export type GenesisAccount = {
  readonly balance: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  readonly storage?: ReadonlyMap<Hash, bigint>;
};

export type GenesisAllocation = ReadonlyMap<Address, GenesisAccount>;

export type GenesisInput = {
  readonly allocation: GenesisAllocation;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly gasLimit: bigint;
  /** Wei; 1 Gwei when absent. */
  readonly baseFeePerGas?: bigint;
  readonly extraData?: Uint8Array;
};

const NO_NODES: TrieNodeReader = { trieNode: () => undefined };

/** The block and, as a diff over the empty state, all accounts. */
export function buildGenesis(input: GenesisInput): { readonly block: Block; readonly diff: StateDiff } {
  const diff = genesisState(input.allocation);
  const header: Header = {
    ...PROOF_OF_STAKE_FIELDS,
    ...UNPROPOSED_FIELDS,
    parentHash: ZERO_HASH,
    number: 0,
    timestamp: input.timestamp,
    gasLimit: input.gasLimit,
    gasUsed: 0n,
    baseFeePerGas: input.baseFeePerGas ?? INITIAL_BASE_FEE_PER_GAS,
    extraData: input.extraData ?? EMPTY_BYTES,
    logsBloom: ZERO_BLOOM,
    stateRoot: diff.stateRoot,
    transactionsRoot: computeTransactionsRoot([]),
    receiptsRoot: computeReceiptsRoot([]),
    withdrawalsRoot: computeWithdrawalsRoot([]),
    requestsHash: computeRequestsHash([]),
  };
  return { block: { hash: headerHash(header), header, transactions: [], withdrawals: [] }, diff };
}

/** Allocated accounts exist even when they are empty: nothing has touched them yet. */
export function genesisState(allocation: GenesisAllocation): StateDiff {
  const accounts = new Map<Address, AccountChange>();
  const codes = new Map<Hash, Uint8Array>();
  for (const [address, { balance, nonce = 0n, code = EMPTY_BYTES, storage = new Map() }] of allocation) {
    const codeHash = toHex(keccak256(code));
    if (code.length > 0) codes.set(codeHash, code);
    const slots = new Map([...storage].filter(([, value]) => value !== 0n));
    accounts.set(address, { before: undefined, after: { nonce, balance, codeHash }, slots });
  }
  return computeStateDiff({ accounts, codes }, NO_NODES);
}

/** A small execution chain in memory for specs: funded keys, a genesis block, blocks on top of it. */
import { type Address, EMPTY_BYTES, toHash, ZERO_HASH } from "../../primitives/bytes.ts";
import { privateKeyToAddress } from "../../primitives/secp256k1.ts";
import type { Header } from "../../vm/block.ts";
import {
  type BuiltPayload,
  buildPayload,
  type PayloadAttributes,
  type TransactionSource,
} from "../../vm/build-payload.ts";
import type { ChainConfig } from "../../vm/chain-config.ts";
import type { PayloadInput } from "../../vm/execute-block.ts";
import { buildGenesis, type GenesisAllocation } from "../../vm/genesis.ts";
import type { DynamicFeeTransaction, RecoveredTransaction } from "../../vm/transaction.ts";
import { signTransaction } from "../../vm/transaction-signature.ts";
import { MemoryState } from "./memory-state.ts";
import { ScriptedMachine } from "./scripted-machine.ts";

export const ETHER = 10n ** 18n;
export const GWEI = 10n ** 9n;

export const config: ChainConfig = {
  chainId: 4242n,
  gasLimitMinimum: 5_000_000n,
  gasLimitMaximum: 60_000_000n,
  depositContract: "0x00000000219ab540356cbb839cbe05303d7705fa",
  exitContract: undefined,
};

/** Private keys 1, 2, 3 …, in 32 bytes. */
export const keys = Array.from({ length: 8 }, (_, i) =>
  Uint8Array.from({ length: 32 }, (_, at) => (at === 31 ? i + 1 : 0)),
);
export const accounts: readonly Address[] = keys.map(privateKeyToAddress);
export const feeRecipient: Address = "0xfee0000000000000000000000000000000000000";

/** Every key funded with 100 ether, and whatever else is allocated. */
export function fundedAllocation(more: GenesisAllocation = new Map()): GenesisAllocation {
  return new Map([...accounts.map((address) => [address, { balance: 100n * ETHER }] as const), ...more]);
}

export class ExecutionChain {
  readonly state: MemoryState;
  readonly machine: ScriptedMachine;
  readonly config: ChainConfig;
  parent: Header;

  constructor(
    allocation: GenesisAllocation = fundedAllocation(),
    machine = new ScriptedMachine(),
    chainConfig = config,
  ) {
    this.state = MemoryState.of(allocation);
    this.machine = machine;
    this.config = chainConfig;
    this.parent = buildGenesis({ allocation, timestamp: 1_700_000_000, gasLimit: 30_000_000n }).block.header;
  }

  get input(): PayloadInput {
    const { config, machine, parent, state } = this;
    return { config, machine, parent, state, ancestorHash: (number) => toHash(BigInt(number)) };
  }

  attributes(more: Partial<PayloadAttributes> = {}): PayloadAttributes {
    return {
      timestamp: this.parent.timestamp + 1,
      prevRandao: toHash(BigInt(this.parent.number)),
      feeRecipient,
      parentBeaconBlockRoot: ZERO_HASH,
      withdrawals: [],
      gasLimitTarget: 30_000_000n,
      ...more,
    };
  }

  /** A block of the transactions on top of the chain; the chain stays where it is. */
  build(transactions: readonly RecoveredTransaction[], more: Partial<PayloadAttributes> = {}): BuiltPayload {
    return buildPayload(this.input, this.attributes(more), sourceOf(transactions));
  }

  /** Makes a built block the head. */
  advance(built: BuiltPayload): void {
    this.state.apply(built.diff);
    this.parent = built.block.header;
  }
}

/** Candidates in the given order; a skipped sender's later ones are left out. */
export function sourceOf(transactions: readonly RecoveredTransaction[]): TransactionSource {
  const skipped = new Set<Address>();
  let at = 0;
  let last: RecoveredTransaction | undefined;
  return {
    next() {
      do last = transactions[at++];
      while (last !== undefined && skipped.has(last.sender));
      return last;
    },
    skipSender() {
      if (last !== undefined) skipped.add(last.sender);
    },
  };
}

type Wish = Partial<Omit<DynamicFeeTransaction, "type">>;

/** A dynamic-fee transaction signed by key `from`; a transfer of nothing to account 7 unless told otherwise. */
export function signed(from: number, wish: Wish = {}): RecoveredTransaction {
  return signTransaction(
    {
      type: 2,
      chainId: config.chainId,
      nonce: 0n,
      gasLimit: 21_000n,
      maxFeePerGas: 10n * GWEI,
      maxPriorityFeePerGas: 1n * GWEI,
      to: "to" in wish ? wish.to : accounts[7],
      value: 0n,
      data: EMPTY_BYTES,
      accessList: [],
      ...wish,
    },
    keys[from]!,
  );
}

/** One call or creation inside a transaction, and the port to the machine that runs contract code. */
import type { Address, Hash } from "../primitives/bytes.ts";
import type { JsonAbiItem } from "./contract/abi-item.ts";
import type { Spare } from "./contract/probes.ts";
import type { StorageLayout } from "./contract/storage-json.ts";
import type { Journal } from "./state/journal.ts";
import type { LineRecorder } from "./tracing/line-recorder.ts";

/** What a contract can learn about the block it runs in. */
export type BlockEnvironment = {
  readonly chainId: bigint;
  readonly number: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly baseFeePerGas: bigint;
  readonly prevRandao: Hash;
  readonly feeRecipient: Address;
  readonly gasLimit: bigint;
  /** Hash of one of the last 256 blocks; the zero hash for any other number. */
  blockHash(number: number): Hash;
};

export type TransactionEnvironment = { readonly origin: Address; readonly gasPrice: bigint };

/** What all frames of one transaction share. */
export type ExecutionContext = {
  readonly block: BlockEnvironment;
  readonly transaction: TransactionEnvironment;
  readonly journal: Journal;
  readonly machine: ContractMachine;
  /** Told of every value a message moves, before its code runs; what it notes in the journal is undone with it. */
  readonly onTransfer?: ((from: Address, to: Address, value: bigint) => void) | undefined;
  readonly tracer?: MessageTracer | undefined;
};

/** Watches messages and changes nothing: a run with one ends as it would without. */
export interface MessageTracer {
  /** A message is about to be looked at; it may yet be refused. */
  onEnter(message: Message): void;
  /** The last message entered has ended; when it did not succeed, the journal is as it was before. */
  onExit(result: MessageResult): void;
}

export type MessageKind = "call" | "staticcall" | "delegatecall" | "create";

/** A request to run code, before value moves. Gas is a `number`: a block's limit is far below 2^53. */
export type Message = {
  readonly kind: MessageKind;
  readonly caller: Address;
  /** Whose storage and balance the code acts on; for a creation, the new address. */
  readonly self: Address;
  /** Whose code runs; differs from `self` in a delegatecall. */
  readonly codeAddress: Address;
  /** What `msg.value` says. In a delegatecall it is inherited and nothing moves. */
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly gas: number;
  readonly isStatic: boolean;
  /** 0 for the transaction itself. */
  readonly depth: number;
  /** The frame that sent it; undefined for the transaction itself. */
  readonly parent: Frame | undefined;
};

/** A message whose value has moved and whose code is about to run. */
export type Frame = Message & { readonly context: ExecutionContext; readonly code: Uint8Array };

/**
 * How a frame ended. `revert` gives back what gas is left; every other failure takes all of it.
 * The texts that clients see are in specs/vm/outcomes.md.
 */
export type Outcome =
  | "success"
  | "revert"
  | "out of gas"
  | "out of memory"
  | "stack limit"
  | "trap"
  | "call depth limit"
  | "insufficient balance"
  | "address collision"
  | "static state change"
  | "invalid container"
  | "invalid precompile input"
  | "nonce overflow";

export type MessageResult = {
  readonly outcome: Outcome;
  /** Return data, or revert data (ABI-encoded error) when the outcome is `revert`. */
  readonly output: Uint8Array;
  readonly gasLeft: number;
  /** A `create` that succeeded: the code to store (the container as it was sent). */
  readonly code?: Uint8Array;
};

/** A contract that is part of the machine: it has no code and touches no state. */
export type Precompile = (data: Uint8Array, gas: number) => MessageResult;

/** Runs contract code. The journal is checkpointed and value moved by whoever calls it. */
export interface ContractMachine {
  /** By address; always warm (EIP-2929). */
  readonly precompiles: ReadonlyMap<Address, Precompile>;
  /**
   * What a frame pays to call the code of `address`, beside the access to the account: 0 once the transaction has entered
   * that code. More than `gasLimit` when that does not suffice; then it was not loaded.
   */
  loadGas(journal: Journal, address: Address, gasLimit: number): number;
  /** Runs `frame.code` (not empty) with `frame.data` as call data. */
  call(frame: Frame): MessageResult;
  /**
   * Checks and evaluates the container at the start of `frame.data` and runs its constructor. All gas of a
   * deployment is charged here, that of each stored byte too; the caller stores the returned code.
   */
  create(frame: Frame): MessageResult;
  /** What the contract in `code` says of itself; undefined when it is none. Costs an evaluation, changes nothing. */
  describe(code: Uint8Array): ContractDescription | undefined;
  /** A machine that does the same with probes in the contracts, and who hears them; for one run. */
  openProbed(spare: Spare): { readonly machine: ContractMachine; readonly recorder: LineRecorder };
}

/** What a person or a tool wants to know of a contract; all of it follows from its code. */
export type ContractDescription = {
  readonly name: string;
  /** The JavaScript in the container. */
  readonly source: string;
  readonly isUpgradeable: boolean;
  readonly abi: readonly JsonAbiItem[];
  readonly storageLayout: StorageLayout;
};

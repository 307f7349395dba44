/** What stake each validator put in and took out, so that the rest can be told to be earned. See specs/node/storage.md#stake-ledger. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { Gwei, ValidatorIndex } from "../../consensus/containers.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import {
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  fromHex,
  type Hash,
  type Hex,
  toHex,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import type { ConsensusBlocks } from "./consensus-blocks.ts";
import type { Database, Table } from "./database.ts";
import { numberFromKey, numberKey } from "./state-codec.ts";

const CURSOR = utf8ToBytes("cursor");
const BASE_SLOT = utf8ToBytes("base-slot");
const BASE_BALANCES = utf8ToBytes("base-balances");
const DEPOSITED = utf8ToBytes("d");
const WITHDRAWN = utf8ToBytes("w");
const AMOUNT_BYTES = 8;

/** Blocks read at once while catching up; others get their turn in between. */
const BLOCKS_AT_ONCE = 64;
/** Blocks whose flows are remembered until they are final; beyond it they are read back from the disk. */
const NOTED_BLOCKS_LIMIT = 4096;

/** Stake that moved in one block. */
type Flows = {
  readonly deposits: readonly { readonly pubkey: Hex; readonly amount: Gwei }[];
  readonly withdrawals: readonly { readonly index: ValidatorIndex; readonly amount: Gwei }[];
};

export type StakeFlows = {
  /** Balance when the ledger began; undefined for a validator that joined later. */
  readonly baseBalance: Gwei | undefined;
  /** Deposited and withdrawn since. */
  readonly deposited: Gwei;
  readonly withdrawn: Gwei;
};

/** Derived from the finalized blocks alone, and continued where it stopped: losing its last writes costs nothing. */
export class StakeLedger {
  readonly #database: Database;
  readonly #table: Table;
  readonly #blocks: ConsensusBlocks;
  readonly #decode: (bytes: Uint8Array) => SignedBeaconBlock;
  readonly #noted = new Map<Hash, Flows>();
  #work: Promise<void> = Promise.resolve();

  constructor(database: Database, blocks: ConsensusBlocks, decode: (bytes: Uint8Array) => SignedBeaconBlock) {
    this.#database = database;
    this.#table = database.table("stake-ledger");
    this.#blocks = blocks;
    this.#decode = decode;
  }

  /** Starts a ledger that does not exist yet with the stakes of `state`, the post-state of a final block or genesis. */
  async begin(state: ConsensusState): Promise<void> {
    if (this.#table.get(CURSOR) !== undefined) return;
    const balances = concatBytes(...state.balances.getAll().map(amountBytes));
    const waiting: Flows["deposits"][number][] = [];
    for (let i = 0; i < state.pendingDeposits.length; i++) {
      const { pubkey, amount } = state.pendingDeposits.getReadonly(i);
      waiting.push({ pubkey: toHex(pubkey), amount });
    }
    await this.#database.commit(() => {
      this.#table.put(BASE_SLOT, numberKey(state.slot));
      this.#table.put(BASE_BALANCES, balances);
      this.#apply({ deposits: waiting, withdrawals: [] });
      this.#table.put(CURSOR, numberKey(state.slot));
    });
  }

  /** Remembers what a block moves, so that it need not be read again when it is final. */
  note(root: Hash, block: SignedBeaconBlock): void {
    this.#noted.set(root, flowsOf(block));
    for (const oldest of this.#noted.keys()) {
      if (this.#noted.size <= NOTED_BLOCKS_LIMIT) break;
      this.#noted.delete(oldest);
    }
  }

  /** Takes in the finalized blocks since the last one taken in. Calls run one after the other. */
  catchUp(): Promise<void> {
    this.#work = this.#work.then(() => this.#catchUp());
    return this.#work;
  }

  async #catchUp(): Promise<void> {
    const cursor = this.slot();
    const last = this.#blocks.finality()?.slot ?? 0;
    if (cursor === undefined) return;
    for (let first = cursor + 1; first <= last; ) {
      const end = Math.min(last + 1, first + BLOCKS_AT_ONCE);
      const stored = [...this.#blocks.finalizedBlocks(first, end)];
      await this.#database.commit(() => {
        for (const { root, bytes } of stored) {
          this.#apply(this.#noted.get(root) ?? flowsOf(this.#decode(bytes)));
          this.#noted.delete(root);
        }
        this.#table.put(CURSOR, numberKey(end - 1));
      });
      first = end;
    }
  }

  #apply({ deposits, withdrawals }: Flows): void {
    for (const { pubkey, amount } of deposits) this.#add(concatBytes(DEPOSITED, fromHex(pubkey)), amount);
    for (const { index, amount } of withdrawals) this.#add(concatBytes(WITHDRAWN, numberKey(index)), amount);
  }

  #add(key: Uint8Array, amount: Gwei): void {
    this.#table.put(key, amountBytes(this.#amount(key) + amount));
  }

  #amount(key: Uint8Array): Gwei {
    const value = this.#table.get(key);
    return value === undefined ? 0n : bytesToBigInt(value);
  }

  /** Slot of the last block taken in; undefined before `begin`. */
  slot(): number | undefined {
    const value = this.#table.get(CURSOR);
    return value === undefined ? undefined : numberFromKey(value);
  }

  /** Slot of the state the ledger began with. */
  baseSlot(): number {
    const value = this.#table.get(BASE_SLOT);
    return value === undefined ? 0 : numberFromKey(value);
  }

  flowsOf(index: ValidatorIndex, pubkey: Uint8Array): StakeFlows {
    const base = this.#table.get(BASE_BALANCES);
    const at = index * AMOUNT_BYTES;
    const isBase = base !== undefined && at < base.length;
    return {
      baseBalance: isBase ? bytesToBigInt(base.subarray(at, at + AMOUNT_BYTES)) : undefined,
      deposited: this.#amount(concatBytes(DEPOSITED, pubkey)),
      withdrawn: this.#amount(concatBytes(WITHDRAWN, numberKey(index))),
    };
  }
}

function flowsOf({ message }: SignedBeaconBlock): Flows {
  const { executionPayload, executionRequests } = message.body;
  return {
    deposits: executionRequests.deposits.map(({ pubkey, amount }) => ({ pubkey: toHex(pubkey), amount })),
    withdrawals: executionPayload.withdrawals.map(({ validatorIndex, amount }) => ({
      index: validatorIndex,
      amount,
    })),
  };
}

function amountBytes(amount: Gwei): Uint8Array {
  return bigIntToBytes(amount, AMOUNT_BYTES);
}

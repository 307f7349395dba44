/** A real chain in one thread for specs of JSON-RPC: LMDB, execution, pool, and the view over them. */

import { AddressIndex, type AttendedBlock } from "../../node/execution/address-index.ts";
import { BlockIndexer } from "../../node/execution/block-indexer.ts";
import { LocalCalls } from "../../node/execution/calls.ts";
import { NodeChainView } from "../../node/execution/chain-view.ts";
import { ExecutionChain } from "../../node/execution/execution-chain.ts";
import { LogSearch } from "../../node/execution/find-logs.ts";
import { type LoggedBlock, LogIndex, loggedBlock } from "../../node/execution/log-index.ts";
import { DEFAULT_MEMPOOL_LIMITS, type MempoolLimits } from "../../node/execution/mempool.ts";
import { NodePool } from "../../node/execution/node-pool.ts";
import { attendedBlock } from "../../node/execution/participants.ts";
import { searchAddress } from "../../node/execution/search-address.ts";
import { StoredTransactionJournal } from "../../node/execution/transaction-journal.ts";
import type { Database } from "../../node/storage/database.ts";
import {
  type Address,
  bytesToBigInt,
  fromHex,
  type Hash,
  toHash,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { nextBaseFee } from "../../vm/base-fee.ts";
import type { Block } from "../../vm/block.ts";
import type { AncestorHash } from "../../vm/block-execution.ts";
import type { PayloadAttributes } from "../../vm/build-payload.ts";
import { PRECOMPILES } from "../../vm/contract/precompiles.ts";
import { buildGenesis } from "../../vm/genesis.ts";
import type { ContractMachine, Frame, MessageResult } from "../../vm/message.ts";
import { config, feeRecipient, fundedAllocation } from "./execution-chain.ts";
import { end, ScriptedMachine } from "./scripted-machine.ts";

/** Logs its call data: the first 32 bytes as a topic after its own, the whole as data. */
export const LOGGER: Address = `0x${"10".repeat(20)}`;
/** Touches slot 0 and reverts with its call data. */
export const REVERTER: Address = `0x${"20".repeat(20)}`;
/** Adds the word it is called with to slot 0 and returns the sum. */
export const COUNTER: Address = `0x${"30".repeat(20)}`;
/** Takes all gas and fails. */
export const BURNER: Address = `0x${"40".repeat(20)}`;
/** Needs 50 000 gas to be left when it is called, and uses 10 000 of it. */
export const MISER: Address = `0x${"50".repeat(20)}`;
export const LOGGED_TOPIC: Hash = toHash(0x109n);

const codeOf = (name: string) => utf8ToBytes(name);

const SCRIPTS: readonly (readonly [Address, string, (frame: Frame) => MessageResult])[] = [
  [
    LOGGER,
    "logger",
    ({ context, data, gas, self }) => {
      const topics =
        data.length < 32 ? [LOGGED_TOPIC] : [LOGGED_TOPIC, toHash(bytesToBigInt(data.subarray(0, 32)))];
      context.journal.addLog({ address: self, topics, data });
      return end("success", gas - 1000);
    },
  ],
  [
    REVERTER,
    "reverter",
    ({ context, data, gas, self }) => {
      context.journal.touchSlot(self, toHash(0n));
      return end("revert", gas - 100, data);
    },
  ],
  [
    COUNTER,
    "counter",
    ({ context, data, gas, self }) => {
      context.journal.touchSlot(self, toHash(0n));
      const sum = context.journal.storage(self, toHash(0n)) + bytesToBigInt(data);
      context.journal.setStorage(self, toHash(0n), sum);
      return end("success", gas - 5000, fromHex(toHash(sum)));
    },
  ],
  [BURNER, "burner", () => end("out of gas", 0)],
  [MISER, "miser", ({ gas }) => (gas < 50_000 ? end("out of gas", 0) : end("success", gas - 10_000))],
];

const GENESIS = buildGenesis({
  allocation: fundedAllocation(
    new Map(SCRIPTS.map(([address, name]) => [address, { balance: 0n, code: codeOf(name) }] as const)),
  ),
  timestamp: 1_700_000_000,
  gasLimit: 30_000_000n,
});

/** A machine that knows the contracts of the live chain. */
export function liveMachine(): ScriptedMachine {
  const machine = new ScriptedMachine();
  for (const [at, precompile] of PRECOMPILES) machine.precompiles.set(at, precompile);
  for (const [, name, script] of SCRIPTS) machine.add(codeOf(name), script);
  return machine;
}

export class LiveChain {
  readonly chain: ExecutionChain;
  readonly pool: NodePool;
  readonly view: NodeChainView;
  readonly indexer: BlockIndexer<LoggedBlock>;
  readonly addressIndexer: BlockIndexer<AttendedBlock>;
  readonly calls: LocalCalls;
  readonly logIndex: LogIndex;
  readonly database: Database;
  readonly published: Uint8Array[] = [];

  /** @param machine runs contracts; the scripted ones of this file when absent. */
  constructor(
    database: Database,
    machine: ContractMachine = liveMachine(),
    mempool: Partial<MempoolLimits> = {},
  ) {
    this.database = database;
    this.chain = new ExecutionChain({ database, config, genesis: GENESIS, machine });
    const journal = new StoredTransactionJournal(database);
    this.pool = new NodePool({
      chain: this.chain,
      limits: { ...DEFAULT_MEMPOOL_LIMITS, ...mempool },
      journal,
      nowMs: () => 0,
      publish: (raws) => this.published.push(...raws),
    });
    const index = new LogIndex(database);
    this.logIndex = index;
    const onFault = (error: unknown) => {
      throw error;
    };
    const { blocks } = this.chain;
    this.indexer = new BlockIndexer(this.chain, index, (number) => loggedBlock(blocks, number), onFault);
    const addresses = new AddressIndex(database);
    const attend = (number: number) => attendedBlock(blocks, number);
    this.addressIndexer = new BlockIndexer(this.chain, addresses, attend, onFault);
    const found = new LogSearch(blocks, index);
    this.calls = new LocalCalls({
      chainId: config.chainId,
      machine,
      stateAt: (hash) => this.chain.stateAt(hash),
      ancestorHash: (hash) => this.#ancestorOf(hash),
      findLogs: (filter, range) => found.find(filter, range),
      searchAddress: (search) => searchAddress(blocks, addresses, search),
    });
    this.view = new NodeChainView({
      chain: this.chain,
      pool: this.pool,
      calls: this.calls,
      clientVersion: "jurat/spec",
      isAddressIndexed: true,
    });
  }

  #ancestorOf(hash: Hash): AncestorHash {
    return (number) => {
      let block = this.chain.blocks.get(hash)!;
      while (block.header.number > number) block = this.chain.blocks.get(block.header.parentHash)!;
      return block.hash;
    };
  }

  /** Builds a block on `parent` from the pool and imports it; the head stays where it is. */
  async build(parent: Block = this.chain.head(), more: Partial<PayloadAttributes> = {}): Promise<Block> {
    const attributes: PayloadAttributes = {
      timestamp: parent.header.timestamp + 1,
      prevRandao: toHash(BigInt(parent.header.number)),
      feeRecipient,
      parentBeaconBlockRoot: toHash(7n),
      withdrawals: [
        { index: BigInt(parent.header.number), validatorIndex: 3n, address: feeRecipient, amountGwei: 5n },
      ],
      gasLimitTarget: 30_000_000n,
      ...more,
    };
    const source = this.pool.best(nextBaseFee(parent.header));
    const { block } = this.chain.build(parent, attributes, source, () => false);
    await this.chain.importBlock(block);
    return block;
  }

  /** Makes `head` the head; what is final moves along when given. */
  setHead(head: Block, finalized: Block = this.chain.finalized()): void {
    const isKnown = this.chain.setForkchoice({
      head: head.hash,
      safe: finalized.hash,
      finalized: finalized.hash,
    });
    if (!isKnown) throw new Error("the head is not known");
  }

  /** A block from the pool becomes the head. */
  async mine(): Promise<Block> {
    const block = await this.build();
    this.setHead(block);
    return block;
  }

  async stop(): Promise<void> {
    await this.indexer.stop();
    await this.addressIndexer.stop();
    await this.pool.stop();
  }
}

#!/usr/bin/env node
/** npm run bench:storage: what accounts and transactions cost on disk, and what pruning gives back. See specs/node/storage.md#size. */
import "../node/polyfill.ts";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pruneExecution } from "../node/db/prune-folder.ts";
import { AddressIndex } from "../node/execution/address-index.ts";
import { BlockIndexer } from "../node/execution/block-indexer.ts";
import { ExecutionChain } from "../node/execution/execution-chain.ts";
import { attendedBlock } from "../node/execution/participants.ts";
import { installNativeBackends } from "../node/native/install.ts";
import { type Database, openDatabase } from "../node/storage/database.ts";
import { type Address, EMPTY_BYTES, type Hash, toHash } from "../primitives/bytes.ts";
import { keccak256Hex } from "../primitives/hash.ts";
import { config, ETHER, GWEI, sourceOf } from "../specs/support/execution-chain.ts";
import { ScriptedMachine } from "../specs/support/scripted-machine.ts";
import { buildGenesis } from "../vm/genesis.ts";
import type { DynamicFeeTransaction, RecoveredTransaction } from "../vm/transaction.ts";
import { encodeTransaction } from "../vm/transaction-codec.ts";

const ACCOUNTS = 20_000;
const TRANSACTIONS = 100_000;
const PER_BLOCK = 1_000;
/** Final is what is two blocks old, as on a network that works. */
const FINALITY_LAG = 2;

const account = (n: number): Address => `0x${(0xacc00000 + n).toString(16).padStart(40, "0")}`;

/** Every account sends five times, to accounts all over the trie. The signature has its size but is none. */
function transfer(i: number): RecoveredTransaction {
  const transaction: DynamicFeeTransaction = {
    ...{ type: 2, chainId: config.chainId, nonce: BigInt(Math.floor(i / ACCOUNTS)), gasLimit: 21_000n },
    ...{ to: account((i * 7919 + 1) % ACCOUNTS), value: 1_000_000_007n * BigInt(i + 1), data: EMPTY_BYTES },
    ...{ maxFeePerGas: 10_000n * GWEI, maxPriorityFeePerGas: GWEI, accessList: [], yParity: 0 },
    ...{ r: 2n ** 255n + BigInt(i), s: 2n ** 254n + BigInt(i) },
  };
  const raw = encodeTransaction(transaction);
  return { transaction, raw, hash: keccak256Hex(raw), sender: account(i % ACCOUNTS) };
}

async function grow(database: Database, chain: ExecutionChain): Promise<void> {
  const hashes: Hash[] = [chain.head().hash];
  for (let first = 0; first < TRANSACTIONS; first += PER_BLOCK) {
    const parent = chain.head();
    const transactions = Array.from({ length: PER_BLOCK }, (_, i) => transfer(first + i));
    const attributes = {
      ...{ timestamp: parent.header.timestamp + 1, prevRandao: toHash(BigInt(first)), withdrawals: [] },
      ...{ feeRecipient: account(0), parentBeaconBlockRoot: toHash(1n), gasLimitTarget: 30_000_000n },
    };
    const { block, receipts } = chain.build(parent, attributes, sourceOf(transactions), () => false);
    if (receipts.length !== PER_BLOCK) throw new Error(`a block holds ${receipts.length} transactions`);
    await chain.importBlock(block);
    hashes.push(block.hash);
    const final = hashes.at(-1 - FINALITY_LAG) ?? chain.genesisHash;
    chain.setForkchoice({ head: block.hash, safe: final, finalized: final });
  }
  const [head] = hashes.slice(-1);
  if (head !== undefined) chain.setForkchoice({ head, safe: head, finalized: head });
  await database.flushed();
}

/** What the index by account takes when it is built over the whole chain; in seconds. */
async function indexAddresses(database: Database, chain: ExecutionChain): Promise<number> {
  const index = new AddressIndex(database);
  const read = (number: number) => attendedBlock(chain.blocks, number);
  const onFault = (error: unknown) => {
    throw error;
  };
  const indexer = new BlockIndexer(chain, index, read, onFault);
  const startMs = performance.now();
  await indexer.catchUp();
  await database.flushed();
  return (performance.now() - startMs) / 1000;
}

/** Bytes in use: of a copy without free pages. */
async function usedBytes(database: Database, directory: string): Promise<number> {
  const copy = join(directory, "copy");
  mkdirSync(copy);
  await database.copyTo(copy);
  const { size } = statSync(join(copy, "data.mdb"));
  rmSync(copy, { recursive: true });
  return size;
}

await installNativeBackends();
const directory = mkdtempSync(join(tmpdir(), "jurat-bench-storage-"));
try {
  const allocation = new Map(
    Array.from({ length: ACCOUNTS }, (_, n) => [account(n), { balance: 1_000n * ETHER }]),
  );
  const genesis = buildGenesis({ allocation, timestamp: 1_700_000_000, gasLimit: 30_000_000n });
  const database = await openDatabase({ directory, role: "execution", chain: genesis.block.hash });
  const chain = new ExecutionChain({ database, config, genesis, machine: new ScriptedMachine() });
  const empty = await usedBytes(database, directory);
  const startMs = performance.now();
  await grow(database, chain);
  const seconds = (performance.now() - startMs) / 1000;
  const full = await usedBytes(database, directory);
  const file = statSync(join(directory, "data.mdb")).size;
  const indexSeconds = await indexAddresses(database, chain);
  const indexed = await usedBytes(database, directory);
  const { after } = await pruneExecution(database, directory, 0);
  await database.close();
  const indexBytes = indexed - full;
  const pruned = after - indexBytes;

  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const row = (name: string, value: string) => console.log(`${name.padEnd(64)}${value.padStart(12)}`);
  row(`bytes per account (${ACCOUNTS} accounts, with their trie)`, (empty / ACCOUNTS).toFixed(0));
  row(
    `bytes per transaction (${TRANSACTIONS} transfers, history kept)`,
    ((full - empty) / TRANSACTIONS).toFixed(0),
  );
  row("  of which history of states", ((full - pruned) / TRANSACTIONS).toFixed(0));
  row("  of which blocks, receipts and indexes", ((pruned - empty) / TRANSACTIONS).toFixed(0));
  row("in use after genesis", megabytes(empty));
  row("in use after the transactions; the file, with free pages", `${megabytes(full)}; ${megabytes(file)}`);
  row("the file after pruning all history", megabytes(pruned));
  row("growth after pruning", megabytes(pruned - empty));
  row("bytes per transaction of the address index", (indexBytes / TRANSACTIONS).toFixed(0));
  row("microseconds per transaction of the address index", ((indexSeconds * 1e6) / TRANSACTIONS).toFixed(1));
  row("  beside building, storing and merging", `${((100 * indexSeconds) / seconds).toFixed(1)} %`);
  row("transactions per second, built, stored and merged", (TRANSACTIONS / seconds).toFixed(0));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

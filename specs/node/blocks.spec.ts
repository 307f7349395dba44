import { deepEqual, equal } from "node:assert/strict";
import { Blocks } from "../../node/storage/blocks.ts";
import type { Database } from "../../node/storage/database.ts";
import { bigIntToBytes, EMPTY_BYTES, type Hash, ZERO_ADDRESS, ZERO_HASH } from "../../primitives/bytes.ts";
import type { Block, ExecutedReceipt, Header } from "../../vm/block.ts";
import { headerHash, PROOF_OF_STAKE_FIELDS, ZERO_BLOOM } from "../../vm/header.ts";
import { computeLogsBloom } from "../../vm/receipt.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { signTransaction } from "../../vm/transaction-signature.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { hashOf } from "./model-state.ts";

const key = bigIntToBytes(7n, 32);

/** Three kinds of transaction, by nonce. */
function transfer(nonce: number): RecoveredTransaction {
  const fields = { nonce: BigInt(nonce), gasLimit: 21_000n, to: ZERO_ADDRESS, value: 5n, data: EMPTY_BYTES };
  const accessList = [{ address: ZERO_ADDRESS, storageKeys: [hashOf(1)] }];
  if (nonce % 3 === 0) return signTransaction({ ...fields, type: 0, chainId: 9n, gasPrice: 8n }, key);
  if (nonce % 3 === 1)
    return signTransaction({ ...fields, type: 1, chainId: 9n, gasPrice: 8n, accessList }, key);
  const fees = { maxFeePerGas: 9n, maxPriorityFeePerGas: 1n };
  return signTransaction({ ...fields, type: 2, chainId: 9n, ...fees, accessList }, key);
}

function blockOf(number: number, parentHash: Hash, transactions: readonly RecoveredTransaction[]): Block {
  const header: Header = {
    ...PROOF_OF_STAKE_FIELDS,
    parentHash,
    feeRecipient: ZERO_ADDRESS,
    stateRoot: hashOf(number),
    transactionsRoot: hashOf(transactions.length),
    receiptsRoot: ZERO_HASH,
    logsBloom: ZERO_BLOOM,
    number,
    gasLimit: 30_000_000n,
    gasUsed: 21_000n,
    timestamp: 1_700_000_000 + number,
    extraData: Uint8Array.of(1, 2),
    prevRandao: ZERO_HASH,
    baseFeePerGas: 7n,
    withdrawalsRoot: ZERO_HASH,
    parentBeaconBlockRoot: ZERO_HASH,
    requestsHash: ZERO_HASH,
  };
  const withdrawals = [{ index: 3n, validatorIndex: 4n, address: ZERO_ADDRESS, amountGwei: 5n }];
  return { hash: headerHash(header), header, transactions, withdrawals };
}

const genesis = blockOf(0, ZERO_HASH, []);
const logs = [{ address: ZERO_ADDRESS, topics: [hashOf(1), hashOf(2)], data: Uint8Array.of(9) }];
const receipts: readonly ExecutedReceipt[] = [
  {
    type: 2,
    succeeded: true,
    cumulativeGasUsed: 21_000n,
    logsBloom: computeLogsBloom(logs),
    logs,
    gasUsed: 21_000n,
    effectiveGasPrice: 8n,
  },
  {
    type: 0,
    succeeded: false,
    cumulativeGasUsed: 90_000n,
    logsBloom: ZERO_BLOOM,
    logs: [],
    gasUsed: 69_000n,
    effectiveGasPrice: 0n,
    contractAddress: ZERO_ADDRESS,
  },
];

async function withBlocks(body: (blocks: Blocks, database: Database) => Promise<void>): Promise<void> {
  await withScratchDatabase("execution", async (database) => {
    const blocks = new Blocks(database);
    database.write(() => blocks.putGenesis(genesis));
    await body(blocks, database);
  });
}

describe("execution blocks", () => {
  it("come back whole, with senders, withdrawals and receipts", async () => {
    await withBlocks(async (blocks, database) => {
      const block = blockOf(1, genesis.hash, [transfer(0), transfer(1), transfer(2)]);
      await blocks.put(block, receipts);
      // A second reader has nothing in its cache.
      const reader = new Blocks(database);
      deepEqual(reader.get(block.hash), block);
      deepEqual(reader.receipts(block.hash), receipts);
      deepEqual(reader.get(genesis.hash), genesis);
      equal(reader.get(hashOf(1)), undefined);
      equal(reader.receipts(hashOf(1)), undefined);
    });
  });

  it("are found by number and by transaction as long as they are canonical", async () => {
    await withBlocks(async (blocks, database) => {
      // genesis - a1 (0, 1) - a2
      //         \ b1 (1, 2)
      const a1 = blockOf(1, genesis.hash, [transfer(0), transfer(1)]);
      const a2 = blockOf(2, a1.hash, []);
      const b1 = blockOf(1, genesis.hash, [transfer(1), transfer(2), transfer(3)]);
      for (const block of [a1, a2, b1]) await blocks.put(block, []);
      equal(blocks.transaction(transfer(0).hash), undefined);

      database.write(() => blocks.moveCanonical([], [a1, a2]));
      equal(blocks.canonicalHash(2), a2.hash);
      deepEqual(blocks.transaction(transfer(1).hash), { blockHash: a1.hash, index: 1 });

      database.write(() => blocks.moveCanonical([a2, a1], [b1]));
      equal(blocks.canonicalHash(1), b1.hash);
      equal(blocks.canonicalHash(2), undefined);
      equal(blocks.transaction(transfer(0).hash), undefined);
      deepEqual(blocks.transaction(transfer(1).hash), { blockHash: b1.hash, index: 0 });
      deepEqual(blocks.transaction(transfer(2).hash), { blockHash: b1.hash, index: 1 });
      equal(blocks.oldest(), 0);
    });
  });

  it("at finality lose their rivals and leave the list of unfinalized ones", async () => {
    await withBlocks(async (blocks, database) => {
      const a1 = blockOf(1, genesis.hash, []);
      const b1 = blockOf(1, genesis.hash, [transfer(0)]);
      const a2 = blockOf(2, a1.hash, []);
      for (const block of [a2, b1, a1]) await blocks.put(block, []);
      deepEqual(
        blocks.unfinalized().map(({ number }) => number),
        [1, 1, 2],
      );
      const forkchoice = { head: a2.hash, safe: a1.hash, finalized: a1.hash };
      database.write(() => {
        blocks.moveCanonical([], [a1, a2]);
        blocks.finalize(1);
        blocks.putForkchoice(forkchoice);
      });
      equal(blocks.get(b1.hash), undefined);
      deepEqual(blocks.get(a1.hash), a1);
      deepEqual(blocks.unfinalized(), [{ number: 2, hash: a2.hash }]);
      deepEqual(blocks.forkchoice(), forkchoice);
    });
  });
});

/** What Otterscan asks. Prose: otterscan.md. */
import { deepEqual, equal } from "node:assert/strict";
import { toHash, toHex } from "../../primitives/bytes.ts";
import { accounts, signed } from "../support/execution-chain.ts";
import { COUNTER, LOGGER, REVERTER } from "../support/live-chain.ts";
import { history } from "./block-history.ts";
import { type Loose, withRpc } from "./rpc-fixture.ts";

const [ALICE, BOB] = [accounts[0]!, accounts[1]!];

describe("rpc methods: otterscan", () => {
  it("tell the level, headers, and where there is code", async () => {
    await withRpc(async (fixture) => {
      const { blocks } = await history(fixture);
      const { ask } = fixture;
      equal(await ask("ots_getApiLevel"), 8);
      equal((await ask("erigon_getHeaderByNumber", "0x2")).hash, blocks[1]!.hash);
      equal(await ask("erigon_getHeaderByNumber", "0x63"), null);
      deepEqual(
        [await ask("ots_hasCode", COUNTER, "latest"), await ask("ots_hasCode", ALICE)],
        [true, false],
      );
    });
  });

  it("sum up a block, by number and by hash", async () => {
    await withRpc(async (fixture) => {
      const { blocks, first } = await history(fixture);
      const { ask } = fixture;
      const details = await ask("ots_getBlockDetails", "0x1");
      deepEqual(await ask("ots_getBlockDetailsByHash", blocks[0]!.hash), details);
      equal(await ask("ots_getBlockDetails", "0x63"), null);
      let fees = 0n;
      for (const { hash } of first) {
        const { gasUsed, effectiveGasPrice } = await ask("eth_getTransactionReceipt", hash);
        fees += BigInt(gasUsed) * BigInt(effectiveGasPrice);
      }
      deepEqual(
        [details.block.transactionCount, details.block.transactions, BigInt(details.totalFees)],
        [3, undefined, fees],
      );
    });
  });

  it("page through a block's transactions from the last one on", async () => {
    await withRpc(async (fixture) => {
      const { second } = await history(fixture);
      const hashes = second.map(({ hash }) => hash);
      const page = async (number: number, size: number) => {
        const { fullblock, receipts } = await fixture.ask("ots_getBlockTransactions", "0x2", number, size);
        deepEqual(
          receipts.map(({ transactionHash, logs }: Loose) => [transactionHash, logs]),
          fullblock.transactions.map(({ hash }: Loose) => [hash, null]),
        );
        equal(fullblock.transactionCount, 4);
        return fullblock.transactions;
      };
      const hashesOf = (transactions: Loose) => transactions.map(({ hash }: Loose) => hash);
      deepEqual(hashesOf(await page(0, 3)), hashes.slice(1));
      deepEqual(hashesOf(await page(1, 3)), hashes.slice(0, 1));
      deepEqual(await page(2, 3), []);
      equal((await page(0, 4))[0].input, "0x00000000");
    });
  });

  it("tell what happened inside: calls with their depth, and what a revert said", async () => {
    await withRpc(async ({ ask, live, refuse }) => {
      const data = Uint8Array.of(8, 9);
      const sent = [COUNTER, REVERTER].map((to, nonce) =>
        signed(0, { nonce: BigInt(nonce), to, data, gasLimit: 90_000n }),
      );
      for (const { raw } of sent) await ask("eth_sendRawTransaction", toHex(raw));
      await live.mine();
      const [counted, reverted] = sent.map(({ hash }) => hash);
      deepEqual(await ask("ots_traceTransaction", counted), [
        {
          ...{ type: "CALL", depth: 0, from: ALICE, to: COUNTER, value: "0x0" },
          ...{ input: "0x0809", output: toHash(0x0809n) },
        },
      ]);
      deepEqual(
        [await ask("ots_getTransactionError", counted), await ask("ots_getTransactionError", reverted)],
        ["0x", "0x0809"],
      );
      deepEqual(await ask("ots_getInternalOperations", counted), []);
      equal((await refuse("ots_traceTransaction", toHash(1n))).message, "transaction not found");
    });
  });

  it("find the transaction of a nonce, and who created a contract, whichever block it was", async () => {
    await withRpc(async (fixture) => {
      const { first, second } = await history(fixture);
      const { ask } = fixture;
      for (const { hash, transaction } of [...first, ...second]) {
        equal(await ask("ots_getTransactionBySenderAndNonce", ALICE, Number(transaction.nonce)), hash);
      }
      equal(await ask("ots_getTransactionBySenderAndNonce", ALICE, 99), null);
      equal(await ask("ots_getTransactionBySenderAndNonce", BOB, 0), null);
      const { contractAddress } = await ask("eth_getTransactionReceipt", second[3]!.hash);
      const created = await ask("ots_getContractCreator", contractAddress);
      deepEqual(created, { hash: second[3]!.hash, creator: ALICE });
      // One of genesis, and an account without code.
      deepEqual(
        [await ask("ots_getContractCreator", LOGGER), await ask("ots_getContractCreator", BOB)],
        [null, null],
      );
    });
  });

  it("page through what an account took part in, back from the newest and forward from the oldest", async () => {
    await withRpc(async (fixture) => {
      const { blocks, first, second } = await history(fixture);
      const { ask, live, refuse } = fixture;
      await live.addressIndexer.catchUp();
      const hashes = [...first, ...second].map(({ hash }) => hash).reverse();
      const page = async (direction: string, address: string, block: number, size: number) => {
        const { txs, receipts, ...ends } = await ask(
          `ots_searchTransactions${direction}`,
          address,
          block,
          size,
        );
        for (const [at, tx] of txs.entries()) {
          const { timestamp, ...receipt } = receipts[at];
          deepEqual(tx, await ask("eth_getTransactionByHash", tx.hash));
          deepEqual(receipt, await ask("eth_getTransactionReceipt", tx.hash));
          equal(timestamp, tx.blockTimestamp);
        }
        return { hashes: txs.map(({ hash }: Loose) => hash), ...ends };
      };
      // Block 2 has four of the seven, block 1 three: a page ends with its block.
      const [newer, older] = [hashes.slice(0, 4), hashes.slice(4)];
      const whole = { hashes, firstPage: true, lastPage: true };
      deepEqual(await page("Before", ALICE, 0, 25), whole);
      deepEqual(await page("After", ALICE, 0, 25), whole);
      deepEqual(await page("Before", ALICE, 0, 2), { hashes: newer, firstPage: true, lastPage: false });
      deepEqual(await page("Before", ALICE, 2, 2), { hashes: older, firstPage: false, lastPage: true });
      deepEqual(await page("After", ALICE, 0, 2), { hashes: older, firstPage: false, lastPage: true });
      deepEqual(await page("After", ALICE, 1, 2), { hashes: newer, firstPage: true, lastPage: false });
      deepEqual(await page("Before", BOB, 0, 25), { ...whole, hashes: older });
      deepEqual(await page("Before", LOGGER, 1, 25), { hashes: [], firstPage: false, lastPage: true });
      deepEqual(await page("After", ALICE, 99, 25), { hashes: [], firstPage: true, lastPage: false });
      // Otterscan sends an address as its user typed it, and numbers as numbers.
      deepEqual(await ask("ots_searchTransactionsBefore", ALICE.toUpperCase().replace("0X", "0x"), 0, 25), {
        ...(await ask("ots_searchTransactionsBefore", ALICE, 0, 25)),
      });
      const { message } = await refuse("ots_searchTransactionsBefore", ALICE, 0, 0);
      equal(message, "invalid argument 2 (pageSize): a page has at least 1 transaction");
      equal(blocks.length, 3);
    });
  });

  it("find both through the index by account where states are gone", async () => {
    await withRpc(async (fixture) => {
      const { first, second } = await history(fixture);
      const { ask, live } = fixture;
      await live.addressIndexer.catchUp();
      for (let n = 0; n < 9; n++) {
        // Alice gets value, and sends none, in most of these.
        const sender = n % 4 === 3 ? 0 : 1;
        const nonce = BigInt(n % 4 === 3 ? 7 + Math.floor(n / 4) : n - Math.floor(n / 4));
        await ask(
          "eth_sendRawTransaction",
          toHex(signed(sender, { nonce, to: sender === 0 ? BOB : ALICE }).raw),
        );
        await live.mine();
      }
      const head = live.view.head().header.number;
      live.view.oldestState = () => head;
      for (const { hash, transaction } of [...first, ...second]) {
        equal(await ask("ots_getTransactionBySenderAndNonce", ALICE, Number(transaction.nonce)), hash);
      }
      const last = await ask("ots_getTransactionBySenderAndNonce", ALICE, 8);
      equal((await ask("eth_getTransactionByHash", last)).nonce, "0x8");
      equal(await ask("ots_getTransactionBySenderAndNonce", ALICE, 9), null);
      const { contractAddress } = await ask("eth_getTransactionReceipt", second[3]!.hash);
      const creation = { hash: second[3]!.hash, creator: ALICE };
      deepEqual(await ask("ots_getContractCreator", contractAddress), creation);
      equal(await ask("ots_getContractCreator", LOGGER), null);

      live.view.searchAddress = async () => undefined;
      equal(await ask("ots_getTransactionBySenderAndNonce", ALICE, 0), null);
      equal(await ask("ots_getContractCreator", contractAddress), null);
      deepEqual(await fixture.refuse("ots_searchTransactionsAfter", ALICE, 0, 9), {
        code: -32000,
        message: "no index by account: the node needs to be started with --address-index",
      });
    });
  });
});

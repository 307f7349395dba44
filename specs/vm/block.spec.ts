/** Spec of blocks as data: header bytes and hash, roots, receipts, base fee. External vectors first. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { EMPTY_BYTES, fromHex, type Hash, toHash, toHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { nextBaseFee } from "../../vm/base-fee.ts";
import type { Header } from "../../vm/block.ts";
import { decodeBlock, encodeBlock } from "../../vm/block-codec.ts";
import {
  computeReceiptsRoot,
  computeRequestsHash,
  computeTransactionsRoot,
  computeWithdrawalsRoot,
} from "../../vm/block-roots.ts";
import { genesisState } from "../../vm/genesis.ts";
import { decodeHeader, encodeHeader, headerHash } from "../../vm/header.ts";
import { computeLogsBloom, encodeReceipt, mayContain } from "../../vm/receipt.ts";
import { allocationOf, blockchainCases, expectedHash } from "../support/ethereum-tests.ts";
import { chainBlocks, exchangesOf, headerOf, type Json, receiptOf } from "../support/execution-apis.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";

describe("block: ethereum-tests BlockchainTests", () => {
  it("has the hash and transactions root of every block, and the state root of every genesis", function () {
    const counted = { cases: 0, blocks: 0, invalid: 0, withoutRejected: 0, wrongRoot: 0 };
    for (const vector of blockchainCases(this)) {
      const { genesisBlockHeader } = vector;
      counted.cases++;
      equal(headerHash(decodeBlock(fromHex(vector.genesisRLP)).header), genesisBlockHeader.hash, vector.name);
      equal(genesisState(allocationOf(vector.pre)).stateRoot, genesisBlockHeader.stateRoot, vector.name);
      for (const block of vector.blocks) {
        const { header, transactions } = decodeBlock(fromHex(block.rlp));
        counted.blocks++;
        equal(headerHash(header), expectedHash(block), vector.name);
        if (block.expectException !== undefined) counted.invalid++;
        if (computeTransactionsRoot(transactions) === header.transactionsRoot) continue;
        // Where the last transaction is what makes a block invalid, its header commits to the others.
        if (block.expectException === "BlockException.INVALID_TRANSACTIONS_ROOT") counted.wrongRoot++;
        else {
          equal(computeTransactionsRoot(transactions.slice(0, -1)), header.transactionsRoot, vector.name);
          equal(block.expectException?.startsWith("TransactionException"), true, vector.name);
          counted.withoutRejected++;
        }
      }
    }
    // Every named test of the five folders is a case; every block's RLP in them decodes.
    deepEqual(counted, { cases: 345, blocks: 614, invalid: 128, withoutRejected: 87, wrongRoot: 1 });
  });

  it("has the base fee of every valid block after its parent", function () {
    let checked = 0;
    for (const { blocks, genesisRLP } of blockchainCases(this)) {
      const headers = new Map<Hash, Header>();
      for (const { rlp, expectException } of [{ rlp: genesisRLP, expectException: undefined }, ...blocks]) {
        if (expectException !== undefined) continue;
        const { header } = decodeBlock(fromHex(rlp));
        headers.set(headerHash(header), header);
        const parent = headers.get(header.parentHash);
        if (parent === undefined) continue;
        equal(header.baseFeePerGas, nextBaseFee(parent));
        checked++;
      }
    }
    equal(checked, 486);
  });
});

describe("block: the chain of execution-apis", () => {
  it("decodes and encodes every block, and finds its hash, transactions and withdrawals root", function () {
    const blocks = chainBlocks(this);
    const genesis = exchangesOf(this, "eth_getBlockByNumber").find(({ file }) => file === "get-genesis.io")!;
    let parentHash = headerHash(headerOf(genesis.result!));
    equal(parentHash, genesis.result!["hash"]);
    for (const bytes of blocks) {
      const block = decodeBlock(bytes);
      deepEqual(encodeBlock(block), bytes);
      equal(block.header.parentHash, parentHash);
      equal(computeTransactionsRoot(block.transactions), block.header.transactionsRoot);
      if (block.withdrawals !== undefined) {
        equal(computeWithdrawalsRoot(block.withdrawals), block.header.withdrawalsRoot);
      }
      parentHash = headerHash(block.header);
    }
    equal(blocks.length, 54);
    const { params } = readJson<{ params: [{ headBlockHash: Hash }] }>(
      vectorsPath(this, "execution-apis", "tests", "headfcu.json"),
    );
    equal(parentHash, params[0].headBlockHash);
  });

  it("has the genesis state root of genesis.json", function () {
    const { alloc } = readJson<{ alloc: Parameters<typeof allocationOf>[0] }>(
      vectorsPath(this, "execution-apis", "tests", "genesis.json"),
    );
    const genesis = exchangesOf(this, "eth_getBlockByNumber").find(({ file }) => file === "get-genesis.io")!;
    equal(genesisState(allocationOf(alloc)).stateRoot, genesis.result!["stateRoot"]);
  });

  it("agrees with every answer of eth_getBlockByNumber and eth_getBlockByHash", function () {
    const chain = new Map(
      chainBlocks(this).map((bytes) => [Number(decodeBlock(bytes).header.number), bytes]),
    );
    let checked = 0;
    for (const { result } of [
      ...exchangesOf(this, "eth_getBlockByNumber"),
      ...exchangesOf(this, "eth_getBlockByHash"),
    ]) {
      if (result === undefined) continue;
      const header = headerOf(result);
      equal(headerHash(header), result["hash"]);
      deepEqual(decodeHeader(encodeHeader(header)), header);
      const bytes = chain.get(header.number);
      if (bytes !== undefined) {
        deepEqual(decodeBlock(bytes).header, header);
        equal(bytes.length, Number(result["size"]));
      }
      checked++;
    }
    equal(checked, 10);
  });

  it("has the bytes of debug_getRawHeader and debug_getRawBlock", function () {
    const raw = (method: string) => exchangesOf(this, method).filter(({ result }) => result !== undefined);
    const headers = raw("debug_getRawHeader");
    const blocks = raw("debug_getRawBlock");
    deepEqual([headers.length, blocks.length], [2, 2]);
    for (const [i, { result }] of blocks.entries()) {
      const block = decodeBlock(fromHex(result!));
      equal(toHex(encodeBlock(block)), result);
      equal(toHex(encodeHeader(block.header)), headers[i]!.result);
    }
  });

  it("has the receipts root and the bloom of every block whose receipts are given", function () {
    const headers = chainBlocks(this).map((bytes) => decodeBlock(bytes).header);
    const byNumber = new Map(headers.map((header) => [header.number, header]));
    // Receipts before Byzantium (block 9) carry a state root instead of a status.
    const answers = exchangesOf(this, "eth_getBlockReceipts").filter(
      ({ result }) => result !== undefined && Number(result[0]?.["blockNumber"] ?? 0) >= 9,
    );
    for (const { result } of answers) {
      const receipts = [...(result as readonly Json[])].map(receiptOf);
      const header = byNumber.get(Number(result![0]!["blockNumber"]))!;
      equal(computeReceiptsRoot(receipts), header.receiptsRoot);
      deepEqual(computeLogsBloom(receipts.flatMap(({ logs }) => logs)), header.logsBloom);
    }
    equal(answers.length, 1);
  });

  it("has the bloom of every receipt given alone", function () {
    const receipts = exchangesOf(this, "eth_getTransactionReceipt").filter(
      ({ result }) => result !== undefined,
    );
    for (const { result } of receipts) {
      const receipt = receiptOf(result!);
      deepEqual(computeLogsBloom(receipt.logs), receipt.logsBloom);
    }
    equal(receipts.length, 7);
  });
});

describe("block: bytes", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const hash = bytes(32).map(toHex);
  const gas = fc.bigInt({ min: 0n, max: 2n ** 63n });
  const fields = {
    parentHash: hash,
    ommersHash: hash,
    feeRecipient: bytes(20).map(toHex),
    stateRoot: hash,
    transactionsRoot: hash,
    receiptsRoot: hash,
    logsBloom: bytes(256),
    difficulty: gas,
    number: fc.maxSafeNat(),
    gasLimit: gas,
    gasUsed: gas,
    timestamp: fc.maxSafeNat(),
    extraData: fc.uint8Array({ maxLength: 40 }),
    prevRandao: hash,
    nonce: bytes(8),
    baseFeePerGas: gas,
    withdrawalsRoot: hash,
    blobGasUsed: gas,
    excessBlobGas: gas,
    parentBeaconBlockRoot: hash,
    requestsHash: hash,
  };
  const header: fc.Arbitrary<Header> = fc.record(fields, { noNullPrototype: true });

  it("gives back every header from its bytes", () => {
    fc.assert(fc.property(header, (value) => deepEqual(decodeHeader(encodeHeader(value)), value)));
  });

  it("refuses what is no header, each with its reason", () => {
    const [sample] = fc.sample(header, { numRuns: 1, seed: 1 });
    const encoded = encodeHeader(sample!);
    throws(() => decodeHeader(encoded.subarray(0, -1)), { detail: { code: "RLP_TOO_SHORT", offset: 0 } });
    throws(() => decodeHeader(fromHex("0xc0")), { detail: { code: "FIELD_COUNT", field: "header" } });
    throws(() => decodeHeader(fromHex("0x80")), { detail: { code: "FIELD_NOT_LIST", field: "header" } });
    throws(() => decodeBlock(encoded), { detail: { code: "FIELD_COUNT", field: "block" } });
  });
});

describe("block: receipts and requests", () => {
  const log = { address: `0x${"11".repeat(20)}`, topics: [toHash(1n)], data: Uint8Array.of(1) } as const;

  it("puts address and topics into the bloom, and not the data", () => {
    const bloom = computeLogsBloom([log]);
    equal(mayContain(bloom, fromHex(log.address)), true);
    equal(mayContain(bloom, fromHex(log.topics[0])), true);
    equal(mayContain(bloom, log.data), false);
    equal(mayContain(new Uint8Array(256), EMPTY_BYTES), false);
  });

  it("begins a typed receipt with its type", () => {
    const receipt = {
      succeeded: true,
      cumulativeGasUsed: 21_000n,
      logsBloom: computeLogsBloom([log]),
      logs: [log],
    } as const;
    const legacy = encodeReceipt({ type: 0, ...receipt });
    deepEqual(encodeReceipt({ type: 2, ...receipt }), Uint8Array.of(2, ...legacy));
  });

  it("commits to the requests by type, leaving out empty ones (EIP-7685)", () => {
    equal(computeRequestsHash([]), toHex(sha256(EMPTY_BYTES)));
    equal(computeRequestsHash([Uint8Array.of(0), Uint8Array.of(1)]), toHex(sha256(EMPTY_BYTES)));
    const [deposit, exit] = [Uint8Array.of(0, 5), Uint8Array.of(1, 6)];
    equal(
      computeRequestsHash([deposit, exit]),
      toHex(sha256(Uint8Array.from([...sha256(deposit), ...sha256(exit)]))),
    );
  });
});

describe("block: base fee", () => {
  const parent = { gasLimit: 30_000_000n, baseFeePerGas: 1_000_000_000n };

  it("stays at the target, moves an eighth at the extremes, and can leave zero", () => {
    equal(nextBaseFee({ ...parent, gasUsed: 15_000_000n }), 1_000_000_000n);
    equal(nextBaseFee({ ...parent, gasUsed: 30_000_000n }), 1_125_000_000n);
    equal(nextBaseFee({ ...parent, gasUsed: 0n }), 875_000_000n);
    equal(nextBaseFee({ ...parent, baseFeePerGas: 0n, gasUsed: 15_000_001n }), 1n);
  });
});

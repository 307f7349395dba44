/** Spec of block execution and building: vm/execute-block.ts, build-payload.ts, block-execution.ts. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  type Address,
  bytesToBigInt,
  concatBytes,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toHash,
  toHex,
} from "../../primitives/bytes.ts";
import type { Block, Header } from "../../vm/block.ts";
import { decodeBlock } from "../../vm/block-codec.ts";
import { applyTransaction, beginBlock, finishBlock } from "../../vm/block-execution.ts";
import { computeReceiptsRoot, computeTransactionsRoot } from "../../vm/block-roots.ts";
import { buildPayload } from "../../vm/build-payload.ts";
import { BEACON_ROOTS_ADDRESS, BLOCK_HASHES_ADDRESS, SYSTEM_ADDRESS } from "../../vm/chain-config.ts";
import { executePayload } from "../../vm/execute-block.ts";
import { headerHash } from "../../vm/header.ts";
import { type InvalidBlockDetail, InvalidBlockError } from "../../vm/invalid-block.ts";
import { DEPOSIT_EVENT_TOPIC } from "../../vm/requests.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { recoverTransaction } from "../../vm/transaction-signature.ts";
import { allocationOf, blockchainCases } from "../support/ethereum-tests.ts";
import {
  accounts,
  config,
  ETHER,
  ExecutionChain,
  feeRecipient,
  fundedAllocation,
  GWEI,
  signed,
  sourceOf,
} from "../support/execution-chain.ts";
import { MemoryState } from "../support/memory-state.ts";
import { end, type Script, ScriptedMachine } from "../support/scripted-machine.ts";

const CODE = fromHex("0xef4a5301");
const CONTRACT: Address = "0xc0de000000000000000000000000000000000000";

function chainWith(script: Parameters<ScriptedMachine["add"]>[1], address = CONTRACT, chainConfig = config) {
  const allocation = fundedAllocation(new Map([[address, { balance: 0n, nonce: 1n, code: CODE }]]));
  return new ExecutionChain(allocation, new ScriptedMachine().add(CODE, script), chainConfig);
}

function refusal(chain: ExecutionChain, block: Omit<Block, "hash">): InvalidBlockDetail {
  try {
    executePayload(chain.input, block);
  } catch (error) {
    if (error instanceof InvalidBlockError) return error.detail;
    throw error;
  }
  throw new Error("the block was accepted");
}

describe("execute block: building and checking", () => {
  it("accepts what it built, with the same receipts, requests and state", () => {
    const chain = new ExecutionChain();
    const built = chain.build([
      signed(0, { value: ETHER, to: accounts[1] }),
      signed(0, { nonce: 1n, value: 5n }),
      signed(2, { value: 7n, to: "0x00000000000000000000000000000000000000aa" }),
    ]);
    const { receipts, requests, gasUsed, diff } = executePayload(chain.input, built.block);
    deepEqual(
      { receipts, requests, gasUsed, diff },
      {
        receipts: built.receipts,
        requests: built.requests,
        gasUsed: 63_000n,
        diff: built.diff,
      },
    );
    equal(built.block.hash, headerHash(built.block.header));
    equal(built.block.transactions.length, 3);
  });

  it("burns the base fee and pays the tip to the fee recipient, to the wei", () => {
    const chain = new ExecutionChain();
    const built = chain.build([signed(0, { value: ETHER, to: accounts[1] })]);
    const baseFee = built.block.header.baseFeePerGas!;
    chain.advance(built);
    equal(chain.state.account(feeRecipient)!.balance, 21_000n * GWEI);
    equal(chain.state.account(accounts[0]!)!.balance, 99n * ETHER - 21_000n * (baseFee + GWEI));
    equal(chain.state.account(accounts[1]!)!.balance, 101n * ETHER);
    equal(built.receipts[0]!.effectiveGasPrice, baseFee + GWEI);
  });

  it("pays withdrawals in Gwei after the transactions", () => {
    const chain = new ExecutionChain();
    const address: Address = "0x00000000000000000000000000000000000000bb";
    const built = chain.build([], {
      withdrawals: [{ index: 1n, validatorIndex: 2n, address, amountGwei: 3n }],
    });
    executePayload(chain.input, built.block);
    chain.advance(built);
    equal(chain.state.account(address)!.balance, 3n * GWEI);
  });

  it("leaves out what does not fit or cannot run, and the same sender's later ones", () => {
    const chain = new ExecutionChain();
    const tooLarge = signed(1, { gasLimit: 30_000_001n });
    const built = chain.build([
      signed(0, { nonce: 5n }),
      signed(0),
      tooLarge,
      signed(1, { nonce: 1n }),
      signed(2),
    ]);
    deepEqual(
      built.block.transactions.map(({ sender }) => sender),
      [accounts[2]],
    );
  });

  it("stops adding when told to", () => {
    const chain = new ExecutionChain();
    let asked = 0;
    const source = sourceOf([signed(0), signed(1), signed(2)]);
    const built = buildPayload(chain.input, chain.attributes(), source, () => ++asked > 2);
    equal(built.block.transactions.length, 2);
  });

  it("holds at most 2 MiB of transactions", () => {
    const chain = new ExecutionChain(fundedAllocation(), new ScriptedMachine(), {
      ...config,
      gasLimitMaximum: 2n ** 40n,
    });
    chain.parent = { ...chain.parent, gasLimit: 2n ** 40n };
    const data = new Uint8Array(130_000).fill(1);
    const transactions = Array.from({ length: 17 }, (_, nonce) =>
      signed(0, { nonce: BigInt(nonce), data, gasLimit: 6_000_000n }),
    );
    const built = chain.build(transactions, { gasLimitTarget: 2n ** 40n });
    equal(built.block.transactions.length, 16);
  });

  it("gives the same block for the same input, whatever the transactions", () => {
    const transfer = fc.record({
      from: fc.integer({ min: 0, max: 3 }),
      to: fc.integer({ min: 0, max: 7 }),
      value: fc.bigInt({ min: 0n, max: 60n * ETHER }),
    });
    fc.assert(
      fc.property(fc.array(transfer, { maxLength: 12 }), (transfers) => {
        const nonces = [0n, 0n, 0n, 0n];
        const transactions = transfers.map(({ from, to, value }) =>
          signed(from, { to: accounts[to]!, value, nonce: nonces[from]!++ }),
        );
        const built = new ExecutionChain().build(transactions);
        const again = new ExecutionChain();
        equal(again.build(transactions).block.hash, built.block.hash);
        deepEqual(executePayload(again.input, built.block).diff, built.diff);
        again.advance(built);
        const paid = built.receipts.reduce((sum, r) => sum + r.gasUsed * (r.effectiveGasPrice - GWEI), 0n);
        const total = [...again.state.accounts.values()].reduce((sum, { balance }) => sum + balance, 0n);
        equal(total, 800n * ETHER - paid);
      }),
      { numRuns: 25 },
    );
  });
});

describe("execute block: validity", () => {
  const chain = new ExecutionChain();
  const built = chain.build([signed(0), signed(1)]);
  const { block } = built;
  const withHeader = (fields: Partial<Header>) => ({ ...block, header: { ...block.header, ...fields } });
  const other: Hash = toHash(99n);

  const wrong: Partial<Header>[] = [
    { parentHash: other },
    { ommersHash: other },
    { stateRoot: other },
    { transactionsRoot: other },
    { receiptsRoot: other },
    { logsBloom: new Uint8Array(256).fill(1) },
    { difficulty: 1n },
    { number: 7 },
    { gasUsed: 1n },
    { nonce: new Uint8Array(8).fill(1) },
    { baseFeePerGas: 1n },
    { withdrawalsRoot: other },
    { blobGasUsed: 1n },
    { excessBlobGas: 1n },
    { requestsHash: other },
  ];
  for (const fields of wrong) {
    const field = Object.keys(fields)[0] as keyof Header;
    it(`refuses a wrong ${field}`, () => {
      const detail = refusal(chain, withHeader(fields));
      equal(detail.code, "BLOCK_WRONG_FIELD");
      equal(detail.code === "BLOCK_WRONG_FIELD" && detail.field, field);
    });
  }

  it("refuses a header without the fields of later forks", () => {
    const { parentBeaconBlockRoot: _, requestsHash: __, ...header } = block.header;
    deepEqual(refusal(chain, { ...block, header }), {
      code: "BLOCK_WRONG_FIELD",
      field: "parentBeaconBlockRoot",
      expected: "32 bytes",
      actual: "undefined",
    });
  });

  it("refuses a timestamp that is not after the parent's", () => {
    const { timestamp } = chain.parent;
    deepEqual(refusal(chain, withHeader({ timestamp })), {
      code: "BLOCK_TIMESTAMP_NOT_AFTER_PARENT",
      timestamp,
      parent: timestamp,
    });
  });

  it("refuses a gas limit that moved by a 1024th or out of bounds", () => {
    const gasLimit = 30_000_000n + 30_000_000n / 1024n;
    deepEqual(refusal(chain, withHeader({ gasLimit })), {
      code: "BLOCK_GAS_LIMIT_MOVED_TOO_FAR",
      gasLimit,
      parent: 30_000_000n,
    });
    for (const gasLimit of [4_999_999n, 60_000_001n]) {
      deepEqual(refusal(chain, withHeader({ gasLimit })), {
        code: "BLOCK_GAS_LIMIT_OUT_OF_BOUNDS",
        gasLimit,
      });
    }
  });

  it("refuses more than 32 bytes of extra data", () => {
    deepEqual(refusal(chain, withHeader({ extraData: new Uint8Array(33) })), {
      code: "BLOCK_EXTRA_DATA_TOO_LONG",
      size: 33,
    });
  });

  it("names the transaction that breaks a rule, and which", () => {
    const transactions: readonly RecoveredTransaction[] = [signed(0), signed(0)];
    const transactionsRoot = computeTransactionsRoot(transactions.map(({ raw }) => raw));
    deepEqual(refusal(chain, { ...withHeader({ transactionsRoot }), transactions }), {
      code: "BLOCK_TRANSACTION_INVALID",
      index: 1,
      reason: "NONCE_TOO_LOW",
    });
  });
});

describe("execute block: gas limit", () => {
  it("moves toward the target by less than a 1024th per block, inside the chain's bounds", () => {
    const chain = new ExecutionChain();
    for (const [gasLimitTarget, expected] of [
      [60_000_000n, 30_000_000n + 29_295n],
      [1n, 30_000_000n - 29_295n],
      [30_000_100n, 30_000_100n],
    ] as const) {
      const built = chain.build([], { gasLimitTarget });
      equal(built.block.header.gasLimit, expected);
      executePayload(chain.input, built.block);
    }
  });
});

describe("execute block: system calls", () => {
  for (const [name, address, data] of [
    ["beacon root", BEACON_ROOTS_ADDRESS, toHash(77n)],
    ["parent hash", BLOCK_HASHES_ADDRESS, undefined],
  ] as const) {
    it(`begins by giving the ${name} to its contract, for no gas`, () => {
      const seen: unknown[] = [];
      const chain = chainWith((frame) => {
        seen.push({ caller: frame.caller, data: toHex(frame.data), gas: frame.gas });
        frame.context.journal.setStorage(frame.self, toHash(0n), 1n);
        return end("success", 0);
      }, address);
      const built = chain.build([], { parentBeaconBlockRoot: toHash(77n) });
      deepEqual(seen, [
        { caller: SYSTEM_ADDRESS, data: data ?? built.block.header.parentHash, gas: 30_000_000 },
      ]);
      equal(built.gasUsed, 0n);
      equal(built.diff.storage.get(address)!.get(toHash(0n)), 1n);
      equal(built.diff.accounts.has(SYSTEM_ADDRESS), false);
    });
  }

  it("makes the block invalid when a system call fails", () => {
    const chain = chainWith(() => end("out of gas", 0), BEACON_ROOTS_ADDRESS);
    throws(() => chain.build([]), {
      detail: { code: "BLOCK_SYSTEM_CALL_FAILED", contract: BEACON_ROOTS_ADDRESS, outcome: "out of gas" },
    });
  });
});

describe("execute block: requests", () => {
  // Five byte strings in the ABI, as the deposit contract logs them.
  const word = (n: number) => fromHex(toHash(BigInt(n)));
  const field = (size: number, fill: number) =>
    concatBytes(word(size), new Uint8Array(Math.ceil(size / 32) * 32).fill(fill, 0, size));
  const offsets = [160, 256, 320, 384, 512].map(word);
  const depositData = concatBytes(
    ...offsets,
    field(48, 1),
    field(32, 2),
    field(8, 3),
    field(96, 4),
    field(8, 5),
  );
  const deposit = concatBytes(...[48, 32, 8, 96, 8].map((size, i) => new Uint8Array(size).fill(i + 1)));
  const deposited = (data: Uint8Array) =>
    chainWith((frame) => {
      frame.context.journal.addLog({ address: frame.self, topics: [DEPOSIT_EVENT_TOPIC], data });
      return end("success", frame.gas);
    }, config.depositContract);
  const call = (from: number) => signed(from, { to: config.depositContract, gasLimit: 100_000n });

  it("joins the deposits of the block in the order of their logs", () => {
    const chain = deposited(depositData);
    const built = chain.build([call(0), call(1)]);
    deepEqual(built.requests, [concatBytes(Uint8Array.of(0), deposit, deposit)]);
    executePayload(chain.input, built.block);
  });

  it("refuses a block whose deposit log is no deposit", () => {
    for (const data of [EMPTY_BYTES, depositData.subarray(1), new Uint8Array(576)]) {
      throws(() => deposited(data).build([call(0)]), { detail: { code: "BLOCK_DEPOSIT_LOG_INVALID" } });
    }
  });

  it("asks the exit contract after the transactions", () => {
    const exits = Uint8Array.of(9, 8, 7);
    const withExits = { ...config, exitContract: CONTRACT };
    const chain = chainWith(
      (frame) => end("success", 0, exits.subarray(0, frame.data.length === 0 ? 3 : 0)),
      CONTRACT,
      withExits,
    );
    deepEqual(chain.build([]).requests, [Uint8Array.of(1, 9, 8, 7)]);
    throws(() => new ExecutionChain(fundedAllocation(), new ScriptedMachine(), withExits).build([]), {
      detail: { code: "BLOCK_SYSTEM_CONTRACT_MISSING", contract: CONTRACT },
    });
  });
});

describe("execute block: ethereum-tests", () => {
  const chainConfig = { ...config, chainId: 1n, depositContract: undefined };

  /** EIP-4788's contract: the root by timestamp, in a ring of 8191. */
  const beaconRoots: Script = ({ context, self, data }) => {
    const timestamp = BigInt(context.block.timestamp);
    context.journal.setStorage(self, toHash(timestamp % 8191n), timestamp);
    context.journal.setStorage(self, toHash((timestamp % 8191n) + 8191n), bytesToBigInt(data));
    return end("success", 0);
  };

  /** Only accounts without code are called, with no data: nothing for the EVM to do, no floor of Prague's. */
  const onlyTransfers = (transactions: readonly RecoveredTransaction[], state: MemoryState) =>
    transactions.every(
      ({ transaction: { to, data } }) =>
        to !== undefined &&
        BigInt(to) > 0x11n &&
        data.length === 0 &&
        (state.account(to)?.codeHash ?? EMPTY_CODE_HASH) === EMPTY_CODE_HASH,
    );

  it("gives every block that only transfers value its state root, receipts root, gas and bloom", function () {
    const counted = { blocks: 0, transactions: 0 };
    for (const { pre, genesisBlockHeader, blocks, name } of blockchainCases(this)) {
      const allocation = allocationOf(pre);
      const state = MemoryState.of(allocation);
      const code = allocation.get(BEACON_ROOTS_ADDRESS)?.code;
      const machine = new ScriptedMachine().add(code ?? EMPTY_BYTES, beaconRoots);
      let parentHash: Hash = genesisBlockHeader.hash;
      for (const { rlp, expectException } of blocks) {
        const { header, transactions, withdrawals = [] } = decodeBlock(fromHex(rlp));
        if (expectException !== undefined || header.parentHash !== parentHash) continue;
        const recovered = transactions.map(recoverTransaction);
        if (!onlyTransfers(recovered, state)) break;
        const { baseFeePerGas = 0n, parentBeaconBlockRoot = toHash(0n) } = header;
        const opening = { ...header, baseFeePerGas, parentBeaconBlockRoot };
        const execution = beginBlock(chainConfig, opening, state, machine, () => toHash(0n));
        for (const one of recovered) {
          // Some of these transactions were signed before EIP-155.
          applyTransaction(execution, { ...one, transaction: { ...one.transaction, chainId: 1n } });
        }
        const result = finishBlock(execution, withdrawals);
        deepEqual(
          [result.diff.stateRoot, computeReceiptsRoot(result.receipts), result.gasUsed, result.logsBloom],
          [header.stateRoot, header.receiptsRoot, header.gasUsed, header.logsBloom],
          name,
        );
        state.apply(result.diff);
        parentHash = headerHash(header);
        counted.blocks++;
        counted.transactions += recovered.length;
      }
    }
    deepEqual(counted, { blocks: 27, transactions: 10 });
  });
});

/** Every method against a real chain: answers, and the traps real clients step into. Prose: methods.md. */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex, type Hex, toHash, toHex } from "../../primitives/bytes.ts";
import { SECP256K1_ORDER } from "../../primitives/secp256k1.ts";
import { METHODS } from "../../rpc/method-table.ts";
import { encodeBlock } from "../../vm/block-codec.ts";
import { verifyAccountProof, verifyStorageProof } from "../../vm/state/proof.ts";
import type { Transaction } from "../../vm/transaction.ts";
import { encodeTransaction } from "../../vm/transaction-codec.ts";
import { accounts, config, GWEI, signed } from "../support/execution-chain.ts";
import { BURNER, COUNTER, LOGGED_TOPIC, LOGGER, MISER, REVERTER } from "../support/live-chain.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";
import { history, LOGGED_WORD, legacy } from "./block-history.ts";
import { withRpc } from "./rpc-fixture.ts";

const [ALICE, BOB] = [accounts[0]!, accounts[1]!];
const SLOT_ZERO = toHash(0n);
const ERROR_STRING = `0x08c379a0${"20".padStart(64, "0")}${"0a".padStart(64, "0")}${"75736572206572726f72".padEnd(64, "0")}`;

describe("rpc methods: the book", () => {
  it("has a word on every method that exists", () => {
    const folder = join(PROJECT_ROOT, "specs", "rpc");
    const chapters = readdirSync(folder).filter((file) => file.endsWith(".md"));
    const prose = chapters.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
    deepEqual(
      METHODS.map(({ name }) => name).filter((name) => !prose.includes(`\`${name}\``)),
      [],
    );
  });
});

describe("rpc methods: network", () => {
  it("tell the chain id in hex and in decimal, and who we are", async () => {
    await withRpc(async ({ ask, refuse }) => {
      equal(await ask("eth_chainId"), "0x1092");
      equal(await ask("net_version"), "4242");
      equal(await ask("net_listening"), true);
      equal(await ask("net_peerCount"), "0x0");
      equal(await ask("web3_clientVersion"), "jurat/spec");
      equal(
        await ask("web3_sha3", "0x68656c6c6f"),
        "0x1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8",
      );
      for (const name of ["eth_sign", "personal_newAccount", "engine_newPayloadV4", "debug_getBadBlocks"]) {
        deepEqual(await refuse(name), {
          code: -32601,
          message: `the method ${name} does not exist/is not available`,
        });
      }
    });
  });

  it("tell false in sync, else how far there is to go", async () => {
    await withRpc(async ({ live, ask }) => {
      equal(await ask("eth_syncing"), false);
      live.view.setConsensusStatus({ ...live.view.consensusStatus(), headSlot: 5, syncTargetSlot: 25 });
      deepEqual(await ask("eth_syncing"), {
        startingBlock: "0x0",
        currentBlock: "0x0",
        highestBlock: "0x14",
      });
      equal((await ask("jurat_status")).syncing, true);
    });
  });

  it("tell all about the node at once in jurat_status", async () => {
    await withRpc(async (fixture) => {
      await history(fixture);
      await fixture.ask("eth_sendRawTransaction", toHex(signed(1, { nonce: 0n }).raw));
      await fixture.ask("eth_sendRawTransaction", toHex(signed(1, { nonce: 5n }).raw));
      deepEqual(await fixture.ask("jurat_status"), {
        slot: 0,
        headSlot: 0,
        headRoot: SLOT_ZERO,
        headNumber: 3,
        justifiedEpoch: 0,
        justifiedNumber: 2,
        finalizedEpoch: 0,
        finalizedNumber: 2,
        finalityLagSlots: 0,
        peers: 0,
        syncing: false,
        pendingTransactions: 1,
        queuedTransactions: 1,
        localValidators: 0,
        localVotes: 0,
        residentBytes: 1000,
        cpuMs: 20,
      });
    });
  });
});

describe("rpc methods: blocks", () => {
  it("tell a block's size to the byte", async () => {
    await withRpc(async (fixture) => {
      const { blocks } = await history(fixture);
      for (const { header, transactions, withdrawals, hash } of blocks) {
        const raws = transactions.map(({ raw }) => raw);
        const encoded = encodeBlock({ header, transactions: raws, ommers: [], withdrawals });
        equal(Number((await fixture.ask("eth_getBlockByHash", hash, false)).size), encoded.length);
      }
    });
  });

  it("resolve every tag, also right after genesis", async () => {
    await withRpc(async (fixture) => {
      for (const tag of ["earliest", "finalized", "safe", "latest", "pending"]) {
        equal((await fixture.ask("eth_getBlockByNumber", tag, false)).number, "0x0");
      }
      await history(fixture);
      const numbers = { earliest: "0x0", finalized: "0x2", safe: "0x2", latest: "0x3", pending: "0x3" };
      for (const [tag, number] of Object.entries(numbers)) {
        equal((await fixture.ask("eth_getBlockByNumber", tag, false)).number, number);
      }
    });
  });

  it("have no uncles", async () => {
    await withRpc(async ({ ask, live }) => {
      const { hash } = live.view.head();
      equal(await ask("eth_getUncleCountByBlockNumber", "latest"), "0x0");
      equal(await ask("eth_getUncleCountByBlockHash", hash), "0x0");
      equal(await ask("eth_getUncleCountByBlockHash", SLOT_ZERO), null);
      equal(await ask("eth_getUncleByBlockHashAndIndex", hash, "0x0"), null);
      equal(await ask("eth_getUncleByBlockNumberAndIndex", "latest", "0x0"), null);
    });
  });

  it("are named by hash or EIP-1898 object, and must be canonical when asked to", async () => {
    await withRpc(async (fixture) => {
      const { blocks } = await history(fixture);
      const { live, ask, refuse } = fixture;
      const abandoned = await live.build(blocks[2]!, { timestamp: blocks[2]!.header.timestamp + 9 });
      const { hash } = blocks[0]!;
      const balance = await ask("eth_getBalance", BOB, "0x1");
      for (const block of [hash, { blockHash: hash, requireCanonical: true }, { blockNumber: "0x1" }]) {
        equal(await ask("eth_getBalance", BOB, block), balance);
      }
      notEqual(await ask("eth_getBalance", BOB, { blockHash: abandoned.hash }), undefined);
      deepEqual(await refuse("eth_getBalance", BOB, { blockHash: abandoned.hash, requireCanonical: true }), {
        code: -32000,
        message: "hash is not currently canonical",
      });
      deepEqual(await refuse("eth_getBalance", BOB, "0x63"), { code: -32000, message: "header not found" });
      deepEqual(await refuse("eth_getBalance", BOB, SLOT_ZERO), {
        code: -32000,
        message: "header not found",
      });
    });
  });
});

describe("rpc methods: transactions", () => {
  it("show waiting transactions without a block, and mined ones with what they paid", async () => {
    await withRpc(async ({ live, ask }) => {
      const transaction = signed(0, { to: BOB, value: 1n });
      equal(await ask("eth_sendRawTransaction", toHex(transaction.raw)), transaction.hash);
      deepEqual(live.published, [transaction.raw]);
      const waiting = await ask("eth_getTransactionByHash", transaction.hash);
      deepEqual(
        [waiting.blockHash, waiting.blockNumber, waiting.transactionIndex, waiting.gasPrice, waiting.from],
        [null, null, null, "0x2540be400", ALICE],
      );
      equal(await ask("eth_getTransactionReceipt", transaction.hash), null);
      equal(await ask("eth_getTransactionCount", ALICE, "latest"), "0x0");
      equal(await ask("eth_getTransactionCount", ALICE, "pending"), "0x1");

      const { header, hash } = await live.mine();
      const mined = await ask("eth_getTransactionByHash", transaction.hash);
      equal(BigInt(mined.gasPrice), header.baseFeePerGas! + GWEI);
      deepEqual([mined.blockHash, mined.blockTimestamp], [hash, `0x${header.timestamp.toString(16)}`]);
      const receipt = await ask("eth_getTransactionReceipt", transaction.hash);
      equal(receipt.effectiveGasPrice, mined.gasPrice);
      equal(await ask("eth_getTransactionCount", ALICE), "0x1");
    });
  });

  it("give EIP-155's v to legacy transactions and the parity to typed ones", async () => {
    await withRpc(async (fixture) => {
      const { first } = await history(fixture);
      const [one, two] = [first[0]!, first[1]!];
      const shownLegacy = await fixture.ask("eth_getTransactionByHash", one.hash);
      equal(BigInt(shownLegacy.v), 35n + 2n * config.chainId + BigInt(one.transaction.yParity));
      equal(shownLegacy.yParity, undefined);
      const shownTyped = await fixture.ask("eth_getTransactionByHash", two.hash);
      deepEqual([BigInt(shownTyped.v), shownTyped.v], [BigInt(two.transaction.yParity), shownTyped.yParity]);
    });
  });

  it("are refused in the texts clients match on, never as an internal error", async () => {
    await withRpc(async (fixture) => {
      await history(fixture);
      const good = signed(1, { nonce: 0n });
      await fixture.ask("eth_sendRawTransaction", toHex(good.raw));
      const { s, yParity } = good.transaction;
      const highS = encodeTransaction({
        ...good.transaction,
        s: SECP256K1_ORDER - s,
        yParity: yParity === 0 ? 1 : 0,
      } as Transaction);
      const cases: readonly (readonly [Hex, string])[] = [
        [toHex(good.raw), "already known"],
        [toHex(signed(0, { nonce: 0n }).raw), "nonce too low"],
        [toHex(signed(2, { value: 10n ** 30n }).raw), "insufficient funds for gas * price + value"],
        [toHex(signed(2, { gasLimit: 20_000n }).raw), "intrinsic gas too low"],
        [toHex(signed(1, { nonce: 0n, value: 5n }).raw), "replacement transaction underpriced"],
        [toHex(signed(2, { maxPriorityFeePerGas: 0n }).raw), "transaction underpriced"],
        [toHex(signed(2, { gasLimit: 31_000_000n }).raw), "exceeds block gas limit"],
        [toHex(signed(2, { maxFeePerGas: 1n }).raw), "max priority fee per gas higher than max fee per gas"],
        [
          toHex(legacy(7n, { chainId: undefined }).raw),
          "only replay-protected (EIP-155) transactions allowed over RPC",
        ],
        [toHex(signed(2, { chainId: 1n }).raw), "invalid chain id for signer"],
        [toHex(signed(2, { data: new Uint8Array(131_072), gasLimit: 5_000_000n }).raw), "oversized data"],
        [`${toHex(good.raw)}00`, "undecodable transaction"],
        ["0x", "undecodable transaction"],
        ["0x03c0", "transaction type not supported"],
        [toHex(highS), "invalid sender"],
      ];
      for (const [raw, text] of cases) {
        const { code, message } = await fixture.refuse("eth_sendRawTransaction", raw);
        deepEqual([code, message.split(":", 1)[0]], [-32000, text]);
      }
      deepEqual(fixture.faults, []);
    });
  });
});

describe("rpc methods: accounts", () => {
  it("prove accounts and slots against the header's state root, absent ones too", async () => {
    await withRpc(async (fixture) => {
      const { blocks } = await history(fixture);
      const { stateRoot } = blocks[2]!.header;
      const proof = await fixture.ask("eth_getProof", COUNTER, ["0x0", toHash(9n)], "latest");
      const bytes = (nodes: readonly string[]) => nodes.map(fromHex);
      const account = verifyAccountProof(stateRoot, COUNTER, bytes(proof.accountProof));
      equal(account?.storageRoot, proof.storageHash);
      deepEqual(
        proof.storageProof.map(({ key, value }: { key: string; value: string }) => [key, value]),
        [
          ["0x0", "0x5"],
          [toHash(9n), "0x0"],
        ],
      );
      equal(verifyStorageProof(proof.storageHash, SLOT_ZERO, bytes(proof.storageProof[0].proof)), 5n);
      equal(verifyStorageProof(proof.storageHash, toHash(9n), bytes(proof.storageProof[1].proof)), 0n);
      const absent = await fixture.ask("eth_getProof", `0x${"ab".repeat(20)}`, [], "latest");
      equal(verifyAccountProof(stateRoot, `0x${"ab".repeat(20)}`, bytes(absent.accountProof)), undefined);
    });
  });

  it("read storage and code at any block that is kept", async () => {
    await withRpc(async (fixture) => {
      await history(fixture);
      equal(await fixture.ask("eth_getStorageAt", COUNTER, "0x0", "0x1"), SLOT_ZERO);
      equal(await fixture.ask("eth_getStorageAt", COUNTER, SLOT_ZERO), toHash(5n));
      equal(await fixture.ask("eth_getCode", COUNTER), "0x636f756e746572");
      equal(await fixture.ask("eth_getCode", ALICE), "0x");
      const { code, message } = await fixture.refuse("eth_getStorageAt", COUNTER, "0xasdf");
      deepEqual([code, message], [-32602, 'invalid argument 1 (slot): invalid hex in storage key: "0xasdf"']);
    });
  });
});

describe("rpc methods: calls", () => {
  it("answer what a contract returns, at any block, with overrides", async () => {
    await withRpc(async (fixture) => {
      await history(fixture);
      const add = { to: COUNTER, input: "0x01" };
      equal(await fixture.ask("eth_call", add), toHash(6n));
      equal(await fixture.ask("eth_call", add, "0x1"), toHash(1n));
      const overridden = { [COUNTER]: { stateDiff: { [SLOT_ZERO]: toHash(40n) } } };
      equal(await fixture.ask("eth_call", add, "latest", overridden), toHash(41n));
      equal(await fixture.ask("eth_call", { ...add, data: "0x01" }), toHash(6n));
      equal((await fixture.refuse("eth_call", { ...add, data: "0x02" })).code, -32602);
    });
  });

  it("give a revert code 3, its reason, and always its data", async () => {
    await withRpc(async ({ refuse }) => {
      const revertWith = (input: string) => refuse("eth_call", { to: REVERTER, input });
      deepEqual(await revertWith("0x"), { code: 3, message: "execution reverted", data: "0x" });
      deepEqual(await revertWith(ERROR_STRING), {
        code: 3,
        message: "execution reverted: user error",
        data: ERROR_STRING,
      });
      const panic = `0x4e487b71${"11".padStart(64, "0")}`;
      deepEqual(await revertWith(panic), {
        code: 3,
        message: "execution reverted: arithmetic underflow or overflow",
        data: panic,
      });
      // A length that points outside is no reason, and no error of ours.
      const bad = `0x08c379a0${"20".padStart(64, "0")}${"ff".padStart(64, "0")}`;
      deepEqual(await revertWith(bad), { code: 3, message: "execution reverted", data: bad });
      deepEqual(await refuse("eth_estimateGas", { to: REVERTER, input: ERROR_STRING }), {
        code: 3,
        message: "execution reverted: user error",
        data: ERROR_STRING,
      });
    });
  });

  it("fail with the outcome's text, as a server error", async () => {
    await withRpc(async ({ refuse }) => {
      deepEqual(await refuse("eth_call", { to: BURNER }), { code: -32000, message: "out of gas" });
      const bytecode = { data: "0x608060405234801561001057600080fd5b50" };
      deepEqual(await refuse("eth_call", bytecode), { code: -32000, message: "invalid container" });
      const { code, message } = await refuse("eth_call", {
        from: ALICE,
        to: BOB,
        value: "0xffffffffffffffffffffff",
      });
      deepEqual([code, message.split(":")[0]], [-32000, "insufficient funds for gas * price + value"]);
    });
  });

  it("search for the gas that suffices, which is more than what is used", async () => {
    await withRpc(async (fixture) => {
      equal(await fixture.ask("eth_estimateGas", { from: ALICE, to: BOB, value: "0x1" }), "0x5208");
      const estimate = Number(await fixture.ask("eth_estimateGas", { from: ALICE, to: MISER }));
      const run = (gas: number) =>
        fixture.answer("eth_call", { from: ALICE, to: MISER, gas: `0x${gas.toString(16)}` });
      equal((await run(estimate)).error, undefined);
      deepEqual((await run(estimate - 1)).error, { code: -32000, message: "out of gas" });
      const poor = { from: `0x${"cc".repeat(20)}`, to: BOB, gasPrice: "0x1" };
      const { code, message } = await fixture.refuse("eth_estimateGas", poor);
      deepEqual([code, message.split(":")[0]], [-32000, "insufficient funds for gas * price + value"]);
    });
  });
});

describe("rpc methods: fees", () => {
  it("suggest the tip others paid, and the price of the next block", async () => {
    await withRpc(async (fixture) => {
      equal(await fixture.ask("eth_maxPriorityFeePerGas"), "0x3b9aca00");
      await fixture.ask("eth_sendRawTransaction", toHex(signed(0, { maxPriorityFeePerGas: 7n }).raw));
      await fixture.live.mine();
      equal(await fixture.ask("eth_maxPriorityFeePerGas"), "0x7");
      equal(BigInt(await fixture.ask("eth_gasPrice")), fixture.live.view.nextBaseFee() + 7n);
    });
  });

  it("tell the history of blocks, and one base fee more", async () => {
    await withRpc(async (fixture) => {
      const { blocks } = await history(fixture);
      const told = await fixture.ask("eth_feeHistory", "0x2", "0x2", [0, 50, 100]);
      equal(told.oldestBlock, "0x1");
      const baseFees = blocks.map(({ header }) => `0x${header.baseFeePerGas!.toString(16)}`);
      deepEqual(told.baseFeePerGas, baseFees);
      deepEqual(
        told.gasUsedRatio,
        blocks.slice(0, 2).map(({ header }) => Number(header.gasUsed) / 30e6),
      );
      deepEqual(told.reward[1], ["0x3b9aca00", "0x3b9aca00", "0x3b9aca00"]);
      equal((await fixture.ask("eth_feeHistory", 10, "latest")).baseFeePerGas.length, 5);
      equal((await fixture.ask("eth_feeHistory", "0x1", "latest", [])).reward, undefined);
    });
  });

  it("check percentiles and the newest block", async () => {
    await withRpc(async ({ refuse }) => {
      const told = async (...params: unknown[]) => (await refuse("eth_feeHistory", ...params)).message;
      equal(await told("0x1", "latest", [-1]), "invalid reward percentile: -1");
      equal(await told("0x1", "latest", [101]), "invalid reward percentile: 101");
      equal(await told("0x1", "latest", [50, 20]), "invalid reward percentile: #0:50 >= #1:20");
      equal(await told("0x1", "0x63"), "request beyond head block: requested 99, head 0");
    });
  });
});

describe("rpc methods: logs", () => {
  it("find logs by address, topic, range and block hash, finalized or not", async () => {
    await withRpc(async (fixture) => {
      const { blocks } = await history(fixture);
      const { ask, live } = fixture;
      await ask(
        "eth_sendRawTransaction",
        toHex(signed(1, { to: LOGGER, data: Uint8Array.of(1), gasLimit: 100_000n }).raw),
      );
      await live.mine();
      const numbers = async (filter: object) =>
        (await ask("eth_getLogs", { fromBlock: "0x0", toBlock: "latest", ...filter })).map(
          ({ blockNumber }: { blockNumber: string }) => Number(blockNumber),
        );
      deepEqual(await numbers({}), [2, 4]);
      deepEqual(await numbers({ address: LOGGER }), [2, 4]);
      deepEqual(await numbers({ address: [COUNTER] }), []);
      deepEqual(await numbers({ topics: [LOGGED_TOPIC] }), [2, 4]);
      deepEqual(await numbers({ topics: [null, LOGGED_WORD] }), [2]);
      deepEqual(
        await numbers({ topics: [LOGGED_TOPIC, null] }),
        [2],
        "a trailing null asks for a second topic",
      );
      deepEqual(await numbers({ topics: [[LOGGED_TOPIC, LOGGED_WORD]], fromBlock: "0x3" }), [4]);
      deepEqual(await ask("eth_getLogs", { blockHash: blocks[0]!.hash }), []);
      const [log] = await ask("eth_getLogs", { blockHash: blocks[1]!.hash });
      deepEqual(
        [log.transactionIndex, log.logIndex, log.data, log.removed],
        ["0x0", "0x0", LOGGED_WORD, false],
      );
    });
  });

  it("refuse ranges that make no sense, and say what would do when there is too much", async () => {
    await withRpc(
      async (fixture) => {
        for (let nonce = 0n; nonce < 4n; nonce++) {
          await fixture.ask(
            "eth_sendRawTransaction",
            toHex(signed(1, { nonce, to: LOGGER, gasLimit: 100_000n }).raw),
          );
          await fixture.live.mine();
        }
        const told = async (filter: object) => fixture.refuse("eth_getLogs", filter);
        deepEqual(await told({ fromBlock: "0x2", toBlock: "0x1" }), {
          code: -32602,
          message: "invalid block range params",
        });
        deepEqual(await told({ fromBlock: "0x1", toBlock: "0x9" }), {
          code: -32602,
          message: "block range extends beyond current head block",
        });
        deepEqual(await told({ blockHash: SLOT_ZERO }), { code: -32000, message: "unknown block" });
        deepEqual(await told({ fromBlock: "0x0", toBlock: "0x3" }), {
          code: -32602,
          message: "query exceeds max block range 3. Try with this block range [0x0, 0x2].",
        });
        deepEqual(await told({ fromBlock: "0x2", toBlock: "0x4" }), {
          code: -32602,
          message: "query returned more than 2 results. Try with this block range [0x2, 0x3].",
        });
        equal((await fixture.ask("eth_getLogs", { fromBlock: "0x2", toBlock: "0x3" })).length, 2);
      },
      { logBlocks: 3, logResults: 2 },
    );
  });
});

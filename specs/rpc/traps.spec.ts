/** What real clients stumble over, one spec for each trap. Prose: traps.md. */
import { deepEqual, equal, match } from "node:assert/strict";
import { EMPTY_BYTES, toHex } from "../../primitives/bytes.ts";
import { SECP256K1_ORDER } from "../../primitives/secp256k1.ts";
import { encodeBlock } from "../../vm/block-codec.ts";
import { encodeTransaction } from "../../vm/transaction-codec.ts";
import { accounts, ETHER, GWEI, signed } from "../support/execution-chain.ts";
import { LOGGED_TOPIC, LOGGER, MISER } from "../support/live-chain.ts";
import { history, legacy } from "./block-history.ts";
import { type Loose, withRpc } from "./rpc-fixture.ts";
import { SocketClient, withServer } from "./server-fixture.ts";

const [ALICE, BOB] = [accounts[0]!, accounts[1]!];
const quantity = (value: bigint | number): string => `0x${value.toString(16)}`;

/** A real client's first bytes: viem's verifyMessage sends the code of a validator contract of the EVM. */
const UNIVERSAL_VALIDATOR =
  "0x608060405234801561001057600080fd5b5060405161069438038061069483398101604081905261002f9161051e565b";

describe("traps: what clients send", () => {
  it("viem's verifyMessage sends an eth_call without a recipient and with EVM bytecode: an error, not a crash", async () => {
    await withRpc(async ({ refuse, faults }) => {
      const answered = await refuse("eth_call", { data: UNIVERSAL_VALIDATOR }, "latest");
      deepEqual([answered, faults], [{ code: -32000, message: "invalid container" }, []]);
    });
  });

  it("cast sends both data and input: taken when equal, refused when they differ", async () => {
    await withRpc(async ({ ask, refuse }) => {
      for (const method of ["eth_call", "eth_estimateGas", "eth_createAccessList"]) {
        await ask(method, { to: LOGGER, data: "0x0102", input: "0x0102" });
        const { code, message } = await refuse(method, { to: LOGGER, data: "0x0102", input: "0x0103" });
        equal(code, -32602);
        match(message, /both "data" and "input" are set and not equal/);
      }
    });
  });

  it("cast takes the nonce at latest: what waits in the pool is not counted there, and is at pending", async () => {
    await withRpc(async ({ ask, refuse }) => {
      const first = signed(0, { nonce: 0n, to: BOB });
      await ask("eth_sendRawTransaction", toHex(first.raw));
      deepEqual(
        [
          await ask("eth_getTransactionCount", ALICE, "latest"),
          await ask("eth_getTransactionCount", ALICE, "pending"),
        ],
        ["0x0", "0x1"],
      );
      const again = signed(0, { nonce: 0n, to: BOB, value: 2n });
      deepEqual(await refuse("eth_sendRawTransaction", toHex(again.raw)), {
        code: -32000,
        message: "replacement transaction underpriced",
      });
    });
  });

  it("ethers batches by itself and puts eth_chainId beside nearly every request", async () => {
    await withServer(async ({ url }) => {
      const body = JSON.stringify([
        { method: "eth_blockNumber", params: [], id: 7, jsonrpc: "2.0" },
        { method: "eth_chainId", params: [], id: 8, jsonrpc: "2.0" },
      ]);
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      deepEqual(await response.json(), [
        { jsonrpc: "2.0", id: 7, result: "0x0" },
        { jsonrpc: "2.0", id: 8, result: "0x1092" },
      ]);
    });
  });
});

describe("traps: objects", () => {
  it("receipts have the fields of the specification and no others", async () => {
    await withRpc(async (fixture) => {
      const { second } = await history(fixture);
      const names = Object.keys(await fixture.ask("eth_getTransactionReceipt", second[3]!.hash));
      deepEqual(names.toSorted(), [
        ...["blockHash", "blockNumber", "contractAddress", "cumulativeGasUsed", "effectiveGasPrice", "from"],
        ...["gasUsed", "logs", "logsBloom", "status", "to", "transactionHash", "transactionIndex", "type"],
      ]);
    });
  });

  it("transaction objects have the blockTimestamp of the newest specification", async () => {
    await withRpc(async (fixture) => {
      const { blocks, first } = await history(fixture);
      const { ask } = fixture;
      const time = quantity(blocks[0]!.header.timestamp);
      equal((await ask("eth_getTransactionByHash", first[0]!.hash)).blockTimestamp, time);
      const { transactions } = await ask("eth_getBlockByNumber", "0x1", true);
      deepEqual(
        transactions.map(({ blockTimestamp }: Loose) => blockTimestamp),
        [time, time, time],
      );
    });
  });

  it("a block's size is its RLP's to the byte, not one short", async () => {
    await withRpc(async (fixture) => {
      const { blocks } = await history(fixture);
      for (const { header, transactions, withdrawals, hash } of blocks) {
        const raws = transactions.map(({ raw }) => raw);
        const { length } = encodeBlock({ header, transactions: raws, ommers: [], withdrawals });
        equal((await fixture.ask("eth_getBlockByHash", hash, false)).size, quantity(length));
      }
    });
  });

  it("safe is the justified block and finalized the final one, and both resolve from genesis on", async () => {
    await withRpc(async (fixture) => {
      const numberOf = async (tag: string) => (await fixture.ask("eth_getBlockByNumber", tag, false)).number;
      deepEqual([await numberOf("safe"), await numberOf("finalized")], ["0x0", "0x0"]);
      const { blocks } = await history(fixture);
      const hashes = blocks.map(({ hash }) => hash);
      fixture.live.chain.setForkchoice({ head: hashes[2]!, safe: hashes[2]!, finalized: hashes[1]! });
      deepEqual([await numberOf("safe"), await numberOf("finalized")], ["0x3", "0x2"]);
    });
  });
});

describe("traps: what must be refused", () => {
  const refused = (raw: string, text: string) =>
    withRpc(async ({ refuse, faults }) => {
      const { code, message } = await refuse("eth_sendRawTransaction", raw);
      deepEqual([code, message.split(":")[0], faults], [-32000, text, []]);
    });

  it("a signature with a high s", async () => {
    const { transaction } = signed(0, { to: BOB });
    const { s, yParity } = transaction;
    const other = { ...transaction, s: SECP256K1_ORDER - s, yParity: yParity === 0 ? 1 : 0 } as const;
    await refused(toHex(encodeTransaction(other)), "invalid sender");
  });

  it("bytes after a transaction's RLP", () =>
    refused(`${toHex(signed(0, { to: BOB }).raw)}00`, "undecodable transaction"));

  it("a transaction from before EIP-155", () =>
    refused(
      toHex(legacy(0n, { chainId: undefined }).raw),
      "only replay-protected (EIP-155) transactions allowed over RPC",
    ));

  it("a transaction over 128 KB", () =>
    refused(
      toHex(signed(0, { data: new Uint8Array(128 * 1024), gasLimit: 9_000_000n }).raw),
      "oversized data",
    ));

  it("a reversed range of logs, instead of answering none", async () => {
    await withRpc(async ({ live, refuse }) => {
      await live.mine();
      for (const method of ["eth_getLogs", "eth_newFilter"]) {
        deepEqual(await refuse(method, { fromBlock: "0x1", toBlock: "0x0" }), {
          code: -32602,
          message: "invalid block range params",
        });
      }
    });
  });

  it("percentiles of eth_feeHistory below 0, above 100 or not ascending", async () => {
    await withRpc(async ({ refuse }) => {
      for (const percentiles of [[-1], [100.1], [50, 49]]) {
        const { code, message } = await refuse("eth_feeHistory", "0x1", "latest", percentiles);
        equal(code, -32602);
        match(message, /^invalid reward percentile: /);
      }
    });
  });

  it("more blocks or logs than eth_getLogs may look at, with a smaller range that works", async () => {
    await withRpc(
      async ({ ask, refuse, live }) => {
        for (let nonce = 0n; nonce < 4n; nonce++) {
          await ask("eth_sendRawTransaction", toHex(signed(0, { nonce, to: LOGGER, gasLimit: 90_000n }).raw));
          await live.mine();
        }
        for (const range of [
          { fromBlock: "0x0", toBlock: "0x4" },
          { fromBlock: "0x1", toBlock: "0x3" },
        ]) {
          const { code, message } = await refuse("eth_getLogs", range);
          equal(code, -32602);
          const [, fromBlock, toBlock] = /\[(0x\d+), (0x\d+)\]/.exec(message) ?? [];
          await ask("eth_getLogs", { fromBlock, toBlock });
        }
      },
      { logBlocks: 3, logResults: 2 },
    );
  });

  it("logs that are longer together than an answer may be", async () => {
    await withRpc(
      async ({ ask, refuse, live }) => {
        await ask("eth_sendRawTransaction", toHex(signed(0, { to: LOGGER, gasLimit: 90_000n }).raw));
        await live.mine();
        deepEqual(await refuse("eth_getLogs", { fromBlock: "0x0" }), {
          code: -32003,
          message: "response too large",
        });
        deepEqual(await ask("eth_getLogs", { fromBlock: "0x0", address: accounts[0] }), []);
      },
      { answerBytes: 300 },
    );
  });
});

describe("traps: batches and what is not JSON", () => {
  it("one bad member does not kill a batch", async () => {
    await withServer(async ({ webSocketUrl }) => {
      const client = await SocketClient.open(webSocketUrl);
      client.send(
        '[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},7,{"jsonrpc":"2.0","id":2,"method":"no"}]',
      );
      const answers = (await client.next()) as Loose[];
      deepEqual(
        answers.map(({ id, result, error }) => [id, result ?? error.code]),
        [
          [1, "0x1092"],
          [null, -32600],
          [2, -32601],
        ],
      );
      client.close();
    });
  });

  it("a parse error is -32700 with a null id, not -32600", async () => {
    await withServer(async ({ url }) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body: '{"jsonrpc":"2.0",' });
      const { id, error } = (await response.json()) as Loose;
      deepEqual([id, error.code], [null, -32700]);
    });
  });
});

describe("traps: logs and gas", () => {
  it("trailing null topics ask for topics that exist", async () => {
    await withRpc(async ({ ask, live }) => {
      const data = EMPTY_BYTES;
      await ask("eth_sendRawTransaction", toHex(signed(0, { to: LOGGER, data, gasLimit: 90_000n }).raw));
      await live.mine();
      const count = async (topics: unknown) =>
        (await ask("eth_getLogs", { fromBlock: "0x0", topics })).length;
      deepEqual([await count([LOGGED_TOPIC]), await count([LOGGED_TOPIC, null])], [1, 0]);
    });
  });

  it("eth_estimateGas heeds the balance when there is a gas price", async () => {
    await withRpc(async ({ ask, refuse, live }) => {
      const poor = `0x${"cc".repeat(20)}` as const;
      const gift = signed(0, { to: poor, value: ETHER / 10n ** 6n });
      await ask("eth_sendRawTransaction", toHex(gift.raw));
      await live.mine();
      const gasPrice = quantity(GWEI);
      equal(await ask("eth_estimateGas", { from: poor, to: BOB }), "0x5208");
      const { code, message } = await refuse("eth_estimateGas", { from: poor, to: BOB, gasPrice });
      deepEqual([code, message.split(":")[0]], [-32000, "insufficient funds for gas * price + value"]);
    });
  });

  it("eth_estimateGas searches for the limit that suffices instead of answering the gas used", async () => {
    await withRpc(async ({ ask, refuse }) => {
      const request = { from: ALICE, to: MISER };
      const estimate = Number(await ask("eth_estimateGas", request));
      const { gasUsed } = await ask("eth_createAccessList", request);
      equal(estimate > Number(gasUsed), true);
      await ask("eth_call", { ...request, gas: quantity(estimate) });
      await refuse("eth_call", { ...request, gas: quantity(estimate - 1) });
    });
  });

  it("logs of a reorganised block come again as removed, to a filter and to a subscription, then the new ones", async () => {
    await withServer(async ({ webSocketUrl, live }) => {
      const client = await SocketClient.open(webSocketUrl);
      const genesis = live.view.head();
      const { result: filter } = await client.request("eth_newFilter", { address: LOGGER });
      await client.request("eth_sendRawTransaction", toHex(signed(0, { to: LOGGER, gasLimit: 90_000n }).raw));
      await client.request("eth_subscribe", "logs", { address: LOGGER });
      const first = await live.mine();
      live.setHead(await live.build(genesis, { timestamp: genesis.header.timestamp + 5 }));
      const second = await live.mine();
      const expected = [
        [first.hash, false],
        [first.hash, true],
        [second.hash, false],
      ];
      const told = ({ blockHash, removed }: Loose) => [blockHash, removed];
      const sent: Loose[] = [];
      while (sent.length < 3) sent.push((await client.next()).params.result);
      deepEqual(sent.map(told), expected);
      const { result: polled } = await client.request("eth_getFilterChanges", filter);
      deepEqual(polled.map(told), expected);
      client.close();
    });
  });
});

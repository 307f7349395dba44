/** The error contract word for word: what is said on errors.md, asked for on a chain. Prose: errors.md. */
import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toHash, toHex } from "../../primitives/bytes.ts";
import { accounts, ETHER, signed } from "../support/execution-chain.ts";
import { BURNER, REVERTER } from "../support/live-chain.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";
import { history, legacy } from "./block-history.ts";
import { type RpcFailure, type RpcFixture, withRpc } from "./rpc-fixture.ts";

const [ALICE, BOB, CAROL] = [accounts[0]!, accounts[1]!, accounts[2]!];
const ERROR_STRING = `0x08c379a0${"20".padStart(64, "0")}${"4".padStart(64, "0")}${"6f6f7073".padEnd(64, "0")}`;

type Case = readonly [expected: RpcFailure, method: string, ...params: unknown[]];

const send = "eth_sendRawTransaction";
const failure = (code: number, message: string, data?: string): RpcFailure => ({
  code,
  message,
  ...(data !== undefined && { data }),
});

/** Alice has sent seven transactions, Bob's first waits in the pool. */
function casesOf(waiting: string): readonly Case[] {
  const refused = (message: string, fields: Parameters<typeof signed>[1], sender = 2): Case => [
    failure(-32000, message),
    send,
    toHex(signed(sender, fields).raw),
  ];
  const call = (fields: object) => ({ from: CAROL, to: BOB, ...fields });
  return [
    [failure(-32601, "the method eth_sign does not exist/is not available"), "eth_sign", ALICE, "0x"],
    [
      failure(-32602, "invalid argument 0 (address): hex string has length 2, want 40"),
      "eth_getBalance",
      "0x12",
    ],
    [failure(-32602, "missing value for required argument 0 (hash)"), "eth_getTransactionByHash"],
    [failure(3, "execution reverted", "0x"), "eth_call", { to: REVERTER }],
    [failure(3, "execution reverted: oops", ERROR_STRING), "eth_call", { to: REVERTER, input: ERROR_STRING }],
    refused("nonce too low: next nonce 7, tx nonce 0", { nonce: 0n }, 0),
    refused(
      `insufficient funds for gas * price + value: balance ${100n * ETHER}, tx cost ${10n ** 30n + 210_000_000_000_000n}, overshot ${10n ** 30n + 210_000_000_000_000n - 100n * ETHER}`,
      { value: 10n ** 30n },
    ),
    refused("intrinsic gas too low: gas 20000, minimum needed 21000", { gasLimit: 20_000n }),
    refused("replacement transaction underpriced", { nonce: 0n, value: 5n }, 1),
    refused("transaction underpriced: gas tip cap 0, minimum needed 1", { maxPriorityFeePerGas: 0n }),
    [failure(-32000, "already known"), send, waiting],
    refused("exceeds block gas limit", { gasLimit: 31_000_000n }),
    [
      failure(-32000, "max fee per gas less than block base fee: maxFeePerGas: 1, baseFee: 671196149"),
      "eth_call",
      call({ maxFeePerGas: "0x1" }),
    ],
    refused(
      "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: 1000000000, maxFeePerGas: 1",
      { maxFeePerGas: 1n },
    ),
    [
      failure(-32000, "only replay-protected (EIP-155) transactions allowed over RPC"),
      send,
      toHex(legacy(7n, { chainId: undefined }).raw),
    ],
    [failure(-32000, "filter not found"), "eth_getFilterChanges", "0x7"],
    [failure(-32000, "header not found"), "eth_getBalance", ALICE, "0x99"],
    [failure(-32000, "out of gas"), "eth_call", { to: BURNER }],
    refused("nonce has max value", { nonce: 2n ** 64n - 1n }),
    refused("invalid chain id for signer: have 1 want 4242", { chainId: 1n }),
    [
      failure(-32000, "oversized data: transaction size 131190, limit 131072"),
      send,
      toHex(signed(2, { data: new Uint8Array(131_072), gasLimit: 5_000_000n }).raw),
    ],
    [failure(-32000, "transaction type not supported: type 3"), send, "0x03c0"],
    [failure(-32000, "transaction not found"), "debug_traceTransaction", toHash(1n)],
  ];
}

async function waitingTransaction({ ask, live }: RpcFixture): Promise<string> {
  const raw = toHex(signed(1, { nonce: 0n }).raw);
  await ask(send, raw);
  equal(live.view.pendingNonce(BOB), 1n);
  return raw;
}

describe("rpc errors", () => {
  it("have the codes and words of the page, whole, and none is a fault of ours", async () => {
    await withRpc(async (fixture) => {
      await history(fixture);
      for (const [expected, method, ...params] of casesOf(await waitingTransaction(fixture))) {
        deepEqual(await fixture.refuse(method, ...params), expected);
      }
      deepEqual(fixture.faults, []);
    });
  });

  it("say that the pool is full", async () => {
    await withRpc(
      async (fixture) => {
        await waitingTransaction(fixture);
        const more = signed(2, { nonce: 0n, maxPriorityFeePerGas: 1n });
        deepEqual(await fixture.refuse(send, toHex(more.raw)), failure(-32000, "txpool is full"));
      },
      { mempool: { transactions: 1 } },
    );
  });

  it("of what is no request have a null id and nothing but the text", async () => {
    await withRpc(async ({ raw }) => {
      const answers = [];
      for (const body of ["{", "7", "[]", `[${"1,".repeat(1000)}1]`]) answers.push(await raw(body));
      const said = (code: number, message: string) =>
        JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } });
      deepEqual(answers, [
        said(-32700, "parse error"),
        said(-32600, "invalid request"),
        said(-32600, "empty batch"),
        said(-32600, "batch too large"),
      ]);
    });
  });

  it("that a load brings are told: rate, size of the answer, filters", async () => {
    // The fixture asks for the description of the interface first.
    const limits = { requestsPerSecond: 4, answerBytes: 700, filters: 1 };
    await withRpc(async ({ answer, ask }) => {
      await ask("eth_newBlockFilter");
      deepEqual((await answer("eth_newBlockFilter")).error, failure(-32005, "too many filters"));
      deepEqual(
        (await answer("eth_getBlockByNumber", "0x0", true)).error,
        failure(-32003, "response too large"),
      );
      deepEqual((await answer("eth_chainId")).error, failure(-32005, "rate limit exceeded"));
    }, limits);
  });

  it("of the page are all among these", () => {
    const page = readFileSync(join(PROJECT_ROOT, "specs/rpc/errors.md"), "utf8");
    const [, table = ""] = page.split("## Texts\n");
    const texts = [...table.matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!),
    );
    const proven = casesOf("0x").map(([{ message }]) => message);
    const elsewhere = [
      ...["txpool is full", "parse error", "invalid request", "empty batch", "batch too large"],
      ...["too many filters", "response too large", "rate limit exceeded"],
      // specs/node/call-worker.spec.ts.
      "execution aborted (timeout = 5s)",
    ];
    equal(texts.length > 20, true);
    deepEqual(
      texts.filter((text) => !elsewhere.includes(text) && !proven.some((one) => isSaidBy(one, text))),
      [],
    );
  });
});

/** Figures follow the text after a colon. */
function isSaidBy(message: string, text: string): boolean {
  return message === text || message.startsWith(`${text}:`);
}

/** All that users do at once: transfers, token calls, deploys, readers, subscribers that come and go. */
import { encodeFunctionData } from "viem";
import { WebSocket } from "ws";
import { EMPTY_BYTES, fromHex, type Hex, toHex } from "../../../primitives/bytes.ts";
import { deriveDevAccounts } from "../../../primitives/dev-accounts.ts";
import type { RandomStream } from "../../simulation/random-stream.ts";
import { callJson, pause } from "../crash/json-call.ts";
import { deployToken, type LoadTransaction, newAccount, submit } from "../crash/transaction-load.ts";

/** Between two actions of one user. */
const PAUSES_MS = { transfer: 600, token: 600, deploy: 15_000, read: 500, subscribe: 200 };
const DEPLOYER = 1;
const TRANSFER_SENDERS = [2, 3, 4, 5];
const READERS = 2;
const SUBSCRIBERS = 4;
/** A subscriber stays at most this long; every second one leaves without a word. */
const STAY_MS = 20_000;
const LOG_BLOCKS = 20;

export type MixedLoad = {
  /** Actions that succeeded and that failed, by kind. */
  readonly done: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, number>>;
  stop(): Promise<void>;
  /** One sentence for each sender whose acknowledged transactions are not all in the chain of this node. */
  missing(url: string): Promise<readonly string[]>;
};

export async function startMixedLoad(
  urls: readonly string[],
  chainId: number,
  random: RandomStream,
): Promise<MixedLoad> {
  const first = urls[0] ?? "";
  const { token, abi, creation } = await deployToken(first, chainId);
  const done: Record<string, number> = {};
  const failed: Record<string, number> = {};
  const acknowledged = new Map<number, number>([[0, 1]]);
  const stopping = Promise.withResolvers<void>();
  let isStopping = false;

  const repeat = async (kind: keyof typeof PAUSES_MS, act: () => Promise<void>) => {
    while (!isStopping) {
      await act().then(
        () => count(done, kind),
        () => count(failed, kind),
      );
      await Promise.race([pause(PAUSES_MS[kind]), stopping.promise]);
    }
  };
  // One node for each sender: its pending nonce is then always known where the next transaction goes.
  const send = async (sender: number, transaction: LoadTransaction) => {
    await submit(urls[sender % urls.length] ?? first, chainId, sender, transaction);
    acknowledged.set(sender, (acknowledged.get(sender) ?? 0) + 1);
  };
  const anyUrl = () => urls[random.below(urls.length)] ?? first;
  const call = (functionName: string, args: readonly unknown[]) =>
    encodeFunctionData({ abi, functionName, args });

  const running = [
    ...TRANSFER_SENDERS.map((sender) =>
      repeat("transfer", () =>
        send(sender, { to: newAccount(random), value: 1n, data: EMPTY_BYTES, gasLimit: 21_000n }),
      ),
    ),
    repeat("token", () => {
      const data = fromHex(call("transfer", [newAccount(random), 1n]));
      return send(0, { to: token, value: 0n, data, gasLimit: 200_000n });
    }),
    repeat("deploy", () => send(DEPLOYER, creation)),
    ...Array.from({ length: READERS }, () =>
      repeat("read", () => readAll(anyUrl(), token, call("balanceOf", [newAccount(random)]))),
    ),
    ...Array.from({ length: SUBSCRIBERS }, () =>
      repeat("subscribe", () => subscribe(anyUrl(), random, stopping.promise)),
    ),
  ];
  return {
    done,
    failed,
    async stop() {
      isStopping = true;
      stopping.resolve();
      await Promise.all(running);
    },
    async missing(url) {
      const counts = await Promise.all(
        [...acknowledged].map(async ([sender, sent]) => {
          const address = deriveDevAccounts()[sender]?.address;
          const included = Number(await callJson<Hex>(url, "eth_getTransactionCount", [address, "latest"]));
          return included >= sent ? [] : [`${sent - included} of ${sent} transactions of account ${sender}`];
        }),
      );
      return counts.flat();
    },
  };
}

function count(counts: Record<string, number>, kind: string): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}

async function readAll(url: string, token: string, data: Hex): Promise<void> {
  await callJson(url, "eth_call", [{ to: token, data }, "latest"]);
  const head = Number(await callJson<Hex>(url, "eth_blockNumber", []));
  const fromBlock = toQuantity(Math.max(0, head - LOG_BLOCKS));
  await callJson(url, "eth_getLogs", [{ address: token, fromBlock, toBlock: toQuantity(head) }]);
  await callJson(url, "eth_getBlockByNumber", ["latest", true]);
}

const toQuantity = (value: number): Hex => `0x${value.toString(16)}`;

/** Heads and logs for a while, then gone; an error of the socket is a failure. */
async function subscribe(url: string, random: RandomStream, stopping: Promise<void>): Promise<void> {
  const socket = new WebSocket(url.replace("http", "ws"));
  const ended = new Promise<void>((resolve, reject) => {
    socket.once("close", resolve).once("error", reject);
  });
  const name = toHex(Uint8Array.of(random.below(256)));
  for (const params of [["newHeads"], ["logs", {}], ["newPendingTransactions"]]) {
    socket.once("open", () =>
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: name, method: "eth_subscribe", params })),
    );
  }
  const isRude = random.below(2) === 0;
  const leave = () => (isRude ? socket.terminate() : socket.close());
  await Promise.race([pause(random.below(STAY_MS)), stopping, ended]);
  // A socket that is not open yet ends with an error when it is left.
  if (socket.readyState === WebSocket.CONNECTING) {
    await Promise.race([new Promise((resolve) => socket.once("open", resolve)), ended]);
  }
  leave();
  await ended;
}

/** viem, ethers, web3.js, wagmi core and cast, unmodified, against the server. Prose: clients.md. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createConfig, watchContractEvent } from "@wagmi/core";
import { Contract, JsonRpcProvider, Wallet, WebSocketProvider } from "ethers";
import {
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  parseEther,
  webSocket,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { Web3 } from "web3";
import { type Hex, toHash, toHex } from "../../primitives/bytes.ts";
import { findCast } from "../support/cast.ts";
import { closeWeb3 } from "../support/close-web3.ts";
import { accounts, config, keys } from "../support/execution-chain.ts";
import { COUNTER, LOGGER, REVERTER } from "../support/live-chain.ts";
import { type ServerFixture, withServer } from "./server-fixture.ts";

const KEY = toHex(keys[0]!);
const BOB = accounts[1]!;

function chainAt(url: string) {
  return defineChain({
    id: Number(config.chainId),
    name: "spec",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
}

function viemClients({ url, webSocketUrl }: ServerFixture) {
  const chain = chainAt(url);
  return {
    reader: createPublicClient({ chain, transport: http(url), pollingInterval: 20 }),
    wallet: createWalletClient({ chain, transport: http(url), account: privateKeyToAccount(KEY) }),
    socket: createPublicClient({ chain, transport: webSocket(webSocketUrl, { reconnect: false }) }),
  };
}

describe("viem", () => {
  it("sends value, waits for the receipt, and reads blocks, balances and fees", async () => {
    await withServer(async (fixture) => {
      const { reader, wallet } = viemClients(fixture);
      const before = await reader.getBalance({ address: BOB });
      const hash = await wallet.sendTransaction({ to: BOB, value: parseEther("1") });
      await fixture.live.mine();
      const receipt = await reader.waitForTransactionReceipt({ hash });
      deepEqual([receipt.status, receipt.blockNumber, receipt.gasUsed], ["success", 1n, 21_000n]);
      equal((await reader.getBalance({ address: BOB })) - before, parseEther("1"));
      equal((await reader.getBlock({ includeTransactions: true })).transactions[0]?.hash, hash);
      equal((await reader.getFeeHistory({ blockCount: 1, rewardPercentiles: [50] })).reward?.length, 1);
      equal(await reader.getTransactionCount({ address: accounts[0]! }), 1);
      deepEqual(fixture.faults, []);
    });
  });

  it("calls, estimates and understands reverts", async () => {
    await withServer(async (fixture) => {
      const { reader } = viemClients(fixture);
      deepEqual((await reader.call({ to: COUNTER, data: "0x05" })).data, toHash(5n));
      equal((await reader.estimateGas({ account: accounts[0]!, to: BOB })) > 0n, true);
      const abi = [
        { type: "function", name: "fail", inputs: [], outputs: [], stateMutability: "view" },
      ] as const;
      await rejects(
        reader.readContract({ address: REVERTER, abi, functionName: "fail" }),
        (error: { walk(test: (cause: unknown) => boolean): unknown }) =>
          error.walk((cause) => cause instanceof ContractFunctionRevertedError) !== null,
      );
      equal((await reader.getProof({ address: COUNTER, storageKeys: [toHash(0n)] })).storageProof.length, 1);
    });
  });

  it("gets false, not a crash, from verifyMessage's call without a recipient", async () => {
    await withServer(async (fixture) => {
      const { reader } = viemClients(fixture);
      const signature: Hex = `0x${"11".repeat(65)}`;
      equal(await reader.verifyMessage({ address: BOB, message: "hello", signature }), false);
    });
  });

  it("watches blocks and logs over WebSocket, and polls filters over HTTP", async () => {
    await withServer(async (fixture) => {
      const { reader, wallet, socket } = viemClients(fixture);
      const heads = Promise.withResolvers<bigint>();
      const { unsubscribe } = await socket.transport.subscribe({
        params: ["newHeads"],
        onData: ({ result }) => heads.resolve(BigInt(result.number)),
      });
      const filter = await reader.createEventFilter({ address: LOGGER });
      await wallet.sendTransaction({ to: LOGGER, data: toHash(9n), gas: 100_000n });
      await fixture.live.mine();
      equal(await heads.promise, 1n);
      const changes = await reader.getFilterChanges({ filter });
      deepEqual(
        changes.map(({ topics }) => topics[1]),
        [toHash(9n)],
      );
      deepEqual((await reader.getLogs({ address: LOGGER, fromBlock: 0n })).length, 1);
      await unsubscribe();
      (await socket.transport.getRpcClient()).close();
    });
  });
});

describe("ethers", () => {
  it("sends a transaction, waits for it, and reads in batches", async () => {
    await withServer(async (fixture) => {
      const provider = new JsonRpcProvider(fixture.url, undefined, {
        pollingInterval: 20,
        staticNetwork: null,
      });
      try {
        const wallet = new Wallet(KEY, provider);
        const sent = await wallet.sendTransaction({ to: BOB, value: 5n });
        await fixture.live.mine();
        const receipt = await sent.wait();
        deepEqual([receipt?.status, receipt?.blockNumber], [1, 1]);
        const [balance, nonce, block] = await Promise.all([
          provider.getBalance(BOB),
          provider.getTransactionCount(wallet.address),
          provider.getBlock("latest", true),
        ]);
        deepEqual([balance > 0n, nonce, block?.prefetchedTransactions[0]?.hash], [true, 1, sent.hash]);
        const contract = new Contract(REVERTER, ["function fail() view"], provider);
        await rejects(contract.getFunction("fail")(), { code: "CALL_EXCEPTION" });
      } finally {
        provider.destroy();
      }
    });
  });

  it("subscribes over WebSocket", async () => {
    await withServer(async (fixture) => {
      const provider = new WebSocketProvider(fixture.webSocketUrl);
      try {
        const block = Promise.withResolvers<number>();
        await provider.on("block", (number: number) => block.resolve(number));
        // The subscription is under way when `on` returns; asking for anything waits behind it.
        await provider.getBlockNumber();
        await fixture.live.mine();
        equal(await block.promise, 1);
      } finally {
        await provider.destroy();
      }
    });
  });
});

describe("viem, ethers and web3.js", () => {
  it("are told of logs that a reorganisation takes back, and of the new ones", async () => {
    await withServer(async (fixture) => {
      const { live, webSocketUrl } = fixture;
      const { wallet, socket } = viemClients(fixture);
      const ethers = new WebSocketProvider(webSocketUrl);
      const web3 = new Web3(webSocketUrl);
      const told = { viem: listOf(3), ethers: listOf(2), web3: listOf(3) };

      const stop = socket.watchEvent({
        address: LOGGER,
        onLogs(logs) {
          for (const { blockHash, removed } of logs) told.viem.add([blockHash, removed]);
        },
      });
      await ethers.on({ address: LOGGER }, (log) => told.ethers.add([log.blockHash, log.removed]));
      const subscription = await web3.eth.subscribe("logs", { address: LOGGER });
      subscription.on("data", ({ blockHash, removed }) => told.web3.add([blockHash, removed]));
      // Subscriptions are under way; an answer to a later request comes after theirs.
      await Promise.all([ethers.getBlockNumber(), socket.getBlockNumber(), web3.eth.getBlockNumber()]);

      const genesis = live.view.head();
      await wallet.sendTransaction({ to: LOGGER, data: toHash(9n), gas: 100_000n });
      const first = await live.mine();
      live.setHead(await live.build(genesis, { timestamp: genesis.header.timestamp + 5 }));
      const second = await live.mine();
      const expected = [
        [first.hash, false],
        [first.hash, true],
        [second.hash, false],
      ];
      deepEqual(await told.viem.full, expected);
      deepEqual(await told.web3.full, expected);
      // ethers drops a log that is taken back without a word to the listener.
      deepEqual(await told.ethers.full, [expected[0], expected[2]]);
      stop();
      await ethers.destroy();
      await closeWeb3(web3);
      (await socket.transport.getRpcClient()).close();
    });
  });
});

describe("wagmi core and cast", () => {
  it("are told of logs that a reorganisation takes back, and of the new ones", async () => {
    await withServer(async (fixture) => {
      const { live, webSocketUrl } = fixture;
      const { wallet } = viemClients(fixture);
      const chain = chainAt(fixture.url);
      const wagmi = createConfig({
        chains: [chain],
        transports: { [chain.id]: webSocket(webSocketUrl, { reconnect: false }) },
        multiInjectedProviderDiscovery: false,
      });
      const told = { wagmi: growing(), cast: growing() };
      const stop = watchContractEvent(wagmi, {
        ...{ address: LOGGER, abi: [] },
        onLogs(logs) {
          for (const { blockHash, removed } of logs) told.wagmi.add([blockHash, removed]);
        },
      });
      const cast = findCast();
      const program = cast === undefined ? undefined : listen(cast, webSocketUrl, told.cast.add);
      const watching = Object.values(program === undefined ? { wagmi: told.wagmi } : told);

      // Neither says when its subscription is there, so there are logs until both have told of one.
      let last = live.view.head();
      while (watching.some(({ entries }) => entries.length === 0)) {
        await wallet.sendTransaction({ to: LOGGER, data: toHash(9n), gas: 100_000n });
        last = await live.mine();
      }
      const parent = live.view.block({ hash: last.header.parentHash })!;
      live.setHead(await live.build(parent, { timestamp: parent.header.timestamp + 5 }));
      const next = await live.mine();
      // cast writes an event out when the one after it comes.
      await wallet.sendTransaction({ to: LOGGER, data: toHash(9n), gas: 100_000n });
      await live.mine();
      for (const { entries, until } of watching) {
        await until([next.hash, false]);
        const first = entries.findIndex((entry) => entry?.toString() === `${last.hash},false`);
        deepEqual(entries.slice(first, first + 3), [
          [last.hash, false],
          [last.hash, true],
          [next.hash, false],
        ]);
      }
      stop();
      program?.kill();
      (await wagmi.getClient().transport.getRpcClient()).close();
    });
  }).timeout(60_000);
});

/** Tells of each log that a subscription of cast prints. */
function listen(cast: string, webSocketUrl: string, add: (entry: unknown) => void): ChildProcess {
  const args = ["logs", "--subscribe", "--address", LOGGER, "--rpc-url", webSocketUrl, "--json"];
  const program = spawn(cast, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  program.stdout?.on("data", (chunk) => {
    text += String(chunk);
    for (let match = LOG_JSON.exec(text); match !== null; match = LOG_JSON.exec(text)) {
      add([match[1], match[2] === "true"]);
      text = text.slice(match.index + match[0].length);
    }
  });
  return program;
}

const LOG_JSON = /"blockHash":\s*"(0x[0-9a-f]{64})"[^}]*?"removed":\s*(true|false)/;

/** A list that can be waited on for an entry. */
function growing() {
  const entries: unknown[] = [];
  const waiting = new Map<string, () => void>();
  const add = (entry: unknown) => {
    entries.push(entry);
    waiting.get(JSON.stringify(entry))?.();
  };
  const until = (entry: unknown) =>
    new Promise<void>((resolve) => {
      const text = JSON.stringify(entry);
      if (entries.some((one) => JSON.stringify(one) === text)) resolve();
      else waiting.set(text, resolve);
    });
  return { entries, add, until };
}

/** A list that says when it has `length` entries. */
function listOf(length: number) {
  const entries: unknown[] = [];
  const { promise: full, resolve } = Promise.withResolvers<readonly unknown[]>();
  const add = (entry: unknown) => {
    if (entries.push(entry) === length) resolve(entries);
  };
  return { add, full };
}

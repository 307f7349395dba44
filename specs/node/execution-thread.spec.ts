import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import { CALL_GAS_CAP } from "../../node/execution/call-tasks.ts";
import { CALL_TIMEOUT_MS } from "../../node/execution/call-worker-client.ts";
import type { ExecutionUpcalls, PayloadToExecute } from "../../node/execution/port.ts";
import { type ExecutionThread, startExecution } from "../../node/execution/start-execution.ts";
import type { ExecutionWorkerOptions } from "../../node/execution/worker-options.ts";
import { openDatabase } from "../../node/storage/database.ts";
import { EMPTY_BYTES, type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import { DEFAULT_RPC_LIMITS } from "../../rpc/rpc-limits.ts";
import { config, feeRecipient } from "../support/execution-chain.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { GENESIS, RECIPIENT, transferOf } from "./execution-fixture.ts";

const genesis = GENESIS.block;

function optionsFor(directory: string, rpcPort = 0): ExecutionWorkerOptions {
  return {
    directory,
    params: DEVNET_PARAMS,
    config,
    genesis: GENESIS,
    historyBlocks: 1000,
    clientVersion: "jurat/spec",
    explorer: false,
    addressIndex: false,
    rpc: {
      host: "127.0.0.1",
      port: rpcPort,
      virtualHosts: ["*"],
      corsOrigins: ["*"],
      limits: DEFAULT_RPC_LIMITS,
      callGasCap: CALL_GAS_CAP,
      callTimeoutMs: CALL_TIMEOUT_MS,
      callWorkers: 1,
    },
    log: { levels: { level: "silent", modules: {} }, json: true },
  };
}

/** Fails the test when the thread says `fatal`. */
const quiet: ExecutionUpcalls = {
  publishTransactions: () => undefined,
  askLight: async () => ({ unavailable: "nobody is there" }),
  fatal: (message) => {
    throw new Error(`fatal: ${message}`);
  },
};

async function ask({ rpcPort }: ExecutionThread, method: string, ...params: unknown[]): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${rpcPort}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (error !== undefined) throw new Error(error.message);
  return result;
}

/** A block from the thread's pool on top of `parentHash`, imported and made the head. */
async function propose({ port }: ExecutionThread, parentHash: Hash, timestamp: number): Promise<Hash> {
  const { payload, requests } = await port.buildPayload({
    parentHash,
    timestamp,
    prevRandao: ZERO_HASH,
    feeRecipient,
    withdrawals: [],
    parentBeaconBlockRoot: ZERO_HASH,
    gasLimitTarget: 30_000_000n,
    extraData: EMPTY_BYTES,
    budgetMs: 1000,
  });
  const request: PayloadToExecute = { payload, requests, parentBeaconBlockRoot: ZERO_HASH };
  deepEqual(await port.executePayload(request), { status: "valid" });
  const head = toHex(payload.blockHash);
  const update = { head, safe: parentHash, finalized: parentHash };
  deepEqual(await port.setForkchoice(update), { status: "valid" });
  return head;
}

describe("execution thread", () => {
  it("takes a transaction over JSON-RPC, gossips it, puts it into a block, and shows it", async () => {
    await withScratchDirectory(async (directory) => {
      const published: (readonly Uint8Array[])[] = [];
      const thread = await startExecution(optionsFor(directory), {
        ...quiet,
        publishTransactions: (raws) => published.push(raws),
      });
      const transfer = transferOf(0, 0);
      equal(await ask(thread, "eth_sendRawTransaction", toHex(transfer.raw)), transfer.hash);
      deepEqual(await thread.port.getTransactionsByHash([transfer.hash, ZERO_HASH]), [
        transfer.raw,
        undefined,
      ]);
      deepEqual(published, [[transfer.raw]]);
      equal((await thread.port.metrics()).pendingTransactions, 1);

      const head = await propose(thread, genesis.hash, genesis.header.timestamp + 1);
      equal(await ask(thread, "eth_blockNumber"), "0x1");
      equal(await ask(thread, "eth_getBalance", RECIPIENT, "latest"), "0x1");
      equal(await ask(thread, "eth_getBalance", RECIPIENT, "finalized"), "0x0");
      const receipt = (await ask(thread, "eth_getTransactionReceipt", transfer.hash)) as { blockHash: Hash };
      equal(receipt.blockHash, head);
      // The call worker has the unfinalized block's layer.
      equal(
        await ask(thread, "eth_call", { to: RECIPIENT, from: feeRecipient, value: "0x1" }, "latest"),
        "0x",
      );
      const trace = await ask(thread, "debug_traceTransaction", transfer.hash, {
        tracer: "prestateTracer",
        tracerConfig: { diffMode: true },
      });
      deepEqual((trace as { post: Record<string, unknown> }).post[RECIPIENT], { balance: "0x1" });
      equal((await thread.port.metrics()).pendingTransactions, 0);
      await thread.port.stop();
    });
  });

  it("leaves the directory to the next when it stops, which continues the chain", async () => {
    await withScratchDirectory(async (directory) => {
      const first = await startExecution(optionsFor(directory), quiet);
      const head = await propose(first, genesis.hash, genesis.header.timestamp + 1);
      await first.port.stop();
      await rejects(first.port.progress(), { name: "PortError", message: /^PORT_CLOSED/ });
      await rejects(ask(first, "eth_blockNumber"));

      const second = await startExecution(optionsFor(directory), quiet);
      deepEqual(await second.port.progress(), {
        finalized: { number: 0, hash: genesis.hash },
        head: { number: 1, hash: head },
      });
      await propose(second, head, genesis.header.timestamp + 2);
      equal(await ask(second, "eth_blockNumber"), "0x2");
      await second.port.stop();
    });
  });

  it("says why it cannot start: a locked directory, another chain, a port in use", async () => {
    const refusal = async (options: ExecutionWorkerOptions) => {
      try {
        await (await startExecution(options, quiet)).port.stop();
      } catch (error) {
        ok(error instanceof Error);
        equal(error.name, "StartError");
        return error.message;
      }
      throw new Error("it started");
    };
    await withScratchDirectory(async (directory) => {
      const chain = `0x${"bb".repeat(32)}` as const;
      const other = await openDatabase({ directory, role: "execution", chain });
      match(await refusal(optionsFor(directory)), /in use by another process/);
      await other.close();
      match(await refusal(optionsFor(directory)), /belongs to another chain/);
    });
    await withScratchDirectory(async (directory) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      match(await refusal(optionsFor(directory, port)), /is in use by another program/);
      server.close();
    });
  });
});

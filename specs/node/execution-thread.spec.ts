import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startExecution } from "../../node/execution/start-execution.ts";
import type { ExecutionWorkerOptions } from "../../node/execution/worker-options.ts";
import { openDatabase } from "../../node/storage/database.ts";
import { type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import { feeRecipient } from "../support/execution-chain.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { GENESIS, RECIPIENT, transferOf } from "./execution-fixture.ts";
import { ask, optionsFor, propose, quiet } from "./execution-thread-fixture.ts";

const genesis = GENESIS.block;

describe("execution thread", () => {
  it("takes a transaction over JSON-RPC, gossips it, puts it into a block, and shows it", async () => {
    await withScratchDirectory(async (directory) => {
      const published: (readonly Uint8Array[])[] = [];
      const thread = await startExecution(optionsFor(directory), {
        ...quiet,
        traceGossip: () => undefined,
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

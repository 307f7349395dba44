/** Traces run off the block path, with a cap on gas and time. Prose: calls.md#time-limit. */
import { equal, rejects } from "node:assert/strict";
import { join } from "node:path";
import { buildContract } from "../../contracts/build/build-contract.ts";
import type { ExecutionThread } from "../../node/execution/start-execution.ts";
import { type Address, fromHex, type Hex, toHex } from "../../primitives/bytes.ts";
import { buildGenesis } from "../../vm/genesis.ts";
import { fundedAllocation, signed } from "../support/execution-chain.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";
import { ask, propose, startQuietly } from "./execution-thread-fixture.ts";

const SPINNER: Address = `0x${"5e".repeat(20)}`;
/** Of spin(). */
const SPIN: Hex = "0xf0acd7d5";
const ENDLESS_GAS = 2 ** 40;
const JS_TRACER = { tracer: "jsTracer" };

async function genesisWithSpinner() {
  const path = join(PROJECT_ROOT, "specs/contracts/fixtures/spinner.ts");
  const { deployedBytecode } = await buildContract(path, { typeCheck: false });
  return buildGenesis({
    allocation: fundedAllocation(new Map([[SPINNER, { balance: 0n, code: fromHex(deployedBytecode) }]])),
    timestamp: 1_700_000_000,
    gasLimit: 30_000_000n,
  });
}

describe("a trace that takes too long", function () {
  this.timeout(120_000);
  let genesis: Awaited<ReturnType<typeof genesisWithSpinner>>;

  before(async () => {
    genesis = await genesisWithSpinner();
  });

  /** A thread whose calls may take `callTimeoutMs`, and gas without end. */
  async function withThread(
    callTimeoutMs: number,
    body: (thread: ExecutionThread) => Promise<void>,
  ): Promise<void> {
    await withScratchDirectory(async (directory) => {
      const limits = { callGasCap: ENDLESS_GAS, callTimeoutMs };
      const thread = await startQuietly(directory, { genesis, ...limits });
      await body(thread);
      await thread.port.stop();
    });
  }

  it("of a call is given up with -32002, and blocks were made meanwhile", async () => {
    await withThread(500, async (thread) => {
      const call = { to: SPINNER, data: SPIN };
      const trace = rejects(ask(thread, "debug_traceCall", call, "latest", JS_TRACER), {
        code: -32002,
        message: "execution aborted (timeout = 0.5s)",
      });
      await propose(thread, genesis.block.hash, genesis.block.header.timestamp + 1);
      equal(await ask(thread, "eth_blockNumber"), "0x1");
      await trace;
    });
  });

  it("of a heavy block is given up with -32002, and the node goes on", async () => {
    await withThread(50, async (thread) => {
      const heavy = signed(0, { to: SPINNER, data: fromHex(SPIN), gasLimit: 29_000_000n });
      await ask(thread, "eth_sendRawTransaction", toHex(heavy.raw));
      const first = await propose(thread, genesis.block.hash, genesis.block.header.timestamp + 1);
      await rejects(ask(thread, "debug_traceBlockByNumber", "0x1", JS_TRACER), {
        code: -32002,
        message: "execution aborted (timeout = 0.05s)",
      });
      await propose(thread, first, genesis.block.header.timestamp + 2);
      equal(await ask(thread, "eth_blockNumber"), "0x2");
    });
  });
});

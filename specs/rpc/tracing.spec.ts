/** debug_trace…: what happened inside. Prose: tracing.md. */
import { deepEqual, equal, match } from "node:assert/strict";
import { fromHex, toHash, toHex } from "../../primitives/bytes.ts";
import { accounts, signed } from "../support/execution-chain.ts";
import { COUNTER, LOGGED_TOPIC, LOGGER, REVERTER } from "../support/live-chain.ts";
import { type RpcFixture, withRpc } from "./rpc-fixture.ts";

const ALICE = accounts[0]!;
const REASON = `0x08c379a0${toHash(32n).slice(2)}${toHash(2n).slice(2)}${"6e6f".padEnd(64, "0")}` as const;
const CALLS = { tracer: "callTracer", tracerConfig: { withLog: true } };
const DIFFERENCE = { tracer: "prestateTracer", tracerConfig: { diffMode: true } };

/** Three transactions in block 1: they count, log, and revert. */
async function mineThree({ ask, live }: RpcFixture) {
  const gasLimit = 90_000n;
  const sent = [
    signed(0, { nonce: 0n, to: COUNTER, gasLimit, data: Uint8Array.of(5) }),
    signed(0, { nonce: 1n, to: LOGGER, gasLimit, data: Uint8Array.of(6) }),
    signed(0, { nonce: 2n, to: REVERTER, gasLimit, data: fromHex(REASON) }),
  ];
  for (const { raw } of sent) await ask("eth_sendRawTransaction", toHex(raw));
  const block = await live.mine();
  return { block, hashes: sent.map(({ hash }) => hash) };
}

describe("rpc methods: traces", () => {
  it("tell the calls of a transaction", async () => {
    await withRpc(async (fixture) => {
      const { hashes } = await mineThree(fixture);
      const { ask } = fixture;
      const receipts = await Promise.all(hashes.map((hash) => ask("eth_getTransactionReceipt", hash)));
      const frames = await Promise.all(hashes.map((hash) => ask("debug_traceTransaction", hash, CALLS)));
      const common = { type: "CALL", from: ALICE, gas: "0x15f90", value: "0x0" };
      deepEqual(frames, [
        { ...common, to: COUNTER, gasUsed: receipts[0].gasUsed, input: "0x05", output: toHash(5n) },
        {
          ...{ ...common, to: LOGGER, gasUsed: receipts[1].gasUsed, input: "0x06" },
          logs: [{ address: LOGGER, topics: [LOGGED_TOPIC], data: "0x06", index: "0x0", position: "0x0" }],
        },
        {
          ...{ ...common, to: REVERTER, gasUsed: receipts[2].gasUsed, input: REASON, output: REASON },
          ...{ error: "execution reverted", revertReason: "no" },
        },
      ]);
    });
  });

  it("tell what each transaction of a block changed, by number and by hash", async () => {
    await withRpc(async (fixture) => {
      const { block, hashes } = await mineThree(fixture);
      const byNumber = await fixture.ask("debug_traceBlockByNumber", "latest", DIFFERENCE);
      deepEqual(
        byNumber.map(({ txHash }: { txHash: string }) => txHash),
        hashes,
      );
      deepEqual(byNumber[0].result.post[COUNTER], { storage: { [toHash(0n)]: toHash(5n) } });
      deepEqual(
        byNumber.map(({ result }: { result: never }) => [
          result["pre"][ALICE]["nonce"],
          result["post"][ALICE]["nonce"],
        ]),
        [
          [undefined, 1],
          [1, 2],
          [2, 3],
        ],
      );
      deepEqual(await fixture.ask("debug_traceBlockByHash", block.hash, DIFFERENCE), byNumber);
    });
  });

  it("tell of a call, with overrides, before and after it changed anything", async () => {
    await withRpc(async ({ ask, refuse, live }) => {
      await live.mine();
      const call = { from: ALICE, to: COUNTER, data: "0x02" };
      const stateOverrides = { [COUNTER]: { stateDiff: { [toHash(0n)]: toHash(40n) } } };
      const options = { tracer: "prestateTracer", stateOverrides };
      const looked = await ask("debug_traceCall", call, "latest", options);
      deepEqual(looked[COUNTER].storage, { [toHash(0n)]: toHash(40n) });
      equal(
        (await ask("debug_traceCall", call, "latest", { ...options, tracer: "callTracer" })).output,
        toHash(42n),
      );
      equal(await ask("eth_getStorageAt", COUNTER, "0x0", "latest"), toHash(0n));
      match(
        (await refuse("debug_traceCall", { ...call, gas: "0x1" }, "latest", CALLS)).message,
        /intrinsic gas too low/,
      );
    });
  });

  it("say what cannot be traced", async () => {
    await withRpc(async ({ refuse, live }) => {
      await live.mine();
      const messages = [
        await refuse("debug_traceTransaction", toHash(1n), CALLS),
        await refuse("debug_traceBlockByNumber", "0x0", CALLS),
        await refuse("debug_traceBlockByNumber", "0x9", CALLS),
        await refuse("debug_traceBlockByHash", toHash(1n)),
        await refuse("debug_traceBlockByNumber", "0x1", { tracer: "4byteTracer" }),
      ].map(({ message }) => message);
      deepEqual(messages, [
        "transaction not found",
        "genesis is not traceable",
        "block #9 not found",
        `block ${toHash(1n)} not found`,
        'invalid argument 1 (options.tracer): no tracer "4byteTracer": use callTracer, prestateTracer or jsTracer',
      ]);
    });
  });
});

/** Calls and log searches off the execution thread. Prose: calls.md. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import type { CallLayer, FromCallWorker, ToCallWorker } from "../../node/execution/call-messages.ts";
import { CallService } from "../../node/execution/call-service.ts";
import type { CallTask, ReadTask } from "../../node/execution/call-tasks.ts";
import { CALL_GAS_CAP } from "../../node/execution/call-tasks.ts";
import { followChain, spawnCallThread } from "../../node/execution/call-thread.ts";
import { type CallThread, CallWorkerClient } from "../../node/execution/call-worker-client.ts";
import type { Calls } from "../../node/execution/calls.ts";
import { openDatabase } from "../../node/storage/database.ts";
import { EMPTY_BYTES, toHash, ZERO_ADDRESS, ZERO_HASH } from "../../primitives/bytes.ts";
import type { CallOutcome } from "../../rpc/chain-view.ts";
import type { Block } from "../../vm/block.ts";
import { accounts, config, signed } from "../support/execution-chain.ts";
import { BURNER, COUNTER, LiveChain, LOGGER, liveMachine } from "../support/live-chain.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

const request = {
  from: ZERO_ADDRESS,
  to: COUNTER,
  gas: undefined,
  gasPrice: undefined,
  maxFeePerGas: undefined,
  maxPriorityFeePerGas: undefined,
  value: 0n,
  data: Uint8Array.of(1),
  accessList: [],
  nonce: undefined,
};

const callOn = ({ hash, header }: Pick<Block, "hash" | "header">, more: object = {}): CallTask<"call"> => ({
  kind: "call",
  request: { ...request, ...more },
  overrides: new Map(),
  gasCap: CALL_GAS_CAP,
  blockHash: hash,
  header,
});

/** A live chain, and a call service that reads its database as a worker would. */
async function withService(
  body: (parts: {
    live: LiveChain;
    service: CallService;
    run(task: ReadTask): FromCallWorker | undefined;
  }) => Promise<void>,
): Promise<void> {
  await withScratchDatabase("execution", async (database, options) => {
    const live = new LiveChain(database);
    const readOnly = await openDatabase({ ...options, readOnly: true });
    try {
      const service = new CallService(readOnly, config.chainId, liveMachine());
      const tell = (message: ToCallWorker) => service.handle(structuredClone(message));
      const follower = {
        addLayer: (layer: CallLayer) => void tell({ type: "layer", layer }),
        onMerged: (number: number) => void tell({ type: "merged", number }),
      };
      followChain(live.chain, follower as CallWorkerClient);
      await body({ live, service, run: (task) => tell({ type: "task", id: 1, task }) });
      await live.stop();
    } finally {
      await readOnly.close();
    }
  });
}

/** Adds `amount` to the counter in a block of its own. */
async function count(live: LiveChain, nonce: number, amount: number): Promise<Block> {
  const data = Uint8Array.of(amount);
  live.pool.submit(signed(0, { nonce: BigInt(nonce), to: COUNTER, data, gasLimit: 100_000n }).raw);
  return live.mine();
}

function sumOf(answer: FromCallWorker | undefined): bigint {
  if (answer?.type !== "result") throw new Error(`no result: ${answer?.type}`);
  const { outcome, output } = answer.result as CallOutcome;
  equal(outcome, "success");
  return BigInt(`0x${Buffer.from(output).toString("hex")}`);
}

describe("call service", () => {
  it("gives a call no more gas than the cap it comes with", async () => {
    await withService(async ({ live, run }) => {
      const limited = run({ ...callOn(live.chain.head()), gasCap: 21_000 });
      equal(
        limited?.type === "result" && (limited.result as CallOutcome).outcome.split(":")[0],
        "intrinsic gas too low",
      );
    });
  });

  it("sees the state after every block, whether in layers, merged, or in history", async () => {
    await withService(async ({ live, run }) => {
      const genesis = live.chain.head();
      const blocks = [genesis];
      for (let i = 0; i < 6; i++) blocks.push(await count(live, i, 10));
      const sums = () => blocks.map((block) => sumOf(run(callOn(block))));
      const expected = [1n, 11n, 21n, 31n, 41n, 51n, 61n];
      deepEqual(sums(), expected);
      live.setHead(blocks[6]!, blocks[3]!);
      deepEqual(sums(), expected);
      live.setHead(blocks[6]!, blocks[6]!);
      deepEqual(sums(), expected);
    });
  });

  it("keeps branches apart", async () => {
    await withService(async ({ live, run }) => {
      const genesis = live.chain.head();
      const first = await count(live, 0, 10);
      const sibling = await live.build(genesis, { timestamp: genesis.header.timestamp + 2 });
      deepEqual([sumOf(run(callOn(first))), sumOf(run(callOn(sibling)))], [11n, 1n]);
    });
  });

  it("answers as the execution thread itself would", async () => {
    await withService(async ({ live, run }) => {
      const block = await count(live, 0, 5);
      const tasks: readonly CallTask[] = [
        callOn(block),
        callOn(block, { to: BURNER }),
        callOn(block, { gas: 100n }),
        callOn(block, { from: accounts[0]!, value: 10n ** 30n }),
        { ...callOn(block), overrides: new Map([[COUNTER, { state: new Map([[toHash(0n), 7n]]) }]]) },
        { ...callOn(block), kind: "estimateGas" },
        { ...callOn(block, { to: BURNER }), kind: "estimateGas" },
      ];
      for (const task of tasks) {
        const answer = run(task);
        deepEqual(answer, { type: "result", id: 1, result: await live.calls.run(task) });
      }
    });
  });

  it("finds logs the execution thread has just committed", async () => {
    await withService(async ({ live, run }) => {
      live.pool.submit(signed(0, { to: LOGGER, gasLimit: 100_000n }).raw);
      const block = await live.mine();
      const filter = { addresses: [LOGGER], topics: [] };
      const answer = run({ kind: "logs", filter, first: 0, last: 1, limit: 10 });
      equal(answer?.type, "result");
      const [log] = (answer as { result: { blockHash: string }[] }).result;
      equal(log?.blockHash, block.hash);
    });
  });

  it("says so when it lacks the state, and lives on after a fault", async () => {
    await withService(async ({ live, run, service }) => {
      const block = await count(live, 0, 5);
      deepEqual(run({ ...callOn(block), blockHash: ZERO_HASH }), { type: "stateNotHere", id: 1 });
      const broken = { ...callOn(block), kind: "logs" } as unknown as ReadTask;
      equal(service.handle({ type: "task", id: 2, task: broken })?.type, "failure");
      equal(sumOf(run(callOn(block))), 6n);
    });
  });
});

/** A thread whose every move the spec makes. */
class FakeThread implements CallThread {
  readonly sent: ToCallWorker[] = [];
  isTerminated = false;
  say: (message: FromCallWorker) => void = () => undefined;
  die: () => void = () => undefined;

  postMessage(message: ToCallWorker): void {
    this.sent.push(message);
  }
  onMessage(listener: (message: FromCallWorker) => void): void {
    this.say = listener;
  }
  onExit(listener: () => void): void {
    this.die = listener;
  }
  terminate(): void {
    this.isTerminated = true;
    this.die();
  }
  tasks(): readonly number[] {
    return this.sent.flatMap((message) => (message.type === "task" ? message.id : []));
  }
  finish(id: number): void {
    this.say({ type: "result", id, result: id });
  }
}

function clientWith() {
  const threads: FakeThread[] = [];
  const timers: { fire: () => void; isCancelled: boolean }[] = [];
  const fallback: Calls = { run: async () => "by the fallback" as never, stop: async () => undefined };
  const client = new CallWorkerClient({
    spawn() {
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    },
    fallback,
    timeoutMs: 5000,
    setTimer(fire) {
      const timer = { fire, isCancelled: false };
      timers.push(timer);
      return () => {
        timer.isCancelled = true;
      };
    },
  });
  const activeTimer = () => timers.find(({ isCancelled }) => !isCancelled);
  return { client, threads, activeTimer };
}

const task: ReadTask = { kind: "logs", filter: { addresses: [], topics: [] }, first: 0, last: 0, limit: 1 };
const layer = (number: number): CallLayer => ({
  blockHash: toHash(BigInt(number)),
  parentHash: toHash(BigInt(number - 1)),
  number,
  diff: { accounts: new Map(), storage: new Map(), codes: new Map() },
});

describe("call worker client", () => {
  it("hands out a few tasks at a time, each answered by its own result", async () => {
    const { client, threads } = clientWith();
    const results = Array.from({ length: 6 }, () => client.run(task) as Promise<unknown>);
    const thread = threads[0]!;
    deepEqual(thread.tasks(), [1, 2, 3, 4]);
    for (let id = 1; id <= 6; id++) thread.finish(id);
    deepEqual(await Promise.all(results), [1, 2, 3, 4, 5, 6]);
  });

  it("counts a task's time only from when the worker is up", () => {
    const { client, threads, activeTimer } = clientWith();
    void client.run(task);
    equal(activeTimer(), undefined);
    threads[0]!.say({ type: "ready" });
    equal(activeTimer() !== undefined, true);
    threads[0]!.finish(1);
    equal(activeTimer(), undefined);
  });

  it("ends a worker that takes too long; the other tasks go to a new one with the layers", async () => {
    const { client, threads, activeTimer } = clientWith();
    for (const number of [1, 2, 3]) client.addLayer(layer(number));
    client.onMerged(2);
    threads[0]!.say({ type: "ready" });
    const results = [client.run(task), client.run(task)] as Promise<unknown>[];
    activeTimer()!.fire();
    await rejects(results[0]!, { code: -32002, message: "execution aborted (timeout = 5s)" });
    equal(threads[0]!.isTerminated, true);
    const second = threads[1]!;
    deepEqual(second.sent[0], { type: "layer", layer: layer(3) });
    deepEqual(second.tasks(), [2]);
    second.finish(2);
    equal(await results[1], 2);
    equal(threads.length, 2);
  });

  it("does not start workers for ever when none can live", async () => {
    const { client, threads } = clientWith();
    threads[0]!.die();
    equal(threads.length, 1);
    const results = [client.run(task), client.run(task)];
    threads[1]!.die();
    threads[2]!.die();
    for (const result of results) await rejects(result, { message: "the call worker ended" });
    equal(threads.length, 3);
  });

  it("lets the fallback run what the worker lacks the state for", async () => {
    const { client, threads } = clientWith();
    const result = client.run(task) as Promise<unknown>;
    threads[0]!.say({ type: "stateNotHere", id: 1 });
    equal(await result, "by the fallback");
  });

  it("refuses more tasks than may wait, and fails all that wait when it stops", async () => {
    const { client, threads } = clientWith();
    const results = Array.from({ length: 256 }, () => client.run(task));
    await rejects(client.run(task), { code: -32005, message: "too many calls are waiting" });
    const ended = Promise.allSettled(results);
    await client.stop();
    equal(
      (await ended).every(({ status }) => status === "rejected"),
      true,
    );
    equal(threads[0]!.isTerminated, true);
    equal(threads.length, 1);
  });
});

describe("call worker thread", () => {
  it("carries out calls with an engine of its own", async function () {
    this.timeout(60_000);
    await withScratchDatabase("execution", async (database, { directory, chain }) => {
      const live = new LiveChain(database);
      const faults: Error[] = [];
      const client = new CallWorkerClient({
        spawn: () =>
          spawnCallThread({ directory, chain, chainId: config.chainId }, (error) => faults.push(error)),
        fallback: live.calls,
        timeoutMs: 60_000,
        setTimer: () => () => undefined,
      });
      followChain(live.chain, client);
      try {
        live.pool.submit(signed(0, { to: accounts[1]!, value: 5n }).raw);
        const block = await live.mine();
        const transfer = { from: accounts[0]!, to: accounts[1]!, value: 1n, data: EMPTY_BYTES };
        const estimate = { ...callOn(block, transfer), kind: "estimateGas" } as CallTask<"estimateGas">;
        deepEqual(await client.run(estimate), { gas: 21_000n });
        // The live chain's code is no container to the real engine: it answers, and fails the call.
        equal((await client.run(callOn(block))).outcome, "invalid container");
        deepEqual(faults, []);
      } finally {
        await client.stop();
        await live.stop();
      }
    });
  });
});

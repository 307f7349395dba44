/** Calls and log searches off the execution thread. Prose: calls.md. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { createAnswerPost } from "../../node/execution/answer-post.ts";
import type {
  CallAnswer,
  CallLayer,
  FromCallWorker,
  ToCallWorker,
} from "../../node/execution/call-messages.ts";
import { CallService } from "../../node/execution/call-service.ts";
import type { CallTask, ReadTask } from "../../node/execution/call-tasks.ts";
import { CALL_GAS_CAP } from "../../node/execution/call-tasks.ts";
import { followChain, spawnCallThread } from "../../node/execution/call-thread.ts";
import { type CallThread, CallWorkerClient } from "../../node/execution/call-worker-client.ts";
import { CallWorkers, defaultCallWorkers } from "../../node/execution/call-workers.ts";
import type { Calls } from "../../node/execution/calls.ts";
import { openDatabase } from "../../node/storage/database.ts";
import { EMPTY_BYTES, toHash, ZERO_ADDRESS, ZERO_HASH } from "../../primitives/bytes.ts";
import type { CallOutcome } from "../../rpc/chain-view.ts";
import type { Block } from "../../vm/block.ts";
import type { CallFrame } from "../../vm/tracing/trace.ts";
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

const limits = { logs: 10, characters: 100_000 };

/** A live chain, and a call service that reads its database as a worker would. */
async function withService(
  body: (parts: { live: LiveChain; service: CallService; run(task: ReadTask): CallAnswer }) => Promise<void>,
): Promise<void> {
  await withScratchDatabase("execution", async (database, options) => {
    const live = new LiveChain(database);
    const readOnly = await openDatabase({ ...options, readOnly: true });
    try {
      const service = new CallService(readOnly, config.chainId, liveMachine());
      followChain(live.chain, {
        addLayer: (layer) => service.addLayer(structuredClone(layer)),
        onMerged: (number) => service.onMerged(number),
      });
      const run = (task: ReadTask) => {
        service.refresh();
        return structuredClone(service.answer(structuredClone({ id: 1, task })));
      };
      await body({ live, service, run });
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

function sumOf(answer: CallAnswer): bigint {
  if (answer.type !== "result") throw new Error(`no result: ${answer.type}`);
  const { outcome, output } = answer.result as CallOutcome;
  equal(outcome, "success");
  return BigInt(`0x${Buffer.from(output).toString("hex")}`);
}

describe("call service", () => {
  it("gives a call no more gas than the cap it comes with", async () => {
    await withService(async ({ live, run }) => {
      const limited = run({ ...callOn(live.chain.head()), gasCap: 21_000 });
      equal(
        limited.type === "result" && (limited.result as CallOutcome).outcome.split(":")[0],
        "intrinsic gas too low",
      );
    });
  });

  it("gives a trace no more gas than the cap either", async () => {
    await withService(async ({ live, run }) => {
      const tracer = { tracer: "callTracer", onlyTopCall: false, withLog: false } as const;
      const call = callOn(live.chain.head(), { to: BURNER, gas: 10n ** 9n });
      const answer = run({ ...call, kind: "traceCall", tracer, gasCap: 50_000 });
      const { trace } = (answer as { result: { trace: { frame: CallFrame } } }).result;
      deepEqual([trace.frame.gasUsed, trace.frame.outcome], [50_000, "out of gas"]);
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
      const answer = run({ kind: "logs", filter, first: 0, last: 1, limits });
      equal(answer.type, "result");
      const { json } = (answer as { result: { json: string } }).result;
      equal((JSON.parse(json) as { blockHash: string }[])[0]?.blockHash, block.hash);
    });
  });

  it("says so when it lacks the state, and lives on after a fault", async () => {
    await withService(async ({ live, run, service }) => {
      const block = await count(live, 0, 5);
      deepEqual(run({ ...callOn(block), blockHash: ZERO_HASH }), { type: "stateNotHere", id: 1 });
      const broken = { ...callOn(block), kind: "traceBlock" } as unknown as ReadTask;
      equal(service.answer({ id: 2, task: broken }).type, "failure");
      equal(sumOf(run(callOn(block))), 6n);
    });
  });
});

/** A thread whose every move the spec makes. */
class FakeThread implements CallThread {
  readonly sent: ToCallWorker[] = [];
  isTerminated = false;
  at = 0;
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
  taskUnderWay(): number {
    return this.at;
  }
  /** Ids by message. */
  tasks(): readonly (readonly number[])[] {
    return this.sent.flatMap((message) =>
      message.type === "tasks" ? [message.tasks.map(({ id }) => id)] : [],
    );
  }
  finish(...ids: number[]): void {
    this.say({ type: "answers", answers: ids.map((id) => ({ type: "result", id, result: id })) });
  }
}

function clientWith() {
  const threads: FakeThread[] = [];
  const timers: { readonly delayMs: number; fire: (cpuMs?: number) => void; isGone: boolean }[] = [];
  let cpuMs = 0;
  const fallback: Calls = { run: async () => "by the fallback" as never, stop: async () => undefined };
  const client = new CallWorkerClient({
    spawn() {
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    },
    fallback,
    timeoutMs: 5000,
    cpuMs: () => cpuMs,
    setTimer(callback, delayMs) {
      const timer = {
        delayMs,
        isGone: false,
        /** By when the process had so much of the processor. */
        fire(usedMs = delayMs) {
          timer.isGone = true;
          cpuMs += usedMs;
          callback();
        },
      };
      timers.push(timer);
      return () => {
        timer.isGone = true;
      };
    },
    afterTurn: (callback) => void setImmediate(callback),
  });
  const activeTimer = () => timers.find(({ isGone }) => !isGone);
  return { client, threads, activeTimer };
}

const filter = { addresses: [], topics: [] };
const task: ReadTask = { kind: "logs", filter, first: 0, last: 0, limits };
const layer = (number: number): CallLayer => ({
  blockHash: toHash(BigInt(number)),
  parentHash: toHash(BigInt(number - 1)),
  number,
  diff: { accounts: new Map(), storage: new Map(), codes: new Map() },
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("call worker client", () => {
  it("sends together what comes together, at most 64 tasks at a time, and answers each by its own result", async () => {
    const { client, threads } = clientWith();
    const results = Array.from({ length: 66 }, () => client.run(task) as Promise<unknown>);
    const thread = threads[0]!;
    deepEqual(thread.tasks(), []);
    await turn();
    const ids = Array.from({ length: 66 }, (_, index) => index + 1);
    deepEqual(thread.tasks(), [ids.slice(0, 64)]);
    thread.finish(1);
    deepEqual(thread.tasks().slice(1), [[65]]);
    thread.finish(...ids.slice(1, 64));
    deepEqual(thread.tasks().slice(2), [[66]]);
    thread.finish(66, 65);
    deepEqual(await Promise.all(results), ids);
  });

  it("counts a task's time only from when the worker is up", async () => {
    const { client, threads, activeTimer } = clientWith();
    void client.run(task);
    await turn();
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
    const results = [client.run(task), client.run(task), client.run(task)] as Promise<unknown>[];
    await turn();
    // The first is done, though its answer has not left the thread; the second never ends.
    threads[0]!.at = 2;
    activeTimer()!.fire();
    activeTimer()!.fire();
    await rejects(results[1]!, { code: -32002, message: "execution aborted (timeout = 5s)" });
    equal(threads[0]!.isTerminated, true);
    const second = threads[1]!;
    deepEqual(second.sent[0], { type: "layer", layer: layer(3) });
    deepEqual(second.tasks(), [[1, 3]]);
    second.finish(1, 3);
    deepEqual(await Promise.all([results[0], results[2]]), [1, 3]);
    equal(threads.length, 2);
  });

  it("gives a call the processor's time that a busy machine kept from it, not without end", async () => {
    const { client, threads, activeTimer } = clientWith();
    threads[0]!.say({ type: "ready" });
    const result = client.run(task);
    await turn();
    for (const [delayMs, usedMs] of [
      [2500, 0],
      [2500, 1000],
      [1500, 0],
      [1500, 0],
      [1500, 0],
    ] as const) {
      equal(threads[0]!.isTerminated, false);
      const timer = activeTimer()!;
      equal(timer.delayMs, delayMs);
      timer.fire(usedMs);
    }
    await rejects(result, { code: -32002, message: "execution aborted (timeout = 5s)" });
    equal(activeTimer(), undefined);
  });

  it("does not start workers for ever when none can live", async () => {
    const { client, threads } = clientWith();
    threads[0]!.die();
    equal(threads.length, 1);
    const results = [client.run(task), client.run(task)];
    await turn();
    threads[1]!.die();
    threads[2]!.die();
    for (const result of results) await rejects(result, { message: "the call worker ended" });
    equal(threads.length, 3);
  });

  it("lets the fallback run what the worker lacks the state for", async () => {
    const { client, threads } = clientWith();
    const result = client.run(task) as Promise<unknown>;
    await turn();
    threads[0]!.say({ type: "answers", answers: [{ type: "stateNotHere", id: 1 }] });
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

describe("call workers", () => {
  it("give each task to the one with the fewest, and every block to all", async () => {
    const [one, two] = [clientWith(), clientWith()];
    const workers = new CallWorkers([one.client, two.client]);
    workers.addLayer(layer(1));
    const results = [workers.run(task), workers.run(task), workers.run(task)] as Promise<unknown>[];
    equal(workers.waiting(), 3);
    await turn();
    const [first, second] = [one.threads[0]!, two.threads[0]!];
    deepEqual([first.tasks(), second.tasks()], [[[1, 2]], [[1]]]);
    deepEqual([first.sent[0], second.sent[0]], Array(2).fill({ type: "layer", layer: layer(1) }));
    first.finish(1, 2);
    second.finish(1);
    deepEqual(await Promise.all(results), [1, 1, 2]);
    await workers.stop();
    deepEqual([first.isTerminated, second.isTerminated], [true, true]);
  });

  it("are as many as the cores that consensus and blocks leave, one at least and four at most", () => {
    deepEqual([1, 2, 3, 4, 6, 64].map(defaultCallWorkers), [1, 1, 1, 2, 4, 4]);
  });
});

describe("answers of a call worker", () => {
  /** Answers that took the given milliseconds each, by message; "flush" when no task is left. */
  function messagesOf(steps: readonly (number | "flush")[]): readonly (readonly number[])[] {
    const sent: (readonly number[])[] = [];
    let now = 0;
    const post = createAnswerPost(
      (answers) => sent.push(answers.map(({ id }) => id)),
      () => now,
    );
    for (const [id, step] of steps.entries()) {
      if (step === "flush") post.flush();
      else {
        now += step;
        post.add({ type: "result", id, result: undefined });
      }
    }
    return sent;
  }

  it("leave together while calls are short, a millisecond's worth at a time", () => {
    deepEqual(messagesOf([0.25, 0.25, 0.25, 0.25, 0.5, "flush"]), [[0, 1, 2, 3], [4]]);
  });

  it("leave one by one after a long call, until many were short", () => {
    deepEqual(messagesOf([0.1, 3, 0.1, 0.1, "flush"]), [[0, 1], [2], [3]]);
    const sent = messagesOf([3, ...Array(70).fill(0.01), "flush"]);
    deepEqual(sent.map((ids) => ids.length).slice(62), [1, 1, 7]);
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
          spawnCallThread({ directory, chain, chainId: config.chainId, thread: "call" }, (error) =>
            faults.push(error),
          ),
        fallback: live.calls,
        timeoutMs: 60_000,
        cpuMs: () => 0,
        setTimer: () => () => undefined,
        afterTurn: (callback) => void setImmediate(callback),
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

/** Read tasks handed to a call worker, with a time limit that ends the worker if need be. See specs/node/calls.md#time-limit. */
import { ERROR_CODES, RpcError } from "../../rpc/rpc-errors.ts";
import type { MetricReading } from "../metrics/thread-metrics.ts";
import type { CallAnswer, CallLayer, FromCallWorker, ToCallWorker } from "./call-messages.ts";
import { CALL_LAYERS_LIMIT } from "./call-service.ts";
import type { ReadResult, ReadTask } from "./call-tasks.ts";
import { type Calls, tooManyCalls, WAITING_TASKS_LIMIT } from "./calls.ts";

/** What the client needs of a worker thread. */
export interface CallThread {
  postMessage(message: ToCallWorker): void;
  onMessage(listener: (message: FromCallWorker) => void): void;
  /** Id of the task it is at, or was at last; 0 before the first. */
  taskUnderWay(): number;
  /** The thread ended, on its own or because it was told to. */
  onExit(listener: () => void): void;
  terminate(): void;
}

export type CallWorkerOptions = {
  readonly spawn: () => CallThread;
  /** Runs what the worker lacks the state for. */
  readonly fallback: Calls;
  readonly timeoutMs: number;
  /** Processor time of the whole process. */
  readonly cpuMs: () => number;
  /** Returns the function that cancels. */
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
  /** Calls back when what else came in at the same time has been looked at. */
  readonly afterTurn: (callback: () => void) => void;
};

/** Time a call may take; geth's. */
export const CALL_TIMEOUT_MS = 5000;
/** How often a call may get more time because the node had no processor. */
const STARVED_TURNS = 3;
/** A part of the limit that clocks and schedulers may differ by. */
const CLOCK_ERROR = 0.05;
/** Tasks in a worker's hands at once: enough that it need not wait for the next, few enough to be run again. */
const IN_FLIGHT_LIMIT = 64;
/** Ids fit a signed word of shared memory; 0 is none. */
const IDS = 2 ** 31 - 1;

type Waiting = {
  readonly id: number;
  readonly task: ReadTask;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
};

/** One worker, replaced when a task does not end in time or the thread dies. */
export class CallWorkerClient implements Calls {
  readonly #options: CallWorkerOptions;
  readonly #layers = new Map<string, CallLayer>();
  /** In the worker's hands, in the order it works. */
  readonly #inFlight: Waiting[] = [];
  readonly #queue: Waiting[] = [];
  #lastId = 0;
  #isSending = false;
  /** Undefined after it died, until there is something to do. */
  #thread: CallThread | undefined;
  #isReady = false;
  #cancelTimer: (() => void) | undefined;
  #readings: readonly MetricReading[] = [];

  constructor(options: CallWorkerOptions) {
    this.#options = options;
    this.#thread = this.#spawn();
  }

  run<T extends ReadTask>(task: T): Promise<ReadResult<T>> {
    return new Promise((resolve, reject) => {
      if (this.waiting() >= WAITING_TASKS_LIMIT) return reject(tooManyCalls());
      this.#lastId = (this.#lastId % IDS) + 1;
      const id = this.#lastId;
      this.#queue.push({ id, task, resolve: (result) => resolve(result as ReadResult<T>), reject });
      this.#sendSoon();
    });
  }

  /** A block was executed: its changes lie over its parent's. */
  addLayer(layer: CallLayer): void {
    this.#layers.set(layer.blockHash, layer);
    const oldest = this.#layers.keys().next().value;
    if (this.#layers.size > CALL_LAYERS_LIMIT && oldest !== undefined) this.#layers.delete(oldest);
    this.#thread?.postMessage({ type: "layer", layer });
  }

  /** The state on disk became that of block `number`. */
  onMerged(number: number): void {
    for (const layer of this.#layers.values()) {
      if (layer.number <= number) this.#layers.delete(layer.blockHash);
    }
    this.#thread?.postMessage({ type: "merged", number });
  }

  /** Tasks that are not done. */
  waiting(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  /** As of the last time this was asked: a worker at a long call does not keep whoever asks. */
  readMetrics(): readonly MetricReading[] {
    this.#thread?.postMessage({ type: "readMetrics" });
    return this.#readings;
  }

  async stop(): Promise<void> {
    this.#stopTimer();
    const thread = this.#thread;
    this.#thread = undefined;
    for (const { reject } of [...this.#inFlight.splice(0), ...this.#queue.splice(0)]) {
      reject(new RpcError(ERROR_CODES.internal, "the node is stopping"));
    }
    thread?.terminate();
  }

  #spawn(): CallThread {
    const thread = this.#options.spawn();
    this.#isReady = false;
    thread.onMessage((message) => {
      if (thread === this.#thread) this.#onMessage(message);
    });
    thread.onExit(() => {
      if (thread === this.#thread) this.#drop(new Error("the call worker ended"));
    });
    for (const layer of this.#layers.values()) thread.postMessage({ type: "layer", layer });
    return thread;
  }

  /**
   * Gives up on the worker and fails the task it was at; the others are for the next worker, also those
   * that were done and not yet answered. Each death costs a task, so a worker that cannot even start does
   * not start for ever.
   */
  #drop(reason: Error): void {
    this.#stopTimer();
    const thread = this.#thread;
    const tasks = this.#inFlight.splice(0);
    const underWay = thread?.taskUnderWay();
    const guilty = tasks.find(({ id }) => id === underWay) ?? tasks[0];
    this.#queue.unshift(...tasks.filter((waiting) => waiting !== guilty));
    this.#thread = undefined;
    thread?.terminate();
    guilty?.reject(reason);
    this.#sendMore();
  }

  /** What arrives together is sent together: a message costs more than many a task. */
  #sendSoon(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#options.afterTurn(() => {
      this.#isSending = false;
      this.#sendMore();
    });
  }

  #sendMore(): void {
    const tasks = this.#queue.splice(0, IN_FLIGHT_LIMIT - this.#inFlight.length);
    if (tasks.length > 0) {
      this.#thread ??= this.#spawn();
      this.#inFlight.push(...tasks);
      this.#thread.postMessage({ type: "tasks", tasks: tasks.map(({ id, task }) => ({ id, task })) });
    }
    // For the task the worker is at.
    if (this.#isReady && this.#inFlight.length > 0) this.#cancelTimer ??= this.#startTimer();
  }

  /** Only of the second half is the processor's time looked at: few calls come so far, and looking costs. */
  #startTimer(): () => void {
    const { setTimer, timeoutMs } = this.#options;
    const halfMs = timeoutMs / 2;
    return setTimer(() => {
      this.#cancelTimer = this.#startLastTimer(halfMs, STARVED_TURNS);
    }, halfMs);
  }

  /**
   * A call that computes uses as much of the processor as passes of time. Where the whole process had less, others kept the
   * call waiting, and it gets what is missing, some times over.
   */
  #startLastTimer(leftMs: number, turns: number): () => void {
    const { setTimer, timeoutMs, cpuMs } = this.#options;
    const startCpuMs = cpuMs();
    return setTimer(() => {
      const missingMs = leftMs - (cpuMs() - startCpuMs);
      if (turns > 0 && missingMs > timeoutMs * CLOCK_ERROR) {
        this.#cancelTimer = this.#startLastTimer(missingMs, turns - 1);
        return;
      }
      const text = `execution aborted (timeout = ${timeoutMs / 1000}s)`;
      this.#drop(new RpcError(ERROR_CODES.timeout, text));
    }, leftMs);
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #onMessage(message: FromCallWorker): void {
    if (message.type === "ready") this.#isReady = true;
    else if (message.type === "metrics") this.#readings = message.readings;
    else for (const answer of message.answers) this.#settle(answer);
    this.#sendMore();
  }

  #settle(answer: CallAnswer): void {
    const index = this.#inFlight.findIndex(({ id }) => id === answer.id);
    const [waiting] = index < 0 ? [] : this.#inFlight.splice(index, 1);
    if (waiting === undefined) return;
    this.#stopTimer();
    if (answer.type === "result") waiting.resolve(answer.result);
    else if (answer.type === "failure") waiting.reject(new Error(answer.message));
    else this.#options.fallback.run(waiting.task).then(waiting.resolve, waiting.reject);
  }
}

/** Asks the threads of a running node over V8's inspector: their heaps after a collection, and what keeps them alive. */
import { WebSocket } from "ws";

/** A collection of a busy thread takes well below a second; a thread that is ended does not answer at all. */
const ANSWER_LIMIT_MS = 20_000;

export type ThreadReading = {
  readonly thread: string;
  /** JavaScript objects after a full collection. */
  readonly heapBytes: number;
  /** Array buffers and WebAssembly memories that JavaScript objects hold. */
  readonly externalBytes: number;
  /** Timers, sockets, requests that keep the thread's event loop alive. */
  readonly resources: number;
};

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
};
type Send = (method: string, params?: object) => Promise<unknown>;
type Thread = { readonly name: string; readonly session: Session };

/** One conversation of numbered questions, with a thread or with the process. */
class Session {
  readonly #write: (text: string) => void;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #onEvent: (message: Message) => void;
  #lastId = 0;

  constructor(write: (text: string) => void, onEvent: (message: Message) => void) {
    this.#write = write;
    this.#onEvent = onEvent;
  }

  readonly send: Send = (method, params = {}) =>
    new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`${method}: no answer`));
      }, ANSWER_LIMIT_MS);
      this.#waiting.set(id, ({ result }) => {
        clearTimeout(timer);
        resolve(result);
      });
      this.#write(JSON.stringify({ id, method, params }));
    });

  receive(text: string): void {
    const message = JSON.parse(text) as Message;
    const { id } = message;
    if (id === undefined) {
      this.#onEvent(message);
      return;
    }
    this.#waiting.get(id)?.(message);
    this.#waiting.delete(id);
  }
}

export class Inspector {
  readonly #socket: WebSocket;
  readonly #main: Session;
  readonly #workers = new Map<string, Thread>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#main = new Session(
      (text) => socket.send(text),
      (event) => this.#onWorker(event, this.#main.send, ""),
    );
    socket.on("message", (data) => this.#main.receive(String(data)));
    // Whoever asks hears of it by the missing answer.
    socket.on("error", () => undefined);
  }

  /** @param port of --inspect=127.0.0.1:<port>. */
  static async connect(port: number): Promise<Inspector> {
    const response = await fetch(`http://127.0.0.1:${port}/json`);
    const [target] = (await response.json()) as readonly { readonly webSocketDebuggerUrl: string }[];
    const socket = new WebSocket(target?.webSocketDebuggerUrl ?? "", { perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const inspector = new Inspector(socket);
    await inspector.#main.send("NodeWorker.enable", { waitForDebuggerOnStart: false });
    return inspector;
  }

  /** Every thread after a full collection; a thread that ended meanwhile is left out. */
  async readThreads(): Promise<readonly ThreadReading[]> {
    const threads = [{ name: "consensus", session: this.#main }, ...this.#workers.values()];
    const readings = await Promise.all(
      threads.map(({ name, session }) => readThread(name, session.send).catch(() => undefined)),
    );
    return readings.filter((reading) => reading !== undefined);
  }

  close(): void {
    this.#socket.close();
  }

  /** Workers may have workers, which their own session tells of. */
  #onWorker({ method, params = {} }: Message, send: Send, prefix: string): void {
    const key = `${prefix}/${String(params["sessionId"])}`;
    if (method === "NodeWorker.detachedFromWorker") this.#workers.delete(key);
    if (method === "NodeWorker.receivedMessageFromWorker") {
      this.#workers.get(key)?.session.receive(String(params["message"]));
    }
    if (method !== "NodeWorker.attachedToWorker") return;
    const { sessionId } = params;
    const { url, title } = params["workerInfo"] as { readonly url: string; readonly title: string };
    const session: Session = new Session(
      (message) => void send("NodeWorker.sendMessageToWorker", { sessionId, message }).catch(() => undefined),
      (event) => this.#onWorker(event, session.send, key),
    );
    this.#workers.set(key, { name: threadName(url === "" ? title : url), session });
    void session.send("NodeWorker.enable", { waitForDebuggerOnStart: false }).catch(() => undefined);
  }
}

function threadName(url: string): string {
  const file = url.slice(url.lastIndexOf("/") + 1);
  return { "worker.js": "execution", "call-worker.js": "call" }[file] ?? file;
}

async function readThread(thread: string, send: Send): Promise<ThreadReading> {
  await send("HeapProfiler.collectGarbage");
  const expression =
    "(() => { const { heapUsed, external } = process.memoryUsage(); return [heapUsed, external, process.getActiveResourcesInfo().length]; })()";
  const answer = await send("Runtime.evaluate", { expression, returnByValue: true });
  const { result } = answer as { readonly result: { readonly value: readonly [number, number, number] } };
  const [heapBytes, externalBytes, resources] = result.value;
  return { thread, heapBytes, externalBytes, resources };
}

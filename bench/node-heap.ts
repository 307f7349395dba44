/** What a running node's heaps hold after a collection, by thread, asked through its inspector. */
import { once } from "node:events";
import { WebSocket } from "ws";

export type NodeHeap = {
  /** Bytes in use after a forced collection: of the consensus thread, and of every worker together. */
  read(): Promise<{ readonly main: number; readonly workers: number }>;
  close(): void;
};

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly message: string };
  readonly result?: { readonly usedSize?: number };
  readonly error?: { readonly message: string };
};
type Target = { readonly webSocketDebuggerUrl: string };

/** @param port of `--inspect`. Workers are reached through the main thread (the inspector's NodeWorker domain). */
export async function connectHeap(port: number): Promise<NodeHeap> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as Target[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? "", { perMessageDeflate: false });
  await once(socket, "open");
  const workers = new Set<string>();
  const waiting = new Map<number, (message: Message) => void>();
  let lastId = 0;

  function hear(message: Message): void {
    const { id, method, params } = message;
    if (id !== undefined) waiting.get(id)?.(message);
    if (params === undefined) return;
    if (method === "NodeWorker.attachedToWorker") workers.add(params.sessionId);
    if (method === "NodeWorker.detachedFromWorker") workers.delete(params.sessionId);
    if (method === "NodeWorker.receivedMessageFromWorker") hear(JSON.parse(params.message) as Message);
  }

  function ask(method: string, params: object, worker?: string): Promise<Message> {
    const id = ++lastId;
    const text = JSON.stringify({ id, method, params });
    return new Promise((resolve, reject) => {
      waiting.set(id, (message) => {
        waiting.delete(id);
        if (message.error === undefined) resolve(message);
        else reject(new Error(`${method}: ${message.error.message}`));
      });
      if (worker === undefined) socket.send(text);
      // The answer comes in a message of its own; this one says only that it was passed on.
      else void ask("NodeWorker.sendMessageToWorker", { sessionId: worker, message: text }).catch(reject);
    });
  }

  async function used(worker?: string): Promise<number> {
    await ask("HeapProfiler.collectGarbage", {}, worker);
    const { result } = await ask("Runtime.getHeapUsage", {}, worker);
    return result?.usedSize ?? 0;
  }

  socket.on("message", (data) => hear(JSON.parse(String(data)) as Message));
  await ask("NodeWorker.enable", { waitForDebuggerOnStart: false });
  return {
    async read() {
      const main = await used();
      let sum = 0;
      for (const worker of workers) sum += await used(worker);
      return { main, workers: sum };
    },
    close: () => socket.close(),
  };
}

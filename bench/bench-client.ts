/** JSON-RPC over kept sockets, one request at a time on each: an HTTP client would cost more than what is measured. */
import { connect, type Socket } from "node:net";

export type BenchClient = { call<T>(method: string, params: readonly unknown[]): Promise<T>; close(): void };

type Waiting = { readonly request: string; resolve(body: string): void; reject(error: Error): void };

/** @throws Error, from `call`, with the node's text when it answers with an error. */
export function createBenchClient(url: string, connections: number): BenchClient {
  const { hostname, port, host } = new URL(url);
  const queue: Waiting[] = [];
  const idle: Connection[] = [];
  const all: Connection[] = [];

  function next(connection: Connection): void {
    const waiting = queue.shift();
    if (waiting === undefined) idle.push(connection);
    else connection.send(waiting);
  }

  /** The next request opens another one. */
  function forget(connection: Connection): void {
    for (const list of [all, idle]) {
      const at = list.indexOf(connection);
      if (at >= 0) list.splice(at, 1);
    }
  }

  function post(body: string): Promise<string> {
    const head = `POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
    return new Promise((resolve, reject) => {
      queue.push({ request: `${head}\r\n\r\n${body}`, resolve, reject });
      if (idle.length === 0 && all.length < connections) {
        const connection = new Connection(connect(Number(port), hostname), next, forget);
        all.push(connection);
        return next(connection);
      }
      const free = idle.pop();
      if (free !== undefined) next(free);
    });
  }

  return {
    async call<T>(method: string, params: readonly unknown[]): Promise<T> {
      const body = await post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
      const answer = JSON.parse(body) as { result: T; error?: { message: string } };
      if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
      return answer.result;
    },
    close() {
      for (const connection of [...all]) connection.close();
    },
  };
}

/** One socket; it is at one request at a time. */
class Connection {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #received: Buffer = Buffer.alloc(0);

  constructor(
    socket: Socket,
    onFree: (connection: Connection) => void,
    onGone: (connection: Connection) => void,
  ) {
    this.#socket = socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      const body = bodyOf(this.#received);
      if (body === undefined) return;
      const waiting = this.#waiting;
      this.#received = Buffer.alloc(0);
      this.#waiting = undefined;
      onFree(this);
      waiting?.resolve(body);
    });
    socket.on("error", (error) => {
      onGone(this);
      this.#waiting?.reject(error);
    });
    socket.on("close", () => onGone(this));
  }

  send(waiting: Waiting): void {
    this.#waiting = waiting;
    this.#socket.write(waiting.request);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The body of a whole response; undefined while some of it is missing. */
function bodyOf(bytes: Buffer): string | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const length = /content-length: (\d+)/i.exec(bytes.toString("latin1", 0, headEnd))?.[1];
  if (length === undefined) throw new Error("the benchmark's client needs answers with a content-length");
  const bodyStart = headEnd + 4;
  return bytes.length < bodyStart + Number(length) ? undefined : bytes.toString("utf8", bodyStart);
}

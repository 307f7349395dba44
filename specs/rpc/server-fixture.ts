/** A live chain behind a real server on a free loopback port. */
import { WebSocket } from "ws";
import { METHODS } from "../../rpc/method-table.ts";
import { DEFAULT_RPC_LIMITS, type RpcLimits } from "../../rpc/rpc-limits.ts";
import { type RpcServer, startRpcServer } from "../../rpc/server.ts";
import type { StaticPages } from "../../rpc/static-pages.ts";
import { LiveChain } from "../support/live-chain.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import type { Loose } from "./rpc-fixture.ts";

export type ServerFixture = {
  readonly live: LiveChain;
  readonly server: RpcServer;
  readonly url: string;
  readonly webSocketUrl: string;
  readonly faults: unknown[];
};

export async function withServer<T>(
  body: (fixture: ServerFixture) => Promise<T>,
  limits: Partial<RpcLimits> = {},
  pages: StaticPages = new Map(),
): Promise<T> {
  return withScratchDatabase("execution", async (database) => {
    const live = new LiveChain(database);
    const faults: unknown[] = [];
    const server = await startRpcServer({
      chain: live.view,
      methods: METHODS,
      limits: { ...DEFAULT_RPC_LIMITS, ...limits },
      host: "127.0.0.1",
      port: 0,
      virtualHosts: ["localhost"],
      corsOrigins: ["*"],
      pages,
      now: () => 0,
      setTimer: () => () => undefined,
      processUsage: () => ({ residentBytes: 1, cpuMs: 1 }),
      onFault: (error) => faults.push(error),
    });
    const address = `127.0.0.1:${server.port}`;
    try {
      return await body({ live, server, faults, url: `http://${address}`, webSocketUrl: `ws://${address}` });
    } finally {
      await server.close();
      await live.stop();
    }
  });
}

/** A WebSocket client that hands out messages in the order they come. */
export class SocketClient {
  readonly #socket: WebSocket;
  readonly #messages: Loose[] = [];
  readonly #waiting: ((message: Loose) => void)[] = [];
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => undefined);
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as Loose;
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#messages.push(message);
      else waiter(message);
    });
  }

  /** Rejects with the status when the server refuses the upgrade. */
  static open(url: string, headers: Record<string, string> = {}): Promise<SocketClient> {
    const socket = new WebSocket(url, { headers });
    const client = new SocketClient(socket);
    return new Promise((resolve, reject) => {
      socket.on("open", () => resolve(client));
      socket.on("unexpected-response", (_request, response) =>
        reject(new Error(`status ${response.statusCode}`)),
      );
    });
  }

  next(): Promise<Loose> {
    const message = this.#messages.shift();
    return message === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(message);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  async request(method: string, ...params: unknown[]): Promise<Loose> {
    this.send(JSON.stringify({ jsonrpc: "2.0", id: method, method, params }));
    return this.next();
  }

  /** Stops reading: what the server sends piles up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** The JSON-RPC server: HTTP and WebSocket on one port. See specs/rpc/server.md. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { answerPost } from "./answer-post.ts";
import type { ChainView } from "./chain-view.ts";
import { createDispatcher, type Dispatcher } from "./dispatch.ts";
import { openFastLane } from "./fast-lane.ts";
import { createFilters } from "./filters.ts";
import {
  allowCrossOrigin,
  answerPreflight,
  BodyRefused,
  isAllowedHost,
  readBody,
  sendJson,
  sendText,
} from "./http-exchange.ts";
import type { Method, ProcessUsage, RpcContext } from "./method.ts";
import { createRateLimit } from "./rate-limit.ts";
import { computeReadiness } from "./readiness.ts";
import { createReceiptWaits, type SetTimer } from "./receipt-waits.ts";
import type { RpcLimits } from "./rpc-limits.ts";
import { type StaticPages, servePage } from "./static-pages.ts";
import { createStreamHub, type StreamHub } from "./stream.ts";
import { createSubscriptionHub, type SubscriptionHub } from "./subscriptions.ts";
import { serveWebSocket } from "./web-socket-session.ts";

export type RpcServerOptions = {
  readonly chain: ChainView;
  readonly methods: readonly Method[];
  readonly limits: RpcLimits;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Host names, besides IP addresses, this server answers to; `*` allows all. */
  readonly virtualHosts: readonly string[];
  /** Origins whose pages may read answers; `*` allows all. */
  readonly corsOrigins: readonly string[];
  /** Files of the explorer; empty to serve none. */
  readonly pages: StaticPages;
  /** Milliseconds of a clock that never goes back, for idle filters. */
  now(): number;
  readonly setTimer: SetTimer;
  processUsage(): ProcessUsage;
  /** Told about failures that are our fault. */
  onFault(error: unknown, methodName: string): void;
};

export type RpcServer = {
  readonly port: number;
  /** WebSocket connections open now. */
  webSocketConnections(): number;
  /** Of those connections. */
  subscriptions(): number;
  /** Bytes that wait for WebSocket readers. */
  unsentBytes(): number;
  close(): Promise<void>;
};

/** A socket on which nothing moves for this long is closed, whether idle or stuck. */
const SOCKET_IDLE_MS = 120_000;
/** From the first byte of a request to its last: a client that drips bytes is not served. */
const REQUEST_MS = 30_000;
/** Between pings of a WebSocket; one that missed a whole round is dead. */
const PING_MS = 30_000;

/** What all connections share. */
type SharedContext = Omit<RpcContext, "rate" | "subscriber">;

/** Starts listening. Rejects when the port is taken. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { chain, limits } = options;
  const filters = createFilters(chain, limits, options.now);
  const receiptWaits = createReceiptWaits(chain, limits, options.setTimer);
  const hub = createSubscriptionHub(chain, limits);
  const streams = createStreamHub(chain, (error) => options.onFault(error, "GET /stream"));
  const dispatcher = createDispatcher(options);
  const shared: SharedContext = {
    chain,
    filters,
    limits,
    receiptWaits,
    processUsage: options.processUsage,
  };
  const newRate = () => createRateLimit(limits.requestsPerSecond, options.now);
  const contexts = new WeakMap<Socket, RpcContext>();
  /** One per connection, however many requests come over it. */
  const contextOf = (socket: Socket): RpcContext => {
    const context = contexts.get(socket) ?? { ...shared, rate: newRate(), subscriber: undefined };
    contexts.set(socket, context);
    return context;
  };

  const server = createServer((request, response) => void serveHttp(request, response));
  server.maxConnections = limits.httpConnections;
  server.timeout = SOCKET_IDLE_MS;
  server.keepAliveTimeout = SOCKET_IDLE_MS;
  server.requestTimeout = REQUEST_MS;

  async function serveHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await answerHttp(request, response, options, { dispatcher, streams }, contextOf(request.socket));
    } catch (error) {
      if (!(error instanceof BodyRefused)) return void response.destroy();
      // The rest of the body is not read, so the connection cannot be used again.
      response.setHeader("connection", "close");
      sendText(response, error.status, error.message);
    }
  }

  const fastLane = openFastLane(server, SOCKET_IDLE_MS, (post, socket) =>
    answerPost(post, options, dispatcher, () => contextOf(socket)),
  );
  const sockets = acceptWebSockets(server, options, dispatcher, hub, () => ({ ...shared, rate: newRate() }));
  await listen(server, options.host, options.port);
  async function close(): Promise<void> {
    filters.close();
    receiptWaits.close();
    hub.close();
    streams.close();
    sockets.close();
    const closed = new Promise((resolve) => server.close(resolve));
    fastLane.close();
    server.closeAllConnections();
    await closed;
  }
  const { port } = server.address() as AddressInfo;
  return { port, ...sockets.counts, subscriptions: hub.subscriptions, close };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  { chain, limits, virtualHosts, corsOrigins, pages }: RpcServerOptions,
  { dispatcher, streams }: { readonly dispatcher: Dispatcher; readonly streams: StreamHub },
  context: RpcContext,
): Promise<void> {
  if (!isAllowedHost(request.headers.host, virtualHosts)) {
    return sendText(response, 403, "invalid host specified");
  }
  allowCrossOrigin(response, corsOrigins, request.headers.origin);
  const path = request.url?.split("?", 1)[0];
  if (request.method === "OPTIONS") return answerPreflight(response);
  if (request.method === "POST") {
    const answer = await dispatcher.handle(await readBody(request, limits.bodyBytes), context);
    if (answer !== undefined) return sendJson(request, response, answer);
    response.writeHead(204).end();
    return;
  }
  if (request.method !== "GET") return sendText(response, 405, "method not allowed");
  if (path === "/stream") {
    return streams.serve(request, response, new URLSearchParams(request.url?.slice(path.length + 1)));
  }
  if (path === "/health") return sendJson(request, response, '{"status":"ok"}');
  if (path === "/ready") {
    const readiness = computeReadiness(chain.consensusStatus(), limits);
    return sendJson(request, response, JSON.stringify(readiness), readiness.ready ? 200 : 503);
  }
  if (path !== undefined && servePage(pages, path, request, response)) return;
  if (path === "/") return sendText(response, 200, chain.clientVersion);
  return sendText(response, 404, "not found");
}

function acceptWebSockets(
  server: Server,
  { limits, virtualHosts }: RpcServerOptions,
  dispatcher: Dispatcher,
  hub: SubscriptionHub,
  newContext: () => Omit<RpcContext, "subscriber">,
): { readonly counts: Pick<RpcServer, "webSocketConnections" | "unsentBytes">; close(): void } {
  const acceptor = new WebSocketServer({ noServer: true, maxPayload: limits.bodyBytes });
  const answered = new WeakSet<object>();

  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    if (!isAllowedHost(request.headers.host, virtualHosts)) return refuseUpgrade(stream, "403 Forbidden");
    if (acceptor.clients.size >= limits.webSocketConnections) {
      return refuseUpgrade(stream, "503 Service Unavailable");
    }
    acceptor.handleUpgrade(request, stream, head, (socket) => {
      answered.add(socket);
      socket.on("pong", () => answered.add(socket));
      serveWebSocket(socket, { dispatcher, hub, context: newContext(), limits });
    });
  });

  const pings = setInterval(() => {
    for (const socket of acceptor.clients) {
      if (!answered.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }, PING_MS).unref();

  return {
    counts: {
      webSocketConnections: () => acceptor.clients.size,
      unsentBytes: () => [...acceptor.clients].reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0),
    },
    close() {
      clearInterval(pings);
      for (const socket of acceptor.clients) socket.terminate();
      acceptor.close();
    },
  };
}

function refuseUpgrade(stream: Duplex, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

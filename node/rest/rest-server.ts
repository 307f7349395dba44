/** The beacon API's HTTP server, on the consensus thread and a port of its own. See specs/node/rest.md. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  allowCrossOrigin,
  answerPreflight,
  BodyRefused,
  isAllowedHost,
  readBody,
  sendJson,
} from "../../rpc/http-exchange.ts";
import { type EventHub, serveEvents } from "./event-stream.ts";
import { RestError } from "./rest-error.ts";
import { matchPath, type RestAnswer, type RestRequest, type Route } from "./route.ts";
import { sendList } from "./send-list.ts";

export type RestServerOptions = {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Host names, besides IP addresses, this server answers to; `*` allows all. */
  readonly virtualHosts: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly routes: readonly Route[];
  /** Undefined: this server has none. */
  readonly events?: EventHub;
  /** Refuses who may not ask, before anything of a body is read. */
  readonly authorize?: (request: IncomingMessage) => void;
  /** Longest body; of the beacon API's when left out. */
  readonly bodyLimitBytes?: number;
  /** How long an answer may take; as long as a socket may be idle when left out. */
  readonly answerMs?: number;
  /** Told about failures that are our fault. */
  readonly onFault: (error: unknown, path: string) => void;
};

export type RestServer = { readonly port: number; close(): Promise<void> };

export const EVENTS_PATH = "/eth/v1/events";

/** Validator ids in a POST; the largest honest body names some thousand keys of 100 bytes. */
const BODY_LIMIT_BYTES = 1024 * 1024;
const CONNECTIONS_LIMIT = 1024;
const SOCKET_IDLE_MS = 120_000;
/** From the first byte of a request to its last. */
const REQUEST_MS = 30_000;

/** Starts listening. Rejects when the port is taken. */
export async function startRestServer(options: RestServerOptions): Promise<RestServer> {
  const server = createServer((request, response) => void serve(request, response, options));
  server.maxConnections = CONNECTIONS_LIMIT;
  server.timeout = options.answerMs ?? SOCKET_IDLE_MS;
  server.keepAliveTimeout = SOCKET_IDLE_MS;
  server.requestTimeout = REQUEST_MS;
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
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

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: RestServerOptions,
): Promise<void> {
  const { virtualHosts, corsOrigins, onFault, events } = options;
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  try {
    if (!isAllowedHost(request.headers.host, virtualHosts))
      throw new RestError(403, "Invalid host specified");
    allowCrossOrigin(response, corsOrigins, request.headers.origin);
    if (request.method === "OPTIONS") return answerPreflight(response);
    const query = new URLSearchParams((request.url ?? "").slice(path.length + 1));
    if (events !== undefined && path === EVENTS_PATH && request.method === "GET") {
      return serveEvents(request, response, query, events);
    }
    options.authorize?.(request);
    const { route, parts } = findRoute(options.routes, request.method ?? "", path);
    const limit = options.bodyLimitBytes ?? BODY_LIMIT_BYTES;
    const body = route.method === "GET" ? undefined : await readJson(request, limit);
    const answer = await route.handle({ path: parts, query, body, prefersBytes: prefersBytes(request) });
    await send(request, response, answer);
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    if (error instanceof RestError) return sendError(request, response, error.status, error.message);
    // The rest of the body is not read, so the connection cannot be used again.
    if (error instanceof BodyRefused) {
      response.setHeader("connection", "close");
      return sendError(request, response, error.status, error.message);
    }
    if (request.destroyed && !request.complete) return void response.destroy();
    onFault(error, path);
    await sendError(request, response, 500, "Internal server error");
  }
}

function findRoute(routes: readonly Route[], method: string, path: string) {
  let isKnownPath = false;
  for (const route of routes) {
    const parts = matchPath(route.path, path);
    if (parts === undefined) continue;
    if (route.method === method) return { route, parts };
    isKnownPath = true;
  }
  if (isKnownPath) throw new RestError(405, `Method ${method} is not allowed here`);
  throw new RestError(404, `No such endpoint: ${path.slice(0, 200)}`);
}

async function readJson(request: IncomingMessage, limitBytes: number): Promise<unknown> {
  const hasBody = request.headers["content-length"] !== "0" && hasLength(request);
  if (!hasBody) return undefined;
  const text = await readBody(request, limitBytes);
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new RestError(400, "Invalid request body: not JSON");
  }
}

function hasLength({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

const BYTES_TYPE = "application/octet-stream";

/** Which of the two types stands first, or weighs more (`application/octet-stream;q=1.0,application/json;q=0.9`). */
function prefersBytes({ headers }: IncomingMessage): RestRequest["prefersBytes"] {
  const weights = new Map<string, number>();
  for (const part of String(headers.accept ?? "").split(",")) {
    const [type = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    const weight = parameters.find((text) => text.startsWith("q="))?.slice(2);
    weights.set(type, weight === undefined ? 1 : Number(weight));
  }
  const bytes = weights.get(BYTES_TYPE) ?? 0;
  return bytes > Math.max(weights.get("application/json") ?? 0, weights.get("*/*") ?? 0);
}

async function send(request: IncomingMessage, response: ServerResponse, answer: RestAnswer): Promise<void> {
  switch (answer.kind) {
    case "json":
      for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
      return sendJson(request, response, JSON.stringify(answer.value), answer.status ?? 200);
    case "bytes":
      response.writeHead(200, {
        "content-type": BYTES_TYPE,
        "content-length": answer.bytes.length,
        ...answer.headers,
      });
      response.end(answer.bytes);
      return;
    case "list":
      return sendList(response, answer.head, answer.items);
    case "empty":
      response.writeHead(answer.status, { "content-length": 0 }).end();
      return;
    default:
      answer satisfies never;
  }
}

function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  message: string,
): Promise<void> {
  // What a client is to show next time (RFC 6750, section 3).
  if (code === 401) response.setHeader("www-authenticate", "Bearer");
  // What a stranger goes on to send is not read.
  if (code === 401 || code === 403) response.setHeader("connection", "close");
  return sendJson(request, response, JSON.stringify({ code, message }), code);
}

/** One HTTP request answered: what is refused before JSON-RPC is looked at. See specs/rpc/server.md#http. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** Statuses of a body that cannot be read; the text says why. */
export class BodyRefused extends Error {
  override readonly name = "BodyRefused";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const JSON_TYPES = ["application/json", "application/json-rpc", "application/jsonrequest"];
/**
 * A body over the limit is read on, and thrown away, up to this many times the limit: most clients
 * look at the answer only when they have sent everything.
 */
const DRAIN_FACTOR = 4;
/** Shorter answers cost more to compress than to send. */
const GZIP_MINIMUM_BYTES = 1400;
/** The fastest level: hex compresses well at any. */
const GZIP_LEVEL = 1;
/** How long a browser may remember the answer to a preflight request. */
const PREFLIGHT_MAX_AGE_SECONDS = 600;

const ANY_ORIGIN = [["access-control-allow-origin", "*"]] as const;

const compress = promisify(gzip);

export function isJsonType(contentType: string | undefined): boolean {
  const type = (contentType ?? "").split(";", 1)[0] ?? "";
  return JSON_TYPES.includes(type.trim().toLowerCase());
}

/**
 * The body as text.
 * @throws BodyRefused 415 for another content type, 413 for more than `limitBytes`.
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<string> {
  if (!isJsonType(request.headers["content-type"])) {
    const refused = new BodyRefused(415, "invalid content type, only application/json is supported");
    return Promise.reject(refused);
  }
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limitBytes) chunks.push(chunk);
      else chunks = [];
      if (length > limitBytes * DRAIN_FACTOR) reject(tooLarge(limitBytes));
    });
    request.on("end", () => {
      if (length > limitBytes) reject(tooLarge(limitBytes));
      else resolve(Buffer.concat(chunks).toString("utf8"));
    });
    request.on("error", reject);
    request.on("aborted", () => reject(new Error("request aborted")));
  });
}

function tooLarge(limitBytes: number): BodyRefused {
  return new BodyRefused(413, `content length too large (> ${limitBytes})`);
}

/**
 * Whether the Host header may name this server. A web page whose name was re-bound to our address
 * sends its own name: without this check it could talk to a node on 127.0.0.1.
 */
export function isAllowedHost(host: string | undefined, allowed: readonly string[]): boolean {
  if (host === undefined || allowed.includes("*")) return true;
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const isAddress = /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name.startsWith("[");
  return isAddress || allowed.includes(name);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}

/** Whether an answer is worth compressing, and the client can read it then. */
export function isCompressed(text: string, acceptEncoding: string | undefined): boolean {
  return text.length >= GZIP_MINIMUM_BYTES && /\bgzip\b/.test(acceptEncoding ?? "");
}

export function compressText(text: string): Promise<Buffer> {
  return compress(text, { level: GZIP_LEVEL });
}

/** Sends JSON, compressed when that is worth it. */
export async function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
  status = 200,
): Promise<void> {
  if (!isCompressed(text, String(request.headers["accept-encoding"] ?? ""))) {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    response.writeHead(status, headers);
    response.end(text);
    return;
  }
  const body = await compressText(text);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-encoding": "gzip",
    "content-length": body.length,
    vary: "accept-encoding",
  });
  response.end(body);
}

export function allowCrossOrigin(
  response: ServerResponse,
  origins: readonly string[],
  origin?: string,
): void {
  for (const [name, value] of crossOriginHeaders(origins, origin)) response.setHeader(name, value);
}

/** Header lines that let a page of `origin` read. Answers are public chain data; nothing here acts on cookies. */
export function crossOriginHeaders(
  origins: readonly string[],
  origin: string | undefined,
): readonly (readonly [string, string])[] {
  if (origins.includes("*")) return ANY_ORIGIN;
  if (origin === undefined || !origins.includes(origin)) return [];
  return [
    ["access-control-allow-origin", origin],
    ["vary", "origin"],
  ];
}

export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    "access-control-allow-methods": "POST, GET",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": String(PREFLIGHT_MAX_AGE_SECONDS),
  });
  response.end();
}

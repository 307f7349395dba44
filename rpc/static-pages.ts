/** Files of the web page a server shows beside JSON-RPC: all in memory, compressed once. See specs/explorer/serving.md. */
import type { IncomingMessage, ServerResponse } from "node:http";

export type StaticPage = {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** The same, compressed. */
  readonly gzip: Uint8Array;
  /** Names this content: a browser that has it is told so and gets no bytes. */
  readonly etag: string;
};

/** By path, with the leading slash. */
export type StaticPages = ReadonlyMap<string, StaticPage>;

/**
 * What the page may do. It runs only its own files, may compile the engine's WebAssembly, and talks to its node; no
 * other page may frame it, so that nobody can lay a button of theirs over a button of ours.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Answers with the page at `path`. @returns false when there is none. */
export function servePage(
  pages: StaticPages,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const page = pages.get(path);
  if (page === undefined) return false;
  const headers = {
    "content-type": page.contentType,
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
    vary: "accept-encoding",
    etag: page.etag,
  };
  if (request.headers["if-none-match"] === page.etag) {
    response.writeHead(304, headers).end();
    return true;
  }
  const acceptsGzip = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  const body = acceptsGzip ? page.gzip : page.body;
  response.writeHead(200, {
    ...headers,
    "content-length": body.length,
    ...(acceptsGzip ? { "content-encoding": "gzip" } : {}),
  });
  response.end(body);
  return true;
}

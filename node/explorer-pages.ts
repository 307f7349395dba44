/** The explorer's files, as the build wrote them, ready to be served. See specs/explorer/serving.md. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { StaticPage, StaticPages } from "../rpc/static-pages.ts";

/** Beside `dist/node`. */
const DIRECTORY = fileURLToPath(new URL("../explorer", import.meta.url));

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".wasm", "application/wasm"],
  [".bin", "application/octet-stream"],
]);

/** Every file of the page by its path; the page itself is also `/`. */
export function readExplorerPages(): StaticPages {
  const pages = new Map<string, StaticPage>();
  for (const name of readdirSync(DIRECTORY)) {
    const contentType = CONTENT_TYPES.get(extname(name));
    if (contentType === undefined) continue;
    const body = readFileSync(`${DIRECTORY}/${name}`);
    const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
    pages.set(`/${name}`, { contentType, body, gzip: gzipSync(body, { level: 9 }), etag });
  }
  const page = pages.get("/index.html");
  if (page !== undefined) pages.set("/", page);
  return pages;
}

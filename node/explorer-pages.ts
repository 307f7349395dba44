/** The explorer's files, as the build wrote them, ready to be served. See specs/explorer/serving.md. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { StaticPage, StaticPages } from "../rpc/static-pages.ts";
import { readEngineImage } from "./engine-image.ts";
import { readBootImage } from "./std-image.ts";

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
    if (CONTENT_TYPES.has(extname(name))) addPage(pages, name, readFileSync(`${DIRECTORY}/${name}`));
  }
  // The light client in the page runs calls in the engine of the protocol.
  addPage(pages, "engine.wasm", readEngineImage());
  addPage(pages, "boot.bin", readBootImage());
  const page = pages.get("/index.html");
  if (page !== undefined) pages.set("/", page);
  return pages;
}

function addPage(pages: Map<string, StaticPage>, name: string, body: Uint8Array): void {
  const contentType = CONTENT_TYPES.get(extname(name)) ?? "application/octet-stream";
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
  pages.set(`/${name}`, { contentType, body, gzip: gzipSync(body, { level: 9 }), etag });
}

/** `GET /stream`: blocks, receipts and logs as they come, resumable, with marks of what was taken back. See specs/rpc/stream.md. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Hash } from "../primitives/bytes.ts";
import type { Block } from "../vm/block.ts";
import type { ChainView } from "./chain-view.ts";
import { encodeBlock } from "./encode-block.ts";
import { encodeLog, locateLogs } from "./encode-log.ts";
import { encodeReceipts } from "./encode-receipt.ts";
import { sendText } from "./http-exchange.ts";
import type { JsonObject } from "./json.ts";
import { toQuantity } from "./schema.ts";

/** Readers at once; each holds a socket and one record. */
export const STREAM_READERS_LIMIT = 64;
/** An empty line goes out this often when nothing happens. */
const KEEP_ALIVE_MS = 15_000;
/** Blocks that a mark names as taken back; below them only the place it goes back to is told. */
const REMOVED_LIMIT = 1024;

const PARTS = ["transactions", "receipts", "logs"] as const;
type Part = (typeof PARTS)[number];
const DEFAULT_PARTS: readonly Part[] = ["transactions", "receipts"];

/** The last block a reader was sent. */
type Place = { readonly number: number; readonly hash: Hash };

export type StreamHub = {
  /** Answers the request, for as long as its reader stays. */
  serve(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void;
  close(): void;
};

type Reader = {
  wake(): void;
  keepAlive(): void;
  /** Nothing more is read for it. */
  end(): void;
};

export function createStreamHub(chain: ChainView, onFault: (error: unknown) => void): StreamHub {
  const readers = new Set<Reader>();
  const end = chain.subscribe({
    onHead: () => {
      for (const { wake } of readers) wake();
    },
    onPendingTransaction: () => undefined,
  });
  const keepAlive = setInterval(() => {
    for (const reader of readers) reader.keepAlive();
  }, KEEP_ALIVE_MS).unref();

  return {
    serve(request, response, query) {
      const start = readStart(chain, query.get("from") ?? "latest");
      const parts = readParts(query.get("include"));
      const refused = [start, parts].find((value) => "refusal" in value);
      if (refused !== undefined) return refuse(response, refused as Refusal);
      if (readers.size >= STREAM_READERS_LIMIT) return sendText(response, 503, "too many streams are open");
      const reader = createReader(chain, response, (start as Start).after, (parts as Parts).parts, onFault);
      readers.add(reader);
      response.on("close", () => readers.delete(reader));
      response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
      response.flushHeaders();
      request.on("error", () => response.destroy());
      reader.wake();
    },
    close() {
      clearInterval(keepAlive);
      for (const reader of readers) reader.end();
      end();
    },
  };
}

type Refusal = { readonly refusal: string; readonly status: number };
type Start = { readonly after: Place | undefined };
type Parts = { readonly parts: ReadonlySet<Part> };

function refuse(response: ServerResponse, { refusal, status }: Refusal): void {
  sendText(response, status, refusal);
}

function readParts(text: string | null): Parts | Refusal {
  const names =
    text === null ? DEFAULT_PARTS : text.split(",").filter((name) => name !== "" && name !== "none");
  const unknown = names.find((name) => !PARTS.some((part) => part === name));
  if (unknown === undefined) return { parts: new Set(names as readonly Part[]) };
  return { status: 400, refusal: `include takes ${PARTS.join(", ")} or none, not "${unknown.slice(0, 40)}"` };
}

/** A number or a tag is the first block sent; a cursor is the last that was sent before. */
function readStart(chain: ChainView, text: string): Start | Refusal {
  const [, digits, hash] = /^(\d{1,15}):(0x[0-9a-f]{64})$/.exec(text) ?? [];
  if (hash !== undefined) return readCursor(chain, { number: Number(digits), hash: hash as Hash });
  const number = firstNumber(chain, text);
  const head = chain.head().header.number;
  if (number === undefined) {
    return {
      status: 400,
      refusal: "from takes a block number, earliest, finalized, safe, latest, or a cursor",
    };
  }
  if (number > head + 1) return { status: 404, refusal: `from lies beyond the head, which is block ${head}` };
  const oldest = chain.oldestBlock();
  if (number < oldest) return { status: 404, refusal: `this node keeps blocks from ${oldest} on` };
  const before = number === 0 ? undefined : chain.block({ number: number - 1 });
  // The parent of the oldest block kept is known by the block itself.
  const parentHash = before?.hash ?? chain.block({ number })?.header.parentHash;
  return {
    after: number === 0 || parentHash === undefined ? undefined : { number: number - 1, hash: parentHash },
  };
}

/** A block this node does not know may have been taken back and forgotten. */
function readCursor(chain: ChainView, place: Place): Start | Refusal {
  const known = chain.block({ hash: place.hash });
  if (known === undefined || known.header.number === place.number) return { after: place };
  return {
    status: 400,
    refusal: `the cursor is none of ours: its block has the number ${known.header.number}`,
  };
}

function firstNumber(chain: ChainView, text: string): number | undefined {
  if (/^(\d{1,15}|0x[0-9a-f]{1,12})$/.test(text)) return Number(text);
  if (text === "earliest") return chain.oldestBlock();
  if (text !== "finalized" && text !== "safe" && text !== "latest") return undefined;
  return chain.block({ tag: text })?.header.number;
}

/**
 * Sends one record after the other from the chain itself, and the next only when the socket has room: a slow reader
 * is behind, and costs nothing more.
 */
function createReader(
  chain: ChainView,
  response: ServerResponse,
  start: Place | undefined,
  parts: ReadonlySet<Part>,
  onFault: (error: unknown) => void,
): Reader {
  let place = start;
  let finalized = -1;
  let isRunning = false;
  let isEnded = false;

  function next(): JsonObject | undefined {
    const back = place === undefined ? undefined : findRollback(chain, place);
    if (back !== undefined) {
      place = back.to;
      // Only a development chain takes back what was final.
      finalized = Math.min(finalized, place.number);
      return rollbackRecord(back);
    }
    const finalBlock = chain.block({ tag: "finalized" });
    const isNewlyFinal = finalBlock !== undefined && finalBlock.header.number > finalized;
    if (isNewlyFinal && place !== undefined && finalBlock.header.number <= place.number) {
      finalized = finalBlock.header.number;
      return finalizedRecord(finalBlock, place);
    }
    const block = chain.block({ number: place === undefined ? 0 : place.number + 1 });
    if (block === undefined) return undefined;
    place = { number: block.header.number, hash: block.hash };
    return blockRecord(chain, block, parts);
  }

  async function run(): Promise<void> {
    isRunning = true;
    try {
      // Whoever left, or whose server stops, is not looked after: by then the chain may be closed as well.
      while (!isEnded && !response.destroyed) {
        const record = next();
        if (record === undefined) break;
        await written(response, `${JSON.stringify(record)}\n`);
      }
    } catch (error) {
      onFault(error);
      response.destroy();
    } finally {
      isRunning = false;
    }
  }

  return {
    wake() {
      if (!isRunning && !isEnded) void run();
    },
    end() {
      isEnded = true;
    },
    keepAlive() {
      if (!isRunning && !response.writableNeedDrain) response.write("\n");
    },
  };
}

type Rollback = { readonly to: Place; readonly removed: readonly Place[] | undefined };

/** Undefined while the place is on the canonical chain. */
function findRollback(chain: ChainView, place: Place): Rollback | undefined {
  if (chain.isCanonical(place.hash)) return undefined;
  const removed: Place[] = [];
  let at = chain.block({ hash: place.hash });
  // The parent of the first block a reader asked for may be older than what is kept.
  if (at === undefined && place.number < chain.oldestBlock()) return undefined;
  while (at !== undefined && !chain.isCanonical(at.hash) && removed.length < REMOVED_LIMIT) {
    removed.push(placeOf(at));
    at = chain.block({ hash: at.header.parentHash });
  }
  if (at !== undefined && chain.isCanonical(at.hash)) return { to: placeOf(at), removed };
  // Forgotten since: what is final was never taken back, so everything above it is sent again.
  const finalBlock = chain.block({ tag: "finalized" });
  const number = Math.max(0, Math.min(finalBlock?.header.number ?? 0, place.number - 1));
  const to = chain.block({ number });
  return { to: to === undefined ? placeOf(chain.head()) : placeOf(to), removed: undefined };
}

function placeOf({ hash, header }: Block): Place {
  return { number: header.number, hash };
}

function cursorOf({ number, hash }: Place): string {
  return `${number}:${hash}`;
}

function blockRecord(chain: ChainView, block: Block, parts: ReadonlySet<Part>): JsonObject {
  const receipts = chain.receipts(block.hash) ?? [];
  return {
    type: "block",
    cursor: cursorOf(placeOf(block)),
    block: encodeBlock(block, parts.has("transactions")),
    ...(parts.has("receipts") ? { receipts: encodeReceipts(block, receipts) } : {}),
    ...(parts.has("logs") ? { logs: locateLogs(block, receipts).map((log) => encodeLog(log)) } : {}),
  };
}

function rollbackRecord({ to, removed }: Rollback): JsonObject {
  return {
    type: "rollback",
    cursor: cursorOf(to),
    number: toQuantity(to.number),
    hash: to.hash,
    removed: removed?.map(({ number, hash }) => ({ number: toQuantity(number), hash })) ?? null,
  };
}

function finalizedRecord({ hash, header }: Block, place: Place): JsonObject {
  return { type: "finalized", cursor: cursorOf(place), number: toQuantity(header.number), hash };
}

/** Resolves when the socket has room for more, or is gone, and others had their turn. */
function written(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (response.write(text)) return void setImmediate(resolve);
    const onRoom = (): void => {
      response.off("drain", onRoom);
      response.off("close", onRoom);
      setImmediate(resolve);
    };
    response.once("drain", onRoom);
    response.once("close", onRoom);
  });
}

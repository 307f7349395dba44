/** JSON-RPC posts that arrive whole, answered straight from the socket. See specs/rpc/server.md#the-fast-lane. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { Socket } from "node:net";

/** What of a request's head matters to JSON-RPC. */
export type PostHead = {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly contentType: string | undefined;
  readonly acceptEncoding: string | undefined;
};

export type Post = { readonly head: PostHead; readonly body: string; readonly bodyBytes: number };

/** The whole answer, head and body, as bytes or text of Latin-1 characters; or undefined when this request is for the HTTP server after all. */
export type AnswerPost = (post: Post, socket: Socket) => Promise<string | Buffer | undefined>;

type Lane = {
  readonly answer: AnswerPost;
  readonly idleMs: number;
  /** Serves the connection from here on; what it has sent can be read from it again. */
  handOver(socket: Socket): void;
};

const HEAD_END = "\r\n\r\n";
const REQUEST_LINE = "POST / HTTP/1.1\r\n";
/** A head longer than this is looked at by the HTTP server. */
const HEAD_LIMIT_BYTES = 4096;
const TOKEN = /^[a-z0-9-]+$/;

/**
 * Takes the server's connections first.
 *
 * Most requests are one small post that arrives in one piece on a kept connection; for them the HTTP
 * server's streams, events and header objects cost more than the answer. Everything else — another
 * method, a partial or pipelined request, any header that changes how a message is framed — goes to the
 * HTTP server with its connection, for good: this file frames nothing itself.
 */
export function openFastLane(server: Server, idleMs: number, answer: AnswerPost): { close(): void } {
  const listeners = server.listeners("connection");
  server.removeAllListeners("connection");
  const sockets = new Set<Socket>();
  const handOver = (socket: Socket) => {
    sockets.delete(socket);
    for (const listener of listeners) listener.call(server, socket);
  };
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serveSocket(socket, { answer, idleMs, handOver });
  });
  return {
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serveSocket(socket: Socket, lane: Lane): void {
  let isAnswering = false;
  let hasEnded = false;
  const known: KnownHead = { text: "", fields: undefined };
  socket.setNoDelay(true);
  socket.setTimeout(lane.idleMs, () => socket.destroy());
  socket.on("data", onData);
  socket.on("error", onError);
  socket.on("end", onEnd);

  function onData(bytes: Buffer): void {
    const post = isAnswering ? undefined : readPost(bytes, known);
    if (post === undefined) leave(bytes);
    else void serve(bytes, post);
  }

  async function serve(bytes: Buffer, post: Post): Promise<void> {
    isAnswering = true;
    try {
      const answer = await lane.answer(post, socket);
      isAnswering = false;
      if (answer === undefined) return leave(bytes);
      if (!socket.write(answer, "latin1")) {
        socket.pause();
        await once(socket, "drain");
      }
      if (hasEnded) socket.end();
      else if (socket.isPaused()) socket.resume();
    } catch {
      // The client went away in the middle of its answer.
      socket.destroy();
    }
  }

  /** While an answer is being made its connection only waits: what comes meanwhile stays unread. */
  function leave(bytes: Buffer): void {
    if (isAnswering) {
      socket.pause();
      socket.unshift(bytes);
      return;
    }
    socket.off("data", onData).off("error", onError).off("end", onEnd).removeAllListeners("timeout");
    socket.pause();
    lane.handOver(socket);
    socket.unshift(bytes);
    socket.resume();
  }

  /** The client has said all it will; it may still wait for its answer. */
  function onEnd(): void {
    hasEnded = true;
    if (!isAnswering) socket.end();
  }

  function onError(): void {
    socket.destroy();
  }
}

type Fields = PostHead & { readonly length: number };
/** The head a connection sent last: clients repeat theirs, but for the length now and then. */
type KnownHead = { text: string; fields: Fields | undefined };

/** The request, if the bytes are one plain post and nothing else. */
export function readPost(
  bytes: Buffer,
  known: KnownHead = { text: "", fields: undefined },
): Post | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0 || headEnd > HEAD_LIMIT_BYTES) return undefined;
  const text = bytes.toString("latin1", 0, headEnd);
  if (text !== known.text) {
    if (!text.startsWith(REQUEST_LINE)) return undefined;
    known.fields = readFields(text.slice(REQUEST_LINE.length).split("\r\n"));
    known.text = text;
  }
  const { fields } = known;
  if (fields === undefined) return undefined;
  const bodyStart = headEnd + HEAD_END.length;
  if (fields.length !== bytes.length - bodyStart) return undefined;
  return { head: fields, bodyBytes: fields.length, body: bytes.toString("utf8", bodyStart) };
}

/** Undefined when a field is malformed, repeated, or says something about framing besides the length. */
function readFields(lines: readonly string[]): Fields | undefined {
  const values: { [name: string]: string | undefined } = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!TOKEN.test(name) || values[name] !== undefined) return undefined;
    values[name] = line.slice(colon + 1).trim();
  }
  const length = values["content-length"] ?? "";
  if (!/^\d{1,9}$/.test(length)) return undefined;
  if (values["transfer-encoding"] !== undefined || values["expect"] !== undefined) return undefined;
  if (values["upgrade"] !== undefined) return undefined;
  if ((values["connection"] ?? "keep-alive").toLowerCase() !== "keep-alive") return undefined;
  return {
    length: Number(length),
    host: values["host"],
    origin: values["origin"],
    contentType: values["content-type"],
    acceptEncoding: values["accept-encoding"],
  };
}

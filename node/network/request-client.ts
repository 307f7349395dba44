/** Asking one peer: open a stream, send, read the answer, close, whatever happens. See specs/network/requests.md#streams */
import type { Connection, Stream } from "@libp2p/interface";
import { type Answer, encodeFrame, RESULT, readAnswer } from "./chunks.ts";
import type { PeerId } from "./network-port.ts";
import { maxAnswerBytes, PROTOCOLS, type Protocol, type ProtocolName, protocolId } from "./protocols.ts";
import { RequestError, StreamError } from "./request-errors.ts";
import { SnappyError } from "./snappy-block.ts";
import { StreamReader } from "./stream-io.ts";

export interface RequestClientOptions {
  readonly connectionTo: (peer: PeerId) => Connection | undefined;
  /** For every protocol, instead of its own. */
  readonly timeoutMs: number | undefined;
}

export class RequestClient {
  readonly #options: RequestClientOptions;
  readonly #closing = new AbortController();

  constructor(options: RequestClientOptions) {
    this.#options = options;
  }

  /**
   * The chunks of a complete answer, at most `maxChunks`.
   * @throws RequestError
   */
  async request(
    peer: PeerId,
    name: ProtocolName,
    body: Uint8Array,
    maxChunks: number = PROTOCOLS[name].maxChunks,
  ): Promise<Uint8Array[]> {
    const connection = this.#options.connectionTo(peer);
    if (connection === undefined) throw new RequestError({ code: "REQUEST_NOT_CONNECTED", peer });
    const protocol: Protocol = PROTOCOLS[name];
    const timeout = AbortSignal.timeout(this.#options.timeoutMs ?? protocol.timeoutMs);
    const signal = AbortSignal.any([timeout, this.#closing.signal]);
    let answer: Answer;
    try {
      answer = await exchange(connection, name, body, { ...protocol, maxChunks }, signal);
    } catch (cause) {
      if (timeout.aborted)
        throw new RequestError({ code: "REQUEST_TIMED_OUT", peer, protocol: name }, { cause });
      const code = isMalformed(cause) ? "REQUEST_MALFORMED_ANSWER" : "REQUEST_FAILED";
      throw new RequestError({ code, peer, protocol: name }, { cause });
    }
    const { chunks, result } = answer;
    // Blocks sent before a refusal are as good as any.
    if (result === RESULT.success || chunks.length > 0) return chunks;
    throw new RequestError({ code: "REQUEST_REFUSED", peer, protocol: name, result });
  }

  /** Ends every request that is under way. */
  close(): void {
    this.#closing.abort();
  }
}

async function exchange(
  connection: Connection,
  name: ProtocolName,
  body: Uint8Array,
  protocol: Protocol,
  signal: AbortSignal,
): Promise<Answer> {
  const stream: Stream = await connection.newStream(protocolId(name), { signal });
  const reader = new StreamReader(stream);
  const giveUp = (): void => reader.release();
  signal.addEventListener("abort", giveUp);
  try {
    signal.throwIfAborted();
    stream.send(encodeFrame(body));
    // The end of our side is the end of the request.
    await stream.close({ signal });
    return await readAnswer(reader, {
      chunks: protocol.maxChunks,
      chunkBytes: protocol.maxChunkBytes,
      totalBytes: maxAnswerBytes(protocol),
    });
  } finally {
    signal.removeEventListener("abort", giveUp);
    reader.release();
    // Without this an unfinished stream would stay open for ever. A finished one is not touched by it.
    stream.abort(new Error("request over"));
  }
}

/** Whether the peer is to blame, and not the wire. */
function isMalformed(cause: unknown): boolean {
  if (cause instanceof SnappyError) return true;
  return cause instanceof StreamError && cause.detail.code !== "STREAM_ENDED";
}

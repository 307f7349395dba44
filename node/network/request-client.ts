/** Asking one peer: open a stream, send, read the answer, close, whatever happens. See specs/network/requests.md#streams */
import { setTimeout } from "node:timers/promises";
import type { Connection, Stream } from "@libp2p/interface";
import { type Answer, encodeFrame, RESULT, readAnswer } from "./chunks.ts";
import type { PeerId } from "./network-port.ts";
import {
  maxAnswerBytes,
  PROTOCOL_NAMES,
  PROTOCOLS,
  type Protocol,
  type ProtocolName,
  protocolId,
} from "./protocols.ts";
import { RateLimiter } from "./rate-limit.ts";
import { RequestError, StreamError } from "./request-errors.ts";
import { SnappyError } from "./snappy-block.ts";
import { StreamReader } from "./stream-io.ts";

/** What we ask of a peer stays below what it grants, so that an honest node is never refused for asking. */
const SHARE_OF_QUOTA = 3 / 4;
/** A peer that refuses all the same may still count what we asked before a restart. */
const REFUSED_WAIT_MS = 1000;
const MAX_TRIES = 3;

export interface RequestClientOptions {
  readonly connectionTo: (peer: PeerId) => Connection | undefined;
  readonly nowMs: () => number;
  /** For every protocol, instead of its own. */
  readonly timeoutMs: number | undefined;
}

export class RequestClient {
  readonly #options: RequestClientOptions;
  readonly #closing = new AbortController();
  readonly #pace = new Map<ProtocolName, RateLimiter>();

  constructor(options: RequestClientOptions) {
    this.#options = options;
    for (const name of PROTOCOL_NAMES) {
      // The small ones are rare by themselves, and a goodbye must not wait.
      if (PROTOCOLS[name].maxChunks <= 1) continue;
      const { burst, perSecond } = PROTOCOLS[name].quota;
      const quota = { burst: burst * SHARE_OF_QUOTA, perSecond: perSecond * SHARE_OF_QUOTA };
      const unlimited = { burst: Number.POSITIVE_INFINITY, perSecond: 0 };
      this.#pace.set(name, new RateLimiter(quota, unlimited, options.nowMs));
    }
  }

  /**
   * The chunks of a complete answer, at most `maxChunks`. Waits while the peer's quota is spent.
   * @throws RequestError
   */
  async request(
    peer: PeerId,
    name: ProtocolName,
    body: Uint8Array,
    maxChunks: number = PROTOCOLS[name].maxChunks,
  ): Promise<Uint8Array[]> {
    for (let tries = 1; ; tries++) {
      await this.#waitForQuota(peer, name, maxChunks);
      const { chunks, result } = await this.#ask(peer, name, body, maxChunks);
      // Blocks sent before a refusal are as good as any.
      if (result === RESULT.success || chunks.length > 0) return chunks;
      if (result !== RESULT.tooManyRequests || tries === MAX_TRIES) {
        throw new RequestError({ code: "REQUEST_REFUSED", peer, protocol: name, result });
      }
      await this.#sleep(REFUSED_WAIT_MS, peer, name);
    }
  }

  /** Ends every request that is under way. */
  close(): void {
    this.#closing.abort();
  }

  async #ask(peer: PeerId, name: ProtocolName, body: Uint8Array, maxChunks: number): Promise<Answer> {
    const connection = this.#options.connectionTo(peer);
    if (connection === undefined) throw new RequestError({ code: "REQUEST_NOT_CONNECTED", peer });
    const protocol: Protocol = { ...PROTOCOLS[name], maxChunks };
    const timeout = AbortSignal.timeout(this.#options.timeoutMs ?? protocol.timeoutMs);
    try {
      return await exchange(
        connection,
        name,
        body,
        protocol,
        AbortSignal.any([timeout, this.#closing.signal]),
      );
    } catch (cause) {
      if (timeout.aborted) {
        throw new RequestError({ code: "REQUEST_TIMED_OUT", peer, protocol: name }, { cause });
      }
      const code = isMalformed(cause) ? "REQUEST_MALFORMED_ANSWER" : "REQUEST_FAILED";
      throw new RequestError({ code, peer, protocol: name }, { cause });
    }
  }

  async #waitForQuota(peer: PeerId, name: ProtocolName, cost: number): Promise<void> {
    const limiter = this.#pace.get(name);
    while (limiter !== undefined && limiter.take(peer, cost) !== "granted") {
      await this.#sleep(limiter.waitMs(peer, cost) + 1, peer, name);
    }
  }

  async #sleep(ms: number, peer: PeerId, name: ProtocolName): Promise<void> {
    try {
      await setTimeout(ms, undefined, { signal: this.#closing.signal });
    } catch (cause) {
      throw new RequestError({ code: "REQUEST_FAILED", peer, protocol: name }, { cause });
    }
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

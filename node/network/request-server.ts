/** Answering peers, within limits. See specs/network/requests.md#limits */
import type { Connection, Stream } from "@libp2p/interface";
import { encodeSuccess, RESULT, readFrame } from "./chunks.ts";
import type { FloodGuard } from "./flood-guard.ts";
import type { NetworkLog, NetworkMetrics, PeerId, ServeOutcome } from "./network-port.ts";
import type { PenaltyReason } from "./peer-score.ts";
import { PROTOCOLS, type Protocol, type ProtocolName, TOTAL_QUOTA_FACTOR } from "./protocols.ts";
import { RateLimiter } from "./rate-limit.ts";
import { StreamError } from "./request-errors.ts";
import { Seats } from "./seats.ts";
import { StreamReader, writeToStream } from "./stream-io.ts";

/** What a request asks for, once its bytes were understood. */
export interface PreparedAnswer {
  /** Units of the peer's quota. */
  readonly cost: number;
  /** Runs after the quota was paid. */
  readonly chunks: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** @throws anything when the bytes are not a request of this protocol. */
export type PrepareAnswer = (peer: PeerId, body: Uint8Array) => PreparedAnswer;

export interface RequestServerOptions {
  readonly nowMs: () => number;
  readonly penalize: (peer: PeerId, reason: PenaltyReason) => void;
  readonly log: NetworkLog;
  readonly metrics: Pick<NetworkMetrics, "requestServed">;
  readonly flood: Pick<FloodGuard, "admits">;
}

/** A handler for libp2p. It never throws. */
export function serveProtocol(
  name: ProtocolName,
  prepare: PrepareAnswer,
  options: RequestServerOptions,
): (stream: Stream, connection: Connection) => Promise<void> {
  const protocol: Protocol = PROTOCOLS[name];
  const { burst, perSecond } = protocol.quota;
  const total = { burst: burst * TOTAL_QUOTA_FACTOR, perSecond: perSecond * TOTAL_QUOTA_FACTOR };
  const limiter = new RateLimiter(protocol.quota, total, options.nowMs);

  const seats = new Seats(options.flood);

  return async (stream, connection) => {
    const peer = connection.remotePeer.toString();
    if (!seats.sit(peer)) {
      stream.abort(new Error("too many streams of one protocol"));
      options.metrics.requestServed(name, "refused");
      return;
    }
    const reader = new StreamReader(stream);
    const signal = AbortSignal.timeout(protocol.timeoutMs);
    const giveUp = (): void => {
      reader.release();
      stream.abort(new Error("request timed out"));
    };
    signal.addEventListener("abort", giveUp);
    let outcome: ServeOutcome = "failed";
    try {
      const prepared = await readRequest(reader, protocol, (body) => prepare(peer, body));
      outcome = await answer(stream, prepared, peer, { limiter, seats, ...options });
      await stream.close({ signal });
    } catch {
      // The peer went away or was too slow: nothing more can be said on this stream.
    } finally {
      signal.removeEventListener("abort", giveUp);
      reader.release();
      stream.abort(new Error("request over"));
      seats.leave(peer, signal.aborted);
      options.metrics.requestServed(name, outcome);
    }
  };
}

/** The prepared answer, or undefined when the bytes are no request. @throws when the stream breaks. */
async function readRequest(
  reader: StreamReader,
  protocol: Protocol,
  prepare: (body: Uint8Array) => PreparedAnswer,
): Promise<PreparedAnswer | undefined> {
  try {
    const body = await readFrame(reader, protocol.maxRequestBytes);
    if (body === undefined) throw new StreamError({ code: "STREAM_ENDED" });
    if ((await reader.read(1)) !== undefined) return undefined;
    return prepare(body);
  } catch (error) {
    if (error instanceof StreamError && error.detail.code === "STREAM_ENDED") throw error;
    return undefined;
  }
}

async function answer(
  stream: Stream,
  prepared: PreparedAnswer | undefined,
  peer: PeerId,
  {
    limiter,
    seats,
    penalize,
    log,
  }: RequestServerOptions & {
    readonly limiter: RateLimiter;
    readonly seats: Seats;
  },
): Promise<ServeOutcome> {
  if (prepared === undefined) {
    penalize(peer, "malformed");
    await writeToStream(stream, new Uint8Array([RESULT.invalidRequest]));
    return "malformed";
  }
  const grant = limiter.take(peer, prepared.cost);
  if (grant !== "granted") {
    if (grant === "peer") penalize(peer, "tooManyRequests");
    await writeToStream(stream, new Uint8Array([RESULT.tooManyRequests]));
    return "refused";
  }
  if (!seats.beginAnswer(peer)) {
    await writeToStream(stream, new Uint8Array([RESULT.tooManyRequests]));
    return "refused";
  }
  try {
    for await (const chunk of prepared.chunks()) await writeToStream(stream, encodeSuccess(chunk));
    return "answered";
  } catch (error) {
    if (stream.status !== "open") throw error;
    log.warn("request not answered", { peer, error: String(error) });
    await writeToStream(stream, new Uint8Array([RESULT.serverError]));
    return "failed";
  } finally {
    seats.endAnswer(peer);
  }
}

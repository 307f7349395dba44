/** Watches the streams a peer opens, also those that never say what they are for. See specs/network/floods.md#streams */
import type { Connection, MultiaddrConnection, Stream } from "@libp2p/interface";
import type { FloodGuard } from "./flood-guard.ts";
import type { PeerId } from "./network-port.ts";
import type { PenaltyReason } from "./peer-score.ts";

/** Streams a peer may have open with us at once: five request protocols of eight, gossip, and libp2p's own. */
export const MAX_STREAMS_PER_PEER = 64;

/**
 * The most bytes that may come in on a stream of libp2p's own protocols, whose readers have no limit or never pause
 * the sender. A ping is 32 bytes; identify asks with none; a push is at most ten messages of 8 KiB.
 */
export const LIBP2P_STREAM_BYTES = {
  "/ipfs/ping/1.0.0": 4 << 10,
  "/ipfs/id/1.0.0": 1 << 10,
  "/ipfs/id/push/1.0.0": 96 << 10,
} as const;

/** What libp2p's connections and streams have and their interfaces do not tell: where streams and bytes come in first. */
interface WithMuxer {
  readonly muxer?: {
    addEventListener(name: "stream", listener: (event: { readonly detail: Stream }) => void): void;
  };
}
interface Intake {
  onData(data: { readonly byteLength: number }): void;
}

export interface StreamGuardOptions {
  readonly flood: Pick<FloodGuard, "admits">;
  readonly penalize: (peer: PeerId, reason: PenaltyReason) => void;
}

/** For each connection as soon as it is open. */
export function guardStreams(connection: Connection, { flood, penalize }: StreamGuardOptions): void {
  const peer = connection.remotePeer.toString();
  (connection as WithMuxer).muxer?.addEventListener("stream", ({ detail: stream }) => {
    if (!flood.admits(peer, "streams", 1)) {
      stream.abort(new Error("too many streams"));
      return;
    }
    limitBytes(stream, () => {
      penalize(peer, "malformed");
      stream.abort(new Error("more than the protocol has to say"));
    });
    stream.addEventListener("close", () => {
      // It came to its end without a protocol, and not because the connection did.
      if (stream.protocol === "" && connection.status === "open") flood.admits(peer, "stalledStreams", 1);
    });
  });
}

/** Calls back when a stream of libp2p's own has brought too much. A listener would take the bytes from who reads them. */
function limitBytes(stream: Stream, onExceeded: () => void): void {
  const intake = stream as unknown as Intake;
  const original = intake.onData.bind(stream);
  let bytes = 0;
  intake.onData = (data) => {
    bytes += data.byteLength;
    const limit = LIBP2P_STREAM_BYTES[stream.protocol as keyof typeof LIBP2P_STREAM_BYTES];
    if (limit !== undefined && bytes > limit && stream.status === "open") onExceeded();
    else original(data);
  };
}

/** Counts what a connection brings, from when it is known whose it is. */
export function guardBytes(raw: MultiaddrConnection, peer: PeerId, guard: Pick<FloodGuard, "admits">): void {
  raw.addEventListener("message", ({ data }) => {
    guard.admits(peer, "wireBytes", data.byteLength);
  });
}

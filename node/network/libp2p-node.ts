/** libp2p with the transports and limits of this project. See specs/network/peers.md#libp2p */
import {
  type GossipSub,
  type GossipSubComponents,
  type GossipsubOpts,
  gossipsub,
} from "@chainsafe/libp2p-gossipsub";
import { identify } from "@libp2p/identify";
import type { ConnectionGater, Libp2p } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { type Ping, ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { parseAddress } from "./address.ts";
import { MAX_PENDING_PER_ADDRESS } from "./address-guard.ts";
import type { MeshView } from "./gossip.ts";
import type { MeteredGossip } from "./gossip-meter.ts";
import type { NetworkIdentity } from "./identity.ts";
import { NetworkError } from "./network-error.ts";
import { MAX_STREAMS_PER_PEER } from "./stream-guard.ts";

/** Peers at once. gossip meshes hold twelve; the rest serve and are served blocks. */
export const MAX_CONNECTIONS = 100;
/** A peer that answers no ping for twice this long is dropped. */
const PING_INTERVAL_MS = 5000;
const DIAL_TIMEOUT_MS = 5000;

// A paused reader keeps what is in flight, so the window must stay below the read buffer.
const MAX_WINDOW_BYTES = 4 << 20;
const MAX_READ_BUFFER_BYTES = 8 << 20;
const MAX_WRITE_BUFFER_BYTES = 16 << 20;

/** gossipsub with what its class offers beyond its published interface. */
export type OpenGossipSub = GossipSub & MeshView & MeteredGossip;

export type JuratLibp2p = Libp2p<{ pubsub: OpenGossipSub; ping: Ping }>;

type Gossipsub = (components: GossipSubComponents) => OpenGossipSub;

export interface Libp2pNodeOptions {
  readonly identity: NetworkIdentity;
  readonly listen: readonly string[];
  readonly announce: readonly string[];
  readonly gater: ConnectionGater;
  readonly gossip: Partial<GossipsubOpts>;
}

/** Not yet started. @throws NetworkError when an address cannot be read. */
export async function createLibp2pNode(options: Libp2pNodeOptions): Promise<JuratLibp2p> {
  const { identity, listen, announce, gater, gossip } = options;
  for (const address of [...listen, ...announce]) parseAddress(address);
  return createLibp2p({
    privateKey: identity,
    start: false,
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [tcp({ maxConnections: 2 * MAX_CONNECTIONS })],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        maxInboundStreams: MAX_STREAMS_PER_PEER,
        streamOptions: {
          maxStreamWindowSize: MAX_WINDOW_BYTES,
          maxReadBufferLength: MAX_READ_BUFFER_BYTES,
          maxWriteBufferLength: MAX_WRITE_BUFFER_BYTES,
        },
      }),
    ],
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      dialTimeout: DIAL_TIMEOUT_MS,
      // A second, and behind one address: a test network lives on one machine.
      inboundConnectionThreshold: 50,
      // Twice what one address may hold, so that nobody alone can keep all others out.
      maxIncomingPendingConnections: 2 * MAX_PENDING_PER_ADDRESS,
    },
    connectionMonitor: { pingInterval: PING_INTERVAL_MS },
    connectionGater: gater,
    services: { identify: identify(), ping: ping(), pubsub: gossipsub(gossip) as Gossipsub },
  });
}

/** @throws NetworkError NETWORK_CANNOT_LISTEN; what was opened before is closed again. */
export async function startLibp2pNode(node: JuratLibp2p, listen: readonly string[]): Promise<void> {
  try {
    await node.start();
  } catch (cause) {
    await stopLibp2pNode(node);
    throw new NetworkError({ code: "NETWORK_CANNOT_LISTEN", addresses: listen.join(", ") }, { cause });
  }
}

/** Ends within `STOP_LIMIT_MS`, whatever the peers do, and never rejects. */
export async function stopLibp2pNode(node: JuratLibp2p): Promise<void> {
  const { promise: timeUp, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, STOP_LIMIT_MS);
  // libp2p rejects with plain events, when a stream closes under its hands.
  await Promise.race([Promise.resolve(node.stop()).catch(() => undefined), timeUp]);
  clearTimeout(timer);
}

const STOP_LIMIT_MS = 3000;

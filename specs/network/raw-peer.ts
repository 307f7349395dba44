/** A peer that speaks libp2p and nothing else: what it says is up to the spec, byte for byte. */
import type { Connection, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { encodeSuccess } from "../../node/network/chunks.ts";
import { gossipOptions } from "../../node/network/gossip-config.ts";
import { GOSSIP_TOPICS, type GossipTopic, topicName } from "../../node/network/gossip-topics.ts";
import { createIdentity } from "../../node/network/identity.ts";
import { createLibp2pNode, type JuratLibp2p, stopLibp2pNode } from "../../node/network/libp2p-node.ts";
import { Status } from "../../node/network/messages.ts";
import { type ProtocolName, protocolId } from "../../node/network/protocols.ts";
import { StreamReader } from "../../node/network/stream-io.ts";
import { concatBytes } from "../../primitives/bytes.ts";
import { emptyStatus, FORK_DIGEST, type TestNode, until } from "./harness.ts";

/** What is sent for a request, as it is on the wire; "silence" leaves the stream open. */
export type RawAnswer = (stream: Stream) => Uint8Array | "silence" | Promise<Uint8Array | "silence">;

export interface RawPeer {
  readonly libp2p: JuratLibp2p;
  readonly id: string;
  readonly address: string;
  serve(name: ProtocolName, answer: RawAnswer): Promise<void>;
  /** Sends bytes as a request, half-closes, and reads the answer to its end. */
  ask(name: ProtocolName, request: Uint8Array): Promise<Uint8Array>;
  /** Sends bytes as they are, uncompressed. */
  publish(topic: GossipTopic, wire: Uint8Array): Promise<void>;
}

const running: JuratLibp2p[] = [];

export async function stopRawPeers(): Promise<void> {
  await Promise.all(running.splice(0).map(stopLibp2pNode));
}

/** Started, with an honest status; not yet connected. */
export async function startRawPeer(status: Partial<Status> = {}): Promise<RawPeer> {
  const topics = GOSSIP_TOPICS.map((topic) => topicName(topic, FORK_DIGEST));
  const libp2p = await createLibp2pNode({
    identity: await createIdentity(),
    listen: ["/ip4/127.0.0.1/tcp/0"],
    announce: [],
    gater: {},
    gossip: gossipOptions(topics, () => 0),
  });
  running.push(libp2p);
  await libp2p.start();
  for (const topic of topics) libp2p.services.pubsub.subscribe(topic);
  const serve = async (name: ProtocolName, answer: RawAnswer): Promise<void> => {
    await libp2p.unhandle(protocolId(name));
    await libp2p.handle(protocolId(name), async (stream) => {
      const bytes = await answer(stream);
      if (bytes === "silence") return;
      stream.send(bytes);
      await stream.close();
    });
  };
  await serve("status", () => encodeSuccess(Status.serialize({ ...emptyStatus(), ...status })));
  const connection = (): Connection => libp2p.getConnections()[0]!;
  return {
    libp2p,
    id: libp2p.peerId.toString(),
    address: libp2p.getMultiaddrs()[0]!.toString(),
    serve,
    async ask(name, request) {
      const stream = await connection().newStream(protocolId(name));
      const reader = new StreamReader(stream);
      stream.send(request);
      await stream.close();
      return readAll(reader);
    },
    async publish(topic, wire) {
      await libp2p.services.pubsub.publish(topicName(topic, FORK_DIGEST), wire);
    },
  };
}

/** Resolves when the node knows the peer and both are in each other's mesh. */
export async function connectRaw(peer: RawPeer, node: TestNode): Promise<void> {
  await peer.libp2p.dial(multiaddr(node.address));
  await node.statuses.first((told) => told.peer === peer.id);
  const name = topicName("beacon_block", FORK_DIGEST);
  await until(
    () =>
      node.network.meshPeers("beacon_block") > 0 &&
      peer.libp2p.services.pubsub.getMeshPeers(name).includes(node.id),
  );
}

async function readAll(reader: StreamReader): Promise<Uint8Array> {
  const bytes: Uint8Array[] = [];
  for (;;) {
    const byte = await reader.read(1);
    if (byte === undefined) return concatBytes(...bytes);
    bytes.push(byte);
  }
}

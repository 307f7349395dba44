/** One identity of an attacker: honest enough to be let in, then whatever a flood wants. */
import type { Connection, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { encodeSuccess } from "../../../node/network/chunks.ts";
import { gossipOptions } from "../../../node/network/gossip-config.ts";
import { GOSSIP_TOPICS, topicName } from "../../../node/network/gossip-topics.ts";
import { createIdentity } from "../../../node/network/identity.ts";
import { createLibp2pNode, type JuratLibp2p, stopLibp2pNode } from "../../../node/network/libp2p-node.ts";
import { Status } from "../../../node/network/messages.ts";
import { protocolId } from "../../../node/network/protocols.ts";

/** What gossipsub's class has beyond its interface. */
type OpenGossip = {
  readonly streamsOutbound: Map<string, { push(frame: Uint8Array): void; readonly rawStream: Stream }>;
  sendRpc(peer: string, rpc: object): boolean;
};

export type Victim = { readonly id: string; readonly connection: Connection };

export type AttackerPeer = {
  readonly libp2p: JuratLibp2p;
  readonly gossip: OpenGossip;
  /** Those it is still connected to. */
  victims(): readonly Victim[];
  /** Tries once to get back in where it was thrown out; how many let it. */
  reenter(): Promise<number>;
  stop(): Promise<void>;
};

const CONNECT_TIMEOUT_MS = 10_000;
/** Who was not let in tries again, as an attacker would. */
const CONNECT_TRIES = 3;

/** Connected to all addresses that let it in, which all have asked for its status. */
export async function startAttackerPeer(
  addresses: readonly string[],
  status: Status,
  listen: string,
): Promise<AttackerPeer> {
  const topics = GOSSIP_TOPICS.map((topic) => topicName(topic, status.forkDigest));
  const libp2p = await createLibp2pNode({
    ...{ identity: await createIdentity(), listen: [listen], announce: [], gater: {} },
    gossip: gossipOptions(topics, () => 0),
  });
  const hasAsked = new Map<string, () => void>();
  await libp2p.handle(protocolId("status"), async (stream, { remotePeer }) => {
    hasAsked.get(remotePeer.toString())?.();
    stream.send(encodeSuccess(Status.serialize({ ...status, clockMs: Date.now() })));
    await stream.close().catch(() => undefined);
  });
  await libp2p.start();
  for (const topic of topics) libp2p.services.pubsub.subscribe(topic);
  const enter = async (address: string, maxTries = CONNECT_TRIES) => {
    for (let tries = 0; tries < maxTries; tries++) {
      const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
      const connection = await libp2p.dial(multiaddr(address), { signal }).catch(() => undefined);
      if (connection?.status !== "open") continue;
      const asked = new Promise<void>((resolve) => {
        hasAsked.set(connection.remotePeer.toString(), resolve);
        connection.addEventListener("close", () => resolve());
        signal.addEventListener("abort", () => resolve());
      });
      await asked;
      return;
    }
  };
  await Promise.all(addresses.map((address) => enter(address)));
  const victims = () =>
    libp2p
      .getConnections()
      .filter((connection) => connection.status === "open")
      .map((connection) => ({ id: connection.remotePeer.toString(), connection }));
  return {
    libp2p,
    victims,
    gossip: libp2p.services.pubsub as unknown as OpenGossip,
    async reenter() {
      const stayed = new Set(victims().map(({ id }) => id));
      await Promise.all(addresses.map((address) => enter(address, 1)));
      return victims().filter(({ id }) => !stayed.has(id)).length;
    },
    stop: () => stopLibp2pNode(libp2p),
  };
}

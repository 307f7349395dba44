/** How each kind of flood is made. Each function does a little of it, and is called again until time is over. */
import { connect } from "node:net";
import type { Connection, Stream } from "@libp2p/interface";
import { encodeFrame } from "../../../node/network/chunks.ts";
import {
  type GOSSIP_LIMIT_BYTES,
  type GossipTopic,
  limitBytesOf,
  SUBNET_TOPICS,
  subnetOfTopic,
  topicName,
} from "../../../node/network/gossip-topics.ts";
import {
  BlocksByRange,
  BlocksByRoot,
  Goodbye,
  Status,
  type Status as StatusValue,
  TransactionsByHash,
} from "../../../node/network/messages.ts";
import { type ProtocolName, protocolId } from "../../../node/network/protocols.ts";
import { compressBlock } from "../../../node/network/snappy-block.ts";
import { LIBP2P_STREAM_BYTES } from "../../../node/network/stream-guard.ts";
import { type AttackerPeer, startAttackerPeer } from "./attacker-peer.ts";
import type { Flood, GossipKind, RequestKind } from "./flood-matrix.ts";
import type { Forge } from "./forged-gossip.ts";

export type AttackContext = {
  readonly peer: AttackerPeer;
  readonly status: StatusValue;
  readonly forge: Readonly<Record<keyof typeof GOSSIP_LIMIT_BYTES, Forge>>;
  /** Multiaddrs of the nodes. */
  readonly addresses: readonly string[];
  readonly listen: string;
};

/** @returns how many things were sent. */
export type Volley = () => Promise<number> | number;

/** Messages, streams or sockets of one volley, for each node. */
const PER_VOLLEY = 64;
/** An attacker's own memory is not the question: it waits while a node does not read. */
const UNSENT_LIMIT_BYTES = 4 << 20;
const STREAM_TIMEOUT_MS = 3000;

export function attackOf(flood: Flood, context: AttackContext): Volley {
  switch (flood.group) {
    case "gossip":
      return gossipAttack(flood.kind, flood.target, context);
    case "request":
      return requestAttack(flood.kind, flood.target, context);
    case "stream":
      return streamAttack(flood.kind, flood.target, context);
    case "connection":
      return CONNECTION_ATTACKS[flood.kind](context);
  }
}

function gossipAttack(kind: GossipKind, target: GossipTopic, { peer, status, forge }: AttackContext): Volley {
  const subnet = subnetOfTopic(target) !== undefined;
  const names = (subnet ? SUBNET_TOPICS : [target]).map((topic) => topicName(topic, status.forkDigest));
  const make = forge[subnet ? "beacon_attestation" : (target as keyof typeof GOSSIP_LIMIT_BYTES)];
  const oversized = compressBlock(new Uint8Array(limitBytesOf(target) + 1));
  const same = compressBlock(make(0));
  let serial = 0;
  const data = (): Uint8Array => {
    serial++;
    if (kind === "duplicate") return same;
    if (kind === "bad-signature") return compressBlock(make(serial));
    const bytes = kind === "oversized" ? oversized.slice() : Buffer.from(`no snappy ${serial}`);
    // Another message each time: its last bytes are of no consequence.
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 4, serial);
    return bytes;
  };
  const rpc = () => {
    const topic = names[serial % names.length];
    if (kind !== "subscriptions") return { subscriptions: [], messages: [{ topic, data: data() }] };
    serial++;
    return { subscriptions: [{ topic, subscribe: serial % 2 === 0 }], messages: [] };
  };
  return () => {
    let sent = 0;
    for (const { id } of peer.victims()) {
      for (let i = 0; i < PER_VOLLEY && hasRoom(peer, id); i++) if (peer.gossip.sendRpc(id, rpc())) sent++;
    }
    return sent;
  };
}

function hasRoom({ gossip }: AttackerPeer, victim: string): boolean {
  const stream = gossip.streamsOutbound.get(victim)?.rawStream;
  return stream !== undefined && stream.status === "open" && stream.writeBufferLength < UNSENT_LIMIT_BYTES;
}

/** The largest request of each protocol that is answered. */
const REQUESTS = (status: StatusValue): Readonly<Record<ProtocolName, Uint8Array>> => ({
  status: Status.serialize({ ...status, clockMs: Date.now() }),
  goodbye: Goodbye.serialize(1),
  blocks_by_range: BlocksByRange.serialize({ startSlot: 0, count: 64 }),
  blocks_by_root: BlocksByRoot.serialize(Array.from({ length: 64 }, () => status.headRoot)),
  transactions_by_hash: TransactionsByHash.serialize(Array.from({ length: 256 }, () => status.headRoot)),
});

function requestAttack(kind: RequestKind, target: ProtocolName, { peer, status }: AttackContext): Volley {
  const request = encodeFrame(REQUESTS(status)[target]);
  const act: Readonly<Record<RequestKind, (stream: Stream) => void>> = {
    "long-frame": (stream) => void stream.send(new Uint8Array(1024).fill(0xff)),
    malformed: (stream) => void stream.send(encodeFrame(new Uint8Array([1, 2, 3]))),
    "half-open": () => undefined,
    "slow-reader": (stream) => {
      stream.pause();
      stream.send(request);
      void stream.close().catch(() => undefined);
    },
    "too-many": (stream) => {
      stream.send(request);
      stream.addEventListener("message", () => undefined);
      void stream.close().catch(() => undefined);
    },
  };
  return () => openOnAll(peer, protocolId(target), act[kind]);
}

function streamAttack(
  kind: string,
  target: keyof typeof LIBP2P_STREAM_BYTES,
  { peer }: AttackContext,
): Volley {
  const endless = (stream: Stream) => void stream.send(new Uint8Array(LIBP2P_STREAM_BYTES[target] + 1));
  const churn = (stream: Stream) => stream.abort(new Error("churn"));
  return () => openOnAll(peer, target, kind === "endless" ? endless : churn);
}

async function openOnAll(
  peer: AttackerPeer,
  protocol: string,
  act: (stream: Stream) => void,
): Promise<number> {
  const opened = peer.victims().flatMap(({ connection }) =>
    Array.from({ length: PER_VOLLEY / 4 }, async () => {
      try {
        act(await connection.newStream(protocol, { signal: AbortSignal.timeout(STREAM_TIMEOUT_MS) }));
      } catch {
        // Refused, or banned meanwhile: that is what is measured elsewhere.
      }
    }),
  );
  await Promise.all(opened);
  return opened.length;
}

const CONNECTION_ATTACKS = {
  "idle-sockets": ({ addresses }: AttackContext) => sockets(addresses, undefined),
  "noise-sockets": ({ addresses }: AttackContext) => sockets(addresses, new Uint8Array(4096).fill(0x13)),
  "many-identities": (context: AttackContext) => async () => {
    const { addresses, status, listen } = context;
    // Of another chain: let in, looked at, and sent away for ever.
    const stranger = { ...status, genesisBlockRoot: new Uint8Array(32).fill(9) };
    const peers = await Promise.all(
      Array.from({ length: 4 }, () => startAttackerPeer(addresses, stranger, listen)),
    );
    await Promise.all(peers.map((one) => one.stop()));
    return peers.length * addresses.length;
  },
  "nameless-streams":
    ({ peer }: AttackContext) =>
    async () => {
      type Muxed = Connection & { readonly muxer: { createStream(): Promise<Stream> } };
      const opened = peer.victims().flatMap(({ connection }) =>
        Array.from({ length: PER_VOLLEY / 4 }, async () => {
          const stream = await (connection as Muxed).muxer.createStream().catch(() => undefined);
          stream?.abort(new Error("nameless"));
        }),
      );
      await Promise.all(opened);
      return opened.length;
    },
  "control-frames": ({ peer, status }: AttackContext) => {
    let serial = 0;
    const topicID = topicName("beacon_block", status.forkDigest);
    return () => {
      let sent = 0;
      for (const { id } of peer.victims()) {
        const messageIDs = Array.from({ length: 500 }, () => Buffer.from(`id ${serial++}`.padEnd(20)));
        const control = {
          ihave: [{ topicID, messageIDs }],
          iwant: [{ messageIDs }],
          graft: [{ topicID }],
          prune: [],
          idontwant: [],
        };
        if (hasRoom(peer, id) && peer.gossip.sendRpc(id, { subscriptions: [], messages: [], control }))
          sent++;
      }
      return sent;
    };
  },
  "broken-frames":
    ({ peer }: AttackContext) =>
    () => {
      let sent = 0;
      for (const { id } of peer.victims()) {
        for (let i = 0; i < PER_VOLLEY && hasRoom(peer, id); i++) {
          peer.gossip.streamsOutbound.get(id)?.push(new Uint8Array([0xff, 0xff, 0xff]));
          sent++;
        }
      }
      return sent;
    },
} as const;

/** TCP connections that say nothing, or nothing that means anything; as many as are let in, held until they are closed. */
function sockets(addresses: readonly string[], greeting: Uint8Array | undefined): Volley {
  const HELD = 256;
  let held = 0;
  return async () => {
    let opened = 0;
    for (const address of addresses) {
      const [, , host = "", , port = ""] = address.split("/");
      for (let i = 0; i < PER_VOLLEY / 4 && held < HELD; i++) {
        held++;
        opened++;
        const socket = connect(Number(port), host, () => greeting && socket.write(greeting));
        socket.on("error", () => undefined);
        socket.on("close", () => held--);
      }
    }
    return opened;
  };
}

/** What comes beyond a quota is dropped and blamed on its sender. See floods.md */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { MultiaddrConnection, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import {
  ADDRESS_BAN_MS,
  AddressGuard,
  hostOf,
  MAX_ADDRESSES_REMEMBERED,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_PENDING_PER_ADDRESS,
  MAX_STRIKES,
  MAX_STRIKES_BESIDE_TRUSTED,
} from "../../node/network/address-guard.ts";
import { FLOOD_KINDS, FLOOD_QUOTAS, FloodGuard } from "../../node/network/flood-guard.ts";
import { itemsOf } from "../../node/network/gossip-meter.ts";
import { topicName } from "../../node/network/gossip-topics.ts";
import {
  MAX_ANSWERS_AT_ONCE,
  MAX_ANSWERS_PER_PEER,
  MAX_INBOUND_STREAMS,
  PROTOCOL_NAMES,
  protocolId,
} from "../../node/network/protocols.ts";
import { Seats } from "../../node/network/seats.ts";
import { LIBP2P_STREAM_BYTES, MAX_STREAMS_PER_PEER } from "../../node/network/stream-guard.ts";
import { closeAll, FORK_DIGEST, startNode, type TestNode, until } from "./harness.ts";
import { connectRaw, type RawPeer, startRawPeer, stopRawPeers } from "./raw-peer.ts";

describe("floods: quotas", () => {
  it("admit what they hold, blame what comes beyond, and fill again", () => {
    for (const kind of FLOOD_KINDS) {
      const state = { nowMs: 0, banned: false };
      const blamed: string[] = [];
      const guard = new FloodGuard({
        nowMs: () => state.nowMs,
        isBanned: () => state.banned,
        penalize: (peer, reason) => blamed.push(`${peer} ${reason}`),
      });
      const { burst, perSecond } = FLOOD_QUOTAS[kind];
      equal(guard.admits("a", kind, burst), true);
      equal(guard.admits("a", kind, 1), false);
      equal(guard.admits("b", kind, 1), true);
      deepEqual(blamed, ["a flood"]);
      state.nowMs += 1000 / perSecond;
      equal(guard.admits("a", kind, 1), true);
      state.banned = true;
      state.nowMs += 1_000_000;
      equal(guard.admits("a", kind, 1), false);
      deepEqual(blamed, ["a flood"]);
    }
  });

  it("weigh a gossip frame by all that is handled one by one", () => {
    const ids = (count: number) => ({ messageIDs: Array.from({ length: count }) });
    equal(itemsOf({ subscriptions: [], messages: [] }), 1);
    equal(itemsOf({ subscriptions: [1, 2], messages: [3] }), 4);
    const control = {
      ...{ ihave: [ids(5), ids(0)], iwant: [ids(2)], idontwant: [ids(1)] },
      ...{ graft: [1, 2, 3], prune: [{ peers: [1, 2] }] },
    };
    equal(itemsOf({ subscriptions: [], messages: [], control }), 1 + 6 + 1 + 3 + 2 + 3 + 3);
  });
});

describe("floods: seats", () => {
  it("are few for one peer's streams, and a peer that wants more is told by the guard", () => {
    const stalled: string[] = [];
    const seats = new Seats({ admits: (peer) => stalled.push(peer) > 0 });
    for (let i = 0; i < MAX_INBOUND_STREAMS; i++) equal(seats.sit("a"), true);
    equal(seats.sit("a"), false);
    equal(seats.sit("b"), true);
    seats.leave("a", false);
    equal(seats.sit("a"), true);
    seats.leave("a", true);
    deepEqual(stalled, ["a", "a"]);
  });

  it("are few for answers, to one peer and in all", () => {
    const seats = new Seats({ admits: () => true });
    for (let i = 0; i < MAX_ANSWERS_PER_PEER; i++) equal(seats.beginAnswer("0"), true);
    equal(seats.beginAnswer("0"), false);
    for (let i = MAX_ANSWERS_PER_PEER; i < MAX_ANSWERS_AT_ONCE; i++) equal(seats.beginAnswer(`${i}`), true);
    equal(seats.beginAnswer("z"), false);
    seats.endAnswer("0");
    equal(seats.beginAnswer("z"), true);
  });
});

describe("floods: addresses", () => {
  function guardOf() {
    const state = { nowMs: 0, connections: 0, trusted: false };
    const banned: string[] = [];
    const guard = new AddressGuard({
      nowMs: () => state.nowMs,
      connectionsFrom: () => state.connections,
      isTrusted: () => state.trusted,
      onBanned: (address) => banned.push(address),
    });
    return { state, banned, guard };
  }
  const raw = (host: string, port = 1, status = "open") =>
    ({ remoteAddr: multiaddr(`/ip4/${host}/tcp/${port}`), status }) as MultiaddrConnection;

  it("are hosts, whatever the port and the peer", () => {
    equal(
      hostOf("/ip4/192.0.2.1/tcp/9000/p2p/12D3KooWEfjkzBGyB1rRWgJMkY1iBwzS1P2WwpLtbVYiT9gg9ZPf"),
      "/ip4/192.0.2.1",
    );
  });

  it("have a bounded number of connections that have not told who they are", () => {
    const { guard } = guardOf();
    const held = Array.from({ length: MAX_PENDING_PER_ADDRESS }, (_, port) => raw("192.0.2.1", port + 1));
    deepEqual(new Set(held.map((one) => guard.refuses(one))), new Set([false]));
    equal(guard.refuses(raw("192.0.2.1")), true);
    equal(guard.refuses(raw("192.0.2.2")), false);
    guard.identified(held[0]!);
    equal(guard.refuses(raw("192.0.2.1")), false);
  });

  it("have a bounded number of connections", () => {
    const { guard, state } = guardOf();
    state.connections = MAX_CONNECTIONS_PER_ADDRESS;
    equal(guard.refuses(raw("192.0.2.1")), true);
    state.connections--;
    equal(guard.refuses(raw("192.0.2.1")), false);
  });

  it("are refused for a while when their connections never become peers", () => {
    const { guard, banned, state } = guardOf();
    for (let i = 0; i <= MAX_STRIKES; i++) guard.refuses(raw("192.0.2.1", i + 1, "closed"));
    deepEqual(banned, ["/ip4/192.0.2.1"]);
    equal(guard.refuses(raw("192.0.2.1")), true);
    equal(guard.refuses(raw("192.0.2.2")), false);
    state.nowMs += ADDRESS_BAN_MS;
    equal(guard.refuses(raw("192.0.2.1")), false);
  });

  it("are refused for what is beyond their number, also where a peer in good standing is, which may do more", () => {
    const { guard, banned, state } = guardOf();
    state.trusted = true;
    for (let port = 1; port <= MAX_PENDING_PER_ADDRESS; port++) guard.refuses(raw("192.0.2.1", port));
    for (let i = 1; i < MAX_STRIKES_BESIDE_TRUSTED; i++) guard.refuses(raw("192.0.2.1"));
    deepEqual(banned, []);
    guard.refuses(raw("192.0.2.1"));
    deepEqual(banned, ["/ip4/192.0.2.1"]);
  });

  it("are not refused while an honest peer is there, nor on loopback, nor for faults that are long past", () => {
    const { guard, banned, state } = guardOf();
    state.trusted = true;
    for (let i = 0; i < 2 * MAX_STRIKES; i++) guard.strike("/ip4/192.0.2.1/tcp/1");
    state.trusted = false;
    for (let i = 0; i < 2 * MAX_STRIKES; i++) guard.strike("/ip4/127.0.0.1/tcp/1");
    for (let i = 0; i < 2 * MAX_STRIKES; i++) {
      guard.strike("/ip4/192.0.2.3/tcp/1");
      state.nowMs += 10_000;
    }
    deepEqual(banned, []);
  });

  it("are remembered in a bounded number", () => {
    const { guard, banned } = guardOf();
    for (let i = 1; i < MAX_STRIKES; i++) guard.strike("/ip4/192.0.2.1/tcp/1");
    for (let i = 0; i < MAX_ADDRESSES_REMEMBERED; i++) guard.strike(`/ip4/10.${i >> 8}.${i & 255}.1/tcp/1`);
    guard.strike("/ip4/192.0.2.1/tcp/1");
    deepEqual(banned, []);
  });
});

describe("floods: between nodes", () => {
  afterEach(async () => {
    await closeAll();
    await stopRawPeers();
  });

  /** What gossipsub's class has beyond its interface: the stream it writes frames to. */
  type Frames = { readonly streamsOutbound: Map<string, { push(frame: Uint8Array): void }> };
  type Rpcs = { sendRpc(peer: string, rpc: object): boolean };

  /** Rejects nothing: whatever becomes of the stream, the attacker goes on. */
  const open = async (attacker: RawPeer, protocol: string): Promise<Stream | undefined> => {
    const [connection] = attacker.libp2p.getConnections();
    return connection?.newStream(protocol, { signal: AbortSignal.timeout(15_000) }).catch(() => undefined);
  };
  const faultsOf = (node: TestNode, attacker: RawPeer, reason: string) =>
    node.penalties.all.filter((one) => one.peer === attacker.id && one.reason === reason).length;

  it("bans who opens streams and leaves them hanging, on each request protocol", async () => {
    const node = await startNode();
    for (const name of PROTOCOL_NAMES) {
      const attacker = await startRawPeer();
      await connectRaw(attacker, node);
      await Promise.all(Array.from({ length: 32 }, () => open(attacker, protocolId(name))));
      await node.gone.first((peer) => peer === attacker.id);
      ok(faultsOf(node, attacker, "flood") > 0, name);
    }
  }).timeout(60_000);

  it("ends a stream of pings that brings more than pings", async () => {
    const [node, attacker] = [await startNode(), await startRawPeer()];
    await connectRaw(attacker, node);
    // Identify reads what it wants and stops; who answers pings would go on.
    const stream = await open(attacker, "/ipfs/ping/1.0.0");
    stream?.send(new Uint8Array(LIBP2P_STREAM_BYTES["/ipfs/ping/1.0.0"] + 1));
    await until(() => faultsOf(node, attacker, "malformed") === 1);
  });

  it("bans who sends gossip frames that do not decode, and hears the others on", async () => {
    const [node, attacker, honest] = [await startNode(), await startRawPeer(), await startRawPeer()];
    await connectRaw(attacker, node);
    await connectRaw(honest, node);
    const { streamsOutbound } = attacker.libp2p.services.pubsub as unknown as Frames;
    for (let i = 0; i < 8; i++) streamsOutbound.get(node.id)?.push(new Uint8Array([0xff, 0xff, 0xff]));
    await node.gone.first((peer) => peer === attacker.id);
    equal(faultsOf(node, attacker, "malformed"), 5);
    equal(faultsOf(node, honest, "malformed"), 0);
  });

  it("bans who changes its subscriptions without end", async () => {
    const [node, attacker] = [await startNode(), await startRawPeer()];
    await connectRaw(attacker, node);
    const topic = topicName("beacon_block", FORK_DIGEST);
    const changes = Array.from({ length: 4000 }, (_, i) => ({ topic, subscribe: i % 2 === 0 }));
    const gossip = attacker.libp2p.services.pubsub as unknown as Rpcs;
    for (let i = 0; i < 8; i++) gossip.sendRpc(node.id, { subscriptions: changes, messages: [] });
    await node.gone.first((peer) => peer === attacker.id);
    equal(faultsOf(node, attacker, "flood"), 5);
  });

  it("leaves one peer only so many streams at once", async () => {
    const [node, attacker] = [await startNode(), await startRawPeer()];
    await connectRaw(attacker, node);
    const [connection] = attacker.libp2p.getConnections();
    // None of these names a protocol.
    const muxer = connection as unknown as { readonly muxer: { createStream(): Promise<Stream> } };
    for (let i = 0; i < 2 * MAX_STREAMS_PER_PEER; i++) void muxer.muxer.createStream().catch(() => undefined);
    await until(() => (connection?.streams.length ?? 0) <= MAX_STREAMS_PER_PEER + 8);
  });
});

/** Who we are, who we keep, and who we send away. See peers.md */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, MultiaddrConnection } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import { transportPart } from "../../node/network/address.ts";
import { OneConnectionGater } from "../../node/network/connection-gater.ts";
import { createIdentity, IDENTITY_FILE, loadIdentity } from "../../node/network/identity.ts";
import { createNetwork } from "../../node/network/network.ts";
import { NetworkError } from "../../node/network/network-error.ts";
import {
  BAN_MS,
  BAN_SCORE,
  MAX_SCORED_PEERS,
  PENALTY,
  PeerScores,
  type PenaltyReason,
  SCORE_HALF_LIFE_MS,
  SOFT_FLOOR,
  USELESS_BAN_MS,
  USELESS_FAULTS,
} from "../../node/network/peer-score.ts";
import { BytesError } from "../../primitives/bytes.ts";
import { closeAll, connect, meshed, startNode, until } from "./harness.ts";
import { startRawPeer, stopRawPeers } from "./raw-peer.ts";

describe("peers: score", () => {
  let nowMs = 0;
  let scores: PeerScores;
  let othersDoWell = true;
  beforeEach(() => {
    nowMs = 1_000_000;
    othersDoWell = true;
    scores = new PeerScores(
      () => nowMs,
      () => othersDoWell,
    );
  });

  it("is zero for a peer without fault", () => {
    equal(scores.score("a"), 0);
    equal(scores.isBanned("a"), false);
  });

  it("adds the penalties of one peer and of no other", () => {
    scores.penalize("a", "timeout");
    scores.penalize("a", "lie");
    equal(scores.score("a"), -PENALTY.timeout - PENALTY.lie);
    equal(scores.score("b"), 0);
  });

  it("forgives half in one half-life", () => {
    scores.penalize("a", "lie");
    nowMs += SCORE_HALF_LIFE_MS;
    equal(scores.score("a"), -PENALTY.lie / 2);
  });

  it("bans at the bottom, says so once, and only for a while", () => {
    deepEqual(
      [scores.penalize("a", "lie"), scores.penalize("a", "lie"), scores.penalize("a", "lie")],
      [false, true, false],
    );
    ok(scores.score("a") <= BAN_SCORE);
    equal(scores.isBanned("a"), true);
    nowMs += BAN_MS;
    equal(scores.isBanned("a"), false);
    equal(scores.score("a"), 0);
  });

  it("bans a peer of another chain at once", () => {
    equal(scores.penalize("a", "otherChain"), true);
  });

  it("takes nobody far down for silence, and does not forgive a liar for it", () => {
    for (let i = 0; i < USELESS_FAULTS - 1; i++)
      equal(scores.penalize("late", i % 2 === 0 ? "timeout" : "unavailable"), false);
    equal(scores.score("late"), SOFT_FLOOR);
    equal(scores.penalize("late", "lie"), false);
    equal(scores.penalize("late", "lie"), true);
    scores.penalize("liar", "lie");
    scores.penalize("liar", "timeout");
    equal(scores.score("liar"), -PENALTY.lie);
  });

  it("throws out a peer that goes on being useless, for a short while, and only when others serve", () => {
    const fail = (times: number, everyMs = 0) =>
      Array.from({ length: times }, () => {
        nowMs += everyMs;
        return scores.penalize("empty", "unavailable");
      }).includes(true);
    othersDoWell = false;
    equal(fail(3 * USELESS_FAULTS), false, "the fault may be ours");
    othersDoWell = true;
    equal(fail(1), true);
    equal(scores.isBanned("empty"), true);
    nowMs += USELESS_BAN_MS;
    equal(scores.isBanned("empty"), false);
    equal(fail(USELESS_FAULTS - 1), false, "it comes back with a clean slate");
    nowMs += 20 * SCORE_HALF_LIFE_MS;
    equal(fail(500, 60_000), false, "slow once a minute is forgiven as it goes");
    equal(fail(USELESS_FAULTS), true);
  });

  it("does not make a ban longer for what is found out later", () => {
    scores.penalize("a", "otherChain");
    nowMs += BAN_MS / 2;
    equal(scores.penalize("a", "lie"), false);
    nowMs += BAN_MS / 2;
    equal(scores.isBanned("a"), false);
  });

  it("remembers a bounded number of peers, the latest offenders", () => {
    for (let i = 0; i <= MAX_SCORED_PEERS; i++) scores.penalize(`peer-${i}`, "lie");
    equal(scores.score("peer-0"), 0);
    equal(scores.score(`peer-${MAX_SCORED_PEERS}`), -PENALTY.lie);
  });

  it("has a positive price for every fault", () => {
    for (const reason of Object.keys(PENALTY) as PenaltyReason[]) ok(PENALTY[reason] > 0, reason);
  });
});

describe("peers: a useless one", () => {
  afterEach(closeAll);

  it("is kept while nobody else serves, then thrown out, and refused when it dials again", async () => {
    const [node, useless, good] = (await Promise.all([1, 2, 3].map(() => startNode()))) as [
      ...Awaited<ReturnType<typeof startNode>>[],
    ];
    await connect(node!, useless!);
    const fail = () => node!.network.penalize(useless!.id, "unavailable");
    for (let i = 0; i < 2 * USELESS_FAULTS; i++) fail();
    equal(node!.network.peers().length, 1);
    await connect(node!, good!);
    fail();
    equal(await node!.gone.first(), useless!.id);
    const { network } = useless!;
    await until(() => network.peers().length === 0);
    // It dials in a loop of its own; whoever is refused is told so and tries again later.
    network.addPeerAddress(node!.address);
    await connect(useless!, good!);
    deepEqual(
      node!.network.peers().map(({ id }) => id),
      [good!.id],
    );
  });
});

describe("peers: identity", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "jurat-identity-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("is made once, kept, and nobody else's to read", async () => {
    const made = await loadIdentity(directory);
    equal(statSync(join(directory, IDENTITY_FILE)).mode & 0o777, 0o600);
    ok((await loadIdentity(directory)).equals(made));
    equal((await createIdentity()).equals(made), false);
  });

  it("is not made anew when the file holds something else", async () => {
    writeFileSync(join(directory, IDENTITY_FILE), "something else");
    await rejects(loadIdentity(directory), BytesError);
    equal(readFileSync(join(directory, IDENTITY_FILE), "utf8"), "something else");
  });
});

describe("peers: between nodes", () => {
  afterEach(async () => {
    await closeAll();
    await stopRawPeers();
  });

  it("tell each other where they stand", async () => {
    const [a, b] = [await startNode({}, { headSlot: 3 }), await startNode({}, { headSlot: 9 })];
    await connect(a, b);
    deepEqual([a.statuses.all[0]?.status.headSlot, b.statuses.all[0]?.status.headSlot], [9, 3]);
    const [peer] = a.network.peers();
    deepEqual([peer?.id, peer?.score, peer?.status.headSlot], [b.id, 0, 9]);
    Object.assign(b.status, { headSlot: 10 });
    equal((await a.network.refreshStatus(b.id)).headSlot, 10);
    equal(a.network.peers()[0]?.status.headSlot, 10);
  });

  it("tell each other again by themselves", async () => {
    const [a, b] = [await startNode({ limits: { statusIntervalMs: 50 } }), await startNode()];
    await connect(a, b);
    Object.assign(b.status, { headSlot: 10 });
    await a.statuses.first(({ status }) => status.headSlot === 10);
  });

  it("of different chains part, and do not meet again", async () => {
    for (const other of [
      { genesisBlockRoot: new Uint8Array(32).fill(1) },
      { forkDigest: new Uint8Array(4) },
    ]) {
      const [a, b] = [await startNode(), await startNode({}, other)];
      const [lower, higher] = a.id < b.id ? [a, b] : [b, a];
      lower.network.addPeerAddress(higher.address);
      const reasons = await Promise.race([a.penalties.first(), b.penalties.first()]);
      equal(reasons.reason, "otherChain");
      await until(() => a.network.peers().length === 0 && b.network.peers().length === 0);
      deepEqual([a.statuses.all, b.statuses.all], [[], []]);
    }
  });

  it("are sent away when they do not tell their status", async () => {
    const node = await startNode({ limits: { requestTimeoutMs: 300 } });
    const mute = await startRawPeer();
    await mute.serve("status", () => "silence");
    const gone = new Promise((resolve) => mute.libp2p.addEventListener("peer:disconnect", resolve));
    await mute.libp2p.dial(multiaddr(node.address));
    await gone;
    deepEqual(node.network.peers(), []);
    deepEqual(
      node.penalties.all.map(({ reason }) => reason),
      ["timeout"],
    );
  });

  it("find each other also when only the higher id knows an address, with or without the id in it", async () => {
    for (const withId of [true, false]) {
      const [a, b] = [await startNode(), await startNode()];
      const [lower, higher] = a.id < b.id ? [a, b] : [b, a];
      higher.network.addPeerAddress(withId ? lower.address : transportPart(lower.address));
      await Promise.all([higher.statuses.first(), lower.statuses.first()]);
    }
  });

  it("keep one connection and hear each other when all dial all at once", async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, () => startNode()));
    for (const node of nodes) {
      // Its own address too, as a list shared by all would have it.
      for (const { address } of nodes) node.network.addPeerAddress(transportPart(address));
    }
    await until(() => nodes.every(({ network }) => network.peers().length === 3));
    await meshed(nodes, 3);
    for (const [index, node] of nodes.entries()) {
      await node.network.publish("beacon_block", new Uint8Array([index]));
      await Promise.all(
        nodes
          .filter((other) => other !== node)
          .map(({ gossip }) => gossip.first(({ data }) => data[0] === index)),
      );
    }
    deepEqual(
      nodes.flatMap(({ gone }) => gone.all),
      [],
    );
  });

  it("come back after a restart, and gossip flows again", async () => {
    const [a, identity] = [await startNode(), await createIdentity()];
    const before = await startNode({ identity });
    a.network.addPeerAddress(before.address);
    await a.statuses.first();
    const back = a.statuses.next(({ status }) => status.headSlot === 5);
    await before.network.close();
    equal(await a.gone.first(), before.id);

    const after = await startNode({ identity, listen: [transportPart(before.address)] }, { headSlot: 5 });
    equal((await back).peer, before.id);
    await meshed([a, after], 1);
    await a.network.publish("beacon_block", new Uint8Array([1]));
    await after.gossip.first();
  });

  it("close although a peer does not answer, and more than once", async () => {
    const [node, mute] = [await startNode(), await startRawPeer()];
    for (const name of ["goodbye", "status", "blocks_by_range"] as const)
      await mute.serve(name, () => "silence");
    await mute.libp2p.dial(multiaddr(node.address));
    await Promise.all([node.network.close(), node.network.close()]);
    deepEqual(node.network.peers(), []);
  });

  it("say why they cannot start", async () => {
    const node = await startNode();
    const options = {
      identity: await createIdentity(),
      forkDigest: new Uint8Array(4),
      handlers: {
        onGossip() {},
        localStatus: () => node.status,
        onPeerStatus() {},
        onPeerDisconnected() {},
        blocks: node.blocks,
        transactions: node.transactions,
      },
    };
    const code = (expected: string) => (error: unknown) =>
      error instanceof NetworkError && error.detail.code === expected;
    await rejects(
      createNetwork({ ...options, listen: [transportPart(node.address)] }),
      code("NETWORK_CANNOT_LISTEN"),
    );
    await rejects(createNetwork({ ...options, bootstrap: ["localhost:9000"] }), code("NETWORK_BAD_ADDRESS"));
    await rejects(createNetwork({ ...options, listen: ["localhost:9000"] }), code("NETWORK_BAD_ADDRESS"));
  });
});

describe("peers: one connection", () => {
  const [lower, higher] = [
    "12D3KooWEfjkzBGyB1rRWgJMkY1iBwzS1P2WwpLtbVYiT9gg9ZPf",
    "12D3KooWNtWwxRNq4DzZoaDwJnPwaDrn8sY1X8Qc4eDprQCdsnVq",
  ];
  const raw = { remoteAddr: multiaddr("/ip4/127.0.0.1/tcp/1") } as MultiaddrConnection;

  function gaterOf(ownPeer: string) {
    const state = { nowMs: 100_000, connections: [] as Connection[], banned: false, aborted: 0 };
    const other = ownPeer === lower ? higher : lower;
    const gater = new OneConnectionGater({
      ownPeer,
      nowMs: () => state.nowMs,
      isBanned: () => state.banned,
      connectionsTo: () => state.connections,
      onDialled: () => undefined,
      intake: { refuses: () => false, identified: () => undefined },
    });
    return {
      state,
      open: () => {
        const open = state.nowMs;
        const connection = Object.assign(new EventTarget(), {
          timeline: { open },
          abort: () => state.aborted++,
        });
        state.connections.push(connection as unknown as Connection);
      },
      /** The other side refuses the connection we have. */
      refuse: () => state.connections.pop()?.dispatchEvent(new Event("close")),
      settled: () => gater.settled(other),
      /** Whether our dial, or theirs, may go on. */
      dials: () => !gater.denyOutboundEncryptedConnection(peerIdFromString(other), raw),
      isDialled: async () => !(await gater.denyInboundEncryptedConnection(peerIdFromString(other), raw)),
      mayDial: () => !gater.denyDialPeer(peerIdFromString(other)),
    };
  }

  it("is all there is with a peer", async () => {
    for (const own of [lower, higher]) {
      const gater = gaterOf(own);
      deepEqual([gater.dials(), gater.mayDial()], [true, true]);
      gater.open();
      gater.settled();
      equal(gater.dials(), false);
    }
  });

  it("of two dials that cross is the one the lower id saw first", async () => {
    for (const lowerSeesItsOwnFirst of [true, false]) {
      const low = gaterOf(lower);
      const lowsDial = lowerSeesItsOwnFirst ? low.dials() : undefined;
      const highsDialAtLow = await low.isDialled();
      deepEqual([lowsDial ?? low.dials(), highsDialAtLow], [lowerSeesItsOwnFirst, !lowerSeesItsOwnFirst]);
    }
    // The higher one takes the lower one's dial in place of its own that was refused, and only then.
    for (const isRefused of [true, false]) {
      const high = gaterOf(higher);
      equal(high.dials(), true);
      high.open();
      const accepted = high.isDialled();
      if (isRefused) high.refuse();
      equal(await accepted, isRefused);
      equal(high.state.aborted, 0);
    }
  });

  it("gives way to the dial of a peer that restarted", async () => {
    for (const own of [lower, higher]) {
      const gater = gaterOf(own);
      gater.open();
      gater.state.nowMs += 10_000;
      equal(await gater.isDialled(), true);
      equal(gater.state.aborted, 1);
    }
  });

  it("does not give way to a dial that crossed our own", async () => {
    const gater = gaterOf(lower);
    gater.open();
    equal(await gater.isDialled(), false);
    equal(gater.state.aborted, 0);
  });

  it("is none with a banned peer", async () => {
    const gater = gaterOf(lower);
    gater.state.banned = true;
    deepEqual([gater.dials(), await gater.isDialled(), gater.mayDial()], [false, false, false]);
  });

  it("is not waited for longer than it can take", async () => {
    const gater = gaterOf(lower);
    equal(gater.dials(), true);
    equal(await gater.isDialled(), false);
    gater.state.nowMs += 10_001;
    equal(await gater.isDialled(), true);
  });
});

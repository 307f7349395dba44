/** Gossip between real nodes on loopback. See gossip.md */
import { deepEqual, equal, notEqual, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { topicLimits } from "../../node/network/gossip.ts";
import { computeMessageId } from "../../node/network/gossip-codec.ts";
import {
  GOSSIP_LIMIT_BYTES,
  GOSSIP_TOPICS,
  limitBytesOf,
  SHARED_TOPICS,
  topicName,
} from "../../node/network/gossip-topics.ts";
import { NetworkError } from "../../node/network/network-error.ts";
import { PendingVerdicts } from "../../node/network/pending-verdicts.ts";
import {
  compressBlock,
  decompressBlock,
  maxCompressedBytes,
  SnappyError,
} from "../../node/network/snappy-block.ts";
import {
  decodeTransactionBatch,
  encodeTransactionBatch,
  MAX_BATCH_TRANSACTIONS,
  TransactionBatcher,
} from "../../node/network/transaction-gossip.ts";
import { toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { closeAll, connect, FORK_DIGEST, Inbox, meshed, startNode, type TestNode, until } from "./harness.ts";
import { connectRaw, startRawPeer, stopRawPeers } from "./raw-peer.ts";

const bytes = (text: string) => utf8ToBytes(text);

describe("gossip", () => {
  afterEach(async () => {
    await closeAll();
    await stopRawPeers();
  });

  describe("in a line of three", () => {
    // a - b - c
    let a: TestNode;
    let b: TestNode;
    let c: TestNode;
    beforeEach(async () => {
      [a, b, c] = [await startNode(), await startNode(), await startNode()];
      await Promise.all([connect(a, b), connect(b, c)]);
      await meshed([a, c], 1);
      await meshed([b], 2);
    });

    it("travels over a node that accepts it, uncompressed and with the sender's name", async () => {
      const block = new Uint8Array(100_000).fill(7);
      equal(await a.network.publish("beacon_block", block), 1);
      const { topic, peer, data } = await c.gossip.first();
      deepEqual({ topic, peer, data }, { topic: "beacon_block", peer: b.id, data: block });
    });

    it("carries every topic, and messages as large as the limit", async () => {
      for (const topic of SHARED_TOPICS) {
        const message = new Uint8Array(limitBytesOf(topic)).fill(SHARED_TOPICS.indexOf(topic));
        await a.network.publish(topic, message);
        deepEqual((await c.gossip.first((received) => received.topic === topic)).data, message);
      }
    });

    it("waits for the verdict before it is forwarded", async () => {
      b.verdict = ({ data }) => (data.length === 4 ? undefined : "accept");
      await a.network.publish("beacon_block", bytes("slow"));
      const { messageId } = await b.gossip.first();
      await a.network.publish("beacon_block", bytes("quick"));
      await c.gossip.first(({ data }) => data.length === 5);
      deepEqual(
        c.gossip.all.map(({ data }) => data),
        [bytes("quick")],
      );

      equal(b.network.reportVerdict(messageId, "accept"), true);
      await c.gossip.first(({ data }) => data.length === 4);
      equal(b.network.reportVerdict(messageId, "accept"), false);
    });

    it("goes no further than a node that ignores it, and nobody is blamed", async () => {
      b.verdict = ({ data }) => (data.length === 4 ? "ignore" : "accept");
      await a.network.publish("beacon_block", bytes("dull"));
      await a.network.publish("beacon_block", bytes("bright"));
      await c.gossip.first();
      deepEqual(
        c.gossip.all.map(({ data }) => data),
        [bytes("bright")],
      );
      deepEqual(b.penalties.all, []);
    });

    it("goes no further than a node that rejects it, and its sender is penalised", async () => {
      b.verdict = ({ data }) => (data.length === 3 ? "reject" : "accept");
      await a.network.publish("beacon_block", bytes("bad"));
      await a.network.publish("beacon_block", bytes("good"));
      await c.gossip.first();
      deepEqual(
        c.gossip.all.map(({ data }) => data),
        [bytes("good")],
      );
      deepEqual(
        b.penalties.all.map(({ peer, reason }) => [peer, reason]),
        [[a.id, "gossipRejected"]],
      );
      deepEqual(c.penalties.all, []);
    });

    it("is delivered once, and never to its author", async () => {
      await a.network.publish("beacon_block", bytes("once"));
      equal(await a.network.publish("beacon_block", bytes("once")), 0);
      await c.gossip.first();
      equal(await b.network.publish("beacon_block", bytes("once")), 0);
      await c.network.publish("beacon_block", bytes("last"));
      await a.gossip.first();
      deepEqual(
        [a, b, c].map(({ gossip }) => gossip.all.map(({ data }) => data)),
        [[bytes("last")], [bytes("once"), bytes("last")], [bytes("once")]],
      );
    });

    it("is not suppressed by the same bytes under another topic", async () => {
      await a.network.publish("transactions", bytes("block"));
      await a.network.publish("beacon_block", bytes("block"));
      await c.gossip.first(({ topic }) => topic === "beacon_block");
    });

    it("sends away a peer whose messages are rejected time and again", async () => {
      b.verdict = ({ peer }) => (peer === a.id ? "reject" : "accept");
      for (let i = 0; i < 5; i++) await a.network.publish("beacon_block", bytes(`bad ${i}`));
      equal(await b.gone.first(), a.id);
      deepEqual(
        b.network.peers().map(({ id }) => id),
        [c.id],
      );
    });
  });

  it("rejects what does not inflate or is too large, by the name of its sender, and delivers none of it", async () => {
    const node = await startNode();
    const hostile = await startRawPeer();
    await connectRaw(hostile, node);
    const wires = [
      bytes("not snappy at all"),
      new Uint8Array(0),
      // Says that it will inflate to 4 GiB.
      new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f, 0]),
      compressBlock(new Uint8Array(GOSSIP_LIMIT_BYTES.voluntary_exit + 1)),
    ];
    for (const [index, wire] of wires.entries()) {
      await hostile.publish("voluntary_exit", wire);
      await until(() => node.penalties.all.length === index + 1);
    }
    ok(node.penalties.all.every(({ peer, reason }) => peer === hostile.id && reason === "malformed"));
    await hostile.publish("voluntary_exit", compressBlock(bytes("fine")));
    deepEqual((await node.gossip.first()).data, bytes("fine"));
    equal(node.gossip.all.length, 1);
  });

  it("goes on after a message larger than any may be on the wire", async () => {
    const [a, b] = [await startNode(), await startNode()];
    await connect(a, b);
    await meshed([a, b], 1);
    await rejects(
      a.network.publish("beacon_block", new Uint8Array(GOSSIP_LIMIT_BYTES.beacon_block + 1)),
      (error) => error instanceof NetworkError && error.detail.code === "NETWORK_MESSAGE_TOO_LARGE",
    );
    await a.network.publish("beacon_block", bytes("next"));
    await b.gossip.first();
  });

  it("is published to nobody without an error", async () => {
    const alone = await startNode();
    equal(await alone.network.publish("beacon_block", bytes("hello?")), 0);
  });
});

describe("gossip: message ids", () => {
  const topic = topicName("beacon_block", FORK_DIGEST);

  it("hash domain, topic and data", () => {
    equal(topic, "/jurat/01020304/beacon_block/ssz_snappy");
    equal(toHex(computeMessageId(topic, bytes("data"))), GOLDEN_ID);
    notEqual(toHex(computeMessageId(topic, bytes("data"), false)), GOLDEN_ID);
    notEqual(toHex(computeMessageId(`${topic}d`, bytes("ata"))), GOLDEN_ID);
  });

  it("belong to topics that all have a limit", () => {
    deepEqual([...topicLimits(FORK_DIGEST).values()], GOSSIP_TOPICS.map(limitBytesOf));
  });
});

// Computed independently with hashlib.
const GOLDEN_ID = "0xe4979545d2614bdb947698987bac1b6b6d4fa629";

describe("gossip: compression", () => {
  it("gives back what it was given", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (data) => {
        const block = compressBlock(data);
        ok(block.length <= maxCompressedBytes(data.length));
        deepEqual(decompressBlock(block, data.length), data);
      }),
    );
  });

  it("refuses a block that would inflate beyond the limit", () => {
    throws(() => decompressBlock(compressBlock(new Uint8Array(1000)), 999), {
      detail: { code: "SNAPPY_TOO_LARGE", length: 1000, limit: 999 },
    });
  });

  it("answers any bytes with data or a SnappyError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (block) => {
        try {
          ok(decompressBlock(block, 1000).length <= 1000);
        } catch (error) {
          ok(error instanceof SnappyError);
        }
      }),
    );
  });
});

describe("gossip: waiting verdicts", () => {
  const limits = { perPeer: 2, total: 3, totalBytes: 100, timeoutMs: 1000 };

  it("are settled once", async () => {
    const pending = new PendingVerdicts(limits);
    const verdict = pending.wait("1", "a", 10, 0);
    deepEqual(
      [pending.settle("1", "reject"), pending.settle("1", "accept"), pending.settle("2", "accept")],
      [true, false, false],
    );
    equal(await verdict, "reject");
    equal(pending.size, 0);
  });

  it("are ignored when their time is over, the oldest first", async () => {
    const pending = new PendingVerdicts(limits);
    const [old, young] = [pending.wait("1", "a", 10, 0), pending.wait("2", "a", 10, 1)];
    pending.expire(999);
    equal(pending.size, 2);
    pending.expire(1000);
    equal(pending.size, 1);
    equal(await old, "ignore");
    pending.settleAll("accept");
    equal(await young, "accept");
  });

  it("are bounded per peer, in all, and in bytes; room comes back", () => {
    const pending = new PendingVerdicts(limits);
    ok(pending.wait("1", "a", 10, 0));
    ok(pending.wait("2", "a", 10, 0));
    equal(pending.wait("3", "a", 10, 0), undefined);
    equal(pending.wait("3", "b", 81, 0), undefined);
    ok(pending.wait("3", "b", 80, 0));
    equal(pending.wait("4", "c", 0, 0), undefined);
    pending.settle("1", "accept");
    ok(pending.wait("4", "a", 10, 0));
  });
});

describe("gossip: transactions in batches", () => {
  it("come out as they went in", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 120 }), (transactions) => {
        const published: Uint8Array[] = [];
        const batcher = new TransactionBatcher((batch) => published.push(batch));
        for (const transaction of transactions) batcher.add(transaction);
        batcher.flush();
        deepEqual(published.flatMap(decodeTransactionBatch), transactions);
        equal(published.length, Math.ceil(transactions.length / 100));
      }),
    );
  });

  it("leave by themselves a few milliseconds after the first", async () => {
    const published = new Inbox<Uint8Array>();
    const batcher = new TransactionBatcher((batch) => published.push(batch));
    batcher.add(bytes("one"));
    batcher.add(bytes("two"));
    equal(published.all.length, 0);
    deepEqual(decodeTransactionBatch(await published.first()), [bytes("one"), bytes("two")]);
  });

  it("stay below the limit of a message", () => {
    const published: Uint8Array[] = [];
    const batcher = new TransactionBatcher((batch) => published.push(batch));
    for (let i = 0; i < 50; i++) batcher.add(new Uint8Array(131_072));
    batcher.flush();
    equal(published.flatMap(decodeTransactionBatch).length, 50);
    for (const batch of published) ok(batch.length <= GOSSIP_LIMIT_BYTES.transactions);
  });

  it("are refused with too many members, a member too long, or broken offsets", () => {
    const one = new Uint8Array(1);
    const many = encodeTransactionBatch(Array.from({ length: MAX_BATCH_TRANSACTIONS }, () => one));
    equal(decodeTransactionBatch(many).length, MAX_BATCH_TRANSACTIONS);
    const offsets = new DataView(new ArrayBuffer(4));
    offsets.setUint32(0, 8, true);
    throws(() => decodeTransactionBatch(new Uint8Array(offsets.buffer)));
    throws(() => decodeTransactionBatch(new Uint8Array([4, 0, 0, 0, ...new Uint8Array(131_073)])));
    const tooMany = new Uint8Array(4 * (MAX_BATCH_TRANSACTIONS + 1));
    for (let i = 0; i < tooMany.length; i += 4)
      new DataView(tooMany.buffer).setUint32(i, tooMany.length, true);
    throws(() => decodeTransactionBatch(tooMany));
  });
});

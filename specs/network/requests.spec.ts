/** Requests between real nodes, and with peers that break the rules. See requests.md */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { encodeFrame, encodeSuccess, RESULT } from "../../node/network/chunks.ts";
import { GOSSIP_LIMIT_BYTES } from "../../node/network/gossip-topics.ts";
import {
  BlocksByRange,
  BlocksByRoot,
  MAX_REQUEST_BLOCKS,
  MAX_RESPONSE_BYTES,
  Status,
} from "../../node/network/messages.ts";
import { PROTOCOLS, type ProtocolName } from "../../node/network/protocols.ts";
import { RateLimiter } from "../../node/network/rate-limit.ts";
import { RequestError } from "../../node/network/request-errors.ts";
import { StreamReader, writeToStream } from "../../node/network/stream-io.ts";
import { bigIntToBytes, concatBytes, equalBytes, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { closeAll, connect, emptyStatus, startNode, type TestNode, until } from "./harness.ts";
import { connectRaw, type RawAnswer, type RawPeer, startRawPeer, stopRawPeers } from "./raw-peer.ts";
import { scriptChain, serveRange, slots } from "./scripted-chain.ts";

const range = (startSlot: number, count: number) =>
  encodeFrame(BlocksByRange.serialize({ startSlot, count }));

afterEach(async () => {
  await closeAll();
  await stopRawPeers();
});

describe("requests between honest nodes", () => {
  const chain = scriptChain(slots(1, 100));
  let asker: TestNode;
  let server: TestNode;
  beforeEach(async () => {
    [asker, server] = [await startNode(), await startNode()];
    server.blocks.blocksByRange = (startSlot, count) => serveRange(chain, startSlot, count);
    server.blocks.blockByRoot = (root) => chain.find((block) => block.root === toHex(root))?.bytes;
    await connect(asker, server);
  });

  it("brings a range of blocks in order", async () => {
    deepEqual(
      await asker.network.requestBlocksByRange(server.id, { startSlot: 11, count: 64 }),
      chain.slice(10, 74).map(({ bytes }) => bytes),
    );
    deepEqual(await asker.network.requestBlocksByRange(server.id, { startSlot: 101, count: 1 }), []);
  });

  it("brings the blocks and transactions the peer has, of those asked for", async () => {
    const [first, second] = [chain[0]!, chain[1]!];
    const wanted = [second.root, `0x${"ee".repeat(32)}`, first.root].map((root) =>
      Buffer.from(root.slice(2), "hex"),
    );
    deepEqual(await asker.network.requestBlocksByRoot(server.id, wanted), [second.bytes, first.bytes]);
    server.transactions.transactionsByHash = async (hashes) =>
      hashes.map((hash) => (hash[0] === 1 ? utf8ToBytes("transaction") : undefined));
    const hashes = [new Uint8Array(32).fill(1), new Uint8Array(32)];
    deepEqual(await asker.network.requestTransactions(server.id, hashes), [utf8ToBytes("transaction")]);
  });

  it("ends an answer at its byte limit, but never before the first block", async () => {
    const block = new Uint8Array(GOSSIP_LIMIT_BYTES.beacon_block).fill(1);
    const small = new Uint8Array(MAX_RESPONSE_BYTES / 8);
    let read = 0;
    const lazily = function* (...blocks: Uint8Array[]) {
      for (const bytes of blocks) {
        read++;
        yield bytes;
      }
    };
    server.blocks.blocksByRange = () => lazily(block, block, small);
    deepEqual(await asker.network.requestBlocksByRange(server.id, { startSlot: 0, count: 64 }), [block]);
    equal(read, 2);
    server.blocks.blocksByRange = () => lazily(...Array.from({ length: 20 }, () => small));
    equal((await asker.network.requestBlocksByRange(server.id, { startSlot: 0, count: 64 })).length, 8);
  });

  it("survives a block source that fails", async () => {
    server.blocks.blocksByRange = () => {
      throw new Error("disk");
    };
    await rejectsWith(
      "REQUEST_REFUSED",
      asker.network.requestBlocksByRange(server.id, { startSlot: 1, count: 1 }),
    );
    equal((await asker.network.requestBlocksByRoot(server.id, [new Uint8Array(32)])).length, 0);
    deepEqual(server.penalties.all, []);
  });

  it("waits for its quota instead of being refused", async () => {
    const requests = PROTOCOLS.blocks_by_range.quota.burst / MAX_REQUEST_BLOCKS + 4;
    for (let i = 0; i < requests; i++) {
      equal((await asker.network.requestBlocksByRange(server.id, { startSlot: 1, count: 64 })).length, 64);
    }
    deepEqual(server.penalties.all, []);
  });

  it("fails at once when there is no connection", async () => {
    await server.network.close();
    await asker.gone.first();
    await rejectsWith(
      "REQUEST_NOT_CONNECTED",
      asker.network.requestBlocksByRoot(server.id, [new Uint8Array(32)]),
    );
  });

  it("tells how far the peer's clock is ahead", async () => {
    const hourMs = 3_600_000;
    const ahead = await startNode({ nowMs: () => Date.now() + hourMs });
    await connect(asker, ahead);
    const offset = () => asker.network.peers().find(({ id }) => id === ahead.id)?.clockOffsetMs;
    await until(() => offset() !== undefined && ahead.network.clockOffsetMs() !== undefined);
    equal(Math.round((offset() ?? 0) / hourMs), 1);
    equal(Math.round((ahead.network.clockOffsetMs() ?? 0) / hourMs), -1);
  });
});

describe("requests that break the rules", () => {
  let node: TestNode;
  let peer: RawPeer;
  beforeEach(async () => {
    [node, peer] = [await startNode(), await startRawPeer()];
    await connectRaw(peer, node);
  });

  const broken: Record<string, [ProtocolName, Uint8Array]> = {
    "more blocks than one may ask for": ["blocks_by_range", range(1, MAX_REQUEST_BLOCKS + 1)],
    "no blocks": ["blocks_by_range", range(1, 0)],
    "no roots": ["blocks_by_root", encodeFrame(new Uint8Array(0))],
    "half a root": ["blocks_by_root", encodeFrame(new Uint8Array(48))],
    "too short a message": ["blocks_by_range", encodeFrame(new Uint8Array(15))],
    "a slot beyond 2^53": ["blocks_by_range", encodeFrame(new Uint8Array(16).fill(0xff))],
    "something after the request": ["blocks_by_range", concatBytes(range(1, 1), new Uint8Array(1))],
    "bytes that do not inflate": ["blocks_by_range", concatBytes(length(3), new Uint8Array([9, 9, 9]))],
    "a frame too large": ["blocks_by_range", length(1 << 30)],
    "a status of the wrong size": ["status", encodeFrame(new Uint8Array(3))],
  };
  for (const [name, [protocol, bytes]] of Object.entries(broken)) {
    it(`are refused and penalised: ${name}`, async () => {
      deepEqual(await peer.ask(protocol, bytes), new Uint8Array([RESULT.invalidRequest]));
      deepEqual(
        node.penalties.all.map(({ peer: blamed, reason }) => [blamed, reason]),
        [[peer.id, "malformed"]],
      );
    });
  }

  it("are answered with nothing when they end in the middle", async () => {
    deepEqual(
      await peer.ask("blocks_by_range", range(1, 1).subarray(0, 5)).catch(() => new Uint8Array(0)),
      new Uint8Array(0),
    );
    deepEqual(node.penalties.all, []);
  });

  it("are refused when they are too many, and penalised", async () => {
    const { burst } = PROTOCOLS.blocks_by_root.quota;
    const roots = encodeFrame(
      BlocksByRoot.serialize(Array.from({ length: MAX_REQUEST_BLOCKS }, () => new Uint8Array(32))),
    );
    let refused: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 4 * (burst / MAX_REQUEST_BLOCKS) && refused.length === 0; i++) {
      refused = await peer.ask("blocks_by_root", roots);
    }
    deepEqual(refused, new Uint8Array([RESULT.tooManyRequests]));
    deepEqual(
      node.penalties.all.map(({ reason }) => reason),
      ["tooManyRequests"],
    );
  });
});

describe("answers that break the rules", () => {
  const block = encodeSuccess(new Uint8Array(100));
  const broken: Record<string, [code: string, RawAnswer]> = {
    "more blocks than asked for": ["REQUEST_MALFORMED_ANSWER", () => concatBytes(block, block, block)],
    "a block too large": [
      "REQUEST_MALFORMED_ANSWER",
      () => encodeSuccess(new Uint8Array(GOSSIP_LIMIT_BYTES.beacon_block + 1)),
    ],
    "a length too large": [
      "REQUEST_MALFORMED_ANSWER",
      () => concatBytes(new Uint8Array([0]), length(0xffffffff)),
    ],
    "more bytes in all than an answer may hold": [
      "REQUEST_MALFORMED_ANSWER",
      () => {
        const large = encodeSuccess(new Uint8Array(GOSSIP_LIMIT_BYTES.beacon_block));
        return concatBytes(large, large);
      },
    ],
    "bytes that do not inflate": [
      "REQUEST_MALFORMED_ANSWER",
      () => concatBytes(new Uint8Array([0]), length(3), new Uint8Array([9, 9, 9])),
    ],
    "half a block": ["REQUEST_FAILED", () => block.subarray(0, 7)],
    "a refusal": ["REQUEST_REFUSED", () => new Uint8Array([RESULT.serverError])],
    "an unknown result": ["REQUEST_REFUSED", () => new Uint8Array([77])],
    "a stream that is reset": [
      "REQUEST_FAILED",
      (stream: Stream) => {
        stream.abort(new Error("no"));
        return "silence";
      },
    ],
  };
  for (const [name, [code, answer]] of Object.entries(broken)) {
    it(`fail as ${code}: ${name}`, async () => {
      const [node, peer] = [await startNode(), await startRawPeer()];
      await peer.serve("blocks_by_range", answer);
      await connectRaw(peer, node);
      await rejectsWith(code, node.network.requestBlocksByRange(peer.id, { startSlot: 1, count: 2 }));
      deepEqual(
        node.penalties.all.map(({ reason }) => reason),
        code === "REQUEST_MALFORMED_ANSWER" ? ["malformed"] : [],
      );
    });
  }

  it("end when their time is over, and leave no stream behind", async () => {
    const [node, peer] = [await startNode({ limits: { requestTimeoutMs: 500 } }), await startRawPeer()];
    const { promise: served, resolve } = Promise.withResolvers<Stream>();
    await peer.serve("blocks_by_range", (stream) => {
      resolve(stream);
      return "silence";
    });
    await connectRaw(peer, node);
    const request = node.network.requestBlocksByRange(peer.id, { startSlot: 1, count: 2 });
    const stream = await served;
    const closed = new Promise((end) => stream.addEventListener("close", end));
    await rejectsWith("REQUEST_TIMED_OUT", request);
    await closed;
  });

  it("count as far as they go before a refusal", async () => {
    const [node, peer] = [await startNode(), await startRawPeer()];
    await peer.serve("blocks_by_range", () => concatBytes(block, new Uint8Array([RESULT.serverError])));
    await connectRaw(peer, node);
    const blocks = await node.network.requestBlocksByRange(peer.id, { startSlot: 1, count: 2 });
    equal(blocks.length, 1);
  });

  it("end when the node closes", async () => {
    const [node, peer] = [await startNode(), await startRawPeer()];
    await peer.serve("blocks_by_range", () => "silence");
    await connectRaw(peer, node);
    const request = node.network.requestBlocksByRange(peer.id, { startSlot: 1, count: 2 });
    await Promise.all([rejectsWith("REQUEST_FAILED", request), node.network.close()]);
  });
});

describe("streams", () => {
  it("hold the sender back while nobody reads, and lose nothing", async () => {
    const [source, sink] = [await startRawPeer(), await startRawPeer()];
    const piece = (index: number) => new Uint8Array(64 << 10).fill(index & 0xff);
    const total = 512;
    let sent = 0;
    await source.libp2p.handle("/spec/flood", async (stream) => {
      for (; sent < total; sent++) await writeToStream(stream, piece(sent));
      await stream.close();
    });
    const connection = await sink.libp2p.dial(multiaddr(source.address));
    const stream = await connection.newStream("/spec/flood");
    const reader = new StreamReader(stream);
    stream.send(new Uint8Array(1));
    const first = await reader.read(1);
    // The sender stands still once two looks at it, with a round trip between, are the same.
    for (let seen = -1; seen !== sent; ) {
      seen = sent;
      await sink.libp2p.services.ping.ping(connection.remotePeer);
      for (let i = 0; i < 100; i++) await setImmediate();
    }
    ok(sent < total / 2, `${sent} of ${total} pieces went out unread`);

    deepEqual(first, new Uint8Array(1));
    await reader.read(piece(0).length - 1);
    for (let i = 1; i < total; i++)
      ok(equalBytes((await reader.read(piece(i).length))!, piece(i)), `piece ${i}`);
    equal(sent, total);
    await stream.close();
    equal(await reader.read(1), undefined);
  });
});

describe("quotas", () => {
  it("are spent, refused, and come back with time", () => {
    let nowMs = 0;
    const limiter = new RateLimiter({ burst: 10, perSecond: 5 }, { burst: 15, perSecond: 100 }, () => nowMs);
    equal(limiter.take("a", 10), "granted");
    equal(limiter.take("a", 1), "peer");
    equal(limiter.take("b", 6), "all");
    equal(limiter.take("b", 5), "granted");
    equal(limiter.waitMs("a", 5), 1000);
    nowMs += 1000;
    equal(limiter.take("a", 5), "granted");
    equal(limiter.take("a", 1), "peer");
    nowMs += 1_000_000;
    equal(limiter.take("a", 11), "peer");
    equal(limiter.take("a", 10), "granted");
  });
});

describe("messages", () => {
  it("keep their bytes", () => {
    const status = { ...emptyStatus(), headSlot: 5, clockMs: 1_700_000_000_000 };
    equal(Status.serialize(status).length, 204);
    deepEqual(Status.deserialize(Status.serialize(status)), status);
    equal(toHex(BlocksByRange.serialize({ startSlot: 258, count: 3 })), "0x02010000000000000300000000000000");
  });
});

function length(bytes: number): Uint8Array {
  return bigIntToBytes(BigInt(bytes), 4).reverse();
}

async function rejectsWith(code: string, request: Promise<unknown>): Promise<void> {
  await rejects(request, (error) => {
    ok(error instanceof RequestError, String(error));
    equal(error.detail.code, code);
    return true;
  });
}

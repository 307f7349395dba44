/** Gossip on the wire: compression, message ids, and what to do with bytes that do not inflate. See specs/network/gossip.md#message-ids */
import { createHash, randomBytes } from "node:crypto";
import type { GossipsubOpts, Message } from "@chainsafe/libp2p-gossipsub";
import xxhash from "xxhash-wasm";
import { bigIntToBytes, bytesToBigInt, utf8ToBytes } from "../../primitives/bytes.ts";
import { compressBlock, decompressBlock, SnappyError, type SnappyErrorDetail } from "./snappy-block.ts";

/** First bytes of what a message id hashes (consensus-specs v1.5.0, phase0/p2p-interface.md, Gossip domain). */
const VALID_SNAPPY = new Uint8Array([1, 0, 0, 0]);
const INVALID_SNAPPY = new Uint8Array([0, 0, 0, 0]);
const MESSAGE_ID_BYTES = 20;

type WireOptions = Pick<GossipsubOpts, "dataTransform" | "msgIdFn" | "msgIdToStrFn" | "fastMsgIdFn">;

export interface GossipCodec {
  readonly options: WireOptions;
  /** Why the bytes of this message did not inflate; undefined when they did. */
  malformation(data: Uint8Array): SnappyErrorDetail | undefined;
  /** Hex of the message id. */
  messageId(topic: string, data: Uint8Array): string;
}

/**
 * @param limitBytes uncompressed limit per topic string; other topics are not let in by gossipsub.
 *
 * gossipsub drops a message that fails to inflate without telling whose it was. So such bytes pass through
 * as they are, marked, and the validator rejects them by name.
 */
export async function createGossipCodec(limitBytes: ReadonlyMap<string, number>): Promise<GossipCodec> {
  const { h64Raw } = await xxhash();
  // A secret seed: nobody can prepare bytes that collide with an honest message and so suppress it.
  const seed = bytesToBigInt(randomBytes(8));
  const malformed = new WeakMap<Uint8Array, SnappyErrorDetail>();
  const ids = new WeakMap<Uint8Array, Uint8Array>();

  function inboundTransform(topic: string, data: Uint8Array): Uint8Array {
    try {
      return decompressBlock(data, limitBytes.get(topic) ?? 0);
    } catch (error) {
      if (!(error instanceof SnappyError)) throw error;
      malformed.set(data, error.detail);
      return data;
    }
  }

  function idOf(topic: string, data: Uint8Array): Uint8Array {
    const known = ids.get(data);
    if (known !== undefined) return known;
    const id = computeMessageId(topic, data, !malformed.has(data));
    ids.set(data, id);
    return id;
  }

  return {
    options: {
      dataTransform: { inboundTransform, outboundTransform: (_topic, data) => compressBlock(data) },
      msgIdFn: (message: Message) => idOf(message.topic, message.data),
      msgIdToStrFn: idToString,
      // The topic is part of it, or the bytes of a block sent under another topic would suppress the block.
      fastMsgIdFn: ({ topic, data }) => `${topic}:${h64Raw(data ?? new Uint8Array(0), seed).toString(16)}`,
    },
    malformation: (data) => malformed.get(data),
    messageId: (topic, data) => idToString(idOf(topic, data)),
  };
}

/** SHA-256 of domain, topic length, topic and data, its first 20 bytes. */
export function computeMessageId(topic: string, data: Uint8Array, isValidSnappy = true): Uint8Array {
  const name = utf8ToBytes(topic);
  return createHash("sha256")
    .update(isValidSnappy ? VALID_SNAPPY : INVALID_SNAPPY)
    .update(bigIntToBytes(BigInt(name.length), 8).reverse())
    .update(name)
    .update(data)
    .digest()
    .subarray(0, MESSAGE_ID_BYTES);
}

function idToString(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString("hex");
}

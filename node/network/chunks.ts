/** Frames on a request stream: length, snappy block, and in answers a result byte. See specs/network/requests.md#frames */
import { bigIntToBytes, bytesToBigInt, concatBytes } from "../../primitives/bytes.ts";
import { StreamError } from "./request-errors.ts";
import { compressBlock, decompressBlock, maxCompressedBytes } from "./snappy-block.ts";
import type { StreamReader } from "./stream-io.ts";

/** First byte of each answer chunk. Anything but success ends the answer and carries no bytes. */
export const RESULT = { success: 0, invalidRequest: 1, serverError: 2, tooManyRequests: 3 } as const;

const LENGTH_BYTES = 4;

/** `length (4 bytes, little-endian) ‖ snappy block`. */
export function encodeFrame(data: Uint8Array): Uint8Array {
  const block = compressBlock(data);
  return concatBytes(bigIntToBytes(BigInt(block.length), LENGTH_BYTES).reverse(), block);
}

export function encodeSuccess(data: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array([RESULT.success]), encodeFrame(data));
}

/**
 * One frame of at most `limitBytes` uncompressed; undefined when the stream is over.
 * @throws StreamError or SnappyError
 */
export async function readFrame(reader: StreamReader, limitBytes: number): Promise<Uint8Array | undefined> {
  const prefix = await reader.read(LENGTH_BYTES);
  if (prefix === undefined) return undefined;
  const length = Number(bytesToBigInt(prefix.slice().reverse()));
  const limit = maxCompressedBytes(limitBytes);
  if (length > limit) throw new StreamError({ code: "STREAM_FRAME_TOO_LARGE", length, limit });
  const block = await reader.read(length);
  if (block === undefined) throw new StreamError({ code: "STREAM_ENDED" });
  return decompressBlock(block, limitBytes);
}

export interface Answer {
  readonly chunks: Uint8Array[];
  /** RESULT.success, or why the responder stopped. */
  readonly result: number;
}

export interface AnswerLimits {
  readonly chunks: number;
  readonly chunkBytes: number;
  readonly totalBytes: number;
}

/** Reads until the end, a refusal, or a broken limit. @throws StreamError or SnappyError */
export async function readAnswer(reader: StreamReader, limits: AnswerLimits): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const result = (await reader.read(1))?.[0];
    if (result === undefined) return { chunks, result: RESULT.success };
    if (result !== RESULT.success) return { chunks, result };
    if (chunks.length === limits.chunks) throw new StreamError({ code: "STREAM_MALFORMED" });
    const data = await readFrame(reader, limits.chunkBytes);
    if (data === undefined) throw new StreamError({ code: "STREAM_ENDED" });
    total += data.length;
    if (total > limits.totalBytes) {
      throw new StreamError({ code: "STREAM_FRAME_TOO_LARGE", length: total, limit: limits.totalBytes });
    }
    chunks.push(data);
  }
}

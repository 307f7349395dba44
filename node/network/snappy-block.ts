/** Raw snappy blocks. The length is read before anything is inflated. See specs/network/gossip.md#compression */
import snappy from "snappy";
import { CodedError } from "../../primitives/errors.ts";

export type SnappyErrorDetail =
  | { readonly code: "SNAPPY_TOO_LARGE"; readonly length: number; readonly limit: number }
  | { readonly code: "SNAPPY_CORRUPT" };

export class SnappyError extends CodedError<SnappyErrorDetail> {}

/** Most bytes that `length` bytes can become (snappy's own bound). */
export function maxCompressedBytes(length: number): number {
  return 32 + length + Math.floor(length / 6);
}

export function compressBlock(data: Uint8Array): Uint8Array {
  return plainBytes(snappy.compressSync(data));
}

/** @throws SnappyError when the block is corrupt or would inflate to more than `limitBytes`. */
export function decompressBlock(block: Uint8Array, limitBytes: number): Uint8Array {
  const length = readLength(block);
  if (length > limitBytes) throw new SnappyError({ code: "SNAPPY_TOO_LARGE", length, limit: limitBytes });
  try {
    return plainBytes(snappy.uncompressSync(block, { asBuffer: true }) as Buffer);
  } catch (cause) {
    throw new SnappyError({ code: "SNAPPY_CORRUPT" }, { cause });
  }
}

/** The uncompressed length in front of a block: a little-endian base-128 number below 2^32. */
function readLength(block: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw new SnappyError({ code: "SNAPPY_CORRUPT" });
}

/** Without Buffer's prototype: its `slice` shares memory where Uint8Array's copies. */
function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

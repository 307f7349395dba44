/** Files of finalized blocks: which slots they hold, and their bytes. See specs/node/db.md#files. */
import { concatBytes, equalBytes, fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { compressBlock, decompressBlock, SnappyError } from "../network/snappy-block.ts";

/** Slots of one file, as in Ethereum's era files. */
export const SLOTS_PER_FILE = 8192;
/** Uncompressed bytes of a block that a file may hold; gossip allows less. */
const BLOCK_LIMIT_BYTES = 4 << 20;
/** e2store: two bytes of type, four of length (little-endian), two reserved. */
const HEADER_BYTES = 8;
const TYPE = { version: 0x3265, genesis: 0x474a, block: 0x424a } as const;

export type BlockFileErrorDetail =
  | { readonly code: "BLOCK_FILE_CHECKSUM"; readonly path: string }
  | { readonly code: "BLOCK_FILE_MALFORMED"; readonly path: string; readonly reason: string }
  | {
      readonly code: "BLOCK_FILE_WRONG_CHAIN";
      readonly path: string;
      readonly expected: Hash;
      readonly actual: Hash;
    }
  | { readonly code: "BLOCK_FILE_MISSING"; readonly path: string }
  | {
      readonly code: "BLOCK_FILE_REFUSED";
      readonly path: string;
      readonly slot: number;
      readonly reason: string;
    };

/** A file that is not what it should be, or whose blocks the chain does not take. */
export class BlockFileError extends CodedError<BlockFileErrorDetail> {}

/** `jurat-1a2b3c4d-00000000-00008191.e2s`: genesis root, first and last slot. */
export function blockFileName(genesisRoot: Hash, index: number): string {
  const slot = (number: number) => String(number).padStart(8, "0");
  const first = index * SLOTS_PER_FILE;
  return `jurat-${genesisRoot.slice(2, 10)}-${slot(first)}-${slot(first + SLOTS_PER_FILE - 1)}.e2s`;
}

export function encodeBlockFile(genesisRoot: Hash, blocks: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    ...record(TYPE.version, new Uint8Array(0)),
    ...record(TYPE.genesis, fromHex(genesisRoot)),
    ...blocks.flatMap((block) => record(TYPE.block, compressBlock(block))),
  );
}

function record(type: number, data: Uint8Array): readonly Uint8Array[] {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint16(0, type, true);
  header.setUint32(2, data.length, true);
  return [new Uint8Array(header.buffer), data];
}

/**
 * The encoded blocks, in order. Records of other types are passed over.
 * @throws BlockFileError MALFORMED, WRONG_CHAIN
 */
export function* decodeBlockFile(path: string, genesisRoot: Hash, bytes: Uint8Array): Iterable<Uint8Array> {
  const malformed = (reason: string) => new BlockFileError({ code: "BLOCK_FILE_MALFORMED", path, reason });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let seen = 0;
  for (let at = 0; at < bytes.length; seen++) {
    if (at + HEADER_BYTES > bytes.length) throw malformed("it ends within a record's head");
    const type = view.getUint16(at, true);
    const start = at + HEADER_BYTES;
    at = start + view.getUint32(at + 2, true);
    if (at > bytes.length) throw malformed("it ends within a record");
    const data = bytes.subarray(start, at);
    if (seen === 0 && type !== TYPE.version) throw malformed("it does not begin as a file of blocks");
    if (seen === 1) {
      if (type !== TYPE.genesis || data.length !== 32) throw malformed("it does not name its chain");
      if (!equalBytes(data, fromHex(genesisRoot))) {
        const detail = { path, expected: genesisRoot, actual: toHex(data) };
        throw new BlockFileError({ code: "BLOCK_FILE_WRONG_CHAIN", ...detail });
      }
    }
    if (type === TYPE.block) yield uncompressed(data, malformed);
  }
  if (seen < 2) throw malformed("it does not name its chain");
}

function uncompressed(data: Uint8Array, malformed: (reason: string) => BlockFileError): Uint8Array {
  try {
    return decompressBlock(data, BLOCK_LIMIT_BYTES);
  } catch (error) {
    if (!(error instanceof SnappyError)) throw error;
    throw malformed(`a block does not decompress (${error.detail.code})`);
  }
}

/** What a block asks of the consensus layer: deposits and exits (EIP-7685). See specs/vm/execute-block.md#requests. */
import {
  type Address,
  bytesToBigInt,
  concatBytes,
  type Hash,
  toHex,
  utf8ToBytes,
} from "../primitives/bytes.ts";
import { keccak256 } from "../primitives/hash.ts";
import type { Log } from "./block.ts";
import { InvalidBlockError } from "./invalid-block.ts";

export const DEPOSIT_REQUEST_TYPE = 0;
export const EXIT_REQUEST_TYPE = 1;

/** First topic of every deposit's log. */
export const DEPOSIT_EVENT_TOPIC: Hash = toHex(
  keccak256(utf8ToBytes("DepositEvent(bytes,bytes,bytes,bytes,bytes)")),
);

/** Public key, withdrawal credentials, amount (Gwei, little-endian), signature, index (little-endian). */
const DEPOSIT_FIELD_SIZES = [48, 32, 8, 96, 8] as const;
/** ABI encoding of five byte strings: five offsets, then each one's length and padded bytes. */
const DEPOSIT_LOG_BYTES = 576;
const WORD = 32;

/** Type byte and data. */
export function encodeRequest(type: number, data: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(type), data);
}

/**
 * The deposits the block's logs announce, as one request, or none.
 * @throws InvalidBlockError when the deposit contract logged what is no deposit (EIP-6110).
 */
export function depositRequests(logs: readonly Log[], depositContract: Address): readonly Uint8Array[] {
  const deposits = logs
    .filter((log) => log.address === depositContract && log.topics[0] === DEPOSIT_EVENT_TOPIC)
    .map((log) => readDeposit(log.data));
  return deposits.length === 0 ? [] : [encodeRequest(DEPOSIT_REQUEST_TYPE, concatBytes(...deposits))];
}

/** The five fields joined, 192 bytes. */
function readDeposit(data: Uint8Array): Uint8Array {
  if (data.length !== DEPOSIT_LOG_BYTES) throw new InvalidBlockError({ code: "BLOCK_DEPOSIT_LOG_INVALID" });
  const fields: Uint8Array[] = [];
  let offset = DEPOSIT_FIELD_SIZES.length * WORD;
  for (const [index, size] of DEPOSIT_FIELD_SIZES.entries()) {
    if (wordAt(data, index * WORD) !== BigInt(offset) || wordAt(data, offset) !== BigInt(size)) {
      throw new InvalidBlockError({ code: "BLOCK_DEPOSIT_LOG_INVALID" });
    }
    fields.push(data.subarray(offset + WORD, offset + WORD + size));
    offset += WORD + Math.ceil(size / WORD) * WORD;
  }
  return concatBytes(...fields);
}

function wordAt(data: Uint8Array, offset: number): bigint {
  return bytesToBigInt(data.subarray(offset, offset + WORD));
}

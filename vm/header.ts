/** Bytes and hash of an Ethereum header. See specs/vm/block.md#header. */
import {
  bigIntToMinimalBytes,
  fromHex,
  type Hash,
  toHex,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "../primitives/bytes.ts";
import { keccak256 } from "../primitives/hash.ts";
import { decodeRlp, encodeRlp, type RlpItem } from "../primitives/rlp.ts";
import type { Header } from "./block.ts";
import { readAddress, readBytes, readHash, readInteger, readList, readSafeInteger } from "./rlp-fields.ts";

/** Fields every header ever had, and those of the newest fork known here (Prague). */
const FIELDS_MINIMUM = 15;
const FIELDS_MAXIMUM = 21;

/** keccak256(rlp([])): there are no ommers under proof of stake. */
export const EMPTY_OMMERS_HASH: Hash = toHex(keccak256(encodeRlp([])));
export const ZERO_NONCE = new Uint8Array(8);
export const ZERO_BLOOM = new Uint8Array(256);

/** What every header of this chain has in common. */
export const PROOF_OF_STAKE_FIELDS = {
  ommersHash: EMPTY_OMMERS_HASH,
  difficulty: 0n,
  nonce: ZERO_NONCE,
  blobGasUsed: 0n,
  excessBlobGas: 0n,
} as const;

/** Address and hash fields of a block nobody proposed. */
export const UNPROPOSED_FIELDS = {
  feeRecipient: ZERO_ADDRESS,
  prevRandao: ZERO_HASH,
  parentBeaconBlockRoot: ZERO_HASH,
} as const;

export function headerHash(header: Header): Hash {
  return toHex(keccak256(encodeHeader(header)));
}

export function encodeHeader(header: Header): Uint8Array {
  return encodeRlp(headerItem(header));
}

/** A header as a member of a block's list. */
export function headerItem(header: Header): RlpItem {
  return [
    fromHex(header.parentHash),
    fromHex(header.ommersHash),
    fromHex(header.feeRecipient),
    fromHex(header.stateRoot),
    fromHex(header.transactionsRoot),
    fromHex(header.receiptsRoot),
    header.logsBloom,
    bigIntToMinimalBytes(header.difficulty),
    bigIntToMinimalBytes(BigInt(header.number)),
    bigIntToMinimalBytes(header.gasLimit),
    bigIntToMinimalBytes(header.gasUsed),
    bigIntToMinimalBytes(BigInt(header.timestamp)),
    header.extraData,
    fromHex(header.prevRandao),
    header.nonce,
    ...laterFields(header),
  ];
}

/** Fields of later forks follow in order of appearance; the first that is absent ends the header. */
function laterFields(header: Header): readonly RlpItem[] {
  const { baseFeePerGas, withdrawalsRoot, blobGasUsed, excessBlobGas } = header;
  const { parentBeaconBlockRoot, requestsHash } = header;
  const items = [
    baseFeePerGas === undefined ? undefined : bigIntToMinimalBytes(baseFeePerGas),
    withdrawalsRoot === undefined ? undefined : fromHex(withdrawalsRoot),
    blobGasUsed === undefined ? undefined : bigIntToMinimalBytes(blobGasUsed),
    excessBlobGas === undefined ? undefined : bigIntToMinimalBytes(excessBlobGas),
    parentBeaconBlockRoot === undefined ? undefined : fromHex(parentBeaconBlockRoot),
    requestsHash === undefined ? undefined : fromHex(requestsHash),
  ];
  const present: RlpItem[] = [];
  for (const item of items) {
    if (item === undefined) break;
    present.push(item);
  }
  return present;
}

/** @throws RlpError or FieldError when `bytes` are not the canonical encoding of a header. */
export function decodeHeader(bytes: Uint8Array): Header {
  return readHeader(decodeRlp(bytes));
}

/** @throws FieldError */
export function readHeader(item: RlpItem | undefined): Header {
  const fields = readList(item, "header", FIELDS_MINIMUM, FIELDS_MAXIMUM);
  const [parentHash, ommersHash, feeRecipient, stateRoot, transactionsRoot, receiptsRoot, logsBloom] = fields;
  const [difficulty, number, gasLimit, gasUsed, timestamp, extraData, prevRandao, nonce] = fields.slice(7);
  return {
    parentHash: readHash(parentHash, "parentHash"),
    ommersHash: readHash(ommersHash, "ommersHash"),
    feeRecipient: readAddress(feeRecipient, "feeRecipient"),
    stateRoot: readHash(stateRoot, "stateRoot"),
    transactionsRoot: readHash(transactionsRoot, "transactionsRoot"),
    receiptsRoot: readHash(receiptsRoot, "receiptsRoot"),
    logsBloom: readBytes(logsBloom, "logsBloom", 256),
    difficulty: readInteger(difficulty, "difficulty", 32),
    number: readSafeInteger(number, "number"),
    gasLimit: readInteger(gasLimit, "gasLimit", 8),
    gasUsed: readInteger(gasUsed, "gasUsed", 8),
    timestamp: readSafeInteger(timestamp, "timestamp"),
    extraData: readBytes(extraData, "extraData"),
    prevRandao: readHash(prevRandao, "prevRandao"),
    nonce: readBytes(nonce, "nonce", 8),
    ...readLaterFields(fields.slice(FIELDS_MINIMUM)),
  };
}

function readLaterFields(fields: readonly RlpItem[]): Partial<Header> {
  const [baseFeePerGas, withdrawalsRoot, blobGasUsed, excessBlobGas, beaconRoot, requestsHash] = fields;
  return {
    ...(baseFeePerGas && { baseFeePerGas: readInteger(baseFeePerGas, "baseFeePerGas", 32) }),
    ...(withdrawalsRoot && { withdrawalsRoot: readHash(withdrawalsRoot, "withdrawalsRoot") }),
    ...(blobGasUsed && { blobGasUsed: readInteger(blobGasUsed, "blobGasUsed", 8) }),
    ...(excessBlobGas && { excessBlobGas: readInteger(excessBlobGas, "excessBlobGas", 8) }),
    ...(beaconRoot && { parentBeaconBlockRoot: readHash(beaconRoot, "parentBeaconBlockRoot") }),
    ...(requestsHash && { requestsHash: readHash(requestsHash, "requestsHash") }),
  };
}

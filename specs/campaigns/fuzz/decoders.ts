/** Decoders of outside bytes that take them as they are, with real messages and the errors they may throw. */
import { deflateRawSync } from "node:zlib";
import { decryptKeystore, parseKeystore } from "../../../keys/keystore.ts";
import { parseChainSpec } from "../../../node/chain-spec.ts";
import { blockFileName, decodeBlockFile, encodeBlockFile } from "../../../node/db/block-file.ts";
import { ChainSpecError } from "../../../node/genesis/spec-issues.ts";
import { encodeFrame, encodeSuccess, readAnswer, readFrame } from "../../../node/network/chunks.ts";
import {
  BlocksByRange,
  BlocksByRoot,
  GOODBYE_REASON,
  Goodbye,
  Status,
  TransactionsByHash,
} from "../../../node/network/messages.ts";
import { StreamError } from "../../../node/network/request-errors.ts";
import { compressBlock, decompressBlock } from "../../../node/network/snappy-block.ts";
import type { StreamReader } from "../../../node/network/stream-io.ts";
import { decodeTransactionBatch, encodeTransactionBatch } from "../../../node/network/transaction-gossip.ts";
import type { Watermarks } from "../../../node/storage/slashing-protection.ts";
import { encodeInterchange, parseInterchange } from "../../../node/validator/interchange.ts";
import { utf8ToBytes } from "../../../primitives/bytes.ts";
import { CodedError } from "../../../primitives/errors.ts";
import { decodeRlp, encodeRlp } from "../../../primitives/rlp.ts";
import { NetworkParamsError, parseNetworkParams } from "../../../testnet/network-params.ts";
import { decodeContainer, ENGINE_ID, encodeContainer, unpackSource } from "../../../vm/contract/container.ts";
import { decodeTransaction, type UnsignedTransaction } from "../../../vm/transaction-codec.ts";
import { recoverTransaction, signTransaction } from "../../../vm/transaction-signature.ts";
import { decryptKeystore as decryptWalletKeystore, encryptKeystore } from "../../../wallet-cli/keystore.ts";
import { WalletError } from "../../../wallet-cli/wallet-error.ts";
import { account, transfer } from "../../support/pool-transactions.ts";
import { isSlow, PASSWORD, secret, validatorKeystore, walletKdfParams } from "./quick-keystores.ts";

export type Decoder = {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  read(bytes: Uint8Array): unknown;
  isExpected(error: unknown): boolean;
};

const isCoded = (error: unknown): boolean => error instanceof CodedError;
/** SSZ's library throws plain errors, and a DataView's for offsets beyond the end; whoever calls it expects both. */
const isSszError = (error: unknown): boolean =>
  error instanceof Error && (error.constructor === Error || error instanceof RangeError);
const GENESIS = `0x${"12".repeat(32)}` as const;
const LIMIT = 1 << 16;
const CHAIN_SPEC = {
  ...{ name: "x", preset: "testnet", chainId: 8700, genesisTime: 1_800_000_000 },
  validators: [
    {
      publicKey: `0x${"aa".repeat(48)}`,
      withdrawalCredentials: `0x${"00".repeat(32)}`,
      stakeGwei: "32000000000",
    },
  ],
  alloc: { [`0x${"11".repeat(20)}`]: { balance: "0x1" } },
};

const WATERMARKS: Watermarks = {
  publicKey: `0x${"ab".repeat(48)}`,
  attestation: { sourceEpoch: 1, targetEpoch: 2, signingRoot: GENESIS },
  block: { slot: 7, signingRoot: undefined },
};

/** A stream that has all its bytes already. */
function readerOf(bytes: Uint8Array): StreamReader {
  let at = 0;
  const read = async (length: number) => {
    if (at === bytes.length && length > 0) return undefined;
    if (at + length > bytes.length) throw new StreamError({ code: "STREAM_ENDED" });
    at += length;
    return bytes.subarray(at - length, at);
  };
  return { read } as unknown as StreamReader;
}

const status = Status.serialize(Status.defaultValue());
const range = BlocksByRange.serialize({ startSlot: 7, count: 64 });
const hashes = TransactionsByHash.serialize([1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)));
const goodbye = Goodbye.serialize(GOODBYE_REASON.fault);
const REQUEST_TYPES = [Status, BlocksByRange, BlocksByRoot, TransactionsByHash, Goodbye];
const raws = [3, 4].map((index) => {
  const transaction = transfer(account(index), index).transaction as UnsignedTransaction;
  return signTransaction(transaction, secret).raw;
});
const legacy = encodeRlp([1, 2, 3, 4, 5, 6, 7, 8, 9].map((byte) => Uint8Array.of(byte)));

export const DECODERS: readonly Decoder[] = [
  {
    name: "RLP",
    seeds: [legacy, encodeRlp([[Uint8Array.of(1)], [[]], new Uint8Array(60)])],
    read: decodeRlp,
    isExpected: isCoded,
  },
  { name: "transactions", seeds: [...raws, legacy], read: decodeTransaction, isExpected: isCoded },
  { name: "senders of transactions", seeds: raws, read: recoverTransaction, isExpected: isCoded },
  {
    name: "batches of transactions",
    seeds: [encodeTransactionBatch(raws), encodeTransactionBatch([])],
    read: decodeTransactionBatch,
    isExpected: isSszError,
  },
  {
    name: "snappy blocks",
    seeds: [compressBlock(status), compressBlock(new Uint8Array(5000).fill(3))],
    read: (bytes) => decompressBlock(bytes, LIMIT),
    isExpected: isCoded,
  },
  {
    name: "request frames",
    seeds: [status, range, hashes, goodbye].map(encodeFrame),
    async read(bytes) {
      const frame = await readFrame(readerOf(bytes), LIMIT);
      if (frame !== undefined) decodeRequest(frame);
    },
    isExpected: isCoded,
  },
  {
    name: "answers",
    seeds: [Buffer.concat([encodeSuccess(status), encodeSuccess(range)]), Uint8Array.of(2)],
    read: (bytes) => readAnswer(readerOf(bytes), { chunks: 8, chunkBytes: LIMIT, totalBytes: 2 * LIMIT }),
    isExpected: isCoded,
  },
  {
    name: "contract containers",
    seeds: [containerSeed("counter"), containerSeed("token")],
    read(bytes) {
      unpackSource(decodeContainer(bytes).container);
    },
    isExpected: isCoded,
  },
  {
    name: "files of blocks",
    seeds: [encodeBlockFile(GENESIS, [status, range])],
    read: (bytes) => [...decodeBlockFile(blockFileName(GENESIS, 0), GENESIS, bytes)],
    isExpected: isCoded,
  },
  {
    name: "validator keystores",
    seeds: [validatorKeystore("pbkdf2"), validatorKeystore("scrypt")],
    read(bytes) {
      const keystore = parseKeystore(textOf(bytes));
      if (!isSlow(keystore.crypto.kdf.params)) decryptKeystore(keystore, PASSWORD);
    },
    isExpected: isCoded,
  },
  {
    name: "wallet keystores",
    seeds: [utf8ToBytes(encryptKeystore(secret, PASSWORD, 2))],
    read(bytes) {
      const text = textOf(bytes);
      if (!isSlow(walletKdfParams(text))) decryptWalletKeystore(text, PASSWORD);
    },
    isExpected: (error) => error instanceof WalletError,
  },
  {
    name: "chain specs",
    seeds: [utf8ToBytes(JSON.stringify(CHAIN_SPEC))],
    read: (bytes) => parseChainSpec(textOf(bytes), "chain.json"),
    isExpected: (error) => error instanceof ChainSpecError,
  },
  {
    name: "slashing protection",
    seeds: [utf8ToBytes(encodeInterchange([WATERMARKS], GENESIS))],
    read: (bytes) => parseInterchange(textOf(bytes), GENESIS),
    isExpected: isCoded,
  },
  {
    name: "network parameters",
    seeds: [
      utf8ToBytes("participants:\n  - {el_type: jurat, count: 3}\nnetwork_params: {seconds_per_slot: 2}\n"),
    ],
    read: (bytes) => parseNetworkParams(textOf(bytes), "network.yaml"),
    isExpected: (error) => error instanceof NetworkParamsError,
  },
];

/** Whatever was asked for: the protocol's name, not the bytes, says what they are. */
function decodeRequest(frame: Uint8Array): void {
  for (const type of REQUEST_TYPES) {
    try {
      type.deserialize(frame);
    } catch (error) {
      if (!isSszError(error)) throw error;
    }
  }
}

function containerSeed(name: string): Uint8Array {
  const source = utf8ToBytes(`export default "${name}"; ${"// padding\n".repeat(20)}`);
  return encodeContainer({
    engineId: ENGINE_ID,
    isUpgradeable: false,
    rawLength: source.length,
    packed: new Uint8Array(deflateRawSync(source)),
    metadataHash: new Uint8Array(32),
  });
}

/** As a file is read: bytes that are no UTF-8 become replacement characters. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

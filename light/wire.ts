/** Certificates, blocks and sets as JSON, and back from JSON that anyone may have sent. See specs/light/light-client.md#json. */
import { fromHexOfLength, toHex } from "../primitives/bytes.ts";
import type { FinalizedBlock } from "./light-client.ts";
import { LightError } from "./light-error.ts";
import type { SetProof } from "./set-change.ts";
import type { ValidatorSet } from "./validator-set.ts";

/** Groups of votes in a certificate: one per slot of an epoch and head voted for. */
export const VOTE_GROUPS_LIMIT = 256;
/** Siblings in a branch: deeper than any state. */
const BRANCH_LIMIT = 64;
/** Validators of a set; bounds what a client may be made to hash. */
export const LIGHT_VALIDATORS_LIMIT = 1_048_576;

type Json = { readonly [field: string]: unknown };

/** Numbers are JSON numbers below 2^53, amounts decimal text, bytes 0x-hex. */
export function encodeFinalizedBlock({
  certificate,
  header,
  execution,
  executionBranch,
}: FinalizedBlock): Json {
  const { forkVersion, source, target, votes } = certificate;
  return {
    certificate: {
      forkVersion: toHex(forkVersion),
      source: { epoch: source.epoch, root: toHex(source.root) },
      target: { epoch: target.epoch, root: toHex(target.root) },
      votes: votes.map(({ slot, beaconBlockRoot, participants, signature }) => ({
        slot,
        beaconBlockRoot: toHex(beaconBlockRoot),
        participants: toHex(bitsOf(participants)),
        signature: toHex(signature),
      })),
    },
    header: encodeFields(header),
    execution: encodeFields(execution),
    executionBranch: executionBranch.map(toHex),
  };
}

export function encodeValidatorSet(set: ValidatorSet): Json {
  const { validators, ...rest } = set;
  return {
    ...encodeFields(rest),
    validators: validators.map(({ publicKey, weight }) => [toHex(publicKey), weight]),
  };
}

export function encodeSetProof({ validators, validatorsBranch, weights, weightsBranch }: SetProof): Json {
  return {
    validators: toHex(validators),
    validatorsBranch: validatorsBranch.map(toHex),
    weights: toHex(weights),
    weightsBranch: weightsBranch.map(toHex),
  };
}

function encodeFields(fields: { readonly [name: string]: number | bigint | Uint8Array }): Json {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? toHex(value) : typeof value === "bigint" ? String(value) : value,
    ]),
  );
}

/** @throws LightError LIGHT_MALFORMED naming the field. */
export function decodeFinalizedBlock(json: unknown): FinalizedBlock {
  const block = objectAt(json, "block");
  const certificate = objectAt(block["certificate"], "certificate");
  const header = objectAt(block["header"], "header");
  const checkpoint = (name: string) => {
    const value = objectAt(certificate[name], name);
    return { epoch: numberAt(value, "epoch"), root: bytesAt(value, "root", 32) };
  };
  return {
    certificate: {
      forkVersion: bytesAt(certificate, "forkVersion", 4),
      source: checkpoint("source"),
      target: checkpoint("target"),
      votes: listAt(certificate, "votes", VOTE_GROUPS_LIMIT).map((item) => {
        const votes = objectAt(item, "votes");
        return {
          slot: numberAt(votes, "slot"),
          beaconBlockRoot: bytesAt(votes, "beaconBlockRoot", 32),
          participants: indicesOf(bytesAt(votes, "participants", undefined, LIGHT_VALIDATORS_LIMIT / 8)),
          signature: bytesAt(votes, "signature", 96),
        };
      }),
    },
    header: {
      slot: numberAt(header, "slot"),
      proposerIndex: numberAt(header, "proposerIndex"),
      parentRoot: bytesAt(header, "parentRoot", 32),
      stateRoot: bytesAt(header, "stateRoot", 32),
      bodyRoot: bytesAt(header, "bodyRoot", 32),
    },
    execution: decodeExecutionHeader(objectAt(block["execution"], "execution")),
    executionBranch: branchAt(block, "executionBranch"),
  };
}

function decodeExecutionHeader(value: Json): FinalizedBlock["execution"] {
  const hash = (name: string) => bytesAt(value, name, 32);
  return {
    parentHash: hash("parentHash"),
    feeRecipient: bytesAt(value, "feeRecipient", 20),
    stateRoot: hash("stateRoot"),
    receiptsRoot: hash("receiptsRoot"),
    logsBloom: bytesAt(value, "logsBloom", 256),
    prevRandao: hash("prevRandao"),
    blockNumber: numberAt(value, "blockNumber"),
    gasLimit: amountAt(value, "gasLimit", 64),
    gasUsed: amountAt(value, "gasUsed", 64),
    timestamp: numberAt(value, "timestamp"),
    extraData: bytesAt(value, "extraData", undefined, 32),
    baseFeePerGas: amountAt(value, "baseFeePerGas", 256),
    blockHash: hash("blockHash"),
    transactionsRoot: hash("transactionsRoot"),
    withdrawalsRoot: hash("withdrawalsRoot"),
  };
}

/** @throws LightError LIGHT_MALFORMED */
export function decodeValidatorSet(json: unknown): ValidatorSet {
  const set = objectAt(json, "set");
  return {
    genesisValidatorsRoot: bytesAt(set, "genesisValidatorsRoot", 32),
    periodSlots: positiveAt(set, "periodSlots"),
    snapshotsLength: positiveAt(set, "snapshotsLength"),
    withdrawabilityDelaySlots: numberAt(set, "withdrawabilityDelaySlots"),
    period: numberAt(set, "period"),
    validators: listAt(set, "validators", LIGHT_VALIDATORS_LIMIT).map((item, index) => {
      const at = `validators.${index}`;
      if (!Array.isArray(item) || item.length !== 2) throw malformed(at, "a key and a weight");
      const pair = { publicKey: item[0], weight: item[1] };
      const weight = numberAt(pair, "weight");
      if (weight > 0xffff) throw malformed(`${at}.weight`, "a number below 2^16");
      return { publicKey: bytesAt(pair, "publicKey", 48), weight };
    }),
  };
}

/** @throws LightError LIGHT_MALFORMED */
export function decodeSetProof(json: unknown): SetProof {
  const proof = objectAt(json, "proof");
  return {
    validators: bytesAt(proof, "validators", undefined, 121 * LIGHT_VALIDATORS_LIMIT),
    validatorsBranch: branchAt(proof, "validatorsBranch"),
    weights: bytesAt(proof, "weights", undefined, 2 * LIGHT_VALIDATORS_LIMIT),
    weightsBranch: branchAt(proof, "weightsBranch"),
  };
}

function malformed(at: string, expected: string): LightError {
  return new LightError({ code: "LIGHT_MALFORMED", at, expected });
}

function objectAt(value: unknown, at: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw malformed(at, "an object");
}

function listAt(value: Json, at: string, limit: number): readonly unknown[] {
  const list = value[at];
  if (Array.isArray(list) && list.length <= limit) return list;
  throw malformed(at, `a list of at most ${limit}`);
}

function numberAt(value: Json, at: string): number {
  const number = value[at];
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw malformed(at, "a whole number below 2^53");
}

function positiveAt(value: Json, at: string): number {
  const number = numberAt(value, at);
  if (number > 0) return number;
  throw malformed(at, "a number above 0");
}

function amountAt(value: Json, at: string, bits: number): bigint {
  const text = value[at];
  const amount = typeof text === "string" && /^\d{1,78}$/.test(text) ? BigInt(text) : -1n;
  if (amount >= 0n && amount < 1n << BigInt(bits)) return amount;
  throw malformed(at, `decimal text below 2^${bits}`);
}

function bytesAt(value: Json, at: string, length: number | undefined, limit = 0): Uint8Array {
  const text = value[at];
  const bytes = typeof text === "string" ? (text.length - 2) / 2 : -1;
  const fits = length === undefined ? bytes >= 0 && bytes <= limit : bytes === length;
  if (typeof text === "string" && fits && Number.isInteger(bytes)) {
    try {
      return fromHexOfLength(text, bytes);
    } catch {
      // Not hex: told below like every other wrong value.
    }
  }
  throw malformed(at, length === undefined ? `at most ${limit} bytes of hex` : `${length} bytes of hex`);
}

function branchAt(value: Json, at: string): readonly Uint8Array[] {
  return listAt(value, at, BRANCH_LIMIT).map((node) => bytesAt({ [at]: node }, at, 32));
}

/** Bit i of the bytes, lowest first, stands for validator i. */
function bitsOf(indices: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(((indices.at(-1) ?? -1) + 1) / 8));
  for (const index of indices) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  return bytes;
}

function indicesOf(bits: Uint8Array): readonly number[] {
  return Array.from({ length: bits.length * 8 }, (_, index) => index).filter(
    (index) => (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1,
  );
}

/** Ethereum's precompiled contracts, 0x01 … 0x09. See specs/vm/contract/precompiles.md. */
import { ripemd160 } from "@noble/hashes/legacy.js";
import {
  type Address,
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  EMPTY_BYTES,
  fromHex,
} from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { recoverAddress } from "../../primitives/secp256k1.ts";
import { wordsOf } from "../gas.ts";
import type { MessageResult, Precompile } from "../message.ts";
import { HOST_GAS } from "./host-gas.ts";
import { blake2f, blake2fRounds } from "./precompile-blake2f.ts";
import { bn254Add, bn254Multiply, bn254Pairing, PAIR_BYTES } from "./precompile-bn254.ts";
import { modularExponentiation, modularExponentiationGas } from "./precompile-modexp.ts";

function precompile(gasOf: (data: Uint8Array) => number, run: (data: Uint8Array) => Uint8Array): Precompile {
  return (data, gas): MessageResult => {
    const cost = gasOf(data);
    if (cost > gas) return { outcome: "out of gas", output: EMPTY_BYTES, gasLeft: 0 };
    return { outcome: "success", output: run(data), gasLeft: gas - cost };
  };
}

/** As `precompile`, for input that may make no sense: then all gas is taken. */
function strict(
  gasOf: (data: Uint8Array) => number | undefined,
  run: (data: Uint8Array) => Uint8Array | undefined,
): Precompile {
  return (data, gas): MessageResult => {
    const cost = gasOf(data);
    if (cost !== undefined && cost > gas) return { outcome: "out of gas", output: EMPTY_BYTES, gasLeft: 0 };
    const output = cost === undefined ? undefined : run(data);
    if (cost === undefined || output === undefined) {
      return { outcome: "invalid precompile input", output: EMPTY_BYTES, gasLeft: 0 };
    }
    return { outcome: "success", output, gasLeft: gas - cost };
  };
}

const linear = (base: number, perWord: number) => (data: Uint8Array) => base + perWord * wordsOf(data.length);

/** 128 bytes of digest, v, r, s, short input filled with zeros; no output when nobody signed so. */
function recover(data: Uint8Array): Uint8Array {
  const input = concatBytes(data.subarray(0, 128), new Uint8Array(Math.max(0, 128 - data.length)));
  const word = (index: number) => bytesToBigInt(input.subarray(32 * index, 32 * index + 32));
  const v = word(1);
  if (v !== 27n && v !== 28n) return EMPTY_BYTES;
  const address = recoverAddress(input.subarray(0, 32), word(2), word(3), Number(v) - 27);
  return address === undefined ? EMPTY_BYTES : bigIntToBytes(bytesToBigInt(fromHex(address)), 32);
}

/**
 * Above Ethereum's 150, 6 000, 45 000 and 34 000 (EIP-1108), because they are computed in JavaScript: 30 M gas of any of
 * them must execute within half a second.
 */
const BN254_GAS = { add: 10_000, multiply: 250_000, pairing: 2_500_000, pair: 1_000_000 } as const;

function pairingGas(data: Uint8Array): number {
  return BN254_GAS.pairing + BN254_GAS.pair * Math.floor(data.length / PAIR_BYTES);
}

/** Ethereum's is 1 for a round (EIP-152). */
const BLAKE2F_ROUND_GAS = 80;

function blake2fGas(rounds: number | undefined): number | undefined {
  return rounds === undefined ? undefined : rounds * BLAKE2F_ROUND_GAS;
}

const IDENTITY_GAS = 15;
const IDENTITY_WORD_GAS = 3;

export const PRECOMPILES: ReadonlyMap<Address, Precompile> = new Map<Address, Precompile>([
  [at(1), precompile(() => HOST_GAS.recover, recover)],
  [at(2), precompile(linear(HOST_GAS.sha256, HOST_GAS.sha256Word), sha256)],
  [
    at(3),
    precompile(linear(HOST_GAS.ripemd160, HOST_GAS.ripemd160Word), (data) =>
      concatBytes(new Uint8Array(12), ripemd160(data)),
    ),
  ],
  [at(4), precompile(linear(IDENTITY_GAS, IDENTITY_WORD_GAS), (data) => data.slice())],
  [at(5), precompile(modularExponentiationGas, modularExponentiation)],
  [at(6), strict(() => BN254_GAS.add, bn254Add)],
  [at(7), strict(() => BN254_GAS.multiply, bn254Multiply)],
  [at(8), strict(pairingGas, bn254Pairing)],
  [at(9), strict((data) => blake2fGas(blake2fRounds(data)), blake2f)],
]);

function at(number: number): Address {
  return `0x${number.toString(16).padStart(40, "0")}`;
}

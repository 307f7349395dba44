/** Ethereum's precompiled contracts that need no curve of their own: 0x01 … 0x05. See specs/vm/contract/precompiles.md. */
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
import { modularExponentiation, modularExponentiationGas } from "./precompile-modexp.ts";

function precompile(gasOf: (data: Uint8Array) => number, run: (data: Uint8Array) => Uint8Array): Precompile {
  return (data, gas): MessageResult => {
    const cost = gasOf(data);
    if (cost > gas) return { outcome: "out of gas", output: EMPTY_BYTES, gasLeft: 0 };
    return { outcome: "success", output: run(data), gasLeft: gas - cost };
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
]);

function at(number: number): Address {
  return `0x${number.toString(16).padStart(40, "0")}`;
}

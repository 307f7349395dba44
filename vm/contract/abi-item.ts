/** Functions, events and errors of a contract: selectors, topics, encoded forms, JSON. See specs/vm/contract/abi.md. */
import { concatBytes, fromHex, type Hash, type Hex, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { keccak256, keccak256Hex } from "../../primitives/hash.ts";
import { compileEncoder } from "./abi-encode.ts";
import type { AbiErrorItem, AbiEvent, AbiFunction, StateMutability } from "./abi-parse.ts";
import {
  type AbiParameter,
  type AbiType,
  type AbiValue,
  canonicalTypes,
  type JsonAbiParameter,
  toJsonParameter,
} from "./abi-type.ts";

type Signed = { readonly name: string; readonly inputs: readonly AbiParameter[] };

/** `transfer(address,uint256)`. */
export function canonicalSignature({ name, inputs }: Signed): string {
  return name + canonicalTypes(inputs);
}

/** First four bytes of keccak256 of the canonical signature: names functions in call data, errors in revert data. */
export function selectorOf(item: Signed): Hex {
  return toHex(keccak256(utf8ToBytes(canonicalSignature(item))).subarray(0, 4));
}

/** The selector that data begins with, which has four bytes at least, as one number. */
export function selectorNumber(data: Uint8Array): number {
  return (((data[0] ?? 0) << 24) | ((data[1] ?? 0) << 16) | ((data[2] ?? 0) << 8) | (data[3] ?? 0)) >>> 0;
}

/** keccak256 of the canonical signature: the first topic of an event that is not anonymous. */
export function eventTopic(event: Signed): Hash {
  return keccak256Hex(utf8ToBytes(canonicalSignature(event)));
}

/** `selector ‖ arguments`, as in call data and in the revert data of a custom error. */
export function compileSelectedEncoder(item: Signed): (values: readonly AbiValue[]) => Uint8Array {
  const selector = fromHex(selectorOf(item));
  const encode = compileEncoder(item.inputs);
  return (values) => concatBytes(selector, encode(values));
}

export type EncodedEvent = { readonly topics: readonly Hash[]; readonly data: Uint8Array };

/**
 * An encoder of an event's arguments, in declaration order. Indexed values of at most one word are topics as
 * they are; of all others the topic is the keccak256 of their in-place encoding, as Solidity defines it.
 * The encoder throws AbiError when a value does not belong to its type.
 */
export function compileEventEncoder(event: AbiEvent): (values: readonly AbiValue[]) => EncodedEvent {
  const topic0: readonly Hash[] = event.anonymous ? [] : [eventTopic(event)];
  const encodeData = compileEncoder(event.inputs.filter(({ indexed }) => !indexed));
  const topicEncoders = event.inputs.map((input) => (input.indexed ? compileTopic(input.type) : undefined));
  return (values) => {
    const topics = [...topic0];
    const data: AbiValue[] = [];
    values.forEach((value, i) => {
      const encodeTopic = topicEncoders[i];
      if (encodeTopic === undefined) data.push(value);
      else topics.push(encodeTopic(value));
    });
    return { topics, data: encodeData(data) };
  };
}

const PLAIN_ADDRESS = /^0x[0-9a-f]{40}$/;
/** A topic is a word: an address has twelve zero bytes before it. */
const ADDRESS_TOPIC_START: Hex = `0x${"00".repeat(12)}`;

function compileTopic(type: AbiType): (value: AbiValue) => Hash {
  const encode = compileEncoder([{ name: "", type, indexed: false }]);
  if (type.kind === "address") {
    // Most topics are addresses as the guest has them, which need no bytes made of them.
    return (value) =>
      typeof value === "string" && PLAIN_ADDRESS.test(value)
        ? `${ADDRESS_TOPIC_START}${value.slice(2)}`
        : toHex(encode([value]));
  }
  if (type.kind !== "array" && type.kind !== "tuple" && type.kind !== "bytes" && type.kind !== "string") {
    return (value) => toHex(encode([value]));
  }
  const inPlace = compileInPlace(type, true);
  return (value) => {
    encode([value]); // Checks the value, so that the in-place encoder need not.
    return keccak256Hex(inPlace(value));
  };
}

/** Members one after the other without offsets and lengths; inside an aggregate each is padded to words. */
function compileInPlace(type: AbiType, isTop: boolean): (value: AbiValue) => Uint8Array {
  switch (type.kind) {
    case "bytes":
      return (value) => pad(fromHex(value as string), isTop);
    case "string":
      return (value) => pad(utf8ToBytes(value as string), isTop);
    case "array": {
      const element = compileInPlace(type.element, false);
      return (value) => concatBytes(...(value as readonly AbiValue[]).map(element));
    }
    case "tuple": {
      const members = type.members.map((member) => ({
        name: member.name,
        encode: compileInPlace(member.type, false),
      }));
      return (value) =>
        concatBytes(
          ...members.map(({ name, encode }, i) =>
            encode(Array.isArray(value) ? value[i] : (value as { [member: string]: AbiValue })[name]),
          ),
        );
    }
    default: {
      const encode = compileEncoder([{ name: "", type, indexed: false }]);
      return (value) => encode([value]);
    }
  }
}

function pad(bytes: Uint8Array, isTop: boolean): Uint8Array {
  return isTop ? bytes : concatBytes(bytes, new Uint8Array(-bytes.length & 31));
}

/** One entry of the JSON ABI, as compilers write it and viem and ethers read it. */
export type JsonAbiItem = {
  readonly type: "function" | "constructor" | "event" | "error" | "receive" | "fallback";
  readonly name?: string;
  readonly inputs?: readonly JsonAbiParameter[];
  readonly outputs?: readonly JsonAbiParameter[];
  readonly stateMutability?: StateMutability;
  readonly anonymous?: boolean;
};

export function functionToJson(item: AbiFunction): JsonAbiItem {
  return {
    type: "function",
    name: item.name,
    inputs: item.inputs.map((input) => toJsonParameter(input)),
    outputs: item.outputs.map((output) => toJsonParameter(output)),
    stateMutability: item.stateMutability,
  };
}

export function eventToJson(item: AbiEvent): JsonAbiItem {
  const inputs = item.inputs.map((input) => toJsonParameter(input, true));
  return { type: "event", name: item.name, inputs, anonymous: item.anonymous };
}

export function errorToJson(item: AbiErrorItem): JsonAbiItem {
  return { type: "error", name: item.name, inputs: item.inputs.map((input) => toJsonParameter(input)) };
}

/** Host operations that depend on nothing but their arguments: hashes, signatures, ABI data. See specs/vm/contract/host-functions.md. */
import { ripemd160 } from "@noble/hashes/legacy.js";
import { BytesError, bytesToBigInt, fromHex, toHex, ZERO_ADDRESS } from "../../primitives/bytes.ts";
import { keccak256, sha256 } from "../../primitives/hash.ts";
import { recoverAddress } from "../../primitives/secp256k1.ts";
import { GuestException, type GuestValue, type HostArguments } from "../engine/host.ts";
import { wordsOf } from "../gas.ts";
import { selectorOf } from "./abi-item.ts";
import { encodePacked } from "./abi-packed.ts";
import { parseFunction, parseParameters } from "./abi-parse.ts";
import { TypeList } from "./definition.ts";
import { codecGas, HOST_GAS, keccakGas } from "./host-gas.ts";
import { OPERATION } from "./operation.ts";
import { kindsOf, readArguments, toPlainList } from "./wire.ts";

/** One host operation: charges, then acts. */
export type Operator<Context> = (context: Context, args: HostArguments) => GuestValue | undefined;

export interface PureContext {
  readonly charge: (gas: number) => void;
  /** Lists of types parsed so far; grows. */
  readonly lists: TypeList[];
  readonly errors: readonly TypeList[];
}

type Pure = Operator<PureContext>;

/** Bytes a contract passed as hex. @throws GuestException */
export function readHex(args: HostArguments, index: number): Uint8Array {
  return guarded(() => args.hex(index));
}

/** Exactly `length` bytes. @throws GuestException */
export function readHexOfLength(args: HostArguments, index: number, length: number): Uint8Array {
  const bytes = readHex(args, index);
  if (bytes.length === length) return bytes;
  throw new GuestException("TypeError", `expected ${length} bytes, got ${bytes.length}`);
}

function guarded(read: () => Uint8Array): Uint8Array {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new GuestException("TypeError", "expected hex");
  }
}

const parseTypes: Pure = (context, args) => {
  const text = args.text(0);
  context.charge(HOST_GAS.signatureCharacter * text.length);
  const list = new TypeList(parseParameters(text));
  const id = context.lists.push(list) - 1;
  return JSON.stringify({ id, kinds: kindsOf(list.parameters) });
};

const parseCallable: Pure = (context, args) => {
  const text = args.text(1);
  context.charge(HOST_GAS.signatureCharacter * text.length);
  const parsed = parseFunction(text);
  const name = parsed.name === "" ? args.text(0) : parsed.name;
  const { inputs, outputs, stateMutability } = parsed;
  const id = context.lists.push(new TypeList(inputs, fromHex(selectorOf({ name, inputs })))) - 1;
  const outputId = context.lists.push(new TypeList(outputs)) - 1;
  return JSON.stringify({
    id,
    kinds: kindsOf(inputs),
    outputs: { id: outputId, kinds: kindsOf(outputs) },
    isView: stateMutability === "view" || stateMutability === "pure",
  });
};

function listAt(lists: readonly TypeList[], id: number): TypeList {
  const list = lists[id];
  if (list === undefined) throw new GuestException("TypeError", "unknown list of types");
  return list;
}

const encode: Pure = ({ charge, lists }, args) => encodeList(charge, listAt(lists, args.int(0)), args);
const encodeError: Pure = ({ charge, errors }, args) => encodeList(charge, listAt(errors, args.int(0)), args);

/** The arguments were paid for when they were read; what they encode to is at most a fixed multiple of that. */
function encodeList(charge: PureContext["charge"], list: TypeList, args: HostArguments): string {
  const data = list.encode(readArguments(args, 1, list.parameters));
  charge(codecGas(data.length));
  return toHex(data);
}

const packed: Pure = ({ charge, lists }, args) => {
  const { parameters } = listAt(lists, args.int(0));
  const data = encodePacked(parameters, readArguments(args, 1, parameters));
  charge(codecGas(data.length));
  return toHex(data);
};

const decode: Pure = ({ charge, lists }, args) => {
  const list = listAt(lists, args.int(0));
  const data = readHex(args, 1);
  charge(codecGas(data.length));
  return JSON.stringify(toPlainList(list.parameters, list.decode(data)));
};

const hash =
  (gas: (bytes: number) => number, compute: (data: Uint8Array) => Uint8Array): Pure =>
  ({ charge }, args) => {
    const data = readHex(args, 0);
    charge(gas(data.length));
    return toHex(compute(data));
  };

const recover: Pure = ({ charge }, args) => {
  charge(HOST_GAS.recover);
  const digest = readHexOfLength(args, 0, 32);
  const v = args.bigInt(1);
  const r = bytesToBigInt(readHexOfLength(args, 2, 32));
  const s = bytesToBigInt(readHexOfLength(args, 3, 32));
  if (v !== 27n && v !== 28n) return ZERO_ADDRESS;
  return recoverAddress(digest, r, s, Number(v) - 27) ?? ZERO_ADDRESS;
};

export const PURE: Readonly<Record<number, Pure>> = {
  [OPERATION.parseTypes]: parseTypes,
  [OPERATION.parseFunction]: parseCallable,
  [OPERATION.encode]: encode,
  [OPERATION.encodePacked]: packed,
  [OPERATION.encodeError]: encodeError,
  [OPERATION.decode]: decode,
  [OPERATION.keccak256]: hash((bytes) => HOST_GAS.keccak + keccakGas(bytes), keccak256),
  [OPERATION.sha256]: hash((bytes) => HOST_GAS.sha256 + HOST_GAS.sha256Word * wordsOf(bytes), sha256),
  [OPERATION.ripemd160]: hash(
    (bytes) => HOST_GAS.ripemd160 + HOST_GAS.ripemd160Word * wordsOf(bytes),
    ripemd160,
  ),
  [OPERATION.recover]: recover,
};

/**
 * The module `chain:std` as contract authors see it: types of arguments and results come from the signatures.
 * The code behind it is in contracts/std. See specs/contracts/authoring.md.
 */
import type { AbiFunction, AbiParameter, ParseAbiItem, ParseAbiParameters } from "abitype";

declare const brand: unique symbol;

/** Lower-case, 0x-prefixed hex with two digits per byte. */
export type Hex = `0x${string}`;
/** 20 bytes of lower-case hex. Only the chain and `address()` make one, so comparing two with `===` is sound. */
export type Address = Hex & { readonly [brand]: "address" };

// ---------------------------------------------------------------- from signatures to types

// biome-ignore format: a table
type Bits = "" | "8" | "16" | "24" | "32" | "40" | "48" | "56" | "64" | "72" | "80" | "88" | "96" | "104" | "112" | "120" | "128" | "136" | "144" | "152" | "160" | "168" | "176" | "184" | "192" | "200" | "208" | "216" | "224" | "232" | "240" | "248" | "256";
// biome-ignore format: a table
type Size = "" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15" | "16" | "17" | "18" | "19" | "20" | "21" | "22" | "23" | "24" | "25" | "26" | "27" | "28" | "29" | "30" | "31" | "32";

type Elementary<T extends string> = T extends `uint${Bits}` | `int${Bits}`
  ? bigint
  : T extends "address"
    ? Address
    : T extends "bool"
      ? boolean
      : T extends "string"
        ? string
        : T extends `bytes${Size}` | "function"
          ? Hex
          : never;

type Value<P extends AbiParameter> = P["type"] extends `${infer Element}[${string}]`
  ? readonly Value<Omit<P, "type"> & { readonly type: Element }>[]
  : P extends { readonly type: "tuple"; readonly components: infer C extends readonly AbiParameter[] }
    ? Tuple<C>
    : Elementary<P["type"]>;

/** An object when every member has a name, else an array. */
type Tuple<C extends readonly AbiParameter[]> = IsNamed<C> extends true ? Named<C> : Values<C>;
type IsNamed<C extends readonly AbiParameter[]> = C[number] extends { readonly name: infer N }
  ? "" extends N
    ? false
    : true
  : false;
type Named<C extends readonly AbiParameter[]> = {
  readonly [P in C[number] as P extends { readonly name: infer N extends string } ? N : never]: Value<P>;
};
type Values<C extends readonly AbiParameter[]> = { readonly [I in keyof C]: Value<C[I]> };

type Mutable<T extends readonly unknown[]> = T extends readonly [...infer All] ? All : never;
type Parameters_<S extends string> = S extends ""
  ? []
  : ParseAbiParameters<S> extends infer P extends readonly AbiParameter[]
    ? Mutable<Values<P>>
    : never;
type Signature<S extends string> = S extends `(${string}` ? `function f${S}` : `function ${S}`;
type Parsed<S extends string> = ParseAbiItem<Signature<S>> extends infer F extends AbiFunction ? F : never;
type Arguments<F extends AbiFunction> = Mutable<Values<F["inputs"]>>;
type Result<F extends AbiFunction> = F["outputs"] extends readonly []
  ? void
  : F["outputs"] extends readonly [infer Only extends AbiParameter]
    ? Value<Only>
    : Values<F["outputs"]>;
type Inputs<Kind extends "event" | "error", S extends string> =
  ParseAbiItem<`${Kind} ${S}`> extends { readonly inputs: infer P extends readonly AbiParameter[] }
    ? P
    : never;
type Given<P extends readonly AbiParameter[]> = P extends readonly []
  ? []
  : IsNamed<P> extends true
    ? [args: Named<P>]
    : Mutable<Values<P>>;

// ---------------------------------------------------------------- contracts

declare const method: unique symbol;
export type Method = { readonly [method]: true };
declare const constructor_: unique symbol;
export type Constructor = { readonly [constructor_]: true };
export type FunctionOptions = {
  /** Whether it may be entered while the contract is running: by default views may, others may not. */
  readonly reentrant?: boolean;
};

type Declare = <const S extends string>(
  signature: S,
  handler: (...args: Arguments<Parsed<S>>) => Result<Parsed<S>>,
  options?: FunctionOptions,
) => Method;

/** Functions by name; a list under one name is overloads. Parts of libraries are such objects, to be spread. */
export type Methods = Readonly<Record<string, Method | readonly Method[]>>;
/** The same functions, with `check` run before each one that changes state: what Solidity calls a modifier. */
export function guard<const M extends Methods>(check: () => void, methods: M): M;
/** The same functions, which may be entered while the contract runs: for what it calls on itself. */
export function reentrant<const M extends Methods>(methods: M): M;

/** A function that reads. */
export const view: Declare;
/** A function that changes state and takes no value. */
export const external: Declare;
/** A function that changes state and may be sent value. */
export const payable: Declare;
/** The constructor: `init("string name, uint256 supply", (name, supply) => { … })`. */
export function init<const S extends string>(
  signature: S,
  handler: (...args: Parameters_<S>) => void,
  options?: { readonly payable?: boolean },
): Constructor;

type Fallback = (data: Hex) => Hex | void;

/** The default export of a contract's module. */
export function contract(description: {
  readonly name: string;
  /** Whether it may replace its code with `upgrade`. Readers of the chain see it in the container. */
  readonly upgradeable?: boolean;
  readonly init?: Constructor;
  readonly functions?: Methods;
  /** Runs for empty call data; always payable. */
  readonly receive?: () => void;
  /** Runs for call data that no function takes. */
  readonly fallback?:
    | Fallback
    | { readonly handler: Fallback; readonly payable?: boolean; readonly reentrant?: boolean };
}): object;

// ---------------------------------------------------------------- events and errors

/** Makes the function that writes the log. */
export function event<const S extends string>(signature: S): (...args: Given<Inputs<"event", S>>) => void;

export interface ErrorFactory<Args extends readonly unknown[]> {
  (...args: Args): Error;
  /** Four bytes. */
  readonly selector: Hex;
  /** Whether something caught, or revert data, is this error, thrown here or by a contract that was called. */
  is(thrown: unknown): boolean;
  /** Its arguments as they were given; undefined when it is another error. */
  decode(
    thrown: unknown,
  ): (Args extends readonly [infer Only] ? (Only extends object ? Only : Args) : Args) | undefined;
}
/** Makes the function that makes the error, to be thrown. */
export function error<const S extends string>(signature: S): ErrorFactory<Given<Inputs<"error", S>>>;

/** Reverts unless `condition` holds. */
export function require(condition: boolean, otherwise?: string | Error | (() => Error)): asserts condition;

// ---------------------------------------------------------------- storage

export interface MappingOf<K extends string, V extends Schema> {
  readonly mapping: readonly [K, V];
}
export interface ArrayOf<V extends Schema> {
  readonly array: V;
}
export interface StructOf<F extends Fields> {
  readonly fields: F;
}
export type Schema = string | MappingOf<string, Schema> | ArrayOf<Schema> | StructOf<Fields>;
export interface Fields {
  readonly [name: string]: Schema;
}

type Stored<T> = T extends string
  ? Elementary<T>
  : T extends MappingOf<infer K, infer V>
    ? MappingReference<K, V>
    : T extends ArrayOf<infer V>
      ? ArrayReference<V>
      : T extends StructOf<infer F>
        ? Storage<F>
        : never;
type Assignable<V extends Schema> = V extends string ? Elementary<V> : never;

/** Value fields are read and assigned; containers are reached through. */
export type Storage<F extends Fields> = {
  -readonly [K in keyof F as F[K] extends string ? K : never]: Stored<F[K]>;
} & { readonly [K in keyof F as F[K] extends string ? never : K]: Stored<F[K]> };

export interface MappingReference<K extends string, V extends Schema> {
  get(key: Elementary<K>): Stored<V>;
  set(key: Elementary<K>, value: Assignable<V>): void;
  /** Adds and returns the sum; `Panic(0x11)` when it does not fit. */
  add(key: Elementary<K>, amount: Stored<V> extends bigint ? bigint : never): bigint;
  sub(key: Elementary<K>, amount: Stored<V> extends bigint ? bigint : never): bigint;
  /** Zeroes what is there, but mappings inside. */
  delete(key: Elementary<K>): void;
}
export interface ArrayReference<V extends Schema> {
  readonly length: bigint;
  get(index: bigint): Stored<V>;
  set(index: bigint, value: Assignable<V>): void;
  push(...value: V extends string ? [Elementary<V>] : []): V extends string ? void : Stored<V>;
  pop(): void;
  /** Zeroes the element, but mappings inside; the length stays. */
  delete(index: bigint): void;
}

export function mapping<const K extends string, const V extends Schema>(key: K, value: V): MappingOf<K, V>;
export function array<const V extends Schema>(element: V, length?: number): ArrayOf<V>;
export function struct<const F extends Fields>(fields: F): StructOf<F>;
/** Fields in Solidity's layout from slot 0, in an ERC-7201 namespace, or from the slot given as an integer. */
export function storage<const F extends Fields>(fields: F, at?: string | bigint): Storage<F>;
/** The same, of storage that ends with the transaction (EIP-1153). */
export function transientStorage<const F extends Fields>(fields: F, at?: string | bigint): Storage<F>;

/** Words of storage that ends with the transaction, by slot. */
export const transient: { get(slot: bigint): bigint; set(slot: bigint, word: bigint): void };

// ---------------------------------------------------------------- environment

export const msg: { readonly sender: Address; readonly value: bigint; readonly data: Hex };
export const block: {
  readonly number: bigint;
  /** Seconds since 1970. */
  readonly timestamp: bigint;
  readonly baseFee: bigint;
  readonly prevRandao: Hex;
  readonly chainId: bigint;
  readonly coinbase: Address;
  readonly gasLimit: bigint;
  /** Of one of the last 256 blocks, else zero. */
  hash(number: bigint): Hex;
};
export const tx: { readonly origin: Address; readonly gasPrice: bigint };
export const self: { readonly address: Address; readonly balance: bigint };
export function gasleft(): bigint;
export function balance(account: Address): bigint;
export function codeHash(account: Address): Hex;
export function codeSize(account: Address): bigint;
export const console: { log(...values: readonly unknown[]): void };

// ---------------------------------------------------------------- values

/** An address literal. A mixed-case one must have a correct EIP-55 checksum. */
export function address(text: string): Address;
export const ZERO: Address;
/** The UTF-8 bytes of a text. */
export function toHex(text: string): Hex;
export function concat(...parts: readonly Hex[]): Hex;
export function keccak256(data: Hex): Hex;
export function sha256(data: Hex): Hex;
export function ripemd160(data: Hex): Hex;
/** The signer, or ZERO. */
export function ecrecover(digest: Hex, v: bigint, r: Hex, s: Hex): Address;
export const abi: {
  encode<const S extends string>(types: S, ...values: Parameters_<S>): Hex;
  encodePacked<const S extends string>(types: S, ...values: Parameters_<S>): Hex;
  decode<const S extends string>(types: S, data: Hex): Parameters_<S>;
};

// ---------------------------------------------------------------- calls

export type CallOptions = { readonly value?: bigint; readonly gas?: bigint };
/** These return what the callee returned, and throw with its revert data when it failed. */
export function call(to: Address, data: Hex, options?: CallOptions): Hex;
export function staticcall(to: Address, data: Hex, options?: Omit<CallOptions, "value">): Hex;
export function delegatecall(to: Address, data: Hex, options?: Omit<CallOptions, "value">): Hex;
/** Like `call`, but tells of a failure instead of throwing. */
export function tryCall(
  to: Address,
  data: Hex,
  options?: CallOptions,
): { readonly success: boolean; readonly data: Hex };

export type CreateOptions = { readonly value?: bigint; readonly salt?: Hex };
/** Deploys a copy of the code `template` has, with ABI-encoded constructor arguments; with a salt by CREATE2. */
export function create(template: Address, args: Hex, options?: CreateOptions): Address;
/** Deploys a container followed by ABI-encoded constructor arguments. */
export function deploy(initCode: Hex, options?: CreateOptions): Address;

/** Something a failed call or creation threw. Its message is the callee's reason, if it gave one. */
export interface CallError extends Error {
  /** The callee's revert data. */
  readonly payload: Hex;
}
export function isCallError(thrown: unknown): thrown is CallError;

/** Takes over the code that `template` has, from the next message on. Only an `upgradeable` contract can. */
export function upgrade(template: Address): void;

/** A typed client of other contracts: `const Token = iface({ … })`, then `Token(address).balanceOf(account)`. */
export function iface<const S extends Readonly<Record<string, string>>>(
  signatures: S,
): ((
  to: Address,
  options?: CallOptions,
) => { readonly [N in keyof S]: (...args: Arguments<Parsed<S[N]>>) => Result<Parsed<S[N]>> }) & {
  /** The call data alone. */
  readonly encode: { readonly [N in keyof S]: (...args: Arguments<Parsed<S[N]>>) => Hex };
};

/** What a contract throws, and what a failed call throws at it. See specs/contracts/calls.md#failure. */
import type { Kind } from "../../vm/contract/operation.ts";
import { OPERATION } from "../../vm/contract/operation.ts";
import { compileTypes } from "./abi.ts";
import { type Flat, hostJson } from "./host.ts";
import { compileHostCall } from "./wire.ts";

/** An error with ABI-encoded data; uncaught, that data is what the caller gets. */
export class Revert extends Error {
  readonly payload: string;

  constructor(name: string, payload: string, message = name) {
    super(message);
    this.name = name;
    this.payload = payload;
  }
}

/** By name, or by position. */
type Values = Record<string | number, Flat>;

type Declared = {
  readonly id: number;
  /** The parameters as a list of types that data can be decoded with. */
  readonly list: number;
  readonly kinds: readonly Kind[];
  readonly names?: readonly string[];
  readonly name: string;
  readonly selector: string;
};

/** `error("InsufficientBalance(uint256 balance, uint256 needed)")` makes a function that makes the error. */
export function error(signature: string) {
  const { id, list, kinds, names, name, selector } = hostJson<Declared>(OPERATION.declareError, signature);
  const encode = compileHostCall(OPERATION.encodeError, id, kinds, names);
  const revert = (values: Values): Revert => new Revert(name, encode(values) as string);
  const make = names === undefined ? (...args: unknown[]) => revert(args as unknown as Values) : revert;
  const { unpack } = compileTypes(list, kinds);
  /** Whether something caught, or revert data, is this error, thrown here or by a contract that was called. */
  const is = (thrown: unknown): boolean => revertData(thrown).startsWith(selector);
  return Object.assign(make, {
    selector,
    is,
    /** Its arguments, as they were given; undefined when it is another error. */
    decode(thrown: unknown): unknown {
      if (!is(thrown)) return undefined;
      const values = unpack(`0x${revertData(thrown).slice(selector.length)}`);
      return names === undefined ? values : Object.fromEntries(names.map((key, i) => [key, values[i]]));
    },
  });
}

/** Of something caught, or of revert data itself; nothing of what has none. */
function revertData(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  const payload = thrown instanceof Error ? (thrown as { payload?: unknown }).payload : undefined;
  return typeof payload === "string" ? payload : "";
}

/** `event("Transfer(address indexed from, …)")` makes a function that writes the log. */
export function event(signature: string) {
  const { id, kinds, names } = hostJson<Declared>(OPERATION.declareEvent, signature);
  const log = compileHostCall(OPERATION.log, id, kinds, names);
  if (names === undefined) return (...args: unknown[]): void => void log(args as unknown as Values);
  return (values: Values): void => void log(values);
}

/** Reverts unless `condition`: with an error, one made on demand, or a reason in words. */
export function require(
  condition: boolean,
  otherwise: string | Error | (() => Error) = "requirement failed",
): void {
  if (condition) return;
  if (typeof otherwise === "string") throw new Error(otherwise);
  throw typeof otherwise === "function" ? otherwise() : otherwise;
}

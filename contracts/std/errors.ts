/** What a contract throws, and what a failed call throws at it. See specs/contracts/calls.md#failure. */
import type { Kind } from "../../vm/contract/operation.ts";
import { OPERATION } from "../../vm/contract/operation.ts";
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
  readonly kinds: readonly Kind[];
  readonly names?: readonly string[];
  readonly name: string;
  readonly selector: string;
};

/** `error("InsufficientBalance(uint256 balance, uint256 needed)")` makes a function that makes the error. */
export function error(signature: string) {
  const { id, kinds, names, name, selector } = hostJson<Declared>(OPERATION.declareError, signature);
  const encode = compileHostCall(OPERATION.encodeError, id, kinds, names);
  const revert = (values: Values): Revert => new Revert(name, encode(values) as string);
  const make = names === undefined ? (...args: unknown[]) => revert(args as unknown as Values) : revert;
  return Object.assign(make, {
    selector,
    /** Whether something caught is this error, thrown here or returned by a call. */
    is: (thrown: unknown) =>
      thrown instanceof Error && String((thrown as { payload?: unknown }).payload).startsWith(selector),
  });
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

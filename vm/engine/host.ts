/** What crosses between host and guest: host functions, their arguments, and how a run ends. specs/vm/engine/engine.md#host-interface */

/**
 * A host function the guest calls with an operation number and arguments. It may charge ticks, call other
 * instances, throw a GuestException into the guest, or throw anything else to end the run: that comes out of
 * the run it interrupted, unchanged. Operations are not negative.
 */
export type Host = (operation: number, args: HostArguments) => GuestValue | undefined;

/** What crosses the border. A BigInt fits 512 bits. */
export type GuestValue = string | number | bigint;

/** The arguments of one host call. Valid until the host function returns. */
export interface HostArguments {
  /** Without the operation. */
  readonly length: number;
  /** @throws GuestException (TypeError) when argument `index` is not an integer between ±2^53. */
  int(index: number): number;
  /** Costs TEXT_TICKS_PER_CHARACTER. @throws GuestException (TypeError) when argument `index` is not a string. */
  text(index: number): string;
  /**
   * The bytes of a hex text, at the price of `text`.
   * @throws GuestException (TypeError) when argument `index` is not a string; BytesError when it is not hex.
   */
  hex(index: number): Uint8Array;
  /**
   * Of more than 512 bits: 2^512 or -2^512, which fit no type.
   * @throws GuestException (TypeError) when argument `index` is not a BigInt.
   */
  bigInt(index: number): bigint;
  /** Whether argument `index` is missing or undefined. */
  isUndefined(index: number): boolean;
}

/** How a run ended. The guest can catch none but an exception. */
export type RunResult =
  | { readonly outcome: "ok"; readonly value: string | undefined; readonly ticksUsed: number }
  | (GuestErrorReport & { readonly outcome: "exception"; readonly ticksUsed: number })
  | { readonly outcome: Halt; readonly ticksUsed: number };

/**
 * Ends no guest can catch. `trap` is an access out of bounds or a failed check inside QuickJS: a guest that
 * makes use of a bug in its C code ends so, on every node alike.
 */
export type Halt = "out of gas" | "stack limit" | "out of memory" | "trap";

/** Ends the run in progress from inside an import. */
export class HaltSignal extends Error {
  readonly halt: Halt;

  constructor(halt: Halt) {
    super(halt);
    this.halt = halt;
  }
}

/** A thrown value as the guest described it. `name` and `message` are its own words. */
export type GuestErrorReport = {
  readonly name: string;
  readonly message: string;
  /** The thrown object's property `payload`, when that is a string. */
  readonly payload: string | undefined;
};

/**
 * Thrown by a host function to throw in the guest, which may catch it: an error of the intrinsic class `name`,
 * or an `Error` of that name, with an own property `payload` when one is given.
 */
export class GuestException extends Error {
  override readonly name: string;
  readonly payload: string | undefined;

  constructor(name: string, message: string, payload?: string) {
    super(message);
    this.name = name;
    this.payload = payload;
  }
}

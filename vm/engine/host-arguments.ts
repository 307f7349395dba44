/** Reads the arguments of a host call where they lie in the guest's memory. specs/vm/engine/engine.md#host-interface */
import { fromHex } from "../../primitives/bytes.ts";
import type { Guest } from "./guest.ts";
import { GuestException, type HostArguments } from "./host.ts";
import { TEXT_TICKS_PER_CHARACTER } from "./tick-cost.ts";
import type { Pointer } from "./wasm-module.ts";

const VALUE_BYTES = 8;

/** The operation stands before the arguments. */
export const OPERATION_INDEX = -1;

/** Reused for every call of its machine. */
export class GuestArguments implements HostArguments {
  readonly #guest: Guest;
  readonly #chargeTicks: (ticks: number) => void;
  #argv: Pointer = 0;
  length = 0;

  constructor(guest: Guest, chargeTicks: (ticks: number) => void) {
    this.#guest = guest;
    this.#chargeTicks = chargeTicks;
  }

  begin(argumentCount: number, argv: Pointer): void {
    this.length = argumentCount - 1;
    this.#argv = argv + VALUE_BYTES;
  }

  int(index: number): number {
    const value = index < this.length ? this.#guest.readNumber(this.#argv + VALUE_BYTES * index) : undefined;
    if (Number.isSafeInteger(value)) return value as number;
    throw new GuestException("TypeError", "expected an integer");
  }

  text(index: number): string {
    const address = this.#argv + VALUE_BYTES * index;
    if (index >= this.length || !this.#guest.isString(address)) {
      throw new GuestException("TypeError", "expected a string");
    }
    return this.#guest.readString(address, (characters) =>
      this.#chargeTicks(TEXT_TICKS_PER_CHARACTER * characters),
    );
  }

  hex(index: number): Uint8Array {
    const address = this.#argv + VALUE_BYTES * index;
    const isString = index < this.length && this.#guest.isString(address);
    const bytes = isString
      ? this.#guest.readHex(address, (characters) => this.#chargeTicks(TEXT_TICKS_PER_CHARACTER * characters))
      : undefined;
    return bytes ?? fromHex(this.text(index));
  }

  bigInt(index: number): bigint {
    const value = index < this.length ? this.#guest.readBigInt(this.#argv + VALUE_BYTES * index) : undefined;
    if (value === undefined) throw new GuestException("TypeError", "expected a bigint");
    return value;
  }

  isUndefined(index: number): boolean {
    return index >= this.length || this.#guest.isUndefined(this.#argv + VALUE_BYTES * index);
  }
}

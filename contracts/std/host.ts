/** The guest's end of the one host function. Everything here runs inside the engine, never in the node. */

/** A value as it crosses. */
export type Flat = string | number | bigint;
type HostValue = Flat | undefined;

declare const engine: {
  readonly host: (operation: number, ...args: HostValue[]) => HostValue;
  readonly entries: Record<string, (...values: never[]) => string | undefined>;
};

/** Captured while `chain:std` is evaluated: afterwards the global is gone. */
export const host = engine.host;
export const entries = engine.entries;

/** For operations that answer with text. The same function: a wrapper would cost twenty times the call. */
export const hostText = engine.host as (operation: number, ...args: HostValue[]) => string;

/** For operations that answer with an integer. */
export const hostInteger = engine.host as (operation: number, ...args: HostValue[]) => bigint;

/** A declaration's answer, which is JSON. */
export function hostJson<T>(operation: number, ...args: HostValue[]): T {
  return JSON.parse(host(operation, ...args) as string) as T;
}

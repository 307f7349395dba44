/** The guest's end of the one host function. Everything here runs inside the engine, never in the node. */

/** A value as it crosses: integers go to the host as they are and come from it as numbers or text. */
export type Flat = string | number | bigint;
type HostValue = Flat | undefined;

declare const engine: {
  readonly host: (operation: number, ...args: HostValue[]) => HostValue;
  readonly entries: Record<string, (argument: never) => string | undefined>;
};

/** Captured while `chain:std` is evaluated: afterwards the global is gone. */
export const host = engine.host;
export const entries = engine.entries;

/** For operations that answer with text. The same function: a wrapper would cost twenty times the call. */
export const hostText = engine.host as (operation: number, ...args: HostValue[]) => string;

/** A declaration's answer, which is JSON. */
export function hostJson<T>(operation: number, ...args: HostValue[]): T {
  return JSON.parse(host(operation, ...args) as string) as T;
}

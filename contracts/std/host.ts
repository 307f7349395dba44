/** The guest's end of the one host function. Everything here runs inside the engine, never in the node. */

type HostValue = string | number | undefined;

declare const engine: {
  readonly host: (operation: number, ...args: HostValue[]) => HostValue;
  readonly entries: Record<string, (argument: never) => string | undefined>;
};

/** Captured while `chain:std` is evaluated: afterwards the global is gone. */
export const host = engine.host;
export const entries = engine.entries;

export function hostText(operation: number, ...args: HostValue[]): string {
  return host(operation, ...args) as string;
}

/** A declaration's answer, which is JSON. */
export function hostJson<T>(operation: number, ...args: HostValue[]): T {
  return JSON.parse(host(operation, ...args) as string) as T;
}
